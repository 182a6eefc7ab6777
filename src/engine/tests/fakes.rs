//! The world around the engine: a chat that does everything once per key, hands that count what they did, and words
//! that are plain.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::kit::{Said, identity};
use crate::chat::{self, Asker, Chat, Form, Found, Incoming, Message, RoomSpec, Upload};
use crate::desk;
use crate::engine::{
    Act, Addressed, Asking, Carried, Documents, Hands, Listed, Looked, Meaning, Redact, Words,
};
use crate::incident::*;
use crate::store::{Edge, Memory, Store, StoredEntry};

/// A point at which the process ends: in the middle of a call to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub number: u64,
    pub edge: Edge,
}

/// Counts calls to the world, and ends the process at one of them.
#[derive(Default)]
pub struct Calls {
    made: AtomicU64,
    stop: Mutex<Option<(Call, Memory)>>,
}

impl Calls {
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    pub fn stop_at(&self, call: Call, store: &Memory) {
        *self.stop.lock().expect("no panic") = Some((call, store.clone()));
    }

    /// The call's number; `Err`: the process has ended before it could be made.
    fn begin(&self) -> Result<u64, ()> {
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        if self.pass(number, Edge::Before) {
            Ok(number)
        } else {
            Err(())
        }
    }

    fn pass(&self, number: u64, edge: Edge) -> bool {
        let mut stop = self.stop.lock().expect("no panic");
        match &*stop {
            Some((call, store)) if *call == (Call { number, edge }) => {
                let _ = store.close().now_or_never();
                *stop = None;
                false
            }
            _ => true,
        }
    }

    fn end(&self, number: u64) {
        self.pass(number, Edge::After);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub key: String,
    pub at: MessageRef,
    pub text: String,
    pub deleted: bool,
}

#[derive(Default)]
struct Shown {
    rooms: BTreeMap<String, (RoomRef, RoomSpec)>,
    posted: Vec<Posted>,
    updates: u64,
    /// What was called for urgently.
    urgent: Vec<String>,
    topics: HashMap<RoomRef, String>,
    invited: BTreeSet<(RoomRef, Identity)>,
    whispers: BTreeMap<String, (Identity, String)>,
    directs: BTreeMap<String, (Identity, String)>,
    files: BTreeMap<String, Upload>,
    attached: BTreeMap<String, Vec<u8>>,
    archived: BTreeSet<RoomRef>,
    /// Channels that were there before: whether everybody can read them, and whether the bot is in.
    channels: BTreeMap<String, (bool, bool)>,
}

/// How long edits have to wait where they may not be made.
pub const EDITS_WAIT: Duration = Duration::from_secs(30);

/// A platform that does everything once per key, and fails on demand.
#[derive(Default)]
pub struct TestChat {
    /// `None`: `local`.
    named: Option<&'static str>,
    shown: Mutex<Shown>,
    pub calls: Calls,
    pub down: AtomicBool,
    /// No edit may be made now.
    pub edits_wait: AtomicBool,
    /// It does not ask what becomes of what is typed.
    pub leaves_it: AtomicBool,
    faults: Mutex<VecDeque<chat::Error>>,
    stuck: Mutex<Option<String>>,
    finding: Mutex<Option<Arc<tokio::sync::Barrier>>>,
    members: Mutex<Vec<Identity>>,
}

impl TestChat {
    /// The same on another platform.
    pub fn on(platform: &'static str) -> Self {
        Self {
            named: Some(platform),
            ..Self::default()
        }
    }

    /// Who is in its one group from now on.
    pub fn has_members(&self, names: &[&str]) {
        *self.members.lock().expect("no panic") = names.iter().map(|name| identity(name)).collect();
    }

    /// Whoever looks for a channel meets the others at this barrier, twice.
    pub fn meet_at(&self, barrier: &Arc<tokio::sync::Barrier>) {
        *self.finding.lock().expect("no panic") = Some(barrier.clone());
    }

    fn room(&self, name: &str) -> RoomRef {
        let platform = self.platform().to_owned();
        RoomRef {
            workspace: platform.clone(),
            platform,
            room: name.to_owned(),
        }
    }

    /// A channel that people made.
    pub fn has_channel(&self, name: &str, readable: bool, joined: bool) {
        self.shown().channels.insert(name.to_owned(), (readable, joined));
    }

    /// Somebody comes into a channel.
    pub fn comes_in(&self, who: &Identity, name: &str) {
        self.shown().invited.insert((self.room(name), who.clone()));
    }

