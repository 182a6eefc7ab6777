//! Calls that go wrong the first time they come, and calls that get no answer for now: the same for every service here.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// What happens to calls the first time they come: to one of so many, counted from this one.
#[derive(Debug)]
pub struct FirstTimes<F> {
    fault: Option<(F, usize, usize)>,
    seen: BTreeSet<String>,
}

impl<F> Default for FirstTimes<F> {
    fn default() -> Self {
        Self {
            fault: None,
            seen: BTreeSet::new(),
        }
    }
}

impl<F: Clone> FirstTimes<F> {
    pub fn plan(&mut self, fault: F, of: usize, from: usize) {
        self.fault = Some((fault, of.max(1), from));
        self.seen.clear();
    }

    /// What happens to this call; `call` is all of it, to know it again.
    pub fn next(&mut self, call: String) -> Option<F> {
        let (fault, of, from) = self.fault.as_ref()?;
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
