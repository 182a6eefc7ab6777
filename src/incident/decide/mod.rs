//! Every rule of the order and of safety. Pure and synchronous: state, request and surroundings in, facts or a refusal
//! out. Nothing here reads a clock or talks to anybody.
//!
//! A request is decided in two steps. `decide` says which facts the request itself makes. Then [`follow`] says which
//! facts follow from those by themselves (a gate that now holds opens the next phase, a quorum clears a proposal), until
//! nothing more follows. All of it becomes one commit.

mod action;
mod follow;
mod marks;
mod order;
mod people;
mod recover;
mod rooms;
mod words;
mod work;

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{By, Event, Recorded};
use super::refusal::Refusal;
use super::request::{Request, Surroundings};
use super::state::{Life, State};
use super::words::*;

/// Longest text taken from a person in one go, in characters. Longer ones belong in a file.
pub const LONGEST_TEXT: usize = 4_000;

/// Longest operation that can be approved, in characters as it is shown: it stands whole on every platform's card, on a
/// phone, with the buttons below it.
pub const LONGEST_OPERATION: usize = 2_800;

/// Longest title. It stands in lists, in topics and in the names of rooms.
pub const LONGEST_TITLE: usize = 200;

/// Longest name of a person, in characters. It stands in sentences and tables; the longest real ones have about sixty.
pub const LONGEST_NAME: usize = 100;

/// Longest time that can be asked for in one go, in seconds: thirty days. Beyond it people mean a date, not a wait.
const LONGEST_WAIT_S: u64 = 30 * 86_400;

/// A clock this far behind the journal has jumped; less is drift between two readings.
const JUMP_MS: i64 = 2_000;

/// An event about to be written, with its own time where that differs from now.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub event: Event,
    pub occurred: Option<(DateTime<Utc>, &'static str)>,
    /// Whose doing, where that is not the one who asked.
    pub by: Option<By>,
}

impl From<Event> for Fact {
    fn from(event: Event) -> Self {
        Self {
            event,
            occurred: None,
            by: None,
        }
    }
}

impl Fact {
    fn at(event: Event, at: DateTime<Utc>, source: &'static str) -> Self {
        Self {
            event,
            occurred: Some((at, source)),
            by: None,
        }
    }

    /// A fact that follows by rule, not by anybody's hand.
    fn by_rule(event: Event) -> Self {
        Self {
            event,
            occurred: None,
            by: Some(By::Orderly),
        }
    }
}

type Facts = Result<Vec<Fact>, Refusal>;

/// Everything a decision sees.
struct Deciding<'a> {
    by: &'a By,
    /// Never before the journal's last event.
    now: DateTime<Utc>,
    /// What the machine's clock shows. Deadlines are held against this one: while the clock is behind the journal,
    /// `now` stands still, and nothing may stay approved for longer because of that.
    clock: DateTime<Utc>,
    around: &'a Surroundings,
}

/// Decides a request and folds what follows into the state. On a refusal the state is as before.
pub fn carry_out(
    state: &mut Option<State>,
    by: &By,
    request: &Request,
    clock: DateTime<Utc>,
    around: &Surroundings,
) -> Result<Vec<Recorded>, Refusal> {
    // The time given to a decision never runs backwards.
    let last = state.as_ref().map(|state| state.last);
    let now = last.map_or(clock, |last| clock.max(last));
    let deciding = Deciding {
        by,
        now,
        clock,
        around,
    };
    deciding.may_command(request)?;
    let mut written = Vec::new();
    match (state.as_mut(), request) {
        (
            None,
            Request::Open {
                opening,
                frame,
                detected,
            },
        ) => {
            let facts = deciding.open(opening, frame, *detected)?;
            deciding.write(state, facts, &mut written);
        }
        (None, _) => {
            return Err(Refusal::new(
                "There is no such incident. `/list` shows the open ones.",
            ));
        }
        (Some(known), _) if deciding.jumped(known) => {
            // What the jump undoes is undone before the request is looked at; if that is refused, nothing happened yet.
            let mut after = Some(known.clone());
            let back_ms = (known.last - clock).num_milliseconds();
            let jump = vec![Fact::by_rule(Event::ClockJumped { back_ms })];
            deciding.write(&mut after, jump, &mut written);
            if let Some(jumped) = &after {
                let facts = deciding.decide(jumped, request)?;
                deciding.write(&mut after, facts, &mut written);
            }
            *state = after;
        }
        (Some(known), _) => {
            let facts = deciding.decide(known, request)?;
            deciding.write(state, facts, &mut written);
        }
    }
    Ok(written)
}