    pub fn is_archived(&self, name: &str) -> bool {
        self.shown().archived.contains(&self.room(name))
    }

    pub fn topic(&self, name: &str) -> Option<String> {
        self.shown().topics.get(&self.room(name)).cloned()
    }

    pub fn fails(&self, error: chat::Error) {
        self.faults.lock().expect("no panic").push_back(error);
    }

    /// Messages with this text never get through.
    pub fn sticks_at(&self, text: &str) {
        *self.stuck.lock().expect("no panic") = Some(text.to_owned());
    }

    fn may_stick(&self, text: &str) {
        let stuck = self.stuck.lock().expect("no panic").clone();
        if stuck.is_some_and(|stuck| text.contains(&stuck)) {
            self.fails(chat::Error::Retry {
                why: "it does not get through".to_owned(),
                after: None,
            });
        }
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().expect("no panic")
    }

    fn call<T>(&self, call: impl FnOnce(&mut Shown) -> T) -> Result<T, chat::Error> {
        let away = || chat::Error::Retry {
            why: "the platform is away".to_owned(),
            after: None,
        };
        let number = self.calls.begin().map_err(|()| away())?;
        if self.down.load(Ordering::SeqCst) {
            return Err(away());
        }
        if let Some(error) = self.faults.lock().expect("no panic").pop_front() {
            return Err(error);
        }
        let result = call(&mut self.shown());
        self.calls.end(number);
        Ok(result)
    }

    /// What a room shows now, in order.
    pub fn reads(&self, name: &str) -> Vec<String> {
        let shown = self.shown();
        let there = shown
            .posted
            .iter()
            .filter(|posted| posted.at.room == self.room(name) && !posted.deleted);
        there.map(|posted| posted.text.clone()).collect()
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.shown().posted.clone()
    }

    pub fn notices(&self, name: &str) -> Vec<String> {
        self.reads(name)
            .into_iter()
            .filter(|text| text.starts_with('#'))
            .collect()
    }

    /// What was posted or edited urgently, in order.
    pub fn urgently(&self) -> Vec<String> {
        self.shown().urgent.clone()
    }

    /// Edits made so far.
    pub fn edits(&self) -> u64 {
        self.shown().updates
    }

    /// Where the message stands that starts like this.
    pub fn at(&self, begins: &str) -> MessageRef {
        let found = self.shown();
        let mut found = found.posted.iter();
        let found = found.find(|posted| posted.text.starts_with(begins) && !posted.deleted);
        found.expect("such a message").at.clone()
    }

    /// The one message that starts like this.
    pub fn one(&self, name: &str, begins: &str) -> String {
        let found: Vec<_> = self
            .reads(name)
            .into_iter()
            .filter(|text| text.starts_with(begins))
            .collect();
        assert_eq!(found.len(), 1, "{begins} in {name}: {found:?}");
        found[0].clone()
    }

    pub fn delete(&self, begins: &str) {
        let mut shown = self.shown();
        let found = shown
            .posted
            .iter_mut()
            .find(|posted| posted.text.starts_with(begins) && !posted.deleted);
        found.expect("such a message").deleted = true;
    }

    pub fn whispers(&self, name: &str) -> Vec<String> {
        let shown = self.shown();
        let to = shown.whispers.values().filter(|(to, _)| *to == identity(name));
        to.map(|(_, text)| text.clone()).collect()
    }

    pub fn directs(&self, name: &str) -> Vec<String> {
        let shown = self.shown();
        let to = shown.directs.values().filter(|(to, _)| *to == identity(name));
        to.map(|(_, text)| text.clone()).collect()
    }

    pub fn invited(&self, name: &str, who: &str) -> bool {
        self.shown().invited.contains(&(self.room(name), identity(who)))
    }

    pub fn rooms(&self) -> Vec<String> {
        self.shown()
            .rooms
            .values()
            .map(|(room, _)| room.room.clone())
            .collect()
    }

    /// A file that somebody put on a message, by its id.
    pub fn attach(&self, id: &str, bytes: &[u8]) {
        self.shown().attached.insert(id.to_owned(), bytes.to_vec());
    }

    pub fn files(&self) -> Vec<Upload> {
        self.shown().files.values().cloned().collect()
    }
}

#[async_trait]
impl Chat for TestChat {
    fn follows(&self) -> bool {
        !self.leaves_it.load(Ordering::SeqCst)
    }

    fn platform(&self) -> &'static str {
        self.named.unwrap_or("local")
    }

