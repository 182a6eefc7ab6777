//! Which effects an event has. Pure: state after the event in, effects out.

use chrono::TimeDelta;

use super::action::Outcome;
use super::effect::{Effect, Slot};
use super::event::{By, Event, Purpose, Recorded};
use super::fold;
use super::proposal::Stage;
use super::request::TimerKey;
use super::state::{PhasePassage, Room, State};
use super::words::*;

/// Seconds between two looks of a held proposal; a freeze is lifted by a person, so nobody waits for less.
pub const HELD_EVERY_S: i64 = 10;

pub fn react(state: &State, recorded: &Recorded) -> Vec<Effect> {
    let Some(event) = &recorded.event else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    shown(state, event, recorded, &mut effects);
    effects.extend(invited(state, event, recorded));
    done(state, event, recorded, &mut effects);
    timed(state, event, recorded, &mut effects);
    effects
}

/// What people see of it.
fn shown(state: &State, event: &Event, recorded: &Recorded, effects: &mut Vec<Effect>) {
    let urgent = matches!(
        event,
        Event::GlassBroken { .. }
            | Event::AttemptFinished { .. }
            | Event::AskedAgain { .. }
            | Event::PageRepeated { .. }
            | Event::PhaseEntered { .. }
    );
    let notice = Effect::Notice {
        event: recorded.seq,
        urgent,
    };
    let card = Effect::Show { slot: Slot::Card };
    match event {
        Event::RoomOpened { .. }
        | Event::RoomAsked { .. }
        | Event::RoomLeft { .. }
        | Event::RoomFailed { .. }
        | Event::RoomArchived { .. }
        | Event::RoomUnarchived { .. }
        | Event::PlatformLost { .. }
        | Event::PlatformBack { .. }
        | Event::CarryChanged { .. } => in_rooms(state, recorded, event, notice, effects),
        Event::PhaseEntered { .. } => {
            // The note on the passage carries the journal's head, so that a shortened journal is found later.
            effects.extend([
                notice,
                Effect::Show {
                    slot: Slot::Prompt {
                        entered: recorded.seq,
                    },
                },
                card,
                Effect::Topic,
            ]);
            effects.extend(left_behind(state, recorded.seq));
        }
        Event::Retitled { .. }
        | Event::SeverityChanged { .. }
        | Event::RoleTaken { .. }
        | Event::RoleReleased { .. }
        | Event::HandedOver { .. } => {
            effects.extend([
                notice,
                card,
                Effect::Topic,
                Effect::Show {
                    slot: Slot::Announcement,
                },
            ]);
        }
        Event::Resolved { .. }
        | Event::Closed
        | Event::Cancelled { .. }
        | Event::MarkedDuplicate { .. }
        | Event::Reopened { .. } => {
            effects.extend([
                notice,
                card,
                Effect::Topic,
                Effect::Show {
                    slot: Slot::Announcement,
                },
            ]);
            effects.extend(prompt(state));
        }
        Event::ProposalDrafted { proposal, .. }
        | Event::Proposed { proposal, .. }
        | Event::PreviewFailed { proposal, .. }
        | Event::Approved { proposal, .. }
        | Event::Refused { proposal, .. }
        | Event::Withdrawn { proposal, .. }
        | Event::Expired { proposal }
        | Event::Voided { proposal, .. }
        | Event::Cleared { proposal, .. }
        | Event::Held { proposal, .. }
        | Event::PreconditionFailed { proposal, .. }
        | Event::AttemptStarted { proposal, .. }
        | Event::GlassReviewed { proposal, .. }
        | Event::Verified { proposal, .. } => {
            effects.extend([
                Effect::Show {
                    slot: Slot::Proposal { proposal: *proposal },
                },
                card,
            ]);
            effects.extend(prompt(state));
        }
        Event::ContainmentLifted { proposal, .. } | Event::ContainmentAccepted { proposal, .. } => {
            effects.extend([
                Effect::Show {
                    slot: Slot::Proposal { proposal: *proposal },
                },
                notice,
                card,
            ]);
            effects.extend(prompt(state));
        }
        Event::GlassBroken { proposal, .. } => {
            effects.extend([
                Effect::Show {
                    slot: Slot::Proposal { proposal: *proposal },
                },
                notice,
                card,
            ]);
            effects.extend(told_outside(state, recorded));
        }
        Event::AskedAgain { proposal, .. } => {
            effects.extend([
                notice,
                Effect::Show {
                    slot: Slot::Proposal { proposal: *proposal },
                },
            ]);
        }
        Event::AttemptFinished { attempt, .. } | Event::AttemptSettled { attempt, .. } => {
            let proposal = state.attempts.get(attempt).copied();
            effects.extend(proposal.map(|proposal| Effect::Show {
                slot: Slot::Proposal { proposal },
            }));
            if let Event::AttemptFinished {
                outcome: Outcome::Unknown { .. },
                ..
            } = event
            {
                effects.push(notice);
            }
            effects.push(card);
        }
        Event::ProbeAsked { asked } => effects.push(Effect::Show {
            slot: Slot::Round { round: asked.round },
        }),
        Event::ProbeAnswered { run, .. } => {
            if let Some(run) = state.runs.get(run) {
                effects.push(Effect::Show {
                    slot: Slot::Round {
                        round: run.asked.round,
                    },
                });
                effects.extend(match run.asked.purpose {
                    Purpose::Precondition { proposal }
                    | Purpose::Before { proposal }
                    | Purpose::Verify { proposal } => Some(Effect::Show {
                        slot: Slot::Proposal { proposal },
                    }),
                    Purpose::Ask { .. } => None,
                });
            }
        }
        Event::Paged { page, people, .. } => {
            effects.push(Effect::Show {
                slot: Slot::Page { page: *page },
            });
            effects.extend(people.iter().map(|person| Effect::Direct {
                person: person.clone(),
                event: recorded.seq,
            }));
        }
        Event::PageRepeated { page, .. } => {
            effects.push(notice);
            effects.push(Effect::Show {
                slot: Slot::Page { page: *page },
            });
            let people = state
                .pages
                .get(page)
                .map(|page| page.people.clone())
                .unwrap_or_default();
            effects.extend(people.into_iter().map(|person| Effect::Direct {
                person,
                event: recorded.seq,
            }));
        }
        Event::PageAcknowledged { page } => effects.push(Effect::Show {
            slot: Slot::Page { page: *page },
        }),
        Event::Invited { people } => {
            effects.push(notice);
            effects.extend(people.iter().map(|person| Effect::Direct {
                person: person.clone(),
                event: recorded.seq,
            }));
        }
        Event::Framed { .. } | Event::DamageAssessed { .. } | Event::Decided { .. } => {
            effects.extend([notice, card]);
            effects.extend(prompt(state));
        }
        Event::StepDone { .. }
        | Event::StepSkipped { .. }
        | Event::StepAnswered { .. }
        | Event::BranchTaken { .. }
        | Event::RecoveryChecked { .. }
        | Event::RecoveryWaived { .. }
        | Event::ChangeNoted { .. }
        | Event::ChangeReconciled { .. }
        | Event::ChangeWaived { .. }
        | Event::ReviewChanged { .. }
        | Event::RunbookChanged { .. }
        | Event::FindingRecorded { .. }
        | Event::CauseAccepted { .. } => {
            effects.push(notice);
            effects.push(card);
            effects.extend(prompt(state));
        }
        // Said only where somebody may wonder that it is still there.
        Event::ReactionTakenBack { made, .. } => effects.extend(state.stays(*made).then_some(notice)),
        Event::Noted { .. }
        | Event::FileKept { .. }
        | Event::FileMissed { .. }
        | Event::GroupMissed { .. } => effects.push(notice),
        Event::UpdateSent { .. } => effects.extend([
            notice,
            card,
            Effect::Show {
                slot: Slot::Announcement,
            },
        ]),
        Event::TaskAdded { .. }
        | Event::TaskAssigned { .. }
        | Event::TaskDone { .. }
        | Event::TaskDropped { .. }
        | Event::FollowupAdded { .. }
        | Event::FollowupChanged { .. }
        | Event::FollowupDone { .. }
        | Event::FollowupDropped { .. }
        | Event::ProcessChanged { .. }
        | Event::TargetAdded { .. }
        | Event::Acknowledged
        | Event::RoleNudged { .. }
        | Event::Linked { .. }
        | Event::UpdateReminded { .. }
        | Event::PostmortemReminded { .. }
        | Event::ContainmentReminded { .. }
        | Event::ClockJumped { .. } => effects.extend([notice, card]),
        Event::Redacted { .. } => {
            // Whatever showed the words shows the gap.
            effects.extend([notice, card, Effect::Topic]);
            effects.extend(prompt(state));
            effects.extend(open_proposals(state));
        }
        Event::MomentSet { .. } | Event::UpdateSnoozed { .. } | Event::PostmortemSnoozed { .. } => {
            effects.push(card)
        }
        Event::TriageLeft { .. }
        | Event::MessageMarked { .. }
        | Event::MessageChanged { .. }
        | Event::MessageUnmarked { .. }
        | Event::Seconded { .. }
        | Event::SectionWritten { .. } => {}
        Event::Exported { format, as_of, .. } => effects.push(Effect::Attach {
            format: format.clone(),
            as_of: *as_of,
        }),
        Event::Opened { opening } => {
            // A channel that was there before is the room from the first event on.
            effects.extend(opening.here.is_none().then_some(Effect::OpenRoom));
        }
    }
}

