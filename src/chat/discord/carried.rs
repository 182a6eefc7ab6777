//! What a form says of itself on what Discord gives back: the page with its menus, the message between two modals, the id
//! of a modal. So it is understood after a restart, when nobody here remembers it. Pure.
//!
//! What was typed stands in the message between two modals, and in the one that says what was wrong, as the person sees it,
//! masked like all that is kept. It is theirs alone and gone when they go on or dismiss it; nothing of it is stored here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::embeds::pressable;
use super::form::{Draft, INTRO_MAX, VERSION, Way, short};
use super::markdown::units;
use super::page::PRIMARY;
use super::press::{self, ID_MAX};
use crate::chat::Style;
use crate::text::cut;

/// Most fields of an embed, longest name and value of one, and most characters in all; less than Discord's 6000, for what
/// stands around them.
const FIELDS_MAX: usize = 25;
const LABEL_MAX: usize = 200;
const VALUE_MAX: usize = 1024;
const ALL_MAX: usize = 5_800;
/// What is asked for in several modals may be so long in all that it fits between them, and so long each.
const TYPED_MAX: usize = 5_000;
const TYPED_EACH_MAX: usize = 1_000;
/// As much of a value as one field of an embed holds, with what stands around it; the rest is in the next one.
const PART_MAX: usize = VALUE_MAX - 60;
/// Stands where something was asked for and left empty. Nobody types what cannot be seen.
const EMPTY: &str = "\u{200b}—";
/// Name of a field that goes on with the one before it.
const SAME: &str = "\u{200b}";
/// What somebody typed stands between these, so that nothing of it is markup. Behind the first stands the name of the
/// field, which Discord takes for the language of code and does not show.
const FENCE: &str = "```";
/// A fence within it, which Discord shows alike and does not take for one.
const INNER_FENCE: &str = "`\u{200b}`\u{200b}`";

/// A form as far as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    pub path: String,
    /// What was settled before it was shown.
    pub fixed: BTreeMap<String, String>,
    /// What was chosen and typed so far.
    pub values: BTreeMap<String, String>,
    /// Fields that were asked for already, also in vain.
    pub asked: BTreeSet<String>,
    /// Fields of words that were not; of a form whose words fit into one modal nobody needs to know.
    pub left: usize,
    /// Something was wrong with it: all of it is asked for again.
    pub wrong: bool,
    /// What people call its fields, in its order.
    pub labels: Vec<(String, String)>,
}

/// The most that one of so many inputs takes, where they are too many for one modal.
pub fn typed_most(inputs: usize) -> usize {
    (TYPED_MAX / inputs.max(1)).min(TYPED_EACH_MAX)
}

impl Draft {
    /// What has to be known of it to go on elsewhere.
    pub fn carried(&self) -> Carried {
        let settled = self.ways().into_iter().filter_map(|(field, way)| {
            let is_settled = way != Way::Words || self.wrong.is_some() || self.asked.contains(&field.name);
            let value = self.values.get(&field.name).filter(|_| is_settled)?;
            Some((field.name.clone(), value.clone()))
        });
        let values: BTreeMap<String, String> = settled.collect();
        // What was there at first and was taken out.
        let emptied = self
            .form
            .fields
            .iter()
            .filter(|field| self.wrong.is_some() && field.value.is_some());
        let emptied = emptied.map(|field| &field.name);
        let asked = self.asked.iter().chain(values.keys()).chain(emptied).cloned();
        Carried {
            path: self.form.path.clone(),
            fixed: self.form.fixed.clone(),
            asked: asked.collect(),
            values,
            left: self.words_left(),
            wrong: self.wrong.is_some(),
            labels: self
                .form
                .fields
                .iter()
                .map(|field| (field.name.clone(), field.label.clone()))
                .collect(),
        }
    }

    /// Takes up what was chosen and typed in the same form before.
    pub fn take_up(&mut self, carried: Carried) {
        let ways = self.ways().into_iter();
        let answered: Vec<String> = ways
            .filter(|(field, way)| *way != Way::Words || carried.asked.contains(&field.name))
            .map(|(field, _)| field.name.clone())
            .collect();
        for name in answered {
            match carried.values.get(&name) {
                Some(value) => self.values.insert(name, value.clone()),
                None => self.values.remove(&name),
            };
        }
        self.asked = if carried.wrong {
            BTreeSet::new()
        } else {
            carried.asked
        };
    }
}

