//! One message about one event, and the word to the person whose doing it was.

use chrono::{DateTime, Utc};

use super::{View, ask, buttons, name, prompt, row, run, say, told, who};
use crate::chat::{Block, Message, Rich, Span, Style, Tone};
use crate::desk;
use crate::incident::{
    Event, Made, Moment, Page, PageId, Passage, PersonId, ProposalId, Recorded, RecoveryItem, Review, Role,
    Stage, State,
};
use crate::timeline::{full_stop, titled};

/// Characters of the journal's head that people compare; the export prints it whole.
const SHORT_HASH: usize = 16;

pub fn notice(
    view: &View,
    state: &State,
    recorded: &Recorded,
    hash: &str,
    desk: &desk::State,
) -> Option<Message> {
    let event = recorded.event.as_ref()?;
    let by = who(desk, &recorded.by);
    let text = sentence(view, state, event, &by, desk)?;
    let fallback = text.bare();
    let mut draft = say(text);
    if let Event::PhaseEntered { .. } = event {
        let head: String = hash.chars().take(SHORT_HASH).collect();
        draft = draft.block(super::small(format!(
            "Journal {} at event #{}: {head}",
            state.opening.number, recorded.seq
        )));
    }
    let offers = pressed(state, event);
    if !offers.is_empty() {
        draft = draft.block(buttons(offers));
    }
    Some(draft.done(fallback))
}

fn sentence(view: &View, state: &State, event: &Event, by: &str, desk: &desk::State) -> Option<Rich> {
    let text = |words: String| Some(Rich::new().text(words));
    match event {
        Event::PhaseEntered { phase, from, passage } => {
            let words = match (from, passage) {
                (None, _) | (_, Passage::Start) => format!("{} begins.", prompt::title(*phase)),
                (Some(from), Passage::Gate) => format!(
                    "{} is done. {} begins.",
                    prompt::title(*from),
                    prompt::title(*phase)
                ),
                (Some(from), Passage::Override { reason, .. }) => {
                    format!(
                        "{by} went on from {} before it was finished: {reason}",
                        prompt::title(*from)
                    )
                }
                (Some(_), Passage::Back { reason }) => {
                    format!("{by} went back to {}: {reason}", prompt::title(*phase))
                }
            };
            Some(Rich::new().bold(words))
        }
        Event::Retitled { title } => text(format!("{by} changed the title: {title}")),
        Event::SeverityChanged { from, to, reason } => text(with_reason(
            format!("{by} changed the severity from {from} to {to}"),
            reason.as_deref(),
        )),
        Event::RoleTaken { role, person } => text(format!("{} is now {role}.", name(desk, person))),
        Event::RoleReleased { role, person } => text(format!("{} is no longer {role}.", name(desk, person))),
        Event::HandedOver { role, from, to, note } => text(with_reason(
            format!(
                "{} handed the role {role} over to {}",
                name(desk, from),
                name(desk, to)
            ),
            note.as_deref(),
        )),
        Event::RoleNudged { role } => Some(
            Rich::new()
                .bold(format!("Nobody is {role} yet."))
                .text(" Who takes it?"),
        ),
        Event::Resolved { summary } => text(with_reason(
            format!("{by} resolved the incident"),
            summary.as_deref(),
        )),
        Event::Closed => text(format!("{by} closed the incident.")),
        Event::Cancelled { reason } => text(format!("{by} cancelled it: {reason}")),
        Event::MarkedDuplicate { of } => text(format!("{by} marked it a duplicate of {of}. Go on there.")),
        Event::Reopened { reason } => {
            let told = Rich::new().bold(format!("{by} reopened it: {reason}"));
            Some(match super::rooms::given_back(view, state) {
                Some(gone) => told.text("\n").then(gone),
                None => told,
            })
        }
        Event::Framed { sentence, whole, .. } => Some(match whole {
            true => Rich::new().bold("Framed: ").text(sentence.clone()),
            false => Rich::new()
                .text("So far: ")
                .text(sentence.clone())
                .text(format!("\nStill missing: {}", state.frame_questions().join(" "))),
        }),
        Event::DamageAssessed {
            ongoing: true,
            detail,
        } => {
            let detail = detail_of(detail.as_deref());
            let words = format!("{detail} Stop it before looking for the cause.");
            Some(Rich::new().bold("Damage is going on.").text(words))
        }
        Event::DamageAssessed {
            ongoing: false,
            detail,
        } => {
            let detail = detail_of(detail.as_deref());
            text(format!("{by} says: no damage is going on.{detail}"))
        }
        Event::Decided { way, reason, .. } => Some(
            Rich::new()
                .bold(format!("Decided: {way}."))
                .text(format!(" {by}: {reason}")),
        ),
        Event::StepDone { step, note } => text(with_reason(format!("Step {step} is done"), note.as_deref())),
        Event::StepSkipped { step, reason } => text(format!("{by} skipped step {step}: {reason}")),
        Event::StepAnswered { step, answer } => text(format!("{by} answered {step}: {answer}")),
        Event::BranchTaken { step, branch, reason } => text(with_reason(
            format!("{by} took the way \"{branch}\" at {step}"),
            reason.as_deref(),
        )),
        Event::RunbookChanged { plan, reason } => {
            text(format!("{by} changed the runbook to {}: {reason}", plan.title))
        }
        Event::FindingRecorded {
            finding,
            line,
            conclusion,
            text: found,
            ..
        } => text(format!("{finding} ({line}, {conclusion}) by {by}: {found}")),
        Event::CauseAccepted { finding, reason } => {
            let found = state
                .findings
                .get(finding)
                .map(|found| found.text.clone())
                .unwrap_or_default();
            let why = reason.as_ref().map(|reason| format!(" ({reason})"));
            let why = why.unwrap_or_default();
            Some(Rich::new().bold(format!("Cause: {finding}. ")).text(found + &why))
        }
        Event::RecoveryChecked {
            item,
            passed,
            count,
            detail,
        } => text(checked(*item, *passed, *count, detail.as_deref())),
        Event::RecoveryWaived { item, reason } => text(format!("{by} waived the {item}: {reason}")),
        Event::ChangeNoted {
            change,
            text: changed,
            ..
        } => text(format!(
            "{change}: {changed}. To be reconciled into version control."
        )),
        Event::ChangeReconciled { change, reference } => text(format!("{change} is reconciled: {reference}")),
        Event::ChangeWaived { change, reason } => {
            text(format!("{by} waived the reconciliation of {change}: {reason}"))
        }
        _ => sentence_of_the_rest(view, state, event, by, desk),
    }
}

