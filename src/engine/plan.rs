//! From decided events to one commit: rows, effects, timers, locks and the line in the list.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::journal;
use super::ports::Listed;
use crate::chat::{Form, Message, Trigger};
use crate::incident::{
    Effect, Event, Identity, IncidentId, Life, MessageRef, Moment, PersonId, Purpose, Recorded, Room,
    RoomRef, Severity, Slot, Stage, State, TimerKey, react,
};
use crate::store::{Append, Commit, Lane, Lock, NewEffect, Post, Stream, Summary, Timer};

/// A notice older than this is not posted any more; the room gets one digest instead. Shorter than people wait for
/// chat to come back, longer than any rate limit holds a message back.
pub(super) const NOTICE_LATE: TimeDelta = TimeDelta::minutes(10);

/// An answer to one person that comes later than this confuses more than it helps; Discord's interaction tokens end here.
pub const WHISPER_LATE: TimeDelta = TimeDelta::minutes(15);

/// What lies in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// An effect of the core.
    Incident {
        incident: IncidentId,
        effect: Effect,
        /// Where; `None`: nowhere in particular, or not known yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// An answer to one person.
    Whisper {
        room: RoomRef,
        /// The message in whose thread it was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
        to: Identity,
        message: Message,
    },
    /// A form for one person.
    Form {
        room: RoomRef,
        to: Identity,
        trigger: Trigger,
        form: Form,
    },
    /// One message in place of notices that came too late.
    Digest {
        incident: IncidentId,
        from: u64,
        to: u64,
        /// `None`: the rooms there are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomRef>,
        /// What people said meanwhile in other rooms.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        said: Vec<MessageRef>,
    },
    /// What a person said in another room, carried over, or made true again after it was edited.
    Carry {
        incident: IncidentId,
        message: MessageRef,
        room: RoomRef,
        /// To be posted; else a copy that is there is made true again.
        new: bool,
    },
    /// What was said of an event that was redacted since is said anew, where it stands.
    Reword {
        incident: IncidentId,
        event: u64,
        room: RoomRef,
    },
    /// The same of what one person was told directly.
    RewordDirect {
        incident: IncidentId,
        event: u64,
        person: PersonId,
    },
    /// What somebody wrote is redacted where they wrote it, if its platform lets a bot do that.
    Scrub { message: MessageRef },
    /// What stands where an incident was opened while it has no room: its question, and then where it stands.
    WhereOpened { incident: IncidentId, slot: Slot },
    /// A card that was posted goes to the top of its room.
    Pin { at: MessageRef },
    /// A document, made of the journal up to an event, posted in the room.
    Export {
        incident: IncidentId,
        format: String,
        as_of: u64,
    },
}

/// Where a task is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Room(RoomRef),
    /// Wherever incidents are announced there.
    Lobby(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Room(room) => room.fmt(f),
            Place::Lobby(platform) => f.write_str(platform),
        }
    }
}

