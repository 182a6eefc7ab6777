//! Deliveries that wait for a decision, each line in the order of arrival.
//!
//! The first of a line are in memory; of those behind them only where they lie in the inbox. So a flood takes some bytes a
//! delivery, and who floods one incident keeps no other waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::intake::Job;
use super::together::TOGETHER;
use crate::incident::{Identity, IncidentId};
use crate::store::InboxId;

/// Deliveries of a line that are in memory: those decided now, and those decided next.
pub(super) const AT_HAND: usize = 2 * TOGETHER;

/// What must be decided one after the other: an incident, or what one person does outside of any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Line {
    Incident(IncidentId),
    Person(Identity),
}

/// All lines. Bounded by the inbox: nothing gets here that the store did not take.
#[derive(Default)]
pub(super) struct Lines {
    lines: HashMap<Line, Waiting>,
}

#[derive(Default)]
struct Waiting {
    at_hand: VecDeque<Arc<Job>>,
    /// Behind them, in the inbox.
    left: VecDeque<InboxId>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.at_hand.is_empty() && self.left.is_empty()
    }
}

impl Lines {
    /// Puts a delivery at the end of a line. Whether the line was empty, and needs somebody to work it off.
    pub fn add(&mut self, line: Line, job: Job) -> bool {
        let waiting = self.lines.entry(line).or_default();
        let first = waiting.is_empty();
        if waiting.left.is_empty() && waiting.at_hand.len() < AT_HAND {
            waiting.at_hand.push_back(Arc::new(job));
        } else {
            waiting.left.push_back(job.inbox);
        }
        first
    }

    /// Those whose turn it is.
    pub fn first(&self, line: &Line) -> Vec<Arc<Job>> {
        let waiting = self.lines.get(line);
        let at_hand = waiting.into_iter().flat_map(|waiting| &waiting.at_hand);
        at_hand.take(TOGETHER).cloned().collect()
    }

    /// Those to be read from the inbox now.
    pub fn to_read(&self, line: &Line) -> Vec<InboxId> {
        let Some(waiting) = self
            .lines
            .get(line)
            .filter(|waiting| waiting.at_hand.len() < TOGETHER)
        else {
            return Vec::new();
        };
        let more = AT_HAND - waiting.at_hand.len();
        waiting.left.iter().take(more).copied().collect()
    }

    /// They are read; what could not be is not among `jobs`.
    pub fn are_read(&mut self, line: &Line, ids: &[InboxId], jobs: Vec<Job>) {
        if let Some(waiting) = self.lines.get_mut(line) {
            waiting.left.drain(..ids.len());
            waiting.at_hand.extend(jobs.into_iter().map(Arc::new));
        }
    }

    /// The first of a line are done with. Whether nobody else waits in it: then it is gone.
    pub fn leave(&mut self, line: &Line, done: usize) -> bool {
        let Some(waiting) = self.lines.get_mut(line) else {
            return true;
        };
        waiting.at_hand.drain(..done);
        let over = waiting.is_empty();
        if over {
            self.lines.remove(line);
        }
        over
    }
}
