//! What changed, numbered, so that a page that was away asks for what it missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

/// Changes kept for pages that come back: minutes of a busy incident. A page that was away for longer reloads.
const KEPT: usize = 2_048;

/// One change, without its content: who shows it reads it, as it is by then.
#[derive(Debug, Clone)]
pub struct Change {
    pub seq: u64,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// A message is new (`new`) or looks different.
    Message {
        room: Arc<str>,
        id: i64,
        thread: Option<i64>,
        author: Option<Arc<str>>,
        new: bool,
    },
    /// Another message is pinned.
    Pinned {
        room: Arc<str>,
    },
    /// The list of rooms, a topic or a membership.
    Rooms,
    Whisper {
        to: Arc<str>,
        room: Arc<str>,
        id: u64,
    },
    /// A form for one tab of one person.
    Form {
        to: Arc<str>,
        asked: Arc<super::Asked>,
    },
}

#[derive(Debug)]
struct Ring {
    last: u64,
    kept: VecDeque<Change>,
}

/// Where the writer tells, and pages listen. A slow listener costs nothing and holds up nobody: it reads from the
/// ring at its own pace, and when the ring has moved on it is told so.
#[derive(Debug)]
pub struct Hub {
    run: String,
    ring: Mutex<Ring>,
    last: watch::Sender<u64>,
}

impl Hub {
    pub(super) fn new(run: String) -> Self {
        let ring = Ring {
            last: 0,
            kept: VecDeque::with_capacity(KEPT),
        };
        Self {
            run,
            ring: Mutex::new(ring),
            last: watch::Sender::new(0),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    pub(super) fn tell(&self, what: What) {
        let mut ring = self.ring();
        ring.last += 1;
        let seq = ring.last;
        if ring.kept.len() == KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back(Change { seq, what });
        self.last.send_replace(seq);
    }

    fn since(&self, seq: u64) -> Option<Vec<Change>> {
        let ring = self.ring();
        let oldest = ring.kept.front().map_or(ring.last + 1, |change| change.seq);
        if seq + 1 < oldest || seq > ring.last {
            return None;
        }
        Some(
            ring.kept
                .iter()
                .skip((seq + 1 - oldest) as usize)
                .cloned()
                .collect(),
        )
    }
}

impl super::LocalChat {
    /// Where the changes stand: take it before reading a room, listen from it afterwards, and nothing is missed.
    pub fn mark(&self) -> String {
        self.mark_of(*self.hub.last.borrow())
    }

    /// The mark of a change.
    pub fn mark_of(&self, seq: u64) -> String {
        format!("{}-{seq}", self.hub.run)
    }

    /// The number in a mark of this run; `None`: the mark is of another run, so everything must be read anew.
    pub fn read_mark(&self, mark: &str) -> Option<u64> {
        let (run, seq) = mark.rsplit_once('-')?;
        (run == self.hub.run).then(|| seq.parse().ok())?
    }

    /// What changed after this number; `None`: longer ago than is kept, so everything must be read anew.
    pub fn changes_since(&self, seq: u64) -> Option<Vec<Change>> {
        self.hub.since(seq)
    }

    /// Wakes when there is a change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.hub.last.subscribe()
    }
}