impl Task {
    /// Serialising our own types cannot fail; an empty body would be reported as unreadable when it is performed.
    pub fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Asserts, without writing anything, that the desk has not moved.
pub fn desk_stands_at(seq: u64) -> Append {
    Append {
        stream: Stream::Desk,
        expected: seq,
        events: Vec::new(),
    }
}

/// The commit for decided events of one incident. `before` is the sequence they were decided on.
pub fn commit(state: &State, before: u64, written: &[Recorded], at: DateTime<Utc>) -> Commit {
    let append = Append {
        stream: Stream::Incident(state.opening.number),
        expected: before,
        events: Vec::new(),
    };
    let mut commit = Commit {
        at,
        appends: vec![append],
        ..Commit::default()
    };
    add(&mut commit, state, written);
    commit
}

/// Adds decided events to the commit of their incident, with what they cause. `state` is the one right after them.
pub fn add(commit: &mut Commit, state: &State, written: &[Recorded]) {
    let stream = Stream::Incident(state.opening.number);
    if let Some(append) = commit.appends.iter_mut().find(|append| append.stream == stream) {
        append.events.extend(written.iter().filter_map(journal::row));
    }
    for recorded in written {
        for effect in react(state, recorded) {
            add_effect(commit, state, recorded, effect);
        }
    }
}

fn add_effect(commit: &mut Commit, state: &State, recorded: &Recorded, effect: Effect) {
    let at = commit.at;
    let incident = state.opening.number;
    let stream = Stream::Incident(incident);
    match effect {
        Effect::SetTimer { key, at: due } => {
            // The journal's time runs ahead of the machine's clock after a jump back; timers are due by the clock. One
            // that has a deadline of its own and wakes too early is set again.
            let ahead = (state.last - at).max(TimeDelta::zero());
            let body = serde_json::to_string(&key).unwrap_or_default();
            let key = key.to_string();
            commit.timers_cleared.retain(|(_, cleared)| *cleared != key);
            commit.timers_set.retain(|set| set.key != key);
            commit.timers_set.push(Timer {
                stream,
                key,
                due: due - ahead,
                body,
            });
        }
        Effect::ClearTimer { key } => {
            let key = key.to_string();
            commit.timers_set.retain(|set| set.key != key);
            if !commit.timers_cleared.iter().any(|(_, cleared)| *cleared == key) {
                commit.timers_cleared.push((stream, key));
            }
        }
        Effect::TakeLock { target, attempt } => commit.locks_taken.push(Lock {
            target,
            incident,
            attempt,
        }),
        Effect::ReleaseLock { target, attempt } => commit.locks_released.push(Lock {
            target,
            incident,
            attempt,
        }),
        effect => {
            let places = places(state, recorded.event.as_ref(), &effect);
            let spread = places.into_iter();
            for effect in spread.map(|place| outgoing(state, effect.clone(), place, at)) {
                // The same slot asked for twice in one commit is one edit.
                if !commit.effects.iter().any(|known| known.key == effect.key) {
                    commit.effects.push(effect);
                }
            }
        }
    }
}

/// Where an effect goes: a task for each room that is to hear of it, so that a platform that is away holds nobody else
/// up. `None` stands for a task that belongs to no room, or that waits for the first one.
fn places(state: &State, event: Option<&Event>, effect: &Effect) -> Vec<Option<Place>> {
    let by_room = match effect {
        Effect::Show { slot } => *slot != Slot::Announcement,
        Effect::Notice { .. }
        | Effect::Topic
        | Effect::Invite { .. }
        | Effect::Attach { .. }
        | Effect::Digest { .. }
        | Effect::Archive
        | Effect::Unarchive
        | Effect::GiveBack => true,
        _ => false,
    };
    if !by_room {
        return vec![None];
    }
    if state.rooms.is_empty() {
        let waits = !matches!(effect, Effect::Archive | Effect::Unarchive | Effect::GiveBack);
        return waits.then_some(None).into_iter().collect();
    }
    let concerned = state
        .rooms
        .iter()
        .filter(|room| concerns(state, room, event, effect));
    concerned.map(|room| Some(Place::Room(room.at.clone()))).collect()
}

/// Whether a room is to hear of an effect of this event.
fn concerns(state: &State, room: &Room, event: Option<&Event>, effect: &Effect) -> bool {
    let of_this_event = match effect {
        // What is said to a room that has just come back is said to that room alone.
        Effect::Digest { .. } => {
            matches!(event, Some(Event::RoomUnarchived { room: back, .. }) if *back == room.at)
        }
        Effect::Notice { .. } if !room.is_internal() => matches!(event, Some(Event::UpdateSent { .. })),
        Effect::Notice { .. } => match event {
            // Nobody there could read that nobody there can read it.
            Some(Event::PlatformLost { platform, .. }) => room.at.platform != *platform,
            _ => true,
        },
        Effect::Archive => room.archived.is_none(),
        _ => true,
    };
    of_this_event && admits(state, room, effect)
}

/// Whether an effect is for a room as it is now: asked when it is planned, and again when it is performed, because a room
/// may have been left meanwhile and added again for others. Guests get the stakeholders' updates and a status card, and
/// nothing else.
pub fn admits(state: &State, room: &Room, effect: &Effect) -> bool {
    let settings = &state.opening.settings.rooms;
    match effect {
        Effect::Archive => room.made,
        Effect::Unarchive => room.archived.is_some(),
        Effect::GiveBack => !room.made,
        _ if room.archived.is_some() => false,
        // Of a notice guests get what is for guests.
        Effect::Show { slot: Slot::Card } | Effect::Notice { .. } => true,
        Effect::Topic => room.made || settings.adopted_topic,
        Effect::Invite { .. } => room.is_internal() && (room.made || settings.adopted_invite),
        _ => room.is_internal(),
    }
}

/// An effect as it waits in the outbox: its key, its lane, and what it must not overtake.
fn outgoing(state: &State, effect: Effect, place: Option<Place>, at: DateTime<Utc>) -> NewEffect {
    let incident = state.opening.number;
    let Waits {
        key,
        merge,
        lane,
        channel,
        deadline,
    } = waits(state, &effect, at);
    let guest = match &place {
        Some(Place::Room(room)) => state.room(room).is_some_and(|room| !room.is_internal()),
        _ => false,
    };
    let body = Task::Incident {
        incident,
        effect,
        place: place.clone(),
    }
    .body();
    let there = |name: String| match &place {
        Some(place) => format!("{name}@{place}"),
        None => name,
    };
    NewEffect {
        key: there(key),
        merge,
        lane,
        channel: there(channel),
        body,
        not_before: None,
        // What a customer was promised to hear is told however late it is.
        deadline: deadline.filter(|_| !guest),
    }
}

/// How a task waits for its turn.
struct Waits {
    key: String,
    merge: bool,
    lane: Lane,
    channel: String,
    deadline: Option<DateTime<Utc>>,
}

fn waits(state: &State, effect: &Effect, at: DateTime<Utc>) -> Waits {
    let incident = state.opening.number;
    let chat = format!("{incident}/chat");
    let waits = |key: String, merge, lane, channel: &str| Waits {
        key: format!("{incident}/{key}"),
        merge,
        lane,
        channel: channel.to_owned(),
        deadline: None,
    };
    // In a channel of its own: nothing waits for it.
    let alone = |key: String, merge, lane| {
        let channel = format!("{incident}/{key}");
        waits(key, merge, lane, &channel)
    };
    // The same where it is done, so that a platform that is away keeps no other room from its end.
    let alone_at = |key: String, there: &str, lane| {
        let channel = format!("{incident}/{key}@{there}");
        waits(key, false, lane, &channel)
    };
    match effect {
        Effect::OpenRoom => {
            // Where rooms have to wait for each other, the one of a business that stands still does not.
            let first = state.severity == Severity::Sev1;
            let lane = if first { Lane::First } else { Lane::Urgent };
            let asked_on = state.opening.asked_in.as_ref();
            let asked_on = asked_on.map_or("", |room| room.platform.as_str());
            // What is said before there is a room waits behind it. Once there is another room, nothing does.
            match state.rooms.is_empty() {
                true => waits("room".to_owned(), false, lane, &chat),
                false => Waits {
                    merge: true,
                    ..alone_at("room".to_owned(), asked_on, lane)
                },
            }
        }
        Effect::MakeRoom { event, platform, .. } => alone_at(format!("room/{event}"), platform, Lane::Urgent),
        Effect::Furnish { room } => alone_at(format!("furnish/{room}"), &room.to_string(), Lane::Normal),
        Effect::ReadBack { room, .. } => alone_at(format!("read/{room}"), &room.to_string(), Lane::Chatty),
        Effect::Leave { room, .. } => alone_at(format!("leave/{room}"), &room.to_string(), Lane::Normal),
        // Both in one channel, so that the last word on a room is the last thing done to it.
        Effect::Archive => waits("archive".to_owned(), true, Lane::Chatty, &archiving(incident)),
        Effect::Unarchive => waits("unarchive".to_owned(), true, Lane::Chatty, &archiving(incident)),
        Effect::GiveBack => waits("give-back".to_owned(), true, Lane::Chatty, &archiving(incident)),
        Effect::Topic => alone("topic".to_owned(), true, Lane::Chatty),
        Effect::Show {
            slot: Slot::Announcement,
        } => {
            let key = format!("show/{}", Slot::Announcement);
            waits(key, true, Lane::Normal, &announcing(incident))
        }
        Effect::Show { slot } => {
            let lane = match slot {
                Slot::Proposal { .. } | Slot::Page { .. } => Lane::Urgent,
                Slot::Card | Slot::Prompt { .. } | Slot::Round { .. } | Slot::Announcement => Lane::Normal,
            };
            waits(format!("show/{slot}"), true, lane, &chat)
        }
        Effect::Notice { event, urgent } => {
            let lane = if *urgent { Lane::Urgent } else { Lane::Chatty };
            Waits {
                deadline: Some(at + NOTICE_LATE),
                ..waits(format!("notice/{event}"), false, lane, &chat)
            }
        }
        Effect::Digest { .. } => waits("digest".to_owned(), true, Lane::Chatty, &chat),
        Effect::Attach { format, as_of } => {
            let channel = format!("{incident}/export");
            waits(format!("attach/{as_of}/{format}"), false, Lane::Normal, &channel)
        }
        // No room waits for what one person is told.
        Effect::Direct { person, event } => {
            let person = person.to_string();
            alone_at(format!("direct/{event}/{person}"), &person, Lane::Urgent)
        }
        Effect::Invite { person } => waits(format!("invite/{person}"), true, Lane::Urgent, &chat),
        Effect::KeepFile { message, file } => {
            // One after the other, so that no more than one file of a room is in memory.
            let key = format!("file/{}/{}/{file}", message.room, message.message);
            let channel = format!("{incident}/files@{}", message.room);
            waits(key, false, Lane::Normal, &channel)
        }
        Effect::AskProbe { run } => {
            let lane = match state.runs.get(run).map(|run| &run.asked.purpose) {
                Some(Purpose::Ask { .. }) | None => Lane::Normal,
                Some(_) => Lane::Urgent,
            };
            alone(format!("probe/{run}"), false, lane)
        }
        Effect::Preview { proposal } => alone(format!("preview/{proposal}"), false, Lane::Urgent),
        Effect::Attempt { attempt } => alone(format!("attempt/{attempt}"), false, Lane::Urgent),
        Effect::SetTimer { .. }
        | Effect::ClearTimer { .. }
        | Effect::TakeLock { .. }
        | Effect::ReleaseLock { .. } => {
            unreachable!("these are rows of the commit itself, see `add`")
        }
    }
}

/// The channel in which it is announced that there is an incident.
fn announcing(incident: IncidentId) -> String {
    format!("{incident}/announce")
}

/// The channel in which rooms are archived and opened again.
pub fn archiving(incident: IncidentId) -> String {
    format!("{incident}/archive")
}

/// The tasks that an effect without a place becomes, once it is known where it goes.
pub fn spread(state: &State, effect: &Effect, places: Vec<Place>, at: DateTime<Utc>) -> Vec<NewEffect> {
    let places = places.into_iter();
    places
        .map(|place| outgoing(state, effect.clone(), Some(place), at))
        .collect()
}

/// The tasks of an effect that no event asks for.
pub fn effects(state: &State, effect: &Effect, at: DateTime<Utc>) -> Vec<NewEffect> {
    let places = places(state, None, effect).into_iter();
    places
        .map(|place| outgoing(state, effect.clone(), place, at))
        .collect()
}

/// The rooms that hear of an effect of this event now.
pub fn rooms_for(state: &State, event: Option<&Event>, effect: &Effect) -> Vec<Place> {
    places(state, event, effect).into_iter().flatten().collect()
}

/// An answer to one person.
pub fn whisper(
    key: String,
    (room, thread): (RoomRef, Option<String>),
    to: Identity,
    message: Message,
    at: DateTime<Utc>,
) -> NewEffect {
    let channel = format!("whisper/{}/{}", to.platform, to.user);
    let body = Task::Whisper {
        room,
        thread,
        to,
        message,
    }
    .body();
    let deadline = Some(at + WHISPER_LATE);
    NewEffect {
        key,
        merge: false,
        lane: Lane::Urgent,
        channel,
        body,
        not_before: None,
        deadline,
    }
}

/// A form for one person; worthless once the trigger has run out.
pub fn form(key: String, room: RoomRef, to: Identity, trigger: Trigger, form: Form) -> NewEffect {
    let channel = format!("form/{}/{}", to.platform, to.user);
    let deadline = Some(trigger.expires);
    let body = Task::Form {
        room,
        to,
        trigger,
        form,
    }
    .body();
    NewEffect {
        key,
        merge: false,
        lane: Lane::Urgent,
        channel,
        body,
        not_before: None,
        deadline,
    }
}

pub fn export(incident: IncidentId, format: String, as_of: u64) -> NewEffect {
    NewEffect {
        key: format!("{incident}/export/{as_of}/{format}"),
        merge: false,
        lane: Lane::Normal,
        channel: format!("{incident}/export"),
        body: Task::Export {
            incident,
            format,
            as_of,
        }
        .body(),
        not_before: None,
        deadline: None,
    }
}

/// What stands where an incident was opened, made true. Not behind the room, which it is there instead of, but before the
/// announcement, which may take its place.
pub fn where_opened(state: &State, slot: Slot, platform: &str) -> NewEffect {
    let incident = state.opening.number;
    NewEffect {
        key: format!("{incident}/opened/{slot}"),
        merge: true,
        lane: match state.severity {
            Severity::Sev1 => Lane::Urgent,
            _ => Lane::Normal,
        },
        channel: format!("{}@{platform}", announcing(incident)),
        body: Task::WhereOpened { incident, slot }.body(),
        not_before: None,
        deadline: None,
    }
}

/// What follows from a message that was posted: the card is pinned.
pub fn after_post(post: &Post) -> Option<NewEffect> {
    let (slot, _) = post.slot.split_once('@')?;
    let at: MessageRef = serde_json::from_str(post.message.as_deref()?).ok()?;
    (slot == Slot::Card.to_string()).then(|| NewEffect {
        key: format!("{}/pin/{}/{}", post.incident, at.room, at.message),
        merge: false,
        lane: Lane::Normal,
        channel: format!("{}/pin@{}", post.incident, at.room),
        body: Task::Pin { at }.body(),
        not_before: None,
        deadline: None,
    })
}

/// One that still waits is replaced: a room gets one digest, however long its platform was away.
pub fn digest(
    incident: IncidentId,
    from: u64,
    to: u64,
    room: Option<RoomRef>,
    said: Vec<MessageRef>,
) -> NewEffect {
    let there = room.as_ref().map(|room| format!("@{room}")).unwrap_or_default();
    NewEffect {
        key: format!("{incident}/digest{there}"),
        merge: true,
        lane: Lane::Chatty,
        channel: format!("{incident}/chat{there}"),
        body: Task::Digest {
            incident,
            from,
            to,
            room,
            said,
        }
        .body(),
        not_before: None,
        deadline: None,
    }
}

/// What somebody said in another room. Only a reference waits: the words are in the log, masked, and may change. A copy
/// that is there is made true however late it is.
pub fn carry(
    incident: IncidentId,
    message: &MessageRef,
    room: &RoomRef,
    new: bool,
    at: DateTime<Utc>,
) -> NewEffect {
    let what = if new { "carry" } else { "copy" };
    NewEffect {
        key: format!("{incident}/{what}/{}/{}@{room}", message.room, message.message),
        merge: !new,
        lane: Lane::Chatty,
        channel: format!("{incident}/chat@{room}"),
        body: Task::Carry {
            incident,
            message: message.clone(),
            room: room.clone(),
            new,
        }
        .body(),
        not_before: None,
        deadline: new.then_some(at + NOTICE_LATE),
    }
}

/// The notice of an event in a room, said anew after a redaction.
pub fn reword(incident: IncidentId, event: u64, room: &RoomRef) -> NewEffect {
    NewEffect {
        key: format!("{incident}/reword/{event}@{room}"),
        merge: true,
        lane: Lane::Chatty,
        // After the notice itself, should that wait still.
        channel: format!("{incident}/chat@{room}"),
        body: Task::Reword {
            incident,
            event,
            room: room.clone(),
        }
        .body(),
        not_before: None,
        deadline: None,
    }
}

/// A message that was redacted, where it was written.
pub fn scrub(incident: IncidentId, message: &MessageRef) -> NewEffect {
    NewEffect {
        key: format!("{incident}/scrub/{}/{}", message.room, message.message),
        merge: true,
        lane: Lane::Normal,
        channel: format!("{incident}/scrub@{}", message.room),
        body: Task::Scrub {
            message: message.clone(),
        }
        .body(),
        not_before: None,
        deadline: None,
    }
}

/// The same of what one person was told directly.
pub fn reword_direct(incident: IncidentId, event: u64, person: &PersonId) -> NewEffect {
    NewEffect {
        key: format!("{incident}/reword/{event}/{person}"),
        merge: true,
        lane: Lane::Chatty,
        // After the message itself, should that wait still.
        channel: format!("{incident}/direct/{event}/{person}@{person}"),
        body: Task::RewordDirect {
            incident,
            event,
            person: person.clone(),
        }
        .body(),
        not_before: None,
        deadline: None,
    }
}

/// The line of an incident in lists.
pub fn listed(state: &State) -> Listed {
    let life = match &state.life {
        Life::Open => "open".to_owned(),
        Life::Resolved => "resolved".to_owned(),
        Life::Closed => "closed".to_owned(),
        Life::Cancelled { .. } => "cancelled".to_owned(),
        Life::Duplicate { of } => format!("duplicate of {of}"),
    };
    let waiting = state
        .proposals
        .values()
        .filter(|proposal| matches!(proposal.stage, Stage::Waiting { .. }));
    let rooms = &state.rooms;
    Listed {
        incident: state.opening.number,
        title: state.title.clone(),
        severity: state.severity,
        phase: state.phase,
        open: !state.is_over(),
        life,
        private: state.opening.private,
        drill: state.opening.drill,
        declared: state
            .moments
            .get(&Moment::Declared)
            .map_or(state.last, |declared| declared.at),
        commander: state.commander().cloned(),
        rooms: rooms.iter().map(|room| room.at.clone()).collect(),
        guest_rooms: rooms
            .iter()
            .filter(|room| !room.is_internal())
            .map(|room| room.at.clone())
            .collect(),
        joined: rooms
            .iter()
            .filter(|room| !room.made)
            .map(|room| (room.at.to_string(), room.since))
            .collect(),
        members: state.members().into_iter().collect(),
        waiting: waiting
            .map(|proposal| format!("{}: {}", proposal.id, proposal.terms.title))
            .collect(),
    }
}

pub fn summary(listed: &Listed) -> Summary {
    Summary {
        incident: listed.incident,
        open: listed.open,
        private: listed.private,
        body: serde_json::to_string(listed).unwrap_or_default(),
    }
}

/// Whether events can have changed the line in the list; chatter does not.
pub fn changes_list(written: &[Recorded]) -> bool {
    written.iter().any(|recorded| {
        !matches!(
            recorded.event,
            Some(
                Event::Noted { .. }
                    | Event::ProbeAsked { .. }
                    | Event::ProbeAnswered { .. }
                    | Event::FindingRecorded { .. }
                    | Event::StepDone { .. }
                    | Event::FollowupAdded { owner: None, .. }
                    | Event::Seconded { .. }
                    | Event::ReactionTakenBack { .. }
                    | Event::MessageMarked { .. }
                    | Event::FileKept { .. }
                    | Event::FileMissed { .. }
                    | Event::GroupMissed { .. }
                    | Event::MessageChanged { .. }
                    | Event::Exported { .. }
            )
        )
    })
}

/// A timer that looks again later.
pub fn rearmed(incident: IncidentId, key: &TimerKey, due: DateTime<Utc>) -> Timer {
    let body = serde_json::to_string(key).unwrap_or_default();
    Timer {
        stream: Stream::Incident(incident),
        key: key.to_string(),
        due,
        body,
    }
}
