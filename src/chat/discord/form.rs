//! The neutral form on Discord: choices by menus first, then words in a modal. Pure.
//!
//! A modal holds five text inputs and nothing else, and can follow neither a modal nor an answer that came late. So a form
//! with choices begins as a message that only the person sees, with menus, switches and one button; the button opens the
//! modal. A form with words alone is a modal at once, and one with more than five is continued by a button.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::carried::typed_most;
use super::embeds::pressable;
use super::press::{self, ID_MAX};
use crate::chat::{Field, FieldKind, Form, Style};
use crate::text::cut;

/// Title of a modal, and label of an input.
const TITLE_MAX: usize = 45;
const PLACEHOLDER_MAX: usize = 100;
const INPUT_MAX: usize = 4000;
const INPUTS_MAX: usize = 5;
/// Menus in one message: five rows, less the one with the buttons.
const MENUS_MAX: usize = 4;
/// Switches beside the button that goes on.
const SWITCHES_MAX: usize = 4;
const OPTIONS_MAX: usize = 25;
/// Label and value of an option.
pub(super) const OPTION_MAX: usize = 100;
pub(super) const INTRO_MAX: usize = 1500;

pub(super) const VERSION: &str = "o1";

/// A form that somebody is filling in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Names it in every id: the interaction that asked for it.
    pub id: String,
    /// The channel in which it was asked for.
    pub room: String,
    pub form: Form,
    /// What was chosen and typed so far.
    pub values: BTreeMap<String, String>,
    /// Fields of words that were asked for already.
    pub asked: BTreeSet<String>,
    /// What was wrong when it was sent last.
    pub wrong: Option<String>,
    /// The key of the delivery with which it was sent, and what it said then.
    sent: Option<(String, BTreeMap<String, String>)>,
}

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Menu,
    Switch,
    Words,
}

/// What somebody did with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Chose in a menu.
    Chose(String),
    /// Turned a switch.
    Turned(String),
    /// Goes on: to the words, to the next words, or to the end.
    On,
}

/// The ids of forms: `o1:f:<draft>:s:<field>`, `…:t:<field>`, `…:go`, `…:go:<path>?<option>=<value>`, `…:on:<left>:…`
/// where the words need more than one modal, and `…:mend:…` as `go` where something was wrong.
pub fn moved(id: &str) -> Option<(&str, Move)> {
    let rest = id.strip_prefix("o1:f:")?;
    let (draft, rest) = rest.split_once(':')?;
    let what = match rest.split_once(':') {
        Some(("s", field)) => Move::Chose(field.to_owned()),
        Some(("t", field)) => Move::Turned(field.to_owned()),
        Some(("go" | "on" | "mend", _)) => Move::On,
        None if matches!(rest, "go" | "mend") => Move::On,
        _ => return None,
    };
    Some((draft, what))
}

/// The id of a modal: which draft it belongs to, and enough to understand it when the draft is gone.
pub fn modal_id(id: &str) -> Option<(&str, Option<&str>)> {
    let rest = id.strip_prefix("o1:m:")?;
    match rest.split_once(':') {
        Some((draft, kept)) => Some((draft, Some(kept))),
        None => Some((rest, None)),
    }
}

/// What a modal asked for.
pub fn asked(components: &Value) -> Vec<String> {
    let rows = components.as_array().into_iter().flatten();
    let inputs = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    inputs
        .filter_map(|input| input["custom_id"].as_str().map(str::to_owned))
        .collect()
}

