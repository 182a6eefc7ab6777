//! What the engine needs of the rest of the house, as ports: hands that touch systems, words that become messages,
//! and the meaning of what people type.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::chat::{Form, Incoming, Message};
use crate::desk;
use crate::incident::{
    Answer, Approved, Asked, Audience, IncidentId, Outcome, PersonId, Preview, Recorded, Refusal, Request,
    RoomRef, Slot, State, Terms,
};
use crate::store::StoredEntry;

/// Touches systems: asks probes, renders and performs actions.
#[async_trait]
pub trait Hands: Send + Sync {
    /// Asks a probe. Never fails: no answer is the verdict `unknown`. The bytes are the full output.
    async fn ask(&self, asked: &Asked, onset: Option<DateTime<Utc>>) -> (Answer, Vec<u8>);

    /// Renders the exact operation. The error is for people.
    async fn preview(&self, terms: &Terms, onset: Option<DateTime<Utc>>) -> Result<Preview, String>;

    /// Performs an approved operation, once.
    async fn attempt(&self, approved: &Approved, terms: &Terms) -> Outcome;

    /// Digest of every action's catalog entry, as it is now.
    fn entries(&self) -> BTreeMap<String, String>;
}

/// Turns state into messages.
pub trait Words: Send + Sync {
    /// What stands in a slot of a room for the team.
    fn slot(&self, state: &State, slot: Slot, desk: &desk::State) -> Option<Message>;

    /// `hash` is the journal's head at that event, hex.
    fn notice(&self, state: &State, recorded: &Recorded, hash: &str, desk: &desk::State) -> Option<Message>;

    /// One message for many events that came too late to be told one by one. `said`: the platform, the author and the words of
    /// what people said meanwhile in other rooms.
    fn digest(&self, state: &State, from: u64, to: u64, said: &[Carried], desk: &desk::State) -> Message;

    /// What stands in place of a digest that quoted a message which was redacted since.
    fn digest_redacted(&self) -> Message;

    /// What stands in place of a notice whose event was redacted, in a room that is told nothing more.
    fn notice_redacted(&self) -> Message;

    fn topic(&self, state: &State, desk: &desk::State) -> String;

    fn room_name(&self, state: &State, audience: Audience) -> String;

    /// What guests see of where it stands. Holds nothing that is the team's alone.
    fn guest_card(&self, state: &State) -> Message;

    fn guest_topic(&self, state: &State) -> String;

    /// A stakeholder update as guests get it; `None` for everything else.
    fn guest_notice(&self, state: &State, recorded: &Recorded) -> Option<Message>;

    /// What somebody said in another room.
    fn carried(&self, carried: &Carried) -> Message;

    /// What stands where an incident was opened, and where its first question was asked until it had a room.
    fn goes_on(&self, state: &State) -> Message;

    /// What the team is told where the incident cannot be announced.
    fn unannounced(&self, state: &State, lobby: &RoomRef, why: &str) -> Message;

    /// Said where the incident is told no longer.
    fn left(&self, state: &State) -> Message;

    fn refusal(&self, refusal: &Refusal) -> Message;

    /// A sentence of our own; its back-ticks mean what they mean in a [`Refusal`].
    fn say(&self, words: &str) -> Message;

    /// What somebody sees who looks at the bot itself: the open incidents they may see, and what waits for them.
    fn home(
        &self,
        person: &PersonId,
        listed: &[Arc<Listed>],
        looked: Looked<'_>,
        desk: &desk::State,
    ) -> Message;

    /// What the person is told who asked for something that was done. `here`: they look at a room of the incident, and what
    /// that shows anyway need not be said. Empty: nothing.
    fn done(&self, state: &State, written: &[Recorded], desk: &desk::State, here: bool) -> Message;
}

/// The incidents that were looked through for what waits for one person, the newest first.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    pub states: &'a [Arc<State>],
    /// So many more may hold something, and were not looked through.
    pub left_out: usize,
}

/// What somebody wants to be gone.
#[derive(Debug, Clone)]
pub enum Redact {
    /// An event, with the message whose words it holds.
    Row(u64),
    /// A message by its platform's id, on the timeline or not.
    Message(String),
}

