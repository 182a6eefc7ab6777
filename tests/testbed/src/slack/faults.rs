//! What goes wrong, on demand.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use crate::calls::FirstTimes;

/// What happens to a call instead of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 with this many seconds in Retry-After; nothing is done.
    Limited(u64),
    /// This status and a page of text; nothing is done.
    Status(u16),
    /// 200 with this error code; nothing is done.
    Error(&'static str),
    /// No answer until [`super::SlackServer::release`]; then it is carried out and answered.
    Hang,
    /// Carried out at once; the answer comes with [`super::SlackServer::release`].
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
    /// Nobody is at home: every connection is closed as it is made.
    pub away: bool,
}

impl Faults {
    /// The next calls of this method, or of any for `*`, go wrong this way, one each.
    pub fn plan(&mut self, method: &str, times: usize, fault: &Fault) {
        let planned = self.planned.entry(method.to_owned()).or_default();
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

    /// What goes wrong with a request that calls no method: what was planned for it by name, or for all that come first.
    pub fn elsewhere(&mut self, name: &str, call: &str) -> Option<Fault> {
        let planned = self.planned.get_mut(name).and_then(VecDeque::pop_front);
        planned.or_else(|| self.each_once.next(format!("{name} {call}")))
    }

    pub fn next(&mut self, method: &str, args: &Map<String, Value>) -> Option<Fault> {
        for key in [method, "*"] {
            if let Some(fault) = self.planned.get_mut(key).and_then(VecDeque::pop_front) {
                return Some(fault);
            }
        }
        let call = format!("{method} {}", Value::Object(args.clone()));
        self.each_once.next(call)
    }
}
