//! What a writer must know to say yes or no to a commit without asking the database: where streams end, which targets
//! are held, which deliveries wait. Both stores admit by these rules, so they cannot differ in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::chain::{self, Salt, Seal};
use super::limits::{self, INBOX_RESERVE};
use super::{Commit, Committed, EffectId, Error, Head, InboxId, Lock, Redaction, Stream};

/// Heads kept in memory. At about 150 bytes each this is 1.5 MB; beyond it they are read again.
const HEADS_KEPT: usize = 10_000;

/// Where salts come from.
#[derive(Debug, Clone, Default)]
pub enum Salts {
    /// The system's randomness.
    #[default]
    Random,
    /// 1, 2, 3: for tests that compare hashes.
    Counted(u64),
}

impl Salts {
    fn next(&mut self) -> Result<Salt, Error> {
        let mut salt = Salt::default();
        match self {
            Self::Random => getrandom::fill(&mut salt).map_err(|error| Error::Io {
                doing: "asking the system for randomness".into(),
                cause: error.to_string(),
            })?,
            Self::Counted(last) => {
                *last += 1;
                salt[..8].copy_from_slice(&last.to_be_bytes());
            }
        }
        Ok(salt)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Ledger {
    heads: HashMap<Stream, Head>,
    locks: BTreeMap<String, Lock>,
    pending: BTreeSet<InboxId>,
    last_inbox: u64,
    last_effect: u64,
    salts: Salts,
    inbox_bound: usize,
}

/// A commit that may be written as it stands.
pub(super) struct Admitted {
    /// Seals of the events, by append.
    pub seals: Vec<Vec<Seal>>,
    pub committed: Committed,
    /// Targets whose lock was really given back.
    pub released: Vec<String>,
}

impl Ledger {
    pub fn new(salts: Salts, inbox_bound: usize) -> Self {
        Self {
            heads: HashMap::new(),
            locks: BTreeMap::new(),
            pending: BTreeSet::new(),
            last_inbox: 0,
            last_effect: 0,
            salts,
            inbox_bound,
        }
    }

    /// Forgets everything and starts from what is on disk. Heads are learned one by one.
    pub fn reset(&mut self, locks: Vec<Lock>, pending: BTreeSet<InboxId>, last_inbox: u64, last_effect: u64) {
        self.heads.clear();
        self.locks = locks
            .into_iter()
            .map(|lock| (lock.target.clone(), lock))
            .collect();
        self.pending = pending;
        self.last_inbox = last_inbox;
        // Ids given out and lost with a failed group are not given out again.
        self.last_effect = self.last_effect.max(last_effect);
    }

    pub fn knows(&self, stream: Stream) -> bool {
        self.heads.contains_key(&stream)
    }

    pub fn learn(&mut self, head: Head) {
        self.heads.insert(head.stream, head);
    }

    /// Call between groups: drops heads beyond the bound.
    pub fn trim(&mut self) {
        if self.heads.len() > HEADS_KEPT {
            self.heads.clear();
        }
    }

    pub fn pending(&self) -> &BTreeSet<InboxId> {
        &self.pending
    }

    pub fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.locks.values()
    }

    /// Whether one more delivery fits. The reserve is for urgent ones.
    pub fn room(&self, urgent: bool) -> Result<(), Error> {
        let reserve = if urgent { 0 } else { INBOX_RESERVE };
        let bound = self.inbox_bound.saturating_sub(reserve);
        let pending = self.pending.len();
        if pending >= bound {
            Err(Error::Full { pending, bound })
        } else {
            Ok(())
        }
    }

    /// The id for one more delivery, which counts as waiting from now on.
    pub fn next_inbox(&mut self) -> InboxId {
        self.last_inbox += 1;
        self.pending.insert(InboxId(self.last_inbox));
        InboxId(self.last_inbox)
    }

    /// The delivery turned out to be a duplicate.
    pub fn forget_inbox(&mut self, inbox: InboxId) {
        self.pending.remove(&inbox);
        if inbox.0 == self.last_inbox {
            self.last_inbox -= 1;
        }
    }

    /// Checks every condition of a commit, then changes the ledger as if it were written. A refusal changes nothing.
    /// Every stream in `appends` and in redactions must be known.
    pub fn admit(&mut self, commit: &Commit) -> Result<Admitted, Error> {
        limits::check(commit)?;
        self.check_streams(commit)?;
        self.check_locks(commit)?;
        let mut decided = BTreeSet::new();
        for done in &commit.inbox_done {
            if !self.pending.contains(&done.inbox) || !decided.insert(done.inbox) {
                return Err(Error::NotPending { inbox: done.inbox });
            }
        }
        let (seals, heads) = self.seal(commit)?;

        for head in &heads {
            self.heads.insert(head.stream, *head);
        }
        let mut released = Vec::new();
        for lock in &commit.locks_released {
            if self.locks.get(&lock.target) == Some(lock) {
                self.locks.remove(&lock.target);
                released.push(lock.target.clone());
            }
        }
        for lock in &commit.locks_taken {
            self.locks.insert(lock.target.clone(), lock.clone());
        }
        for done in &commit.inbox_done {
            self.pending.remove(&done.inbox);
        }
        let effects = (self.last_effect + 1..).zip(&commit.effects);
        let effects: Vec<EffectId> = effects
            .map(|(count, effect)| EffectId::new(effect.lane, count))
            .collect();
        self.last_effect += effects.len() as u64;
        let hashes = seals.iter().map(|of| of.iter().map(|seal| seal.hash).collect());
        Ok(Admitted {
            committed: Committed {
                heads,
                hashes: hashes.collect(),
                effects,
                purged: false,
            },
            seals,
            released,
        })
    }

    fn head(&self, stream: Stream) -> Result<&Head, Error> {
        self.heads
            .get(&stream)
            .ok_or_else(|| Error::invalid(format!("the head of {stream} was not read")))
    }

    fn check_streams(&self, commit: &Commit) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        for append in &commit.appends {
            if !seen.insert(append.stream) {
                return Err(Error::invalid(format!(
                    "{} is appended to twice in one commit",
                    append.stream
                )));
            }
            let found = self.head(append.stream)?.seq;
            if found != append.expected {
                return Err(Error::Conflict {
                    stream: append.stream,
                    expected: append.expected,
                    found,
                });
            }
        }
        for redaction in &commit.redactions {
            if let Redaction::Event { stream, seq, .. } = redaction
                && !(1..=self.head(*stream)?.seq).contains(seq)
            {
                return Err(Error::invalid(format!("{stream} has no event {seq} to redact")));
            }
        }
        Ok(())
    }