impl Carried {
    /// Takes the words of a modal that asked for these.
    pub fn take(&mut self, asked: &[String], values: &BTreeMap<String, String>) {
        self.left = self.left.saturating_sub(asked.len());
        for name in asked {
            self.asked.insert(name.clone());
            match values.get(name) {
                Some(value) => self.values.insert(name.clone(), value.clone()),
                None => self.values.remove(name),
            };
        }
    }

    /// As the id of a modal says it: `<path>?<option>=<value>`, and before that how many fields are left if they are more
    /// than it holds.
    pub fn of_modal(text: &str) -> Self {
        let (left, query) = counted(text).unwrap_or((0, text));
        let (path, fixed) = press::asked(query);
        Self {
            path,
            fixed,
            left,
            ..Self::default()
        }
    }

    /// What a message of a form says; `None` where it does not say which form it is.
    pub fn on(message: &Value, draft: &str) -> Option<Self> {
        let ours = format!("{VERSION}:f:{draft}:");
        let (mut form, mut read) = (None, Self::default());
        for part in parts(&message["components"]) {
            let id = part["custom_id"].as_str().and_then(|id| id.strip_prefix(&ours));
            match id.and_then(|id| id.split_once(':')) {
                Some(("go", query)) => form = Some(Self::of_modal(query)),
                Some(("mend", query)) => {
                    form = Some(Self {
                        wrong: true,
                        ..Self::of_modal(query)
                    });
                }
                Some(("on", rest)) => form = counted(rest).map(|_| Self::of_modal(rest)),
                Some(("s", field)) => read.chosen(field, &part["placeholder"], picked(part).join(",")),
                Some(("t", field)) => {
                    let yes = if part["style"] == PRIMARY { "yes" } else { "" };
                    read.chosen(field, &part["label"], yes.to_owned());
                }
                _ => {}
            }
        }
        for field in message["embeds"][0]["fields"].as_array().into_iter().flatten() {
            if let (Some(label), Some(value)) = (field["name"].as_str(), field["value"].as_str()) {
                read.typed(label, value);
            }
        }
        let form: Self = form?;
        Some(Self {
            asked: read.asked,
            values: read.values,
            labels: read.labels,
            ..form
        })
    }

    fn chosen(&mut self, field: &str, label: &Value, value: String) {
        let label = label
            .as_str()
            .unwrap_or(field)
            .trim_start_matches(['☑', '☐', ' ']);
        self.labels.push((field.to_owned(), label.to_owned()));
        if !value.is_empty() {
            self.asked.insert(field.to_owned());
            self.values.insert(field.to_owned(), value);
        }
    }

    /// A field of an embed: of one that an earlier version wrote, what it is called is its name.
    fn typed(&mut self, label: &str, value: &str) {
        let (name, value) = match unfenced(value) {
            Some((name, value)) => (name, Some(value).filter(|value| value != EMPTY)),
            None => ("", None),
        };
        let name = if name.is_empty() { label } else { name };
        if label != SAME {
            self.labels.push((name.to_owned(), label.to_owned()));
            self.values.remove(name);
        }
        self.asked.insert(name.to_owned());
        if let Some(value) = value {
            self.values.entry(name.to_owned()).or_default().push_str(&value);
        }
    }

    /// All that was asked for, as fields of an embed, beside so much that stands in it already; `None` where it is more than
    /// an embed holds.
    pub fn fields(&self, beside: usize, masked: &dyn Fn(&str) -> String) -> Option<Vec<Value>> {
        let known = |name: &String| self.labels.iter().any(|(known, _)| known == name);
        let others = self
            .asked
            .iter()
            .filter(|name| !known(name))
            .map(|name| (name, name));
        let named = self.labels.iter().map(|(name, label)| (name, label));
        let mut fields = Vec::new();
        let mut all = beside;
        for (name, label) in named.chain(others).filter(|(name, _)| self.asked.contains(*name)) {
            let value = self.values.get(name).map(|value| masked(value));
            for (at, part) in in_parts(value.as_deref().unwrap_or(EMPTY))
                .into_iter()
                .enumerate()
            {
                let label = if at == 0 {
                    short(label, LABEL_MAX)
                } else {
                    SAME.to_owned()
                };
                let value = fenced(name, &part);
                all += units(&label) + units(&value);
                if units(&value) > VALUE_MAX {
                    return None;
                }
                fields.push(json!({ "name": label, "value": value, "inline": false }));
            }
        }
        (fields.len() <= FIELDS_MAX && all <= ALL_MAX).then_some(fields)
    }

