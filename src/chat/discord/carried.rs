//! What a form says of itself on what Discord gives back: the page with its menus, the message between two modals, the id
//! of a modal. So it is understood after a restart, when nobody here remembers it. Pure.
//!
//! What was typed stands in the message between two modals as the person sees it, masked like all that is kept. It is theirs
//! alone and gone when they dismiss it; nothing of it is stored here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::embeds::pressable;
use super::form::{Draft, VERSION, Way};
use super::page::PRIMARY;
use super::press::{self, ID_MAX};
use crate::chat::Style;

/// Most fields of an embed, longest value of one, and most characters in all; less than Discord's 6000, for what stands
/// around them.
const FIELDS_MAX: usize = 25;
const VALUE_MAX: usize = 1024;
const ALL_MAX: usize = 5_800;
/// What is asked for in several modals may be so long in all that it fits between them, and so long each.
const TYPED_MAX: usize = 5_000;
const TYPED_EACH_MAX: usize = 1_000;
/// Stands where something was asked for and left empty.
const EMPTY: &str = "—";
/// What somebody typed stands between these, so that nothing of it is markup.
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
}

/// The most that one of so many inputs takes, where they are too many for one modal.
pub fn typed_most(inputs: usize) -> usize {
    (TYPED_MAX / inputs.max(1)).min(TYPED_EACH_MAX)
}

impl Draft {
    /// What has to be known of it to go on elsewhere.
    pub fn carried(&self) -> Carried {
        let settled = self.ways().into_iter().filter_map(|(field, way)| {
            let is_settled = way != Way::Words || self.asked.contains(&field.name);
            let value = self.values.get(&field.name).filter(|_| is_settled)?;
            Some((field.name.clone(), value.clone()))
        });
        let values: BTreeMap<String, String> = settled.collect();
        let asked = self.asked.iter().chain(values.keys()).cloned();
        Carried {
            path: self.form.path.clone(),
            fixed: self.form.fixed.clone(),
            asked: asked.collect(),
            values,
            left: self.words_left(),
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
        self.asked = carried.asked;
    }
}

impl Carried {
    /// Takes the words of a modal that asked for these.
    pub fn take(&mut self, asked: &[String], values: &BTreeMap<String, String>) {
        self.left = self.left.saturating_sub(asked.len());
        self.asked.extend(asked.iter().cloned());
        self.values.extend(values.clone());
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
        let (mut form, mut chosen) = (None, BTreeMap::new());
        for part in parts(&message["components"]) {
            let id = part["custom_id"].as_str().and_then(|id| id.strip_prefix(&ours));
            match id.and_then(|id| id.split_once(':')) {
                Some(("go", query)) => form = Some(Self::of_modal(query)),
                Some(("on", rest)) => form = counted(rest).map(|_| Self::of_modal(rest)),
                Some(("s", field)) => {
                    let values = picked(part);
                    if !values.is_empty() {
                        chosen.insert(field.to_owned(), values.join(","));
                    }
                }
                Some(("t", field)) if part["style"] == PRIMARY => {
                    chosen.insert(field.to_owned(), "yes".to_owned());
                }
                _ => {}
            }
        }
        let mut carried: Self = form?;
        carried.asked = chosen.keys().cloned().collect();
        carried.values = chosen;
        for field in message["embeds"][0]["fields"].as_array().into_iter().flatten() {
            let (Some(name), Some(value)) = (field["name"].as_str(), field["value"].as_str()) else {
                continue;
            };
            carried.asked.insert(name.to_owned());
            if let Some(value) = unfenced(value) {
                carried.values.insert(name.to_owned(), value);
            }
        }
        Some(carried)
    }

    /// The message between two modals, with all that was chosen and typed and a button to the rest; `None` where it is more
    /// than a message holds.
    pub fn between(&self, words: &str, draft: &str, masked: &dyn Fn(&str) -> String) -> Option<Value> {
        let query = press::query(&self.path, &self.fixed);
        let id = format!("{VERSION}:f:{draft}:on:{}:{query}", self.left);
        let fields: Vec<(&String, String)> = self
            .asked
            .iter()
            .map(|name| {
                let value = self.values.get(name).map(|value| fenced(&masked(value)));
                (name, value.unwrap_or_else(|| EMPTY.to_owned()))
            })
            .collect();
        let length = |text: &str| text.encode_utf16().count();
        let all: usize = fields
            .iter()
            .map(|(name, value)| length(name) + length(value))
            .sum();
        let fits = length(&id) <= ID_MAX
            && fields.len() <= FIELDS_MAX
            && all + length(words) <= ALL_MAX
            && fields.iter().all(|(_, value)| length(value) <= VALUE_MAX);
        let fields: Vec<Value> = fields
            .into_iter()
            .map(|(name, value)| json!({ "name": name, "value": value, "inline": false }))
            .collect();
        fits.then(|| {
            json!({
                "content": "",
                "embeds": [{ "description": super::markdown::escaped(words), "fields": fields }],
                "components": [{ "type": 1, "components": [pressable("Go on", Style::Primary, &id)] }],
                "allowed_mentions": { "parse": [] },
            })
        })
    }
}

/// `<number>:<rest>`.
fn counted(text: &str) -> Option<(usize, &str)> {
    let (left, rest) = text.split_once(':')?;
    Some((left.parse().ok()?, rest))
}

fn fenced(value: &str) -> String {
    format!("{FENCE}\n{}\n{FENCE}", value.replace(FENCE, INNER_FENCE))
}

fn unfenced(shown: &str) -> Option<String> {
    let inner = shown.strip_prefix(FENCE)?.strip_suffix(FENCE)?;
    let inner = inner.strip_prefix('\n').unwrap_or(inner);
    let inner = inner.strip_suffix('\n').unwrap_or(inner);
    Some(inner.replace(INNER_FENCE, FENCE))
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