impl Deciding<'_> {
    /// The clock shows a time that it has passed already.
    fn jumped(&self, state: &State) -> bool {
        (state.clock_seen - self.clock).num_milliseconds() > JUMP_MS
    }

    /// Folds facts in, and what follows from them, until nothing more follows.
    fn write(&self, state: &mut Option<State>, mut facts: Vec<Fact>, written: &mut Vec<Recorded>) {
        while !facts.is_empty() {
            let from = written.len();
            for fact in facts {
                let seq = state.as_ref().map_or(0, |state| state.seq) + 1;
                let (occurred, source) = fact.occurred.unwrap_or((self.now, "clock"));
                let recorded = Recorded {
                    seq,
                    recorded: self.now,
                    occurred,
                    source: source.to_owned(),
                    by: fact.by.unwrap_or_else(|| self.by.clone()),
                    event: Some(fact.event),
                };
                State::fold(state, &recorded);
                // The rules and the table of stages say the same thing twice; a difference is a defect.
                debug_assert_eq!(
                    state
                        .as_ref()
                        .and_then(|state| state.illegal.last())
                        .filter(|illegal| illegal.event == seq),
                    None
                );
                written.push(recorded);
            }
            facts = match state.as_ref() {
                Some(state) => self.follow(state, &written[from..]),
                None => Vec::new(),
            };
        }
    }

    fn may_command(&self, request: &Request) -> Result<(), Refusal> {
        let Some(person) = self.by.person() else {
            return Ok(());
        };
        // What happened to a message is a fact of the room, whoever did it.
        let fact_of_room = matches!(
            request,
            Request::MessageEdited { .. }
                | Request::Unmark { .. }
                | Request::TakeTaskBack { .. }
                | Request::TakeFollowupBack { .. }
        );
        if fact_of_room || self.around.may_command(person) {
            return Ok(());
        }
        Err(Refusal::new(format!(
            "{person} may read here, not command. A member can do it, or the operator adds them with \
             `orderly person add`."
        )))
    }

    fn decide(&self, state: &State, request: &Request) -> Facts {
        self.still_possible(state, request)?;
        match request {
            Request::Open { .. } => Err(Refusal::new(format!("{} is open already.", state.opening.number))),
            Request::Timer { key } => self.timer(state, key),
            _ => self
                .decide_rooms(state, request)
                .or_else(|| self.decide_order(state, request))
                .or_else(|| self.decide_action(state, request))
                .or_else(|| self.decide_recover(state, request))
                .or_else(|| self.decide_people(state, request))
                .unwrap_or_else(|| self.decide_words(state, request)),
        }
    }

    /// What may still be done to an incident that is over: learn from it, correct it, reopen it.
    fn still_possible(&self, state: &State, request: &Request) -> Result<(), Refusal> {
        let over = match &state.life {
            Life::Open | Life::Resolved => return Ok(()),
            Life::Closed => "closed".to_owned(),
            Life::Cancelled { .. } => "cancelled".to_owned(),
            Life::Duplicate { of } => format!("a duplicate of {of}"),
        };
        let allowed = matches!(
            request,
            Request::Reopen { .. }
                | Request::FinishFollowup { .. }
                | Request::ChangeFollowup { .. }
                | Request::DropFollowup { .. }
                | Request::AddFollowup { .. }
                | Request::TakeFollowupBack { .. }
                | Request::RecordExport { .. }
                | Request::RecordRedaction { .. }
                | Request::Link { .. }
                | Request::SetMoment { .. }
                | Request::AnswerProbe { .. }
                | Request::EndAttempt { .. }
                | Request::Settle { .. }
                | Request::ReconcileChange { .. }
                | Request::ReviewGlass { .. }
                | Request::WriteSection { .. }
                | Request::Review { .. }
                | Request::MessageEdited { .. }
                | Request::Unmark { .. }
                | Request::KeepFile { .. }
                | Request::MissFile { .. }
                | Request::RoomOpened { .. }
                | Request::RoomFailed { .. }
                | Request::RoomArchived { .. }
                | Request::RoomUnarchived { .. }
                | Request::RoomLost { .. }
                | Request::LeaveRoom { .. }
                | Request::GiveRoomBack { .. }
                | Request::PlatformLost { .. }
                | Request::PlatformBack { .. }
                | Request::Timer { .. }
                | Request::Open { .. }
        );
        if allowed {
            return Ok(());
        }
        Err(Refusal::new(format!(
            "{} is {over}. Reopen it with a reason if it is not over.",
            state.opening.number
        ))
        .offer("Reopen", "reopen"))
    }

    /// The commander and the deputy lead; everybody else is told who does.
    fn leads(&self, state: &State, what: &str) -> Result<(), Refusal> {
        let Some(person) = self.by.person() else {
            return Ok(());
        };
        let holds = |role: Role| {
            state
                .roles
                .get(&role)
                .is_some_and(|holders| holders.contains(person))
        };
        if holds(Role::Commander) || holds(Role::Deputy) {
            return Ok(());
        }
        Err(Refusal::commander_only(what, state.commander()))
    }
}

impl State {
    pub fn commander(&self) -> Option<&PersonId> {
        self.roles
            .get(&Role::Commander)
            .and_then(|holders| holders.first())
    }
}

/// A wait that somebody asked for.
fn wait(field: &'static str, seconds: u64) -> Result<TimeDelta, Refusal> {
    match seconds {
        1..=LONGEST_WAIT_S => Ok(TimeDelta::seconds(seconds as i64)),
        0 => Err(Refusal::new("No time at all is no wait. Give some minutes: `30m`.").at(field)),
        _ => Err(Refusal::new(
            "Thirty days is the longest that Orderly waits. Make it a follow-up with a due day.",
        )
        .at(field)),
    }
}

/// A title: one line, and short enough for lists.
fn titled(title: &str) -> Result<String, Refusal> {
    let title = said("title", "The title", title)?;
    let length = title.chars().count();
    if length > LONGEST_TITLE {
        return Err(Refusal::new(format!(
            "The title has {length} characters; {LONGEST_TITLE} is the most. Say it in a few words and put the rest into \
             a note."
        ))
        .at("title"));
    }
    Ok(title.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text that may be left out; blank is left out.
fn maybe_said(field: &'static str, what: &str, text: Option<&String>) -> Result<Option<String>, Refusal> {
    match text.map(|text| text.trim()).filter(|text| !text.is_empty()) {
        Some(text) => said(field, what, text).map(Some),
        None => Ok(None),
    }
}

/// Text from a person: there, and not too long.
fn said(field: &'static str, what: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::new(format!("{what} is missing. Say it in a few words.")).at(field));
    }
    let length = text.chars().count();
    if length > LONGEST_TEXT {
        return Err(Refusal::new(format!(
            "{what} has {length} characters; {LONGEST_TEXT} is the most. Put the rest into a file and upload it here."
        ))
        .at(field));
    }
    Ok(text.to_owned())
}