    async fn members(&self, _: &str) -> Result<Vec<chat::Member>, chat::Error> {
        let members = self.members.lock().expect("no panic").clone();
        let named = |who: Identity| chat::Member {
            name: who.user.clone(),
            who,
        };
        Ok(members.into_iter().map(named).collect())
    }

    async fn open_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, chat::Error> {
        self.call(|shown| {
            let opened = shown.rooms.entry(key.to_owned());
            let (room, spec) = opened
                .or_insert_with(|| (self.room(&spec.name), spec.clone()))
                .clone();
            let people = spec.invite.into_iter().map(|person| (room.clone(), person));
            shown.invited.extend(people);
            room
        })
    }

    async fn invite(&self, room: &RoomRef, people: &[Identity]) -> Result<(), chat::Error> {
        self.call(|shown| {
            let people = people.iter().map(|person| (room.clone(), person.clone()));
            shown.invited.extend(people);
        })
    }

    async fn set_topic(&self, room: &RoomRef, topic: &str) -> Result<(), chat::Error> {
        self.call(|shown| drop(shown.topics.insert(room.clone(), topic.to_owned())))
    }

    async fn archive(&self, room: &RoomRef) -> Result<(), chat::Error> {
        self.call(|shown| shown.archived.extend([room.clone()]))
    }

    async fn unarchive(&self, room: &RoomRef) -> Result<(), chat::Error> {
        self.call(|shown| shown.archived.retain(|archived| archived != room))
    }

    async fn find_room(&self, typed: &str, asker: &Asker) -> Result<Found, chat::Error> {
        let barrier = self.finding.lock().expect("no panic").clone();
        if let Some(barrier) = barrier {
            barrier.wait().await;
            barrier.wait().await;
        }
        let name = typed.trim_start_matches('#');
        self.call(|shown| {
            let archived = shown.archived.contains(&self.room(name));
            let room = self.room(name);
            let inside = |who: &Identity| shown.invited.contains(&(room.clone(), who.clone()));
            let reads = asker.reads.contains(&room) || asker.who.iter().any(inside);
            let there = shown
                .channels
                .get(name)
                .filter(|(readable, _)| *readable || reads);
            let found = there.map(|(readable, joined)| Found {
                room: room.clone(),
                name: format!("#{name}"),
                readable: *readable,
                joined: *joined,
                archived,
            });
            found.ok_or_else(|| chat::Error::Gone {
                why: format!("There is no channel #{name}"),
            })
        })?
    }

    async fn post(
        &self,
        key: &str,
        room: &RoomRef,
        _: Option<&MessageRef>,
        message: &Message,
    ) -> Result<MessageRef, chat::Error> {
        self.may_stick(&message.fallback);
        self.call(|shown| {
            if chat::is_urgent() {
                shown.urgent.push(message.fallback.clone());
            }
            if let Some(known) = shown.posted.iter().find(|posted| posted.key == key) {
                return Ok(known.at.clone());
            }
            if shown.archived.contains(room) {
                let why = "the room is archived".to_owned();
                return Err(chat::Error::Gone { why });
            }
            let at = MessageRef {
                room: room.clone(),
                message: format!("m{}", shown.posted.len() + 1),
            };
            shown.posted.push(Posted {
                key: key.to_owned(),
                at: at.clone(),
                text: message.fallback.clone(),
                deleted: false,
            });
            Ok(at)
        })?
    }

