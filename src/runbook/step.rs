//! List items to steps.

use std::collections::BTreeMap;

use comrak::nodes::NodeValue;

use crate::incident::{Branch, BranchRef, Step, StepKind};

use super::call::{self, Call, Verb};
use super::problem::Place;
use super::read::{Condition, Node, Reader, StepPlaces};
use super::source::Code;

/// Most steps of one phase, those of all branches together. Past this nobody sees the next one on a phone.
const MAX_STEPS: usize = 40;

/// The text of a list item, taken apart.
pub(super) struct Item<'a> {
    place: Place,
    /// Its paragraphs and code blocks, as written, without the words the bot took out.
    text: String,
    /// The last part of it that ends in a question mark.
    question: Option<String>,
    optional: bool,
    /// `if NAME` in front.
    condition: Option<(String, Place)>,
    /// `ask` in front.
    ask: bool,
    pub call: Option<(Call, Code)>,
    nested: Option<Node<'a>>,
}

impl Reader<'_> {
    /// Reads the items of a list as steps of a phase.
    pub fn steps(&mut self, phase: usize, list: Node<'_>) {
        for item in list.children() {
            self.step(phase, item, None);
        }
    }

    fn step(&mut self, phase: usize, node: Node<'_>, branch: Option<&BranchRef>) {
        let Some(item) = self.item(node) else { return };
        let number = self.phases[phase].steps.len() + 1;
        if number == MAX_STEPS + 1 {
            let message =
                format!("A phase with more than {MAX_STEPS} steps is lost on a phone: split the runbook.");
            self.problems.error(item.place, message);
        }
        let id = format!("{}.{number}", self.phases[phase].phase);
        self.note_places(&id, &item);
        if let Some((name, place)) = &item.condition {
            if branch.is_some() {
                let message =
                    "This step belongs to a branch already: take `if` out, or the step out of the branch.";
                self.problems.error(*place, message);
            } else {
                let step = (phase, number - 1);
                self.conditions.push(Condition {
                    step,
                    branch: name.clone(),
                    place: *place,
                });
            }
        }
        let branches = item
            .nested
            .map(|list| self.branches(list, branch.is_some(), &item));
        let step = Step {
            id: id.clone(),
            kind: kind(&item, branches.as_ref()),
            text: item.text,
            required: !item.optional,
            branch: branch.cloned(),
            line: self.line,
        };
        self.phases[phase].steps.push(step);
        for (taken, steps) in branches.into_iter().flatten() {
            let branch = BranchRef {
                step: id.clone(),
                branch: taken.name,
            };
            for node in steps.into_iter().flat_map(|list| list.children()) {
                self.step(phase, node, Some(&branch));
            }
        }
    }

    fn note_places(&mut self, id: &str, item: &Item<'_>) {
        let text = item.place;
        let mut places = StepPlaces {
            text,
            entry: text,
            params: BTreeMap::new(),
            target: text,
        };
        if let Some((call, code)) = &item.call {
            places.entry = code.place(call.entry.at);
            places.target = call.target.as_ref().map_or(text, |target| code.place(target.at));
            places.params = call
                .params
                .iter()
                .map(|(name, _)| (name.value.clone(), code.place(name.at)))
                .collect();
        }
        self.map.steps.insert(id.to_owned(), places);
    }

    /// Takes an item apart; `None` when there is nothing in it to do.
    fn item<'a>(&mut self, node: Node<'a>) -> Option<Item<'a>> {
        let place = self.place(node.data().sourcepos);
        let first = node
            .children()
            .next()
            .filter(|child| matches!(child.data().value, NodeValue::Paragraph));
        let Some(first) = first else {
            let message = "This step says nothing: begin it with a sentence of what to do. Commands, lists and \
                           headings come below that sentence.";
            self.problems.error(place, message);
            return None;
        };
        let place = self.place(first.data().sourcepos);
        let mut item = Item {
            place,
            text: String::new(),
            question: None,
            optional: false,
            condition: None,
            ask: false,
            call: None,
            nested: None,
        };
        for part in node.children() {
            self.part(&mut item, part);
        }
        Some(item)
    }

    fn part<'a>(&mut self, item: &mut Item<'a>, part: Node<'a>) {
        let data = part.data();
        let pos = data.sourcepos;
        let place = self.place(pos);
        match &data.value {
            NodeValue::Paragraph => {
                let mut text = self.lines.text(pos.start, pos);
                self.find_call(item, part);
                self.refuse_html(part);
                let starts_item = item.text.is_empty();
                if starts_item {
                    text = self.take_words(item, text, part);
                }
                text = take_optional(item, text);
                if starts_item && text.is_empty() {
                    let message = "This step says nothing: put behind it what to do or to ask.";
                    self.problems.error(place, message);
                }
                if let Some(question) = question(&text) {
                    item.question = Some(question);
                }
                join(&mut item.text, &text);
            }
            NodeValue::CodeBlock(code) => {
                let fence = if code.literal.contains("```") { "~~~~" } else { "```" };
                let language = code.info.split_whitespace().next().unwrap_or("");
                join(&mut item.text, &format!("{fence}{language}\n{}\n{fence}", code.literal.trim_end()));
            }
            NodeValue::List(_) if item.nested.is_none() => item.nested = Some(part),
            NodeValue::List(_) => {
                self.problems.error(place, "A step has one list below it at most: the branches of its decision.");
            }
            NodeValue::HtmlBlock(html) if html.literal.trim_start().starts_with("<!--") => {}
            _ => self.problems.error(
                place,
                "Only text, code and the branches of a decision can stand in a step. Make it a step of its own.",
            ),
        }
    }

    /// Takes the words the bot knows from the start of a step: a task box, `if NAME`, `ask`.
    fn take_words(&mut self, item: &mut Item<'_>, text: String, paragraph: Node<'_>) -> String {
        let mut rest = text.as_str();
        rest = rest.strip_prefix("[ ]").unwrap_or(rest).trim_start();
        let mut codes = self.codes(paragraph).into_iter();
        if let Some((code, after)) = leading_code(rest)
            && let Some(name) = code.trim().strip_prefix("if ")
        {
            let place = codes.next().map_or(item.place, |code| code.place(0));
            item.condition = Some((name.trim().to_owned(), place));
            rest = after;
        }
        if let Some((code, after)) = leading_code(rest)
            && code.trim() == "ask"
        {
            item.ask = true;
            rest = after;
        }
        match item.ask && rest.starts_with(char::is_lowercase) {
            true => format!("Ask {rest}"),
            false => rest.to_owned(),
        }
    }

    fn find_call(&mut self, item: &mut Item<'_>, paragraph: Node<'_>) {
        for code in self.codes(paragraph) {
            match call::read(&code.text) {
                None => {}
                Some(Err(wrong)) => self.problems.error(code.place(wrong.at), wrong.message),
                Some(Ok(call)) => match &item.call {
                    None => item.call = Some((call, code)),
                    Some((first, _)) => {
                        let message = format!(
                            "One step runs one thing, and this one has `{} {}` already: make it two steps.",
                            first.verb.word(),
                            first.entry.value
                        );
                        self.problems.error(code.place(0), message);
                    }
                },
            }
        }
    }
}