/// What becomes of the rooms, and what each is told of it.
fn in_rooms(state: &State, recorded: &Recorded, event: &Event, notice: Effect, effects: &mut Vec<Effect>) {
    let card = Effect::Show { slot: Slot::Card };
    match event {
        Event::RoomOpened { room, made, .. } => {
            let first = state.first_room == Some(recorded.seq);
            if state.rooms.len() > 1 {
                effects.push(notice);
            } else if !made && first && state.opening.here.is_none() && state.room_failed.is_none() {
                // The one that was asked for first is still to come, and holds nobody up from now on.
                effects.push(Effect::OpenRoom);
            }
            // A channel that was there before has its people, and its purpose.
            let room_made = room.clone();
            effects.extend(made.then_some(Effect::Furnish { room: room_made }));
            let announcement = Slot::Announcement;
            effects.extend([card, Effect::Topic, Effect::Show { slot: announcement }]);
            // What was asked before there was a room.
            effects.extend(prompt(state));
            effects.extend(open_proposals(state));
            if !made && state.opening.history && state.opening.here.as_ref() == Some(room) {
                let since = state.room(room).map_or(state.last, |room| room.since);
                effects.push(Effect::ReadBack {
                    room: room.clone(),
                    since,
                });
            }
        }
        Event::RoomUnarchived { room, after, why } => {
            effects.extend(why.is_some().then_some(notice));
            effects.extend([card, Effect::Topic]);
            effects.extend(prompt(state));
            effects.extend(open_proposals(state));
            // Everybody left it when it was archived.
            let members = state.members().into_iter();
            effects.extend(members.map(|person| Effect::Invite { person }));
            if why.is_none() && state.room(room).is_some_and(Room::is_internal) && *after < state.seq {
                effects.push(Effect::Digest {
                    from: after + 1,
                    to: state.seq,
                });
            }
        }
        // By rule, after it was told that the incident is over: there is no more to say.
        Event::RoomLeft { why: None, .. } if recorded.by == By::Orderly => {}
        Event::RoomLeft { room, why } => {
            // In a room that is gone nobody hears a goodbye.
            let (room, event) = (room.clone(), recorded.seq);
            effects.extend(why.is_none().then_some(Effect::Leave { room, event }));
            effects.extend([notice, card]);
        }
        // Without a room it is announced all the same.
        Event::RoomFailed { .. } if state.rooms.is_empty() => {
            let slot = Slot::Announcement;
            effects.extend([notice, card, Effect::Show { slot }]);
        }
        // The call itself is made by whoever asked for the event.
        Event::RoomArchived { .. } => {}
        _ => effects.extend([notice, card]),
    }
}