    async fn find_post(
        &self,
        key: &str,
        room: &RoomRef,
        _: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<MessageRef>, chat::Error> {
        self.call(|shown| {
            if room.room.starts_with('@') && shown.directs.contains_key(key) {
                return Some(MessageRef {
                    room: room.clone(),
                    message: key.to_owned(),
                });
            }
            let mut there = shown.posted.iter().filter(|posted| posted.at.room == *room);
            let found = there.find(|posted| posted.key == key && !posted.deleted);
            found.map(|posted| posted.at.clone())
        })
    }

    async fn update(&self, at: &MessageRef, message: &Message) -> Result<(), chat::Error> {
        if self.edits_wait.load(Ordering::SeqCst) {
            return Err(chat::Error::Retry {
                why: "no more edits in this minute".to_owned(),
                after: Some(EDITS_WAIT),
            });
        }
        self.call(|shown| {
            shown.updates += 1;
            if chat::is_urgent() {
                shown.urgent.push(message.fallback.clone());
            }
            if let Some((_, said)) = shown.directs.get_mut(&at.message) {
                said.clone_from(&message.fallback);
                return Ok(());
            }
            let known = shown
                .posted
                .iter_mut()
                .find(|posted| posted.at == *at && !posted.deleted);
            match known {
                Some(posted) => {
                    posted.text = message.fallback.clone();
                    Ok(())
                }
                None => Err(chat::Error::Gone {
                    why: "the message is gone".to_owned(),
                }),
            }
        })?
    }

    async fn pin(&self, _: &MessageRef) -> Result<(), chat::Error> {
        self.call(|_| ())
    }

    async fn upload(&self, key: &str, room: &RoomRef, file: &Upload) -> Result<MessageRef, chat::Error> {
        self.may_stick(&file.comment);
        self.call(|shown| {
            shown.files.entry(key.to_owned()).or_insert_with(|| file.clone());
            MessageRef {
                room: room.clone(),
                message: key.to_owned(),
            }
        })
    }

    async fn read_file(&self, _: &MessageRef, file: &FileRef, _: usize) -> Result<Vec<u8>, chat::Error> {
        self.call(|shown| {
            let bytes = shown.attached.get(&file.id).cloned();
            bytes.ok_or_else(|| chat::Error::Gone {
                why: "the file is no longer there".to_owned(),
            })
        })?
    }

    async fn whisper(
        &self,
        key: &str,
        _: &RoomRef,
        to: &Identity,
        message: &Message,
    ) -> Result<(), chat::Error> {
        self.call(|shown| {
            let told = (to.clone(), message.fallback.clone());
            shown.whispers.entry(key.to_owned()).or_insert(told);
        })
    }

    async fn direct_room(&self, to: &Identity) -> Result<RoomRef, chat::Error> {
        Ok(self.room(&format!("@{}", to.user)))
    }

    async fn direct(&self, key: &str, to: &Identity, message: &Message) -> Result<(), chat::Error> {
        self.call(|shown| {
            let told = (to.clone(), message.fallback.clone());
            shown.directs.entry(key.to_owned()).or_insert(told);
        })
    }

    async fn ask(&self, _: &chat::Trigger, _: &RoomRef, _: &Identity, _: &Form) -> Result<(), chat::Error> {
        self.call(|_| ())
    }
}

// The hands.

/// Does what it is told, once per call, and counts.
#[derive(Default)]
pub struct TestHands {
    pub calls: Calls,
    attempts: Mutex<Vec<(ProposalId, AttemptId)>>,
    outcomes: Mutex<VecDeque<Outcome>>,
    verdicts: Mutex<HashMap<String, Verdict>>,
    changed: Mutex<BTreeMap<String, String>>,
    gate: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

impl TestHands {
    /// Everything that was really done.
    pub fn attempts(&self) -> Vec<(ProposalId, AttemptId)> {
        self.attempts.lock().expect("no panic").clone()
    }

    pub fn ends(&self, outcome: Outcome) {
        self.outcomes.lock().expect("no panic").push_back(outcome);
    }

    pub fn answers_with(&self, probe: &str, verdict: Verdict) {
        self.verdicts
            .lock()
            .expect("no panic")
            .insert(probe.to_owned(), verdict);
    }

    pub fn change_entry(&self, action: &str) {
        self.changed
            .lock()
            .expect("no panic")
            .insert(action.to_owned(), "changed".to_owned());
    }

    /// Attempts wait here, after they were done and before they say so.
    pub fn hold(&self) -> Arc<tokio::sync::Semaphore> {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        *self.gate.lock().expect("no panic") = Some(gate.clone());
        gate
    }
}

#[async_trait]
impl Hands for TestHands {
    async fn ask(&self, asked: &Asked, _: Option<DateTime<Utc>>) -> (Answer, Vec<u8>) {
        let silent = Answer {
            verdict: Verdict::Unknown,
            summary: "no answer".to_owned(),
            excerpt: String::new(),
            impact: None,
            duration_ms: 1,
            output: None,
            caveats: Vec::new(),
        };
        let Ok(number) = self.calls.begin() else {
            return (silent, Vec::new());
        };
        let verdict = self.verdicts.lock().expect("no panic").get(&asked.probe).copied();
        let verdict = verdict.unwrap_or_else(|| match asked.probe.as_str() {
            // The truth: it stands still once it was stopped.
            "job.stopped" if self.attempts().is_empty() => Verdict::Failing,
            _ => Verdict::Ok,
        });
        self.calls.end(number);
        let summary = format!("{} with password hunter2", asked.probe);
        (
            Answer {
                verdict,
                summary,
                ..silent
            },
            b"the whole output".to_vec(),
        )
    }