fn kind(item: &Item<'_>, branches: Option<&Vec<(Branch, Option<Node<'_>>)>>) -> StepKind {
    let asked = || item.question.clone().unwrap_or_else(|| item.text.clone());
    if let Some(branches) = branches {
        let branches = branches.iter().map(|(branch, _)| branch.clone()).collect();
        return StepKind::Branch {
            question: asked(),
            branches,
        };
    }
    if let Some((call, _)) = &item.call {
        let name = call.entry.value.clone();
        let target = call.target.as_ref().map(|target| target.value.clone());
        let params = call
            .params
            .iter()
            .map(|(name, value)| (name.value.clone(), value.clone()))
            .collect();
        return match call.verb {
            Verb::Probe => StepKind::Probe { name, target, params },
            Verb::Action => StepKind::Action { name, target, params },
        };
    }
    if item.ask || item.question.is_some() {
        return StepKind::Ask { question: asked() };
    }
    StepKind::Do
}

fn join(text: &mut String, part: &str) {
    if !text.is_empty() && !part.is_empty() {
        text.push('\n');
    }
    text.push_str(part);
}

/// The code span a text begins with, and what follows it.
fn leading_code(text: &str) -> Option<(&str, &str)> {
    let (code, rest) = text.strip_prefix('`')?.split_once('`')?;
    (!code.is_empty()).then(|| (code, rest.trim_start_matches([':', ',']).trim_start()))
}

/// Takes `(optional)` from either end.
fn take_optional(item: &mut Item<'_>, text: String) -> String {
    const MARK: &str = "(optional)";
    let lower = text.to_ascii_lowercase();
    let rest = if lower.starts_with(MARK) {
        &text[MARK.len()..]
    } else if let Some(at) = lower.trim_end_matches('.').strip_suffix(MARK).map(str::len) {
        &text[..at]
    } else {
        return text;
    };
    item.optional = true;
    rest.trim().to_owned()
}

/// What is asked, where a text ends in a question mark: its last sentence, with the question marks before it.
fn question(text: &str) -> Option<String> {
    let bare = text.trim_end_matches(['*', '_', ')', '"', '”', ' ']);
    if !bare.ends_with('?') {
        return None;
    }
    let begins_sentence = |rest: &str| rest.starts_with(|c: char| c.is_uppercase() || c == '`' || c == '*');
    let starts = text.match_indices(". ").map(|(at, stop)| at + stop.len());
    let outside_code = |at: &usize| text[..*at].matches('`').count().is_multiple_of(2);
    let start = starts
        .filter(|at| begins_sentence(&text[*at..]))
        .filter(outside_code)
        .last()
        .unwrap_or(0);
    Some(text[start..].to_owned())
}

/// Whether a text that asks nobody holds a question all the same.
pub(super) fn buries_question(text: &str) -> bool {
    let outside_code: String = text.split('`').step_by(2).collect();
    outside_code.contains("? ")
}