/// The prompt of the present phase, to be made true again.
fn prompt(state: &State) -> Option<Effect> {
    state.passages.last().map(asks)
}

/// The prompt of the phase before: nobody is to answer its questions or press its buttons any more.
fn left_behind(state: &State, entered: u64) -> Option<Effect> {
    let before = state.passages.iter().rev();
    let mut before = before.skip_while(|passage| passage.event >= entered);
    before.next().map(asks)
}

fn asks(passage: &PhasePassage) -> Effect {
    Effect::Show {
        slot: Slot::Prompt {
            entered: passage.event,
        },
    }
}

/// The messages of the proposals on which something is still to happen.
fn open_proposals(state: &State) -> Vec<Effect> {
    let open = state
        .proposals
        .values()
        .filter(|proposal| !proposal.stage.is_over());
    open.map(|proposal| Effect::Show {
        slot: Slot::Proposal {
            proposal: proposal.id,
        },
    })
    .collect()
}

/// Break-glass is told outside the room: to everybody who holds a role in the incident, directly.
fn told_outside(state: &State, recorded: &Recorded) -> Vec<Effect> {
    let mut people: Vec<_> = state.roles.values().flatten().cloned().collect();
    people.extend(state.involved.iter().cloned());
    people.sort();
    people.dedup();
    people
        .into_iter()
        .map(|person| Effect::Direct {
            person,
            event: recorded.seq,
        })
        .collect()
}