fn sentence_of_the_rest(
    view: &View,
    state: &State,
    event: &Event,
    by: &str,
    desk: &desk::State,
) -> Option<Rich> {
    let text = |words: String| Some(Rich::new().text(words));
    match event {
        Event::Noted { text: noted } => Some(Rich::new().bold(format!("{by}: ")).text(noted.clone())),
        Event::UpdateSent { text: update, next } => {
            let lead = Rich::new().bold(format!("Update from {by}: "));
            Some(told_next(lead, update, *next))
        }
        Event::FileKept {
            name,
            media_type,
            size,
            sha256,
            ..
        } => {
            let place = format!("/incidents/{}/files/{sha256}", state.opening.number.0);
            let kind = format!("{media_type}, {}", crate::timeline::size(*size));
            Some(
                Rich::new()
                    .text("Kept as evidence: ")
                    .link(place, name.clone())
                    .text(format!(" ({kind}). It opens for whoever holds a role.")),
            )
        }
        Event::GroupMissed { group, why } => Some(
            Rich::new()
                .text(format!("The group {group} cannot be read ("))
                .then(view.ours(why))
                .text("), so it counts for nobody until it can."),
        ),
        Event::FileMissed { name, why, .. } => Some(
            Rich::new()
                .bold("Not kept as evidence: ")
                .text(format!("{name}. "))
                .then(view.ours(&sentence_of(why)))
                .text(" Save it elsewhere if it matters."),
        ),
        Event::UpdateReminded { due } => Some(
            Rich::new()
                .bold("An update is due")
                .text(" since ")
                .time(*due)
                .text("."),
        ),
        Event::PostmortemReminded { due } => Some(
            Rich::new()
                .bold("The post-mortem was due ")
                .time(*due)
                .text(match state.review {
                    Review::Draft => " and is still a draft.",
                    Review::InReview => " and waits for its review.",
                    Review::Reviewed | Review::Closed => ".",
                }),
        ),
        Event::Acknowledged => text(format!("{by} is on it.")),
        Event::Invited { people } => Some(
            mention(desk, people)
                .text(format!(
                    "you are invited into {} by {by}: {}. ",
                    state.opening.number, state.title
                ))
                .then(view.ours("Say `/brief` to catch up.")),
        ),
        Event::Paged { page, message, .. } => paged(view, state, *page, message.as_deref(), by),
        Event::PageRepeated { page, times } => {
            let people = state
                .pages
                .get(page)
                .map(|page| page.people.clone())
                .unwrap_or_default();
            let words = format!(" nobody has answered page {page} yet (asked {times} times). ");
            Some(mention(desk, &people).text(words).then(view.ours("Say `/ack`.")))
        }
        Event::AskedAgain { proposal, circle } => asked_again(state, *proposal, *circle, desk),
        Event::GlassBroken { proposal, reason, .. } => Some(
            Rich::new()
                .bold(format!(
                    "BREAK-GLASS in {}: {by} runs {proposal} without approvals.",
                    state.opening.number
                ))
                .text(format!(" {reason}")),
        ),
        Event::AttemptFinished { attempt, .. } => Some(
            Rich::new()
                .bold(format!("Nobody knows whether attempt {attempt} happened."))
                .text(" It will not be run again. Look at the system, then settle it."),
        ),
        Event::ContainmentReminded { proposals } => {
            let list: Vec<_> = proposals.iter().map(ToString::to_string).collect();
            text(format!(
                "Containment still in force: {}. Undo it, say that it is lifted, or accept it with a reason.",
                list.join(", ")
            ))
        }
        Event::ContainmentLifted { proposal, grounds } => text(format!(
            "Containment {proposal} is lifted: {}",
            full_stop(grounds)
        )),
        Event::ContainmentAccepted { proposal, reason } => text(format!(
            "{by} accepts that containment {proposal} stays: {}",
            full_stop(reason)
        )),
        Event::TaskAdded {
            task,
            text: task_text,
            owner,
            ..
        } => text(format!("{task}: {task_text}{}", owned(desk, owner.as_ref()))),
        Event::TaskAssigned { task, owner } => text(format!("{task} is now {}'s.", name(desk, owner))),
        Event::TaskDone { task, note } => text(with_reason(format!("{task} is done"), note.as_deref())),
        Event::TaskDropped {
            task,
            reason,
            taken_back,
        } => dropped(task.to_string(), reason.as_deref(), by, *taken_back),
        Event::FollowupAdded {
            followup,
            text: words,
            owner,
            due,
            ..
        } => {
            let due = due.map(|due| format!(", due {due}")).unwrap_or_default();
            text(format!(
                "Follow-up {followup}: {words}{}{due}",
                owned(desk, owner.as_ref())
            ))
        }
        Event::FollowupChanged { followup, .. } => text(format!("{by} changed follow-up {followup}.")),
        Event::FollowupDone { followup, note } => text(with_reason(
            format!("Follow-up {followup} is done"),
            note.as_deref(),
        )),
        Event::FollowupDropped {
            followup,
            reason,
            taken_back,
        } => dropped(
            format!("Follow-up {followup}"),
            reason.as_deref(),
            by,
            *taken_back,
        ),
        Event::ReactionTakenBack { made, .. } => Some(stays(view, state, *made, by, desk)),
        Event::ProcessChanged { to, .. } => text(format!("{by} set the process: {to}")),
        Event::TargetAdded { target } => text(format!("{by} added the target {target}.")),
        Event::Linked { link } => match link {
            crate::incident::Link::Url { url, title } => Some(
                Rich::new()
                    .text(format!("{by} linked "))
                    .link(url.clone(), title.clone().unwrap_or_else(|| url.clone())),
            ),
            crate::incident::Link::Related { incident } => text(format!("{by} linked {incident}.")),
        },
        Event::ReviewChanged { to, note } => {
            text(with_reason(format!("The post-mortem is {to}"), note.as_deref()))
        }
        Event::ClockJumped { back_ms } => text(format!(
            "The clock of this machine jumped back by {} s. Waiting approvals are void.",
            back_ms / 1_000
        )),
        Event::Redacted {
            row,
            reason,
            messages,
            ..
        } => {
            let what = match row {
                0 => "a message that is on no timeline".to_owned(),
                row => format!("event #{row}"),
            };
            let elsewhere = messages.iter().any(|message| message.room.platform != "local");
            let stands = match elsewhere {
                true => " Where the message was written it stands until its author deletes it.",
                false => "",
            };
            let told = Rich::new().text(format!("{by} redacted {what}: {reason}. "));
            let verifies = view.ours("`/journal verify` still verifies.");
            Some(told.then(verifies).text(stands))
        }
        _ => super::rooms::sentence(view, state, event, by),
    }
}

