//! From decided events to one commit: rows, effects, timers, locks and the line in the list.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::journal;
use super::ports::Listed;
use crate::chat::{Form, Message, Trigger};
use crate::incident::{
    Effect, Event, Identity, IncidentId, Life, MessageRef, Moment, Purpose, Recorded, RoomRef, Severity,
    Slot, Stage, State, TimerKey, react,
};
use crate::store::{Append, Commit, Lane, Lock, NewEffect, Post, Stream, Summary, Timer};

/// A notice older than this is not posted any more; the room gets one digest instead. Shorter than people wait for
/// chat to come back, longer than any rate limit holds a message back.
const NOTICE_LATE: TimeDelta = TimeDelta::minutes(10);

/// An answer to one person that comes later than this confuses more than it helps; Discord's interaction tokens end here.
const WHISPER_LATE: TimeDelta = TimeDelta::minutes(15);

/// What lies in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// An effect of the core.
    Incident { incident: IncidentId, effect: Effect },
    /// An answer to one person.
    Whisper {
        room: RoomRef,
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
    },
    /// A card that was posted goes to the top of its room.
    Pin { at: MessageRef },
    /// A document, made of the journal up to an event, posted in the room.
    Export {
        incident: IncidentId,
        format: String,
        as_of: u64,
    },
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
    for effect in written.iter().flat_map(|recorded| react(state, recorded)) {
        add_effect(commit, state, effect);
    }
}

fn add_effect(commit: &mut Commit, state: &State, effect: Effect) {
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
            let effect = outgoing(state, effect, at);
            // The same slot asked for twice in one commit is one edit.
            if !commit.effects.iter().any(|known| known.key == effect.key) {
                commit.effects.push(effect);
            }
        }
    }
}

/// An effect as it waits in the outbox: its key, its lane, and what it must not overtake.
fn outgoing(state: &State, effect: Effect, at: DateTime<Utc>) -> NewEffect {
    let incident = state.opening.number;
    let chat = format!("{incident}/chat");
    let (key, merge, lane, channel, deadline) = match &effect {
        Effect::OpenRoom => {
            // Where rooms have to wait for each other, the one of a business that stands still does not.
            let first = state.severity == Severity::Sev1;
            let lane = if first { Lane::First } else { Lane::Urgent };
            (format!("{incident}/room"), false, lane, chat, None)
        }
        // Each of its own: nothing of it is waited for.
        Effect::Furnish { room } => {
            let key = format!("{incident}/furnish/{room}");
            (key.clone(), false, Lane::Normal, key, None)
        }
        Effect::Topic => (
            format!("{incident}/topic"),
            true,
            Lane::Chatty,
            format!("{incident}/topic"),
            None,
        ),
        Effect::Show { slot } => {
            let lane = match slot {
                Slot::Proposal { .. } | Slot::Page { .. } => Lane::Urgent,
                Slot::Card | Slot::Prompt { .. } | Slot::Round { .. } | Slot::Announcement => Lane::Normal,
            };
            // Many incidents are announced in one place, which may be slow; their rooms do not wait for that.
            let channel = match slot {
                Slot::Announcement => format!("{incident}/announcement"),
                _ => chat,
            };
            (format!("{incident}/show/{slot}"), true, lane, channel, None)
        }
        Effect::Notice { event, urgent } => {
            let lane = if *urgent { Lane::Urgent } else { Lane::Chatty };
            (
                format!("{incident}/notice/{event}"),
                false,
                lane,
                chat,
                Some(at + NOTICE_LATE),
            )
        }
        Effect::Direct { person, event } => {
            let key = format!("{incident}/direct/{event}/{person}");
            (key.clone(), false, Lane::Urgent, key, None)
        }
        Effect::Invite { person } => (
            format!("{incident}/invite/{person}"),
            true,
            Lane::Urgent,
            chat,
            None,
        ),
        Effect::KeepFile { message, file } => (
            format!("{incident}/file/{}/{}/{file}", message.room, message.message),
            false,
            Lane::Normal,
            // One after the other, so that no more than one file of an incident is in memory.
            format!("{incident}/files"),
            None,
        ),
        Effect::AskProbe { run } => {
            let lane = match state.runs.get(run).map(|run| &run.asked.purpose) {
                Some(Purpose::Ask { .. }) | None => Lane::Normal,
                Some(_) => Lane::Urgent,
            };
            (
                format!("{incident}/probe/{run}"),
                false,
                lane,
                format!("{incident}/probe/{run}"),
                None,
            )
        }
        Effect::Preview { proposal } => {
            let key = format!("{incident}/preview/{proposal}");
            (key.clone(), false, Lane::Urgent, key, None)
        }
        Effect::Attempt { attempt } => {
            let key = format!("{incident}/attempt/{attempt}");
            (key.clone(), false, Lane::Urgent, key, None)
        }
        Effect::SetTimer { .. }
        | Effect::ClearTimer { .. }
        | Effect::TakeLock { .. }
        | Effect::ReleaseLock { .. } => {
            unreachable!("these are rows of the commit itself, see `add`")
        }
    };
    let body = Task::Incident { incident, effect }.body();
    NewEffect {
        key,
        merge,
        lane,
        channel,
        body,
        not_before: None,
        deadline,
    }
}

/// An answer to one person.
pub fn whisper(key: String, room: RoomRef, to: Identity, message: Message, at: DateTime<Utc>) -> NewEffect {
    let channel = format!("whisper/{}/{}", to.platform, to.user);
    let body = Task::Whisper { room, to, message }.body();
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

/// What follows from a message that was posted: the card is pinned.
pub fn after_post(post: &Post) -> Option<NewEffect> {
    let (slot, _) = post.slot.split_once('@')?;
    let at: MessageRef = serde_json::from_str(post.message.as_deref()?).ok()?;
    (slot == Slot::Card.to_string()).then(|| NewEffect {
        key: format!("{}/pin/{}/{}", post.incident, at.room, at.message),
        merge: false,
        lane: Lane::Normal,
        channel: format!("{}/pin", post.incident),
        body: Task::Pin { at }.body(),
        not_before: None,
        deadline: None,
    })
}

/// One that still waits is replaced: a room gets one digest, however long its platform was away.
pub fn digest(incident: IncidentId, from: u64, to: u64) -> NewEffect {
    NewEffect {
        key: digest_key(incident),
        merge: true,
        lane: Lane::Chatty,
        channel: format!("{incident}/chat"),
        body: Task::Digest { incident, from, to }.body(),
        not_before: None,
        deadline: None,
    }
}

pub fn digest_key(incident: IncidentId) -> String {
    format!("{incident}/digest")
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
        rooms: state.rooms.iter().map(|(room, _)| room.clone()).collect(),
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
                    | Event::FollowupAdded { .. }
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