/// Who has to get into the rooms because of it.
fn invited(state: &State, event: &Event, recorded: &Recorded) -> Vec<Effect> {
    let mut people: Vec<PersonId> = match event {
        Event::RoleTaken { person, .. } => vec![person.clone()],
        Event::HandedOver { to, .. } => vec![to.clone()],
        Event::Paged { people, .. } | Event::Invited { people } => people.clone(),
        Event::TaskAdded {
            owner: Some(owner), ..
        }
        | Event::TaskAssigned { owner, .. } => vec![owner.clone()],
        // They could not see what is theirs. Work for later calls nobody into an open response.
        Event::FollowupAdded {
            owner: Some(owner), ..
        }
        | Event::FollowupChanged {
            owner: Some(owner), ..
        } if state.opening.private => vec![owner.clone()],
        Event::Acknowledged => recorded.by.person().cloned().into_iter().collect(),
        _ => Vec::new(),
    };
    // Whoever was in before the room existed came in with it.
    people.retain(|_| !state.rooms.is_empty());
    people
        .into_iter()
        .map(|person| Effect::Invite { person })
        .collect()
}

/// What is done to systems, and what is fetched from outside.
fn done(state: &State, event: &Event, recorded: &Recorded, effects: &mut Vec<Effect>) {
    match event {
        Event::RoomAsked { platform, audience } => effects.push(Effect::MakeRoom {
            event: recorded.seq,
            platform: platform.clone(),
            audience: *audience,
        }),
        Event::Closed | Event::Cancelled { .. } | Event::MarkedDuplicate { .. } => {
            let archive = state.opening.settings.rooms.archive;
            effects.extend(archive.then_some(Effect::Archive));
            effects.push(Effect::GiveBack);
        }
        Event::Reopened { .. } => effects.push(Effect::Unarchive),
        Event::MessageMarked { marked, .. } => {
            let settled = state.marks.get(&marked.message).map(|mark| &mark.files);
            let open = marked
                .files
                .iter()
                .filter(|file| settled.is_none_or(|settled| !settled.contains_key(&file.id)));
            effects.extend(open.map(|file| Effect::KeepFile {
                message: marked.message.clone(),
                file: file.id.clone(),
            }));
        }
        Event::ProbeAsked { asked } => effects.push(Effect::AskProbe { run: asked.run }),
        Event::ProposalDrafted { proposal, .. } => effects.push(Effect::Preview { proposal: *proposal }),
        Event::AttemptStarted {
            proposal, attempt, ..
        } => {
            if let Some(proposal) = state.proposals.get(proposal) {
                effects.push(Effect::TakeLock {
                    target: proposal.terms.target.clone(),
                    attempt: *attempt,
                });
            }
            effects.push(Effect::Attempt { attempt: *attempt });
        }
        // An unknown attempt keeps its target: nobody else may act there until somebody knows.
        Event::AttemptFinished {
            attempt,
            outcome: Outcome::Done { .. } | Outcome::NotDone { .. },
        }
        | Event::AttemptSettled { attempt, .. } => {
            let proposal = state
                .attempts
                .get(attempt)
                .and_then(|proposal| state.proposals.get(proposal));
            effects.extend(proposal.map(|proposal| Effect::ReleaseLock {
                target: proposal.terms.target.clone(),
                attempt: *attempt,
            }));
        }
        _ => {}
    }
}