/// What a command, a press or a form means.
#[derive(Debug, Clone)]
pub enum Act {
    /// A change of the incident.
    Incident(Request),
    /// A new incident; its number is given out with it.
    Open(Box<Request>),
    /// A change of the desk.
    Desk(desk::Request),
    /// Nothing changes: a message for this person only.
    Tell(Message),
    /// Nothing changes: a form for this person.
    Ask(Form),
    /// A document, made and posted in the room; as of an event, or of the last one.
    Export { format: String, as_of: Option<u64> },
    /// Removes words, everywhere they were kept.
    Redact { what: Redact, reason: String },
    /// Checks the incident's journal and tells its head.
    Verify,
    /// Somebody asks for a code for their other account, or types one here.
    Link { code: Option<String> },
    /// A channel that is there already becomes a room of the incident: as it was typed, or the one where it was typed.
    AddRoom {
        platform: String,
        channel: String,
        audience: Audience,
    },
    /// A room is made on a platform that is connected.
    AskRoom { platform: String, audience: Audience },
    /// A channel is a room no longer: as it was typed, or the one where it was typed.
    LeaveRoom { platform: String, channel: String },
}

/// Everything needed to understand what somebody meant.
pub struct Asking<'a> {
    pub person: &'a PersonId,
    pub room: &'a RoomRef,
    /// Whether commands are picked there, not typed.
    pub picks: bool,
    pub now: DateTime<Utc>,
    pub desk: &'a desk::State,
    /// The incident of the room, or the one that was named.
    pub incident: Option<&'a State>,
    /// Lines of the list of incidents, newest first, those this person may see.
    pub listed: &'a (dyn Fn() -> Vec<Arc<Listed>> + Sync),
    /// The journal of the incident, where the command is about it.
    pub journal: Option<&'a [Recorded]>,
}

/// What a person said in another room, as it is kept in the log: masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The platform it was said on.
    pub platform: String,
    pub author: String,
    /// `None`: it was deleted.
    pub text: Option<String>,
    /// Names only.
    pub files: Vec<String>,
}

/// One line of the list of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub incident: IncidentId,
    pub title: String,
    pub severity: crate::incident::Severity,
    pub phase: crate::incident::Phase,
    pub open: bool,
    /// `open`, `resolved`, `closed`, `cancelled`, `duplicate of INC-3`.
    pub life: String,
    pub private: bool,
    pub drill: bool,
    pub declared: DateTime<Utc>,
    pub commander: Option<PersonId>,
    pub rooms: Vec<RoomRef>,
    /// Those of them in which nobody commands.
    #[serde(default)]
    pub guest_rooms: Vec<RoomRef>,
    /// Channels that were there before, and from when on what is said in them counts.
    #[serde(default)]
    pub joined: BTreeMap<String, DateTime<Utc>>,
    /// Who may see it if it is private.
    pub members: Vec<PersonId>,
    /// Actions that wait for approval.
    pub waiting: Vec<String>,
}

/// Which incident a command names, before anything is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addressed {
    pub incident: Option<IncidentId>,
    /// The answer needs the whole journal (timeline, brief, export).
    pub journal: bool,
    /// Approvals and refusals go first and may use the reserve of the inbox.
    pub urgent: bool,
}

/// Understands what people type.
pub trait Meaning: Send + Sync {
    fn addressed(&self, incoming: &Incoming) -> Addressed;

    /// What proves, typed by somebody unknown, who they are.
    fn code(&self, incoming: &Incoming) -> Option<String>;

    fn understand(&self, incoming: &Incoming, asking: &Asking<'_>) -> Result<Act, Refusal>;

    fn complete(&self, typed: &str, asking: &Asking<'_>) -> Vec<(String, String)>;

    /// Whether this asks for a form, typed in an incident's room or outside of any.
    fn asks_form(&self, _incoming: &Incoming, _in_room: bool) -> bool {
        false
    }
}

/// Makes documents.
pub trait Documents: Send + Sync {
    /// The bytes, the media type and the file's name. `log` is the room's log, where it belongs into the document.
    fn export(
        &self,
        format: &str,
        journal: &[Recorded],
        head: &str,
        log: Option<&[StoredEntry]>,
        desk: &desk::State,
    ) -> Result<(Vec<u8>, &'static str, String), Refusal>;
}