/// The words that were typed into a modal.
pub fn typed(components: &Value) -> BTreeMap<String, String> {
    let rows = components.as_array().into_iter().flatten();
    let inputs = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    inputs
        .filter_map(|input| {
            let (name, value) = (input["custom_id"].as_str()?, input["value"].as_str()?);
            (!value.trim().is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

impl Draft {
    pub fn new(id: &str, room: &str, form: &Form) -> Self {
        let values = form
            .fields
            .iter()
            .filter_map(|field| Some((field.name.clone(), field.value.clone()?)))
            .collect();
        Self {
            id: id.to_owned(),
            room: room.to_owned(),
            form: form.clone(),
            values,
            asked: BTreeSet::new(),
            wrong: None,
            sent: None,
        }
    }

    /// How each field is asked for. What the menus have no place for is typed.
    pub(super) fn ways(&self) -> Vec<(&Field, Way)> {
        let (mut menus, mut switches) = (0, 0);
        self.form
            .fields
            .iter()
            .map(|field| {
                let way = match &field.kind {
                    FieldKind::Select { options } | FieldKind::Several { options }
                        if choosable(options) && menus < MENUS_MAX =>
                    {
                        Way::Menu
                    }
                    FieldKind::Person if menus < MENUS_MAX => Way::Menu,
                    FieldKind::Tick if switches < SWITCHES_MAX => Way::Switch,
                    _ => Way::Words,
                };
                match way {
                    Way::Menu => menus += 1,
                    Way::Switch => switches += 1,
                    Way::Words => {}
                }
                (field, way)
            })
            .collect()
    }

    pub(super) fn words(&self) -> Vec<&Field> {
        let ways = self.ways().into_iter();
        ways.filter(|(_, way)| *way == Way::Words)
            .map(|(field, _)| field)
            .collect()
    }

    /// Whether something has to be chosen before words are asked for.
    pub fn begins_with_choices(&self) -> bool {
        self.ways().iter().any(|(_, way)| *way != Way::Words)
    }

    /// The inputs of the next modal: what was not asked for yet.
    fn inputs(&self) -> Vec<&Field> {
        let words = self.words().into_iter();
        words
            .filter(|field| !self.asked.contains(&field.name))
            .take(INPUTS_MAX)
            .collect()
    }

    /// How many fields of words were not asked for yet.
    pub fn words_left(&self) -> usize {
        let words = self.words().into_iter();
        words.filter(|field| !self.asked.contains(&field.name)).count()
    }

    /// How many modals the words need.
    pub(super) fn modal_count(&self) -> usize {
        self.words().len().div_ceil(INPUTS_MAX)
    }

    /// The form with what is settled, and how many of its words are left.
    pub(super) fn counted(&self, settled: &BTreeMap<String, String>) -> String {
        format!("{}:{}", self.words_left(), press::query(&self.form.path, settled))
    }

    /// The label of a field, for words about it.
    pub fn label(&self, field: &str) -> Option<&str> {
        let found = self.form.fields.iter().find(|known| known.name == field);
        found.map(|field| field.label.as_str())
    }

    /// A choice was made; a menu without one is empty.
    pub fn choose(&mut self, field: &str, values: &[String]) {
        match values.is_empty() {
            true => self.values.remove(field),
            false => self.values.insert(field.to_owned(), values.join(",")),
        };
    }

    /// Takes the words of a modal that asked for these; what was left empty is empty.
    pub fn fill(&mut self, asked: &[String], values: &BTreeMap<String, String>) {
        for name in asked {
            match values.get(name) {
                Some(value) => self.values.insert(name.clone(), value.clone()),
                None => self.values.remove(name),
            };
        }
        self.asked.extend(asked.iter().cloned());
        self.wrong = None;
    }

    /// What was wrong; all of it is asked for again.
    pub fn is_wrong(&mut self, words: &str) {
        self.wrong = Some(words.to_owned());
        self.asked.clear();
        self.sent = None;
    }

    /// The key under which it is handed in. A button that is pressed once more while the answer is on its way sends the
    /// same form, not another one.
    pub fn sent_as(&mut self, key: String) -> String {
        match &self.sent {
            Some((before, said)) if *said == self.values => before.clone(),
            _ => {
                self.sent = Some((key.clone(), self.values.clone()));
                key
            }
        }
    }

    pub fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    pub fn turn(&mut self, field: &str) {
        if self.values.remove(field).is_none() {
            self.values.insert(field.to_owned(), "yes".to_owned());
        }
    }

    /// The modal with the words that were not asked for yet; `None` where none are left.
    pub fn modal(&self) -> Option<Value> {
        let fields = self.inputs();
        if fields.is_empty() {
            return None;
        }
        let rows: Vec<Value> = fields
            .iter()
            .map(|field| json!({ "type": 1, "components": [self.input(field)] }))
            .collect();
        Some(json!({
            "custom_id": self.modal_id(),
            "title": short(&self.form.title, TITLE_MAX),
            "components": rows,
        }))
    }

    /// Everything that is settled stands in the id where there is space, so that a restart loses nothing of what is typed.
    /// Of a later modal it stands in the message from which that was opened.
    fn modal_id(&self) -> String {
        let short = format!("{VERSION}:m:{}", self.id);
        let long = match self.modal_count() {
            0 | 1 => format!("{short}:{}", press::query(&self.form.path, &self.settled())),
            _ if self.asked.is_empty() => format!("{short}:{}", self.counted(&self.settled())),
            _ => return short,
        };
        if long.encode_utf16().count() <= ID_MAX {
            long
        } else {
            short
        }
    }

    /// What is settled before the words.
    pub fn settled(&self) -> BTreeMap<String, String> {
        let mut settled = self.form.fixed.clone();
        let chosen = self.ways().into_iter().filter(|(_, way)| *way != Way::Words);
        for (field, _) in chosen {
            if let Some(value) = self.values.get(&field.name) {
                settled.insert(field.name.clone(), value.clone());
            }
        }
        settled
    }

    fn input(&self, field: &Field) -> Value {
        let style = if field.kind == FieldKind::Area { 2 } else { 1 };
        let value = self.values.get(&field.name).filter(|value| !value.is_empty());
        // What was there before is never cut, though it may be too long to be carried from modal to modal.
        let most = match self.modal_count() {
            0 | 1 => INPUT_MAX,
            _ => typed_most(self.words().len()).max(value.map_or(0, |value| value.encode_utf16().count())),
        };
        let most = most.min(INPUT_MAX);
        let mut input = json!({
            "type": 4,
            "custom_id": field.name,
            "style": style,
            "label": short(&field.label, TITLE_MAX),
            "required": field.required,
            "max_length": most,
        });
        if let Some(hint) = hint(field) {
            input["placeholder"] = json!(short(&hint, PLACEHOLDER_MAX));
        }
        if let Some(value) = value {
            input["value"] = json!(cut(value, INPUT_MAX, "").shown);
        }
        input
    }

    /// What is said before a form that cannot be shown at once.
    pub fn again(&self, words: &str, label: &str) -> Value {
        again(&self.id, words, label)
    }
}

/// Words with a button back into a form.
pub fn again(draft: &str, words: &str, label: &str) -> Value {
    let id = format!("{VERSION}:f:{draft}:go");
    json!({
        "content": "",
        "embeds": [{ "description": super::markdown::escaped(&cut(words, INTRO_MAX, "…").shown) }],
        "components": [{ "type": 1, "components": [pressable(label, Style::Primary, &id)] }],
        "allowed_mentions": { "parse": [] },
    })
}

/// A value must come back as it was given, so one that is too long makes the field a line of words.
fn choosable(options: &[(String, String)]) -> bool {
    let short = |(value, _): &(String, String)| !value.is_empty() && value.chars().count() <= OPTION_MAX;
    (1..=OPTIONS_MAX).contains(&options.len()) && options.iter().all(short)
}

/// What to write, where the label does not say it.
fn hint(field: &Field) -> Option<String> {
    if let Some(hint) = &field.hint {
        return Some(hint.clone());
    }
    match &field.kind {
        FieldKind::DateTime => Some("14:00, 10m ago, or 2026-11-21 14:00".to_owned()),
        FieldKind::Day => Some("2026-12-01, friday, or 3d".to_owned()),
        FieldKind::Person => Some("@ana".to_owned()),
        FieldKind::Tick => Some("yes, or nothing".to_owned()),
        FieldKind::Select { options } | FieldKind::Several { options } => {
            let words: Vec<&str> = options.iter().map(|(value, _)| value.as_str()).collect();
            Some(words.join(", "))
        }
        _ => None,
    }
}

pub(super) fn short(text: &str, most: usize) -> String {
    let shown = cut(text.trim(), most, "…").shown.into_owned();
    if shown.is_empty() { "…".to_owned() } else { shown }
}