/// What is to be remembered in time.
fn timed(state: &State, event: &Event, recorded: &Recorded, effects: &mut Vec<Effect>) {
    let settings = &state.opening.settings;
    let after = |seconds: u64| fold::after(recorded.recorded, seconds);
    let set = |key: TimerKey, at| Effect::SetTimer { key, at };
    match event {
        Event::Opened { opening } if !opening.retroactive => effects.extend(nudges(state, recorded)),
        // Without a commander nothing goes on, so that one is asked for again. The others are asked for once.
        Event::RoleNudged {
            role: role @ Role::Commander,
        } => effects.push(set(
            TimerKey::Nudge { role: *role },
            after(settings.nudge_after_s.saturating_mul(3)),
        )),
        Event::SeverityChanged { from, .. } if !from.is_grave() && state.severity.is_grave() => {
            effects.extend(nudges(state, recorded).filter(|effect| {
                !matches!(
                    effect,
                    Effect::SetTimer {
                        key: TimerKey::Nudge {
                            role: Role::Commander
                        },
                        ..
                    }
                )
            }));
        }
        Event::RoleTaken { role, .. } => effects.push(Effect::ClearTimer {
            key: TimerKey::Nudge { role: *role },
        }),
        Event::RoleReleased {
            role: role @ Role::Commander,
            ..
        } if state.commander().is_none() => {
            effects.push(set(
                TimerKey::Nudge { role: *role },
                after(settings.nudge_after_s),
            ));
        }
        Event::Reopened { .. } => {
            effects.extend(nudges(state, recorded));
            if state.containment_in_force().next().is_some() {
                effects.push(set(TimerKey::Containment, after(settings.containment_every_s)));
            }
            effects.extend(state.update_due.map(|due| set(TimerKey::Update, due)));
        }
        Event::UpdateSent { next: Some(at), .. } => effects.push(set(TimerKey::Update, *at)),
        Event::UpdateSnoozed { until } => effects.push(set(TimerKey::Update, *until)),
        Event::UpdateReminded { .. } => {
            // Keeps asking until an update is sent or the reminder is snoozed.
            let every = settings.update_every_s[state.severity as usize];
            effects.push(set(TimerKey::Update, after(every)));
        }
        Event::Proposed {
            proposal, expires, ..
        } => {
            effects.push(set(TimerKey::Expire { proposal: *proposal }, *expires));
            if let Some(first) = settings.ask_again_s.first() {
                effects.push(set(
                    TimerKey::AskAgain {
                        proposal: *proposal,
                        circle: 1,
                    },
                    after(*first),
                ));
            }
        }
        Event::AskedAgain { proposal, circle } => {
            // The times are counted from the proposal, so the next wait is the difference.
            let times = &settings.ask_again_s;
            let at = *circle as usize;
            if let (Some(next), Some(last)) =
                (times.get(at), at.checked_sub(1).and_then(|last| times.get(last)))
            {
                let key = TimerKey::AskAgain {
                    proposal: *proposal,
                    circle: circle + 1,
                };
                effects.push(set(key, after(next.saturating_sub(*last))));
            }
        }
        Event::Held { proposal, .. } => {
            let at = recorded.recorded + TimeDelta::seconds(HELD_EVERY_S);
            effects.push(set(TimerKey::Held { proposal: *proposal }, at));
        }
        Event::Verified {
            proposal,
            worked: true,
            ..
        } => {
            let contains = state
                .proposals
                .get(proposal)
                .is_some_and(|proposal| proposal.terms.containment);
            if contains {
                effects.push(set(TimerKey::Containment, after(settings.containment_every_s)));
            }
        }
        Event::ContainmentReminded { .. } => {
            effects.push(set(TimerKey::Containment, after(settings.containment_every_s)));
        }
        Event::Paged { page, .. } | Event::PageRepeated { page, .. } => {
            effects.push(set(TimerKey::Page { page: *page }, after(settings.page_every_s)));
        }
        Event::PageAcknowledged { page } => effects.push(Effect::ClearTimer {
            key: TimerKey::Page { page: *page },
        }),
        Event::Closed | Event::Cancelled { .. } | Event::MarkedDuplicate { .. } => {
            effects.push(Effect::ClearTimer {
                key: TimerKey::Update,
            });
            effects.push(Effect::ClearTimer {
                key: TimerKey::Postmortem,
            });
            let asked = [Role::Commander]
                .into_iter()
                .chain(Role::BESIDE)
                .map(|role| TimerKey::Nudge { role });
            effects.extend(asked.map(|key| Effect::ClearTimer { key }));
        }
        _ => {}
    }
    clear_proposal_timers(state, event, effects);
    effects.extend(postmortem_timer(state, event));
}

