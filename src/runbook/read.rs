//! Markdown to plan: headings are phases, list items are steps.
//!
//! Nothing below the first phase is dropped in silence. What the bot could not show is refused, because people and bot
//! must read the same thing.

use std::collections::BTreeMap;

use comrak::nodes::{AstNode, NodeValue, Sourcepos};
use comrak::{Arena, Options, parse_document};

use crate::incident::{Leave, Line, Phase, PlanPhase};

use super::call;
use super::nearest::{listed, meant};
use super::problem::{Place, Problems};
use super::source::{Code, Lines};

pub(super) type Node<'a> = &'a AstNode<'a>;

/// Where things stand in the file, so that later checks can point at them.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    /// The `#` heading and what it says.
    pub title: Option<(Place, String)>,
    /// The headings of phases, in the order of the file.
    pub phases: Vec<(Phase, Place)>,
    /// The headings of triage lines, in the order of the file.
    pub lines: Vec<(Line, Place)>,
    /// By id of the step.
    pub steps: BTreeMap<String, StepPlaces>,
    /// The probes that conditions name, by phase and position.
    pub conditions: BTreeMap<(Phase, usize), Place>,
}

#[derive(Debug, Clone)]
pub(super) struct StepPlaces {
    pub text: Place,
    /// Name of the probe or action.
    pub entry: Place,
    pub params: BTreeMap<String, Place>,
    pub target: Place,
}

/// An `if` in front of a step, to be resolved when all decisions are known.
pub(super) struct Condition {
    pub step: (usize, usize),
    pub branch: String,
    pub place: Place,
}

pub(super) struct Reader<'t> {
    pub lines: Lines<'t>,
    pub problems: &'t mut Problems,
    pub phases: Vec<PlanPhase>,
    pub map: Map,
    /// Index into `phases` of the one being read.
    pub phase: Option<usize>,
    pub line: Option<Line>,
    pub conditions: Vec<Condition>,
    /// Steps stand between this place's heading and here: text may no longer follow.
    steps_begun: bool,
    /// Inside a heading that was refused: what follows is not judged a second time.
    lost: bool,
}

/// Reads the body; its lines are numbered as in the file, front matter blanked out.
pub(super) fn body<'t>(text: &'t str, problems: &'t mut Problems) -> (Vec<PlanPhase>, Map) {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    let root = parse_document(&arena, text, &options);
    let phases = Phase::ALL.iter().map(|&phase| PlanPhase {
        phase,
        intro: String::new(),
        steps: Vec::new(),
        leave: None,
    });
    let mut reader = Reader {
        lines: Lines::of(text),
        problems,
        phases: phases.collect(),
        map: Map::default(),
        phase: None,
        line: None,
        conditions: Vec::new(),
        steps_begun: false,
        lost: false,
    };
    for node in root.children() {
        reader.block(node);
    }
    if reader.map.phases.is_empty() && !reader.lost {
        let message = "There is no phase. Begin one with a heading such as `## Confirm`, and put its steps below as a \
                       list.";
        reader.problems.error(Place::START, message);
    }
    reader.resolve_conditions();
    (reader.phases, reader.map)
}

impl<'t> Reader<'t> {
    pub fn place(&self, pos: Sourcepos) -> Place {
        self.lines.place(pos.start)
    }

    fn block(&mut self, node: Node<'_>) {
        let (pos, heading) = {
            let data = node.data();
            let level = match &data.value {
                NodeValue::Heading(heading) => Some(heading.level),
                _ => None,
            };
            (data.sourcepos, level)
        };
        let place = self.place(pos);
        if let Some(level) = heading {
            return self.heading(level, &words(node), place);
        }
        let Some(phase) = self.phase.filter(|_| !self.lost) else {
            return; // above the first phase: for the reader of the file
        };
        match &node.data().value {
            NodeValue::Paragraph => self.paragraph(phase, node, place),
            NodeValue::List(_) => {
                self.steps_begun = true;
                self.steps(phase, node);
            }
            NodeValue::BlockQuote => self.quote(phase, node, place),
            NodeValue::ThematicBreak => {}
            NodeValue::HtmlBlock(html) if is_comment(&html.literal) => {}
            NodeValue::HtmlBlock(_) => self.problems.error(
                place,
                "HTML is not shown in chat. Write it as Markdown; a comment (`<!-- … -->`) may stay.",
            ),
            NodeValue::CodeBlock(_) => self.problems.error(
                place,
                "This code belongs to no step. Indent it to stand below the text of the list item it belongs to.",
            ),
            NodeValue::Table(_) => self
                .problems
                .error(place, "A table is not shown in chat. Make each row a step, or move it above the first phase."),
            _ => self.problems.error(place, "Only text, lists of steps and `> Leave when …` can stand in a phase."),
        }
    }

    fn heading(&mut self, level: u8, text: &str, place: Place) {
        self.steps_begun = false;
        match level {
            1 if self.map.title.is_none() && self.phase.is_none() => {
                self.map.title = Some((place, text.to_owned()));
            }
            1 => self.problems.error(place, "A second `#` heading: phases are `##`, lines of triage `###`."),
            2 => self.open_phase(text, place),
            3 if self.lost || self.phase.is_none() => {}
            3 => self.open_line(text, place),
            _ => self.problems.error(
                place,
                "Headings this deep are not shown. Phases are `##`, lines of triage `###`; anything below is a step.",
            ),
        }
    }

