//! State into messages: the card, the prompts, the proposals, the notices. Pure; knows no platform.
//!
//! Every message offers the next step as a button. What a person typed only ever becomes plain spans.

mod answer;
mod card;
mod form;
mod home;
mod notice;
mod prompt;
mod proposal;
mod rooms;
mod round;
mod text;

pub use answer::{
    actions, brief, findings, followups, help, list, postmortem, probes, roles, runbooks, status, steps,
    tasks, timeline,
};
pub use form::{Choices, form};
pub use rooms::rooms;
pub use round::{answered, compared};
pub use text::ours;

use std::sync::Arc;

use crate::chat::{Block, Button, Message, Press, Rich, Row, Style, Tone};
use crate::desk;
use crate::engine::{Carried, Listed, Looked, Words};
use crate::incident::{Audience, By, PersonId, Recorded, Refusal, RoomRef, Slot, State};
use crate::text::cut;

/// Longest text shown in one block before it is cut: what fits a phone without scrolling past the buttons.
const LONGEST_BLOCK: usize = 2_800;

/// Renders messages. Holds what every message needs of the config.
#[derive(Clone)]
pub struct View {
    /// Name of the slash command, without the slash.
    pub command: String,
    /// How rooms are named.
    pub room_name: Arc<dyn Fn(&State) -> String + Send + Sync>,
}

impl View {
    /// See [`text::ours`].
    fn ours(&self, words: &str) -> Rich {
        text::ours(words, &self.command)
    }

    /// Inline Markdown of a runbook or of help.
    fn markdown(&self, text: &str) -> Rich {
        text::inline_markdown(text, &self.command)
    }
}

impl Words for View {
    fn slot(&self, state: &State, slot: Slot, desk: &desk::State) -> Option<Message> {
        let message = match slot {
            Slot::Card => Some(card::card(self, state, desk)),
            Slot::Announcement => Some(card::announcement(state, desk)),
            Slot::Prompt { entered } => prompt::prompt(self, state, entered, desk),
            Slot::Proposal { proposal } => state
                .proposals
                .get(&proposal)
                .map(|p| proposal::proposal(state, p, desk)),
            Slot::Round { round } => round::round(state, round),
            Slot::Page { page } => state.pages.get(&page).map(|p| notice::page(state, page, p, desk)),
        };
        message.map(|message| marked(state, message))
    }

    fn notice(&self, state: &State, recorded: &Recorded, hash: &str, desk: &desk::State) -> Option<Message> {
        let message = notice::notice(self, state, recorded, hash, desk);
        message.map(|message| marked(state, message))
    }

    fn digest(&self, state: &State, from: u64, to: u64, said: &[Carried], _desk: &desk::State) -> Message {
        marked(state, rooms::digest(state, from, to, said))
    }

    fn topic(&self, state: &State, desk: &desk::State) -> String {
        let commander = state
            .commander()
            .map_or("nobody yet".to_owned(), |person| name(desk, person));
        let drill = if state.opening.drill { "DRILL · " } else { "" };
        format!(
            "{drill}{} · {} · {} · commander: {commander} · {}",
            state.opening.number,
            state.severity,
            card::standing(state),
            state.title
        )
    }

    fn room_name(&self, state: &State, audience: Audience) -> String {
        rooms::room_name(self, state, audience)
    }

    fn guest_card(&self, state: &State) -> Message {
        rooms::guest_card(state)
    }

    fn guest_topic(&self, state: &State) -> String {
        rooms::guest_topic(state)
    }

    fn guest_notice(&self, state: &State, recorded: &Recorded) -> Option<Message> {
        rooms::guest_notice(recorded).map(|message| marked(state, message))
    }

    fn digest_redacted(&self) -> Message {
        self.say(
            "Orderly told here what had happened while chat was away. Some of it was redacted since; `/timeline` shows the rest.",
        )
    }

    fn notice_redacted(&self) -> Message {
        let words = "What Orderly said here was redacted.".to_owned();
        say(words.clone()).done(words)
    }

    fn carried(&self, carried: &Carried) -> Message {
        rooms::carried(carried)
    }

    fn goes_on(&self, state: &State) -> Message {
        rooms::goes_on(state)
    }

    fn unannounced(&self, state: &State, lobby: &RoomRef, why: &str) -> Message {
        card::unannounced(state, lobby, why)
    }

    fn left(&self, state: &State) -> Message {
        rooms::left(state)
    }

    fn refusal(&self, refusal: &Refusal) -> Message {
        let offers = refusal.offers.iter();
        let offers = offered(offers.map(|(label, line)| (label.as_str(), line.as_str())));
        let words = self.ours(&refusal.words);
        let mut fallback = words.bare();
        let mut message = say(words);
        if let Some(spot) = &refusal.spot {
            message = message.block(Block::Code {
                text: spot.clone(),
                diff: false,
            });
        }
        if let Some(instead) = refusal.instead.as_ref().map(|instead| self.ours(instead)) {
            fallback = format!("{fallback}\n{}", instead.bare());
            message = message.block(Block::Text { text: instead });
        }
        if !offers.is_empty() {
            message = message.block(Block::Buttons { buttons: offers });
        }
        message.done(fallback)
    }

    fn say(&self, words: &str) -> Message {
        told(self.ours(words))
    }

    fn home(
        &self,
        person: &PersonId,
        listed: &[Arc<Listed>],
        looked: Looked<'_>,
        desk: &desk::State,
    ) -> Message {
        home::home(self, person, listed, looked, desk)
    }

