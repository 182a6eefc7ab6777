//! What comes in: masked, made durable, queued by incident.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tokio::sync::{SemaphorePermit, oneshot};

use super::handle::Handled;
use super::lines::Line;
use super::ports::{Listed, Looked};
use super::together::Together;
use super::{Addressed, Busy, Engine, backoff, lock, read};
use crate::chat::{
    self, Delivery, Incoming, Intake, Known, Listening, Message, NOT_CONFIRMED, Refused, Verdict,
};
use crate::incident::{Identity, IncidentId, MessageRef, RoomRef};
use crate::store::{self, InboxId, Received, StoredDelivery};

/// Incidents looked through for what waits for one person; what is left out is said.
pub(super) const HOME_MAX: usize = 100;

/// After this long without a verdict is looked whether there will be one. Nearly all are there within milliseconds.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

pub(super) struct Job {
    pub inbox: InboxId,
    pub delivery: Delivery,
    pub addressed: Addressed,
}

/// Who wants to know what becomes of a delivery.
pub(super) enum Awaited {
    By(Vec<oneshot::Sender<Verdict>>),
    /// Nobody yet, and deciding it has failed: whoever asks first is told so, and not only after the next attempt.
    Unheard(Verdict),
}

#[async_trait]
impl Intake for Engine {
    async fn take(&self, mut delivery: Delivery) -> Result<Option<u64>, Refused> {
        if self.is_chatter(&delivery.incoming) {
            self.inner.counters.chat_dropped.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        self.mask(&mut delivery.incoming);
        let addressed = self.inner.parts.meaning.addressed(&delivery.incoming);
        let body = serde_json::to_string(&delivery).map_err(|error| Refused::Storage {
            why: error.to_string(),
            next: "report this, please".to_owned(),
        })?;
        let row = store::Delivery {
            delivery_key: delivery.key.clone(),
            subject_key: delivery.subject.clone(),
            platform: platform(&delivery.incoming).to_owned(),
            body,
            received: delivery.received,
            urgent: addressed.urgent,
        };
        let received = self.inner.parts.store.receive(row).await;
        self.wrote(&received);
        match received {
            Ok(Received::Fresh(inbox)) => {
                self.inner.counters.requests.fetch_add(1, Ordering::Relaxed);
                self.queue(Job {
                    inbox,
                    delivery,
                    addressed,
                });
                Ok(Some(inbox.0))
            }
            // Known already: acknowledged and ignored.
            Ok(Received::Duplicate(inbox, _)) => Ok(Some(inbox.0)),
            Err(store::Error::Full { .. }) => Err(Refused::Full),
            Err(error) => {
                if error.cannot_write()
                    && let Some(looked) = self.look_unstored(&delivery, &error).await
                {
                    return Ok(Some(looked.0));
                }
                tracing::error!(%error, "a delivery could not be stored");
                let next = if error.retry() {
                    "send it again once that is mended"
                } else {
                    "see the log"
                };
                Err(Refused::Storage {
                    why: error.to_string(),
                    next: next.to_owned(),
                })
            }
        }
    }

    async fn decided(&self, id: u64) -> Verdict {
        let inbox = InboxId(id);
        if let Some(verdict) = lock(&self.inner.looked).verdict(inbox) {
            return verdict;
        }
        let (tell, told) = oneshot::channel();
        if let Some(failed) = self.await_decision(inbox, tell) {
            return failed;
        }
        // Looked up after waiting began, so that a decision in between is not missed.
        match self.inner.parts.store.outcome(inbox).await {
            Ok(Some(outcome)) => {
                drop(told);
                // Others may wait for the same delivery and are told by its worker.
                let mut all = lock(&self.inner.waiting);
                if let Some(Awaited::By(waiting)) = all.get_mut(&inbox) {
                    waiting.retain(|tell| !tell.is_closed());
                    if waiting.is_empty() {
                        all.remove(&inbox);
                    }
                }
                serde_json::from_str(&outcome).unwrap_or_else(|_| unconfirmed())
            }
            _ => self.told_or_forgotten(inbox, told).await,
        }
    }

    async fn listening(&self, platform: &str) -> Vec<Listening> {
        let listed = self.listed(None);
        let open = listed.into_iter().filter(|listed| listed.open);
        open.flat_map(|listed| {
            let rooms = listed.rooms.clone().into_iter();
            rooms.map(move |room| {
                let joined = listed.joined.get(&room.to_string());
                let since = joined.copied().unwrap_or(listed.declared);
                Listening { room, since }
            })
        })
        .filter(|listening| listening.room.platform == platform)
        .collect()
    }

    async fn known(&self, room: &RoomRef, since: DateTime<Utc>) -> Option<Vec<Known>> {
        self.known_in(room, since).await
    }

    fn asks_form(&self, incoming: &Incoming) -> bool {
        let in_room = read(&self.inner.index).incident_of(room_of(incoming)).is_some();
        self.inner.parts.meaning.asks_form(incoming, in_room)
    }

    async fn home(&self, who: &Identity) -> Option<Message> {
        let desk = self.desk();
        let person = desk.person_of(who)?;
        let mut listed = self.listed(Some(person));
        listed.retain(|listed| listed.open);
        // Whoever owns a task is one of its incident's people.
        let concerns = |listed: &Listed| !listed.waiting.is_empty() || listed.members.contains(person);
        let concerning: Vec<_> = listed.iter().filter(|listed| concerns(listed)).collect();
        let mut states = Vec::new();
        for incident in concerning.iter().take(HOME_MAX) {
            // One that cannot be read now is still in the list.
            states.extend(self.state(incident.incident).await.ok().flatten());
        }
        let looked = Looked {
            states: &states,
            left_out: concerning.len().saturating_sub(HOME_MAX),
        };
        Some(self.inner.parts.words.home(person, &listed, looked, &desk))
    }

    fn gone(&self, message: &MessageRef) {
        self.inner.shown.doubt(message);
    }

    fn masked(&self, typed: &str) -> String {
        (self.inner.parts.mask)(typed)
    }

    async fn complete(&self, from: &Identity, room: &RoomRef, typed: &str) -> Vec<(String, String)> {
        let desk = self.desk();
        let Some(person) = desk.person_of(from) else {
            return Vec::new();
        };
        if read(&self.inner.index).is_for_guests(room) {
            return Vec::new();
        }
        let incident = {
            let index = read(&self.inner.index);
            let incident = index.incident_of(room);
            incident.filter(|incident| index.may_see(*incident, person))
        };
        let state = match incident {
            Some(incident) => self.state(incident).await.ok().flatten(),
            None => None,
        };
        let asking = super::Asking {
            person,
            room,
            picks: self.picks(room),
            now: self.now(),
            desk: &desk,
            incident: state.as_deref(),
            listed: &|| self.listed(Some(person)),
            journal: None,
        };
        self.inner.parts.meaning.complete(typed, &asking)
    }
}

impl Engine {
    /// The verdict when it is told. Nobody ever tells of a delivery that was decided long ago, and forgotten.
    async fn told_or_forgotten(&self, inbox: InboxId, mut told: oneshot::Receiver<Verdict>) -> Verdict {
        tokio::select! {
            told = &mut told => return told.unwrap_or_else(|_| unconfirmed()),
            () = self.inner.parts.clock.until(self.now() + LOOK_AGAIN) => {}
        }
        let store = &self.inner.parts.store;
        let gone = matches!(store.waiting(&[inbox]).await, Ok(waiting) if waiting.is_empty());
        // Decided between the two looks, it is told in a moment.
        if gone && matches!(store.outcome(inbox).await, Ok(None)) {
            let forgotten = self.forgotten();
            self.tell(inbox, &forgotten);
            return forgotten;
        }
        told.await.unwrap_or_else(|_| unconfirmed())
    }