    fn check_locks(&self, commit: &Commit) -> Result<(), Error> {
        let mut taken = BTreeMap::new();
        for lock in &commit.locks_taken {
            let released = commit
                .locks_released
                .iter()
                .any(|released| self.locks.get(&lock.target) == Some(released));
            let holder = taken.get(&lock.target).copied().or_else(|| {
                // Held, unless this very commit lets go of it first.
                self.locks.get(&lock.target).filter(|_| !released)
            });
            if let Some(holder) = holder
                && holder != lock
            {
                return Err(Error::Locked {
                    holder: holder.clone(),
                });
            }
            taken.insert(lock.target.clone(), lock);
        }
        Ok(())
    }

    fn seal(&mut self, commit: &Commit) -> Result<(Vec<Vec<Seal>>, Vec<Head>), Error> {
        let mut seals = Vec::with_capacity(commit.appends.len());
        let mut heads = Vec::with_capacity(commit.appends.len());
        for append in &commit.appends {
            let mut head = *self.head(append.stream)?;
            let mut of_stream = Vec::with_capacity(append.events.len());
            for event in &append.events {
                let seal = chain::seal(&head, event, self.salts.next()?)?;
                head = Head {
                    stream: head.stream,
                    seq: head.seq + 1,
                    hash: seal.hash,
                };
                of_stream.push(seal);
            }
            seals.push(of_stream);
            heads.push(head);
        }
        Ok((seals, heads))
    }
}
