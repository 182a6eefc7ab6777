//! Calls that go wrong the first time they come, and calls that get no answer for now: the same for every service here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::sync::watch;

/// What happens to calls instead of their answers: to the next ones of a name, or to all the first time they come.
#[derive(Debug)]
pub struct CallFaults<F> {
    planned: BTreeMap<String, VecDeque<F>>,
    /// To one of so many, counted from this one.
    each_once: Option<(F, usize, usize)>,
    seen: BTreeSet<String>,
}

impl<F> Default for CallFaults<F> {
    fn default() -> Self {
        Self {
            planned: BTreeMap::new(),
            each_once: None,
            seen: BTreeSet::new(),
        }
    }
}

impl<F: Clone> CallFaults<F> {
    /// The next calls of this name, or of any for `*`, go wrong this way, one each.
    pub fn plan(&mut self, name: &str, times: usize, fault: &F) {
        let planned = self.planned.entry(name.to_owned()).or_default();
        planned.extend(std::iter::repeat_n(fault.clone(), times));
    }

    pub fn each_once(&mut self, fault: F, of: usize, from: usize) {
        self.each_once = Some((fault, of.max(1), from));
        self.seen.clear();
    }

    /// What happens to this call; `call` is all of it, to know it again.
    pub fn next(&mut self, name: &str, call: String) -> Option<F> {
        let planned = self.take(name).or_else(|| self.take("*"));
        planned.or_else(|| self.first_time(call))
    }

    /// The same for a request that is none of the calls that `*` means.
    pub fn elsewhere(&mut self, name: &str, call: String) -> Option<F> {
        self.take(name).or_else(|| self.first_time(call))
    }

    fn take(&mut self, name: &str) -> Option<F> {
        self.planned.get_mut(name).and_then(VecDeque::pop_front)
    }

    fn first_time(&mut self, call: String) -> Option<F> {
        let (fault, of, from) = self.each_once.as_ref()?;
        let at = self.seen.len();
        (self.seen.insert(call) && at % of == from % of).then(|| fault.clone())
    }
}

/// A call that gets no answer for now; counted until it is let go, or its caller is gone. `count` changes the number.
pub struct Hanging<C: Fn(fn(&mut usize))>(C);

impl<C: Fn(fn(&mut usize))> Hanging<C> {
    pub fn on(count: C) -> Self {
        count(|hanging| *hanging += 1);
        Self(count)
    }

    pub async fn until(self, gate: &mut watch::Receiver<u64>) {
        // The sender lives in the service.
        let _ = gate.changed().await;
    }
}

impl<C: Fn(fn(&mut usize))> Drop for Hanging<C> {
    fn drop(&mut self) {
        (self.0)(|hanging| *hanging -= 1);
    }
}