    /// Chat outside of incident rooms is none of ours: dropped before it is stored.
    fn is_chatter(&self, incoming: &Incoming) -> bool {
        let (Incoming::Wrote { message, .. }
        | Incoming::Edited { message, .. }
        | Incoming::Deleted { message, .. }
        | Incoming::Reacted { message, .. }) = incoming
        else {
            return false;
        };
        !read(&self.inner.index).listens_in(&message.room)
    }

    fn mask(&self, incoming: &mut Incoming) {
        let mask = |text: &mut String| {
            let masked = (self.inner.parts.mask)(text);
            if masked != *text {
                *text = masked;
            }
            // No text of a person contains it, and no database keeps it.
            text.retain(|letter| letter != '\0');
        };
        let mask_all = |values: &mut BTreeMap<String, String>| values.values_mut().for_each(mask);
        match incoming {
            Incoming::Command { text, .. } => mask(text),
            Incoming::Edited { text, of, .. } => {
                mask(text);
                let files = of.iter_mut().flat_map(|of| &mut of.files);
                files.for_each(|file| mask(&mut file.name));
            }
            Incoming::Wrote { text, files, .. } => {
                mask(text);
                files.iter_mut().for_each(|file| mask(&mut file.name));
            }
            Incoming::Submit { fixed, values, .. } => {
                mask_all(fixed);
                mask_all(values);
            }
            Incoming::Press { press, .. } => match press {
                chat::Press::Run { line } => mask(line),
                chat::Press::Ask { fixed, .. } => mask_all(fixed),
            },
            Incoming::Deleted { .. } | Incoming::Reacted { .. } => {}
        }
    }