fn paged(view: &View, state: &State, page: PageId, message: Option<&str>, by: &str) -> Option<Rich> {
    let words = message.map(|message| format!(" {message}")).unwrap_or_default();
    Some(
        Rich::new()
            .bold(format!(
                "{by} pages you in {}: {}.",
                state.opening.number, state.title
            ))
            .text(format!("{words} Answer page {page} with "))
            .then(view.ours("`/ack`.")),
    )
}

fn asked_again(state: &State, id: ProposalId, circle: u32, desk: &desk::State) -> Option<Rich> {
    let proposal = state.proposals.get(&id)?;
    let role = proposal.terms.policy.role;
    // First those who may approve, then the leads, then everybody in the incident.
    let mut people: Vec<PersonId> = desk
        .people
        .iter()
        .filter(|(id, person)| {
            let entitled = role.is_none_or(|role| desk.roles_of(id).contains(&role));
            let leads = circle >= 2 && (state.holds(Role::Commander, id) || state.holds(Role::Deputy, id));
            let everybody = circle >= 3 && state.involved.contains(*id);
            person.may_command() && (entitled || leads || everybody)
        })
        .map(|(id, _)| id.clone())
        .filter(|id| proposal.proposer.as_ref() != Some(id))
        .collect();
    people.dedup();
    Some(mention(desk, &people).text(format!(
        " {id} still waits for approval: {} on {}.",
        proposal.terms.title, proposal.terms.target
    )))
}