    /// The message between two modals, with all that was chosen and typed and a button to the rest; `None` where it is more
    /// than a message holds.
    pub fn between(&self, words: &str, draft: &str, masked: &dyn Fn(&str) -> String) -> Option<Value> {
        let query = press::query(&self.path, &self.fixed);
        let id = format!("{VERSION}:f:{draft}:on:{}:{query}", self.left);
        self.leading(words, "Go on", &id, masked)
    }

    /// What was wrong with it, with all that was chosen and typed and a button back into it; `None` where it is more than a
    /// message holds.
    pub fn mending(&self, words: &str, draft: &str, masked: &dyn Fn(&str) -> String) -> Option<Value> {
        let query = press::query(&self.path, &self.fixed);
        self.leading(
            words,
            "Mend it",
            &format!("{VERSION}:f:{draft}:mend:{query}"),
            masked,
        )
    }

    fn leading(&self, words: &str, label: &str, id: &str, masked: &dyn Fn(&str) -> String) -> Option<Value> {
        let words = super::markdown::escaped(&cut(words, INTRO_MAX, "…").shown);
        let fields = self.fields(units(&words), masked)?;
        (units(id) <= ID_MAX).then(|| {
            json!({
                "content": "",
                "embeds": [{ "description": words, "fields": fields }],
                "components": [{ "type": 1, "components": [pressable(label, Style::Primary, id)] }],
                "allowed_mentions": { "parse": [] },
            })
        })
    }
}

/// Whether a message is one of a form, which only one person sees.
pub fn is_of_form(message: &Value) -> bool {
    let ours = format!("{VERSION}:f:");
    parts(&message["components"])
        .filter_map(|part| part["custom_id"].as_str())
        .any(|id| id.starts_with(&ours))
}

/// `<number>:<rest>`.
fn counted(text: &str) -> Option<(usize, &str)> {
    let (left, rest) = text.split_once(':')?;
    Some((left.parse().ok()?, rest))
}

fn fenced(name: &str, value: &str) -> String {
    format!("{FENCE}{name}\n{}\n{FENCE}", value.replace(FENCE, INNER_FENCE))
}

/// The name of the field, and what was typed into it.
fn unfenced(shown: &str) -> Option<(&str, String)> {
    let inner = shown.strip_prefix(FENCE)?.strip_suffix(FENCE)?;
    let (name, value) = inner.split_once('\n')?;
    let value = value.strip_suffix('\n').unwrap_or(value);
    Some((name, value.replace(INNER_FENCE, FENCE)))
}

/// A value in parts that each fit a field, also with what a fence in it becomes.
fn in_parts(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for c in value.chars() {
        // A backtick may become two characters.
        let needs = if c == '`' { 2 } else { c.len_utf16() };
        if used + needs > PART_MAX {
            parts.push(String::new());
            used = 0;
        }
        used += needs;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn parts(components: &Value) -> impl Iterator<Item = &Value> {
    let rows = components.as_array().into_iter().flatten();
    rows.flat_map(|row| row["components"].as_array().into_iter().flatten())
}

/// What is chosen in a menu.
fn picked(menu: &Value) -> Vec<&str> {
    let options = menu["options"].as_array().into_iter().flatten();
    let chosen = options.filter(|option| option["default"] == true);
    let people = menu["default_values"].as_array().into_iter().flatten();
    let values = chosen.map(|option| &option["value"]);
    values
        .chain(people.map(|user| &user["id"]))
        .filter_map(Value::as_str)
        .collect()
}