    /// What is answered of a delivery whose answer is not kept any more.
    fn forgotten(&self) -> Verdict {
        let words = "This was decided days ago, and what was answered is not kept any more; `/status` shows how things stand.";
        Verdict {
            accepted: true,
            message: self.inner.parts.words.say(words),
            field: None,
            incident: None,
        }
    }

    /// The line a delivery stands in.
    fn line(&self, job: &Job) -> Line {
        if let Some(incident) = self.incident_for(job) {
            return Line::Incident(incident);
        }
        match &job.delivery.incoming {
            Incoming::Command { from, .. }
            | Incoming::Press { from, .. }
            | Incoming::Submit { from, .. }
            | Incoming::Wrote { from, .. }
            | Incoming::Reacted { from, .. } => Line::Person(from.clone()),
            Incoming::Edited { message, .. } | Incoming::Deleted { message, .. } => Line::Person(Identity {
                platform: message.room.platform.clone(),
                workspace: message.room.workspace.clone(),
                user: String::new(),
            }),
        }
    }

    /// The incident that is named, else the one whose room it is.
    pub(super) fn incident_for(&self, job: &Job) -> Option<IncidentId> {
        let here = || read(&self.inner.index).incident_of(room_of(&job.delivery.incoming));
        job.addressed.incident.or_else(here)
    }

    /// Queues a job, and starts a worker where the line was empty.
    pub(super) fn queue(&self, job: Job) {
        let line = self.line(&job);
        if lock(&self.inner.lines).add(line.clone(), job) {
            let (engine, busy) = (self.clone(), self.busy());
            tokio::spawn(async move { engine.work_off(&line, busy).await });
        }
    }

    async fn work_off(&self, line: &Line, mut busy: Busy) {
        let mut tries = 0;
        loop {
            let done = match self.read_left(line).await {
                Ok(()) => {
                    // What comes while the line waits is decided with the first of it.
                    let Ok(turn) = self.inner.turns.acquire().await else {
                        return;
                    };
                    let jobs = lock(&self.inner.lines).first(line);
                    if jobs.is_empty() && *self.inner.stop.borrow() {
                        return;
                    }
                    self.decide_first(line, &jobs, turn).await
                }
                Err(error) => {
                    tracing::error!(%error, "the inbox cannot be read; what waits there is decided later");
                    None
                }
            };
            match done {
                // The jobs leave the line only now, so that a later one does not start a second worker.
                Some(done) => {
                    tries = 0;
                    if lock(&self.inner.lines).leave(line, done) {
                        return;
                    }
                }
                None => {
                    drop(busy);
                    if self.stopped_within(backoff(tries)).await {
                        return;
                    }
                    tries += 1;
                    busy = self.busy();
                }
            }
        }
    }

    /// Reads those of a line that come next, where they are only in the inbox. After a stop they stay there: what is in
    /// memory is decided, because somebody may still wait for it, and a flood does not hold the end up.
    async fn read_left(&self, line: &Line) -> Result<(), store::Error> {
        let ids = lock(&self.inner.lines).to_read(line);
        if !ids.is_empty() && !*self.inner.stop.borrow() {
            let stored = self.inner.parts.store.waiting(&ids).await?;
            let jobs = stored.iter().filter_map(|stored| self.job(stored)).collect();
            lock(&self.inner.lines).are_read(line, &ids, jobs);
        }
        Ok(())
    }

    /// A delivery as it lies in the inbox.
    pub(super) fn job(&self, stored: &StoredDelivery) -> Option<Job> {
        match serde_json::from_str::<Delivery>(&stored.body) {
            Ok(delivery) => Some(Job {
                inbox: stored.id,
                addressed: self.inner.parts.meaning.addressed(&delivery.incoming),
                delivery,
            }),
            Err(error) => {
                tracing::error!(inbox = stored.id.0, %error, "a stored delivery cannot be read; it stays where it is");
                None
            }
        }
    }