pub(super) fn mention(desk: &desk::State, people: &[PersonId]) -> Rich {
    people.iter().fold(Rich::new(), |rich, person| {
        rich.person(person, name(desk, person)).text(" ")
    })
}

fn owned(desk: &desk::State, owner: Option<&PersonId>) -> String {
    owner
        .map(|owner| format!(" ({})", name(desk, owner)))
        .unwrap_or_default()
}

/// What was added, as a sentence behind another.
fn detail_of(detail: Option<&str>) -> String {
    detail.map_or_else(String::new, |detail| format!(" {}", sentence_of(detail)))
}

/// A stakeholder update, and when the next one is due.
pub(super) fn told_next(lead: Rich, update: &str, next: Option<DateTime<Utc>>) -> Rich {
    match next {
        None => lead.text(update),
        Some(next) => lead
            .text(full_stop(update))
            .text(" Next update ")
            .time(next)
            .text("."),
    }
}

/// Words from elsewhere as a sentence of their own.
fn sentence_of(words: &str) -> String {
    full_stop(&titled(words.trim()))
}

fn with_reason(words: String, reason: Option<&str>) -> String {
    match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{words}: {reason}"),
        None => format!("{words}."),
    }
}

fn checked(item: RecoveryItem, passed: bool, count: Option<u64>, detail: Option<&str>) -> String {
    let outcome = match (item, passed) {
        (RecoveryItem::SmokeTest, true) => "The smoke test passed",
        (RecoveryItem::SmokeTest, false) => "The smoke test failed",
        (RecoveryItem::Backlog, true) => "The backlog is drained",
        (RecoveryItem::Backlog, false) => "The backlog is not drained",
        (RecoveryItem::Records, true) => "Nothing is left to repair",
        (RecoveryItem::Records, false) => "Records are to be repaired",
    };
    let count = count
        .map(|count| format!(" ({count} counted)"))
        .unwrap_or_default();
    with_reason(format!("{outcome}{count}"), detail)
}