/// The roles that nobody has are asked for after a while: the commander first, and then, where it is grave, who writes
/// along and who speaks to the outside.
fn nudges(state: &State, recorded: &Recorded) -> impl Iterator<Item = Effect> {
    let wait = state.opening.settings.nudge_after_s;
    let first = [(Role::Commander, wait)].into_iter();
    let beside = Role::BESIDE.into_iter().filter(|_| state.severity.is_grave());
    let asked = first.chain(beside.map(|role| (role, wait.saturating_mul(2))));
    let asked = asked.filter(|(role, _)| state.roles.get(role).is_none_or(|holders| holders.is_empty()));
    let asked: Vec<_> = asked
        .map(|(role, wait)| Effect::SetTimer {
            key: TimerKey::Nudge { role },
            at: fold::after(recorded.recorded, wait),
        })
        .collect();
    asked.into_iter()
}

/// The reminder of the post-mortem stands while nobody has reviewed it.
fn postmortem_timer(state: &State, event: &Event) -> Option<Effect> {
    let key = TimerKey::Postmortem;
    let moves = matches!(
        event,
        Event::Resolved { .. }
            | Event::Reopened { .. }
            | Event::ReviewChanged { .. }
            | Event::PostmortemReminded { .. }
            | Event::PostmortemSnoozed { .. }
    );
    if !moves {
        return None;
    }
    Some(match state.postmortem_waits() {
        Some(at) => Effect::SetTimer { key, at },
        None => Effect::ClearTimer { key },
    })
}

/// A proposal that no longer waits is no longer asked about.
fn clear_proposal_timers(state: &State, event: &Event, effects: &mut Vec<Effect>) {
    let (Event::Refused { proposal, .. }
    | Event::Withdrawn { proposal, .. }
    | Event::Voided { proposal, .. }
    | Event::Expired { proposal }
    | Event::PreconditionFailed { proposal, .. }
    | Event::AttemptStarted { proposal, .. }) = event
    else {
        return;
    };
    let waits = state
        .proposals
        .get(proposal)
        .is_some_and(|p| matches!(p.stage, Stage::Waiting { .. }));
    if !waits {
        for key in [
            TimerKey::Expire { proposal: *proposal },
            TimerKey::AskAgain {
                proposal: *proposal,
                circle: 1,
            },
            TimerKey::Held { proposal: *proposal },
        ] {
            effects.push(Effect::ClearTimer { key });
        }
    }
}

impl State {
    /// When a timer that was due and changed nothing has to look again; `None`: never.
    pub fn rearm(
        &self,
        key: &TimerKey,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Option<chrono::DateTime<chrono::Utc>> {
        match key {
            TimerKey::Held { proposal } => match self.proposals.get(proposal)?.stage {
                Stage::Cleared { held: Some(_), .. } => Some(now + TimeDelta::seconds(HELD_EVERY_S)),
                _ => None,
            },
            // Woken too early, because the clock was set: the deadline itself has not moved.
            TimerKey::Expire { proposal } => match &self.proposals.get(proposal)?.stage {
                Stage::Waiting { shown } | Stage::Cleared { shown, .. } => {
                    Some(shown.expires).filter(|at| *at > now)
                }
                _ => None,
            },
            TimerKey::Update => self.update_due.filter(|at| *at > now && !self.is_over()),
            TimerKey::Postmortem => self.postmortem_waits().filter(|at| *at > now),
            _ => None,
        }
    }
}