    async fn preview(&self, terms: &Terms, _: Option<DateTime<Utc>>) -> Result<Preview, String> {
        let number = self.calls.begin().map_err(|()| "the process ended".to_owned())?;
        self.calls.end(number);
        let display = format!("{} {}", terms.action, terms.target);
        Ok(Preview {
            operation: Operation {
                driver: "postgres".to_owned(),
                call: serde_json::json!({ "sql": display }),
                display,
                guards: serde_json::Map::new(),
            },
            effect: "active: true -> false".to_owned(),
            dry_run: true,
        })
    }

    async fn attempt(&self, approved: &Approved, _: &Terms) -> Outcome {
        let Ok(number) = self.calls.begin() else {
            return Outcome::Unknown {
                why: "the process ended".to_owned(),
            };
        };
        let done = (approved.proposal(), approved.attempt());
        self.attempts.lock().expect("no panic").push(done);
        let gate = self.gate.lock().expect("no panic").clone();
        if let Some(gate) = gate {
            gate.acquire().await.expect("open").forget();
        }
        self.calls.end(number);
        let outcome = self.outcomes.lock().expect("no panic").pop_front();
        outcome.unwrap_or(Outcome::Done {
            report: "1 row".to_owned(),
        })
    }

    fn entries(&self) -> BTreeMap<String, String> {
        let mut entries: BTreeMap<_, _> = ["stop", "start", "restart"]
            .map(|action| (action.to_owned(), format!("entry-of-{action}")))
            .into();
        entries.extend(self.changed.lock().expect("no panic").clone());
        entries
    }
}

// Words and their meaning.

fn plain(text: impl Into<String>) -> Message {
    Message {
        fallback: text.into(),
        blocks: Vec::new(),
    }
}

pub struct TestWords;

impl Words for TestWords {
    fn home(
        &self,
        person: &PersonId,
        listed: &[Arc<Listed>],
        looked: Looked<'_>,
        _: &desk::State,
    ) -> Message {
        let tasks = looked.states.iter().flat_map(|state| state.tasks.values());
        let mine = tasks.filter(|task| task.owner.as_ref() == Some(person)).count();
        Message {
            fallback: format!(
                "{} open, {mine} to do, {} left out",
                listed.len(),
                looked.left_out
            ),
            blocks: Vec::new(),
        }
    }

    fn slot(&self, state: &State, slot: Slot, _: &desk::State) -> Option<Message> {
        let number = state.opening.number;
        Some(plain(match slot {
            Slot::Card => format!(
                "card of {number}: {}, {}, {:?}",
                state.title, state.phase, state.life
            ),
            Slot::Announcement => format!("{number} {}", state.title),
            Slot::Prompt { entered } => format!("prompt {entered}"),
            Slot::Proposal { proposal } => {
                format!("{proposal}: {}", state.proposal(proposal).ok()?.stage.word())
            }
            Slot::Round { round } => format!("round {round}"),
            Slot::Page { page } => format!("page {page}"),
        }))
    }

    fn notice(&self, _: &State, recorded: &Recorded, _: &str, _: &desk::State) -> Option<Message> {
        let event = recorded.event.as_ref()?;
        let said = match event {
            Event::Noted { text } => format!(": {text}"),
            _ => String::new(),
        };
        Some(plain(format!("#{} {}{said}", recorded.seq, event.kind())))
    }

    fn digest(&self, _: &State, from: u64, to: u64, said: &[Carried], _: &desk::State) -> Message {
        let said: Vec<_> = said.iter().filter_map(|said| said.text.clone()).collect();
        let said = match &said[..] {
            [] => String::new(),
            said => format!(", said: {}", said.join(", ")),
        };
        plain(format!("digest of #{from} to #{to}{said}"))
    }

    fn topic(&self, state: &State, _: &desk::State) -> String {
        format!("{} {}", state.severity, state.phase)
    }

    fn room_name(&self, state: &State, audience: Audience) -> String {
        let guests = if audience == Audience::Guest {
            "-guests"
        } else {
            ""
        };
        format!("inc-{}{guests}", state.opening.number.0)
    }

    fn guest_card(&self, state: &State) -> Message {
        plain(format!("guests' card of {}", state.opening.number))
    }

    fn guest_topic(&self, state: &State) -> String {
        format!("guests' topic of {}", state.opening.number)
    }

