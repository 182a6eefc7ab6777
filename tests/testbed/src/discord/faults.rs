//! What goes wrong, on demand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::calls::FirstTimes;

/// What happens to a call instead of its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429 with this long in `retry_after`; nothing is done.
    Limited(Duration),
    /// The same for all calls together, as its `global` says.
    LimitedGlobally(Duration),
    /// 429 of the proxy before Discord: a page of HTML, and only a Retry-After in whole seconds.
    ShutOut(u64),
    /// This status and a page of text; nothing is done.
    Status(u16),
    /// This status with Discord's code; nothing is done.
    Error(u16, u32),
    /// No answer until [`super::DiscordServer::release`]; then it is carried out and answered.
    Hang,
    /// Carried out at once; the answer comes with [`super::DiscordServer::release`].
    HangAfter,
    /// The connection is closed, and nothing was done.
    DropBefore,
    /// It was done, and the connection is closed before the answer.
    DropAfter,
}

#[derive(Debug, Default)]
pub struct Faults {
    planned: BTreeMap<String, VecDeque<Fault>>,
    each_once: FirstTimes<Fault>,
    /// Every event arrives twice.
    pub twice: bool,
    /// The next so many events never arrive, nor are they replayed.
    pub lose: usize,
    /// The next so many events come in a shape no library knows.
    pub garble: usize,
    /// Heartbeats are not acknowledged.
    pub deaf: bool,
    /// Who identifies is closed with this code and these words.
    pub refuse: Option<(u16, &'static str)>,
    /// Nobody is at home: every connection is closed as it is made.
    pub away: bool,
}

impl Faults {
    /// The next calls of this operation, or of any for `*`, go wrong this way, one each.
    pub fn plan(&mut self, operation: &str, times: usize, fault: &Fault) {
        let planned = self.planned.entry(operation.to_owned()).or_default();
        planned.extend(std::iter::repeat_n(fault.clone(), times));
    }

    pub fn each_once(&mut self, fault: Fault, of: usize, from: usize) {
        self.each_once.plan(fault, of, from);
    }

    pub fn clear(&mut self) {
        let away = self.away;
        *self = Self {
            away,
            ..Self::default()
        };
    }

    /// What happens to this call; `call` is all of it, to know it again.
    pub fn next(&mut self, operation: &str, call: String) -> Option<Fault> {
        for key in [operation, "*"] {
            if let Some(fault) = self.planned.get_mut(key).and_then(VecDeque::pop_front) {
                return Some(fault);
            }
        }
        self.each_once.next(call)
    }
}
