//! Decisions: the branches below a step, and the steps elsewhere that hang on one.

use comrak::nodes::NodeValue;

use crate::incident::{Branch, BranchRef, StepKind};

use super::call;
use super::nearest::hint;
use super::read::{Condition, Node, Reader, words};
use super::step::Item;

/// Most branches of one decision: a row of buttons holds five on Discord.
const MAX_BRANCHES: usize = 5;
/// Longest name of a branch: it stands beside the step's id in a button's value.
const BRANCH_NAME_MAX: usize = 24;
/// Longest label of a branch: the text of a button on Slack.
const LABEL_MAX: usize = 75;

impl Reader<'_> {
    /// Reads the list below a step as the branches of a decision, each with the list of its own steps.
    pub fn branches<'a>(
        &mut self,
        list: Node<'a>,
        nested: bool,
        item: &Item<'_>,
    ) -> Vec<(Branch, Option<Node<'a>>)> {
        let place = self.place(list.data().sourcepos);
        if nested {
            let message = "A decision inside a branch is hard to follow at night. Make it a step of its own below, \
                           with `if NAME` in front, NAME being the branch it belongs to.";
            self.problems.error(place, message);
            return Vec::new();
        }
        if let Some((call, code)) = &item.call {
            let message = format!(
                "A step asks or decides, not both: make `{} {}` a step of its own in front of this decision.",
                call.verb.word(),
                call.entry.value
            );
            self.problems.error(code.place(0), message);
        }
        if list.children().count() == 1 {
            let message = "A decision with one way is none: give it the other, or write the one as steps.";
            self.problems.error(place, message);
        }
        let mut branches: Vec<(Branch, Option<Node<'a>>)> = Vec::new();
        for node in list.children() {
            let place = self.place(node.data().sourcepos);
            let Some((branch, steps)) = self.branch(node) else {
                continue;
            };
            if branches.iter().any(|(known, _)| known.name == branch.name) {
                let message = format!(
                    "The branch `{}` can never be reached: one above has its name.",
                    branch.name
                );
                self.problems.error(place, message);
            } else if branches.len() == MAX_BRANCHES {
                self.problems.error(
                    place,
                    format!("A decision has {MAX_BRANCHES} branches at most: two steps decide more."),
                );
            } else {
                branches.push((branch, steps));
            }
        }
        branches
    }

    /// `**name**: label`, and below it the steps of the branch.
    fn branch<'a>(&mut self, node: Node<'a>) -> Option<(Branch, Option<Node<'a>>)> {
        let place = self.place(node.data().sourcepos);
        let mut parts = node.children();
        let paragraph = parts
            .next()
            .filter(|child| matches!(child.data().value, NodeValue::Paragraph));
        let strong = paragraph.and_then(|paragraph| paragraph.children().next());
        let strong = strong.filter(|inline| matches!(inline.data().value, NodeValue::Strong));
        let (Some(paragraph), Some(strong)) = (paragraph, strong) else {
            let message = "A list below a step is a decision, and each item one of its branches: begin it with a name, \
                           such as `**yes**: Wrong documents are going out`. For plain details, write them in the step.";
            self.problems.error(place, message);
            return None;
        };
        let name = words(strong).trim().trim_end_matches(':').trim_end().to_owned();
        if !is_branch_name(&name) {
            let message = format!(
                "`{name}` is no name for a branch: one lower-case word of at most {BRANCH_NAME_MAX} characters, such as \
                 `**roll-back**`, because people type it."
            );
            self.problems.error(self.place(strong.data().sourcepos), message);
            return None;
        }
        self.refuse_html(paragraph);
        for code in self.codes(paragraph) {
            if call::read(&code.text).is_some() {
                let message = "A button runs nothing: make this a step below the branch.";
                self.problems.error(code.place(0), message);
            }
        }
        let whole = paragraph.data().sourcepos;
        let mut behind = strong.data().sourcepos.end;
        behind.column += 1;
        let label = self.lines.text(behind, whole);
        let label = label.trim_start_matches([':', '—', '–', '-', ' ']).to_owned();
        if label.chars().count() > LABEL_MAX {
            let message = format!(
                "The branch `{name}` has {} characters behind its name, and a button shows {LABEL_MAX}: say it shorter.",
                label.chars().count()
            );
            self.problems.error(place, message);
        }
        let label = if label.is_empty() { name.clone() } else { label };
        let mut steps = None;
        for part in parts {
            let place = self.place(part.data().sourcepos);
            match &part.data().value {
                NodeValue::List(_) if steps.is_none() => steps = Some(part),
                _ => self.problems.error(
                    place,
                    "Below a branch stands one list, its steps, and nothing else.",
                ),
            }
        }
        Some((Branch { name, label }, steps))
    }

    /// Joins each `if` to the nearest decision above it.
    pub fn resolve_conditions(&mut self) {
        for condition in std::mem::take(&mut self.conditions) {
            let Condition {
                step: (phase, index),
                branch,
                place,
            } = condition;
            let found = self.decision_with(&branch, |at| at < (phase, index));
            if let Some(step) = found {
                self.phases[phase].steps[index].branch = Some(BranchRef { step, branch });
                continue;
            }
            let message = match self.decision_with(&branch, |_| true) {
                Some(step) => format!(
                    "`if {branch}` can never hold here: it is decided only further down, at {step}. Move this step below."
                ),
                None => {
                    let all = self.branch_names();
                    let names: Vec<&str> = all.iter().map(String::as_str).collect();
                    format!("No decision has a branch `{branch}`.{}", hint(&branch, &names))
                }
            };
            self.problems.error(place, message);
        }
    }

    /// The last decision within `range` that has this branch.
    fn decision_with(&self, branch: &str, range: impl Fn((usize, usize)) -> bool) -> Option<String> {
        let steps = self.phases.iter().enumerate().flat_map(|(phase, of)| {
            of.steps
                .iter()
                .enumerate()
                .map(move |(index, step)| ((phase, index), step))
        });
        let fits = steps.filter(|(at, step)| {
            range(*at)
                && matches!(&step.kind, StepKind::Branch { branches, .. } if branches.iter().any(|b| b.name == branch))
        });
        fits.last().map(|(_, step)| step.id.clone())
    }

    fn branch_names(&self) -> Vec<String> {
        let branches = self
            .phases
            .iter()
            .flat_map(|phase| &phase.steps)
            .filter_map(|step| match &step.kind {
                StepKind::Branch { branches, .. } => Some(branches.iter().map(|branch| branch.name.clone())),
                _ => None,
            });
        let mut names: Vec<String> = branches.flatten().collect();
        names.sort();
        names.dedup();
        names
    }
}

fn is_branch_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= BRANCH_NAME_MAX
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