    fn guest_notice(&self, _: &State, recorded: &Recorded) -> Option<Message> {
        match &recorded.event {
            Some(Event::UpdateSent { text, .. }) => Some(plain(format!("update: {text}"))),
            _ => None,
        }
    }

    fn digest_redacted(&self) -> Message {
        plain("digest: [redacted]".to_owned())
    }

    fn goes_on(&self, state: &State) -> Message {
        plain(format!("{} goes on in its room", state.opening.number))
    }

    fn notice_redacted(&self) -> Message {
        plain("notice: [redacted]".to_owned())
    }

    fn carried(&self, carried: &Carried) -> Message {
        let text = carried.text.clone().unwrap_or_else(|| "(deleted)".to_owned());
        let files = match &carried.files[..] {
            [] => String::new(),
            files => format!(" +{}", files.join("+")),
        };
        plain(format!(
            "[{}] {}: {text}{files}",
            carried.platform, carried.author
        ))
    }

    fn unannounced(&self, state: &State, lobby: &RoomRef, why: &str) -> Message {
        plain(format!("{} is not in {lobby}: {why}", state.opening.number))
    }

    fn left(&self, _: &State) -> Message {
        plain("goodbye")
    }

    fn refusal(&self, refusal: &Refusal) -> Message {
        plain(refusal.words.clone())
    }

    fn say(&self, words: &str) -> Message {
        plain(words)
    }

    fn done(&self, _: &State, written: &[Recorded], _: &desk::State, _: bool) -> Message {
        let kinds = written
            .iter()
            .filter_map(|recorded| Some(recorded.event.as_ref()?.kind()));
        plain(kinds.collect::<Vec<_>>().join(", "))
    }
}

pub struct TestMeaning;

fn typed(incoming: &Incoming) -> Option<(Option<IncidentId>, Said)> {
    let Incoming::Command { text, .. } = incoming else {
        return None;
    };
    let (incident, json) = match text.strip_prefix("INC-").and_then(|rest| rest.split_once(' ')) {
        Some((number, json)) => (Some(IncidentId(number.parse().ok()?)), json),
        None => (None, text.as_str()),
    };
    Some((incident, serde_json::from_str(json).ok()?))
}

impl Meaning for TestMeaning {
    fn addressed(&self, incoming: &Incoming) -> Addressed {
        let typed = typed(incoming);
        let urgent =
            matches!(&typed, Some((_, Said::Do(request))) if matches!(**request, Request::Approve { .. }));
        Addressed {
            incident: typed.and_then(|(incident, _)| incident),
            journal: false,
            urgent,
        }
    }

    fn code(&self, incoming: &Incoming) -> Option<String> {
        match typed(incoming) {
            Some((_, Said::Link(code))) => code,
            _ => None,
        }
    }

    fn understand(&self, incoming: &Incoming, _: &Asking<'_>) -> Result<Act, Refusal> {
        let (_, said) = typed(incoming).ok_or_else(|| Refusal::new("That is no command."))?;
        Ok(match said {
            Said::Do(request) => match *request {
                Request::AskRoom { platform, audience } => Act::AskRoom { platform, audience },
                request => Act::Incident(request),
            },
            Said::Open(request) => Act::Open(request),
            Said::AddRoom { channel, audience } => Act::AddRoom {
                platform: "slack".to_owned(),
                channel,
                audience,
            },
            Said::Desk(request) => Act::Desk(*request),
            Said::Tell(text) => Act::Tell(plain(text)),
            Said::Export(format) => Act::Export { format, as_of: None },
            Said::Redact { what, reason } => Act::Redact {
                what: what.parse().map_or(Redact::Message(what), Redact::Row),
                reason,
            },
            Said::Link(code) => Act::Link { code },
            Said::Panic => panic!("a defect"),
        })
    }

    fn complete(&self, _: &str, asking: &Asking<'_>) -> Vec<(String, String)> {
        let titles = asking.incident.map(|state| (state.title.clone(), String::new()));
        titles.into_iter().collect()
    }
}

pub struct TestDocuments;

impl Documents for TestDocuments {
    fn export(
        &self,
        format: &str,
        journal: &[Recorded],
        head: &str,
        _: Option<&[StoredEntry]>,
        _: &desk::State,
    ) -> Result<(Vec<u8>, &'static str, String), Refusal> {
        let text = format!("{} events, {head}", journal.len());
        Ok((
            text.into_bytes(),
            "text/markdown",
            format!("post-mortem.{format}"),
        ))
    }
}