fn pressed(state: &State, event: &Event) -> Vec<crate::chat::Button> {
    match event {
        Event::RoleNudged { role } => vec![run(
            &format!("I am {role}"),
            format!("role take {role}"),
            Style::Primary,
        )],
        Event::UpdateReminded { .. } => vec![
            ask("Send an update", "update send", [], Style::Primary),
            run("In 15 minutes", "update snooze 15m", Style::Plain),
        ],
        Event::PostmortemReminded { .. } => {
            let mut offered = vec![run("Read it", "postmortem show", Style::Primary)];
            offered.extend(prompt::review_buttons(state));
            offered.push(run("Tomorrow", "postmortem snooze 1d", Style::Plain));
            offered
        }
        Event::AskedAgain { proposal, .. } => {
            vec![run("Show it", format!("action show {proposal}"), Style::Primary)]
        }
        Event::ContainmentReminded { proposals } => proposals
            .iter()
            .take(3)
            .map(|id| run(&format!("Undo {id}"), format!("action undo {id}"), Style::Plain))
            .collect(),
        Event::GlassBroken { proposal, .. } => {
            let number = state.opening.number.to_string();
            vec![ask(
                "Review it",
                "action review",
                [("proposal", proposal.to_string()), ("incident", number)],
                Style::Primary,
            )]
        }
        Event::Paged { page, .. } | Event::PageRepeated { page, .. } => {
            vec![run(
                "I am on it",
                format!("{} page ack {page}", state.opening.number),
                Style::Primary,
            )]
        }
        Event::Invited { .. } => vec![run(
            "Catch up",
            format!("{} brief", state.opening.number),
            Style::Primary,
        )],
        Event::AttemptFinished { attempt, .. } => state
            .attempts
            .get(attempt)
            .map(|id| run("Show it", format!("action show {id}"), Style::Primary))
            .into_iter()
            .collect(),
        Event::Resolved { .. } => vec![run("Read the post-mortem", "postmortem show", Style::Primary)],
        _ => Vec::new(),
    }
}

/// A page, kept true until somebody answers.
pub fn page(state: &State, id: PageId, page: &Page, desk: &desk::State) -> Message {
    let words = page.message.clone().unwrap_or_else(|| state.title.clone());
    let head = mention(desk, &page.people).text(format!("{} needs you: {words}", state.opening.number));
    let (tone, mark, detail) = match &page.acknowledged {
        Some(person) => (
            Tone::Good,
            "answered",
            match page.people.contains(person) {
                true => format!("{} is on it.", name(desk, person)),
                false => {
                    let paged: Vec<_> = page.people.iter().map(|person| name(desk, person)).collect();
                    format!(
                        "{} is on it, in the place of {}.",
                        name(desk, person),
                        paged.join(", ")
                    )
                }
            },
        ),
        None => (Tone::Bad, "waiting", format!("asked {} times", page.times)),
    };
    let mut draft = say(head).block(Block::Rows {
        rows: vec![row(tone, mark, format!("Page {id}"), detail)],
    });
    if page.acknowledged.is_none() {
        draft = draft.block(buttons([run(
            "I am on it",
            format!("page ack {id}"),
            Style::Primary,
        )]));
    }
    draft.done(format!("{} needs you: {words}", state.opening.number))
}