    fn open_phase(&mut self, text: &str, place: Place) {
        self.line = None;
        self.lost = true;
        let Some(phase) = Phase::from_word(&text.trim().to_lowercase()) else {
            let words: Vec<&str> = Phase::ALL.iter().map(|phase| phase.word()).collect();
            let near = meant(text.trim(), &words);
            let message = format!("`{text}` is not a phase. The six are {}.{near}", listed(&words));
            return self.problems.error(place, message);
        };
        if let Some((_, first)) = self.map.phases.iter().find(|(known, _)| *known == phase) {
            let message = format!(
                "The phase `{phase}` begins a second time (first at line {}): join them.",
                first.line
            );
            return self.problems.error(place, message);
        }
        if let Some((last, _)) = self.map.phases.last().filter(|(last, _)| *last > phase) {
            let message =
                format!("`{phase}` comes before `{last}`: move this phase up. The order is always the same.");
            self.problems.error(place, message);
        }
        self.lost = false;
        self.map.phases.push((phase, place));
        self.phase = self.phases.iter().position(|known| known.phase == phase);
    }

    fn open_line(&mut self, text: &str, place: Place) {
        let words: Vec<&str> = Line::ALL.iter().map(|line| line.word()).collect();
        let in_triage = self
            .phase
            .is_some_and(|index| self.phases[index].phase == Phase::Triage);
        let line = Line::from_word(&text.trim().to_lowercase());
        match line {
            _ if !in_triage => self.problems.error(
                place,
                "Only Triage has parts with a heading. Say it in the text of the steps instead.",
            ),
            None => {
                let near = meant(text.trim(), &words);
                let message = format!(
                    "`{text}` is not a line of triage. The four are {}.{near}",
                    listed(&words)
                );
                self.problems.error(place, message);
            }
            Some(line) if self.map.lines.iter().any(|(known, _)| *known == line) => {
                self.problems.error(
                    place,
                    format!("The line `{line}` begins a second time: join them."),
                );
            }
            Some(line) => {
                self.map.lines.push((line, place));
                self.line = Some(line);
            }
        }
    }

    /// Text above the steps says why.
    fn paragraph(&mut self, phase: usize, node: Node<'_>, place: Place) {
        let pos = node.data().sourcepos;
        if self.steps_begun {
            let message = "Text below the steps would not be shown. Move it above them, or make it a step.";
            return self.problems.error(place, message);
        }
        self.refuse_html(node);
        let text = self.lines.text(pos.start, pos);
        let intro = &mut self.phases[phase].intro;
        if !intro.is_empty() {
            intro.push_str("\n\n");
        }
        if let Some(line) = self.line {
            intro.push_str(&format!("**{}**: ", capital(line.word())));
        }
        intro.push_str(&text);
    }

    /// `> **Leave when** …`
    fn quote(&mut self, phase: usize, node: Node<'_>, place: Place) {
        const SHAPE: &str = "Write `> **Leave when** `, then what must hold, in one paragraph.";
        let mut children = node.children();
        let (Some(paragraph), None) = (children.next(), children.next()) else {
            return self.problems.error(
                place,
                format!("A quote sets the condition for leaving a phase. {SHAPE}"),
            );
        };
        let pos = paragraph.data().sourcepos;
        let text = self.lines.text(pos.start, pos);
        let Some(condition) = leave_text(&text) else {
            return self.problems.error(
                place,
                format!("A quote sets the condition for leaving a phase. {SHAPE}"),
            );
        };
        if condition.is_empty() {
            return self
                .problems
                .error(place, format!("`Leave when` says nothing. {SHAPE}"));
        }
        if self.phases[phase].leave.is_some() {
            let message = "This phase has its `Leave when` already: one sentence with `and` says it all.";
            return self.problems.error(place, message);
        }
        self.refuse_html(paragraph);
        let mut verdicts = Vec::new();
        for code in self.codes(paragraph) {
            match call::read_condition(&code.text) {
                Ok((probe, wanted)) => {
                    let key = (self.phases[phase].phase, verdicts.len());
                    self.map.conditions.insert(key, code.place(probe.at));
                    verdicts.push(wanted);
                }
                Err(wrong) => self.problems.error(code.place(wrong.at), wrong.message),
            }
        }
        self.phases[phase].leave = Some(Leave {
            text: condition.to_owned(),
            verdicts,
        });
    }

    /// The code spans below a node, in order.
    pub fn codes(&self, node: Node<'_>) -> Vec<Code> {
        let spans = node.descendants().filter_map(|inline| {
            let data = inline.data();
            match &data.value {
                NodeValue::Code(code) => Some(self.lines.code(&code.literal, data.sourcepos)),
                _ => None,
            }
        });
        spans.collect()
    }

    /// On a Git host a word in angle brackets vanishes; in chat it does not.
    pub fn refuse_html(&mut self, node: Node<'_>) {
        for inline in node.descendants() {
            let data = inline.data();
            if let NodeValue::HtmlInline(html) = &data.value
                && !html.starts_with("<!--")
            {
                let message = format!(
                    "`{html}` is HTML: a Git host hides it and chat shows it. Put it in back-ticks, or write it as Markdown."
                );
                self.problems
                    .error(self.lines.place(data.sourcepos.start), message);
            }
        }
    }
}

/// The condition behind `Leave when`, however it is emphasised.
fn leave_text(text: &str) -> Option<&str> {
    let plain = text.trim_start_matches(['*', '_']);
    let lead = plain.get(.."leave when".len())?;
    if !lead.eq_ignore_ascii_case("leave when") {
        return None;
    }
    Some(plain[lead.len()..].trim_start_matches([':', '*', '_', ' ']))
}

/// The words of a heading or an emphasis, without its mark-up.
pub(super) fn words(node: Node<'_>) -> String {
    let mut text = String::new();
    for inline in node.descendants() {
        match &inline.data().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

fn is_comment(html: &str) -> bool {
    let html = html.trim();
    html.starts_with("<!--") && html.ends_with("-->") && html.matches("-->").count() == 1
}

/// `logs` as `Logs`.
pub(super) fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}