    fn done(&self, state: &State, written: &[Recorded], desk: &desk::State, here: bool) -> Message {
        let told = notice::confirmation(self, state, written, desk);
        marked(
            state,
            match here || told != Message::default() {
                true => told,
                false => notice::elsewhere(self, state, written, desk),
            },
        )
    }
}

/// An exercise says so on everything that is told of it: a page, an update or a proposal may be read far from its room.
fn marked(state: &State, mut message: Message) -> Message {
    const MARK: &str = "DRILL · ";
    let is_marked = message.fallback.is_empty() || message.fallback.starts_with(MARK);
    if !state.opening.drill || is_marked {
        return message;
    }
    message.fallback.insert_str(0, MARK);
    match message.blocks.first_mut() {
        Some(Block::Header { text }) => text.insert_str(0, MARK),
        Some(Block::Text { text }) => *text = Rich::new().bold(MARK).then(std::mem::take(text)),
        _ => message.blocks.insert(
            0,
            Block::Text {
                text: Rich::new().bold("DRILL"),
            },
        ),
    }
    message
}

/// A message under construction.
#[derive(Default)]
struct Draft(Vec<Block>);

impl Draft {
    fn block(mut self, block: Block) -> Self {
        self.0.push(block);
        self
    }

    fn blocks(mut self, blocks: impl IntoIterator<Item = Block>) -> Self {
        self.0.extend(blocks);
        self
    }

    fn done(self, fallback: impl Into<String>) -> Message {
        Message {
            fallback: fallback.into(),
            blocks: self.0,
        }
    }
}

/// Words, and the same for notifications.
fn told(words: Rich) -> Message {
    let fallback = words.bare();
    say(words).done(fallback)
}

fn say(text: impl Into<Rich>) -> Draft {
    Draft(vec![Block::Text { text: text.into() }])
}

fn buttons(buttons: impl IntoIterator<Item = Button>) -> Block {
    Block::Buttons {
        buttons: buttons.into_iter().collect(),
    }
}

/// A button that runs a command line.
fn run(label: &str, line: impl Into<String>, style: Style) -> Button {
    Button {
        label: label.to_owned(),
        style,
        press: Press::Run { line: line.into() },
    }
}

/// A button that opens the form of a command, with options already settled.
fn ask<const N: usize>(label: &str, path: &str, fixed: [(&str, String); N], style: Style) -> Button {
    let fixed = fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Button {
        label: label.to_owned(),
        style,
        press: Press::Ask {
            path: path.to_owned(),
            fixed,
        },
    }
}

/// A button for a line that the core offers: run as it stands where it is whole, else its form.
fn offer(label: &str, line: &str) -> Button {
    match orderly_commands::parse(line) {
        Ok(parsed) if !wants_form(&parsed) => run(label, line, Style::Plain),
        Ok(parsed) => Button {
            label: label.to_owned(),
            style: Style::Plain,
            press: Press::Ask {
                path: parsed.path.to_owned(),
                fixed: parsed.options(),
            },
        },
        Err(_) => match orderly_commands::partial(line) {
            Some((path, fixed)) => Button {
                label: label.to_owned(),
                style: Style::Plain,
                press: Press::Ask {
                    path: path.to_owned(),
                    fixed,
                },
            },
            None => run(label, line, Style::Plain),
        },
    }
}

/// What the core offers, each thing once; where two would read the same, with what tells them apart.
fn offered<'a>(offers: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Button> {
    let mut once: Vec<(&str, &str)> = Vec::new();
    for offer in offers {
        if !once.contains(&offer) {
            once.push(offer);
        }
    }
    let like = |label: &str| once.iter().filter(|(other, _)| *other == label).count();
    let labelled = once
        .iter()
        .map(|(label, line)| match (like(label), line.rsplit(' ').next()) {
            (2.., Some(what)) => offer(&format!("{label}: {what}"), line),
            _ => offer(label, line),
        });
    labelled.collect()
}

/// Commands that do nothing useful bare, though every option of theirs may be left out.
fn wants_form(parsed: &orderly_commands::Parsed) -> bool {
    matches!(parsed.path, "open" | "drill" | "frame" | "mark resolved") && parsed.options().is_empty()
}

fn name(desk: &desk::State, person: &PersonId) -> String {
    desk.people
        .get(person)
        .map_or_else(|| person.to_string(), |known| known.name.clone())
}

/// Names in a row; a crowd is counted.
fn several(names: &[String]) -> String {
    /// What one reads at a glance; a group can have hundreds.
    const NAMED: usize = 8;
    let (named, more) = names.split_at(names.len().min(NAMED));
    match more.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn who(desk: &desk::State, by: &By) -> String {
    match by {
        By::Person { id } => name(desk, id),
        By::Orderly => "Orderly".to_owned(),
    }
}

fn row(tone: Tone, mark: impl Into<String>, title: impl Into<Rich>, detail: impl Into<Rich>) -> Row {
    Row {
        tone,
        mark: mark.into(),
        title: title.into(),
        detail: detail.into(),
    }
}

fn small(text: impl Into<Rich>) -> Block {
    Block::Context { text: text.into() }
}

/// Text cut for a card; the whole lies elsewhere, and the cut says so.
fn short(text: &str, most: usize) -> String {
    cut(text, most, "…").shown.into_owned()
}