/// What the person is told whose command it was. Empty where the room shows it anyway.
pub fn confirmation(view: &View, state: &State, written: &[Recorded], _desk: &desk::State) -> Message {
    let number = state.opening.number;
    let Some(first) = written
        .iter()
        .find_map(|recorded| recorded.event.as_ref().map(|event| (recorded.seq, event)))
    else {
        return say("Nothing changed: it stands like that already.").done("Nothing changed.");
    };
    let words = match first {
        (_, Event::Opened { opening }) => {
            let words = format!(
                "{number} is open: {}. {} Runbook: {}, because {}.",
                opening.title,
                match opening.here {
                    Some(_) => "This channel is its room.",
                    None => "Its room is being made; the first question is below.",
                },
                opening.plan.title,
                opening.chosen_because
            );
            return say(words.clone())
                .block(buttons([
                    run(
                        "Take command",
                        format!("{number} role take commander"),
                        Style::Primary,
                    ),
                    ask(
                        "Frame it",
                        "frame",
                        [("incident", number.to_string())],
                        Style::Plain,
                    ),
                ]))
                .done(words);
        }
        (seq, Event::MomentSet { moment, at, .. }) if *moment != Moment::Acknowledged => {
            format!("{moment} is set to {} UTC (#{seq}).", at.format("%Y-%m-%d %H:%M"))
        }
        (seq, Event::SectionWritten { section, .. }) => {
            let words = Rich::new().text(format!("The section {section} is written (#{seq}). "));
            return told(words.then(view.ours("Read it with `/postmortem show`.")));
        }
        (seq, Event::UpdateSnoozed { until }) => {
            format!("You are reminded at {} UTC (#{seq}).", until.format("%H:%M"))
        }
        (seq, Event::PostmortemSnoozed { until }) => {
            let until = until.format("%Y-%m-%d %H:%M");
            format!("You are reminded of the post-mortem at {until} UTC (#{seq}).")
        }
        (_, Event::RoomOpened { room, .. }) => {
            format!("That is a room of {number} on {} now.", room.platform)
        }
        (_, Event::RoomAsked { platform, .. }) => format!("A room of {number} is being made on {platform}."),
        (_, Event::RoomLeft { .. }) => format!("That room is told nothing more of {number}."),
        (_, Event::Reopened { .. }) => match super::rooms::given_back(view, state) {
            Some(gone) => return told(Rich::new().text(format!("{number} is open again. ")).then(gone)),
            None => return Message::default(),
        },
        (_, Event::CarryChanged { on }) => {
            let switched = if *on { "on" } else { "off" };
            format!("Carrying messages over between the rooms of {number} is {switched}.")
        }
        (seq, Event::MessageMarked { .. }) => format!("On the timeline (#{seq})."),
        (seq, Event::ProposalDrafted { proposal, .. }) => {
            format!(
                "{proposal} is being prepared (#{seq}). What will run, exactly, is shown in the room in a moment."
            )
        }
        (_, Event::Approved { proposal, .. }) => {
            match state.proposals.get(proposal).map(|proposal| &proposal.stage) {
                Some(Stage::Waiting { .. }) => {
                    format!("Your approval of {proposal} counts. It waits for one more.")
                }
                _ => format!("Your approval of {proposal} counts. It goes on by itself."),
            }
        }
        _ => return Message::default(),
    };
    say(words.clone()).done(words)
}

/// What was done, for somebody who does not look at the room that shows it: what stands there.
pub fn elsewhere(view: &View, state: &State, written: &[Recorded], desk: &desk::State) -> Message {
    let number = state.opening.number;
    let calls_people = |text: &Rich| text.0.iter().any(|span| matches!(span, Span::Person { .. }));
    let shown = written.iter().filter_map(|recorded| {
        let event = recorded.event.as_ref()?;
        sentence(view, state, event, &who(desk, &recorded.by), desk).filter(|text| !calls_people(text))
    });
    let lines = shown.fold(Rich::new(), |lines, line| {
        let start = if lines.is_empty() {
            format!("{number}: ")
        } else {
            "\n".to_owned()
        };
        lines.text(start).then(line)
    });
    told(match written.first() {
        Some(first) if lines.is_empty() => {
            Rich::new().text(format!("{number}: done (#{}). Its room shows more.", first.seq))
        }
        _ => lines,
    })
}

fn dropped(what: String, reason: Option<&str>, by: &str, taken_back: bool) -> Option<Rich> {
    Some(Rich::new().text(match taken_back {
        true => format!("{what} is dropped: {by} took the reaction back."),
        false => with_reason(format!("{what} is dropped"), reason),
    }))
}

/// Whoever took the reaction back learns why there is still something to do.
fn stays(view: &View, state: &State, made: Made, by: &str, desk: &desk::State) -> Rich {
    let (what, owner, drop) = match made {
        Made::Task(task) => {
            let known = state.tasks.get(&task);
            (
                task.to_string(),
                known.and_then(|known| known.owner.as_ref()),
                "task drop",
            )
        }
        Made::Followup(followup) => {
            let known = state.followups.get(&followup);
            let owner = known.and_then(|known| known.owner.as_ref());
            (format!("Follow-up {followup}"), owner, "followup drop")
        }
    };
    let why = match owner {
        Some(owner) => format!("it is {}'s by now", name(desk, owner)),
        None => "it was changed since".to_owned(),
    };
    Rich::new()
        .text(format!(
            "{by} took the reaction back. {what} stays, because {why}; "
        ))
        .then(view.ours(&format!("`/{drop} {made}` drops it.")))
}