    /// Decides the first of a line: several in one commit where they are changes of one incident. How many; `None` when
    /// the line has to wait.
    async fn decide_first(&self, line: &Line, jobs: &[Arc<Job>], turn: SemaphorePermit<'_>) -> Option<usize> {
        let Some(first) = jobs.first() else {
            return Some(0);
        };
        let together = match line {
            Line::Incident(incident) => {
                let together = AssertUnwindSafe(self.handle_together(*incident, jobs, turn)).catch_unwind();
                // One by one it shows which of them it was.
                together.await.unwrap_or(Together::Decided(0))
            }
            Line::Person(_) => {
                drop(turn);
                Together::Decided(0)
            }
        };
        let handled = match together {
            Together::Decided(0) => self.safely(first, self.handle(first)).await,
            Together::Decided(done) => return Some(done),
            Together::Failed(error) => self.safely(first, self.settle(first, Err(error))).await,
        };
        match handled {
            Handled::Decided | Handled::Left => Some(1),
            Handled::Later => None,
        }
    }

    /// A defect in one decision must not leave everything behind it waiting.
    async fn safely(&self, job: &Job, handled: impl Future<Output = Handled>) -> Handled {
        let handled = AssertUnwindSafe(handled).catch_unwind().await;
        handled.unwrap_or_else(|_| {
            tracing::error!(
                inbox = job.inbox.0,
                "deciding a delivery failed badly; it stays in the inbox"
            );
            self.tell_unconfirmed(job, unconfirmed());
            Handled::Left
        })
    }

    /// Waits; whether the engine was stopped meanwhile.
    async fn stopped_within(&self, wait: TimeDelta) -> bool {
        let mut stop = self.inner.stop.subscribe();
        tokio::select! {
            () = self.inner.parts.clock.until(self.now() + wait) => false,
            _ = stop.wait_for(|stop| *stop) => true,
        }
    }

    /// Somebody waits for this delivery from now on, unless there is word of it that nobody has heard.
    fn await_decision(&self, inbox: InboxId, tell: oneshot::Sender<Verdict>) -> Option<Verdict> {
        let mut all = lock(&self.inner.waiting);
        match all.remove(&inbox) {
            Some(Awaited::Unheard(failed)) => return Some(failed),
            Some(Awaited::By(mut waiting)) => {
                waiting.push(tell);
                all.insert(inbox, Awaited::By(waiting));
            }
            None => {
                all.insert(inbox, Awaited::By(vec![tell]));
            }
        }
        None
    }

    /// Tells everybody who waits for this delivery. Whoever asks later finds a decision in the store, but a failure only here.
    /// Whether it is news that nobody has heard.
    pub(super) fn tell(&self, inbox: InboxId, verdict: &Verdict) -> bool {
        let mut all = lock(&self.inner.waiting);
        let (mut heard, mut known) = (false, false);
        match all.remove(&inbox) {
            Some(Awaited::By(waiting)) => {
                for tell in waiting {
                    // Whoever no longer waits needs no answer.
                    heard |= tell.send(verdict.clone()).is_ok();
                }
            }
            Some(Awaited::Unheard(_)) => known = true,
            None => {}
        }
        if !heard && !verdict.is_confirmed() {
            all.insert(inbox, Awaited::Unheard(verdict.clone()));
        }
        !heard && !known
    }
}

pub(super) fn platform(incoming: &Incoming) -> &str {
    &room_of(incoming).platform
}

pub(super) fn room_of(incoming: &Incoming) -> &RoomRef {
    match incoming {
        Incoming::Command { room, .. } | Incoming::Submit { room, .. } => room,
        Incoming::Press { message, .. }
        | Incoming::Wrote { message, .. }
        | Incoming::Edited { message, .. }
        | Incoming::Deleted { message, .. }
        | Incoming::Reacted { message, .. } => &message.room,
    }
}

pub(super) fn unconfirmed() -> Verdict {
    Verdict {
        accepted: false,
        message: Message {
            fallback: format!(
                "{NOT_CONFIRMED}. It is stored and will be decided; look at the card before trying again."
            ),
            blocks: Vec::new(),
        },
        field: None,
        incident: None,
    }
}
