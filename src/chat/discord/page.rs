//! The first part of a form: a message with menus and switches that only the person sees. Pure.
//!
//! The page itself says which form it is and what was chosen on it so far, so that it is understood after a restart, when
//! nobody here remembers it.

use serde_json::{Value, json};

use super::embeds::pressable;
use super::form::{Draft, INTRO_MAX, Move, OPTION_MAX, VERSION, Way, short};
use super::markdown::{said, units};
use super::press::{self, ID_MAX};
use crate::chat::look::Look;
use crate::chat::{Field, FieldKind, Style};
use crate::incident::PersonId;
use crate::text::cut;

const MENU_TEXT_MAX: usize = 150;
/// Kinds and looks of components, as Discord numbers them.
const BUTTON: u64 = 2;
const USER_MENU: u64 = 5;
pub(super) const PRIMARY: u64 = 1;
const PLAIN: u64 = 2;

fn on(label: &str) -> String {
    format!("☑ {label}")
}

fn off(label: &str) -> String {
    format!("☐ {label}")
}

impl Draft {
    /// The message with menus, switches and the button that goes on. Where something was wrong it says so, and holds what
    /// was typed, masked like all that is kept.
    pub fn page(&self, look: &Look<'_>, masked: &dyn Fn(&str) -> String) -> Value {
        let mut rows = Vec::new();
        let mut buttons = Vec::new();
        for (field, way) in self.ways() {
            match way {
                Way::Menu => rows.push(json!({ "type": 1, "components": [self.menu(field, look)] })),
                Way::Switch => buttons.push(self.switch(field)),
                Way::Words => {}
            }
        }
        let has_words = !self.words().is_empty();
        let title = super::markdown::escaped(&short(&self.form.title, 200));
        let (description, label, id, fields) = match &self.wrong {
            None => {
                let on = if has_words { "Go on" } else { &self.form.submit };
                (self.introduction(look, has_words), on, self.go_id(), Vec::new())
            }
            Some(wrong) => {
                let on = if has_words { "Mend it" } else { &self.form.submit };
                let said = super::markdown::escaped(&cut(wrong, INTRO_MAX, "…").shown);
                let mut typed = self.carried();
                let words: Vec<&str> = self.words().iter().map(|field| field.name.as_str()).collect();
                // What is chosen stands in the menus.
                typed.asked.retain(|name| words.contains(&name.as_str()));
                let fields = typed.fields(units(&title) + units(&said), masked);
                (
                    said,
                    on,
                    self.mend_id(fields.is_some()),
                    fields.unwrap_or_default(),
                )
            }
        };
        buttons.push(pressable(label, Style::Primary, &id));
        rows.push(json!({ "type": 1, "components": buttons }));
        let mut embed = json!({ "title": title, "description": description });
        if !fields.is_empty() {
            embed["fields"] = json!(fields);
        }
        json!({
            "content": "",
            "embeds": [embed],
            "components": rows,
            "allowed_mentions": { "parse": [] },
        })
    }

    /// What stands above the choices.
    fn introduction(&self, look: &Look<'_>, has_words: bool) -> String {
        let intro = self.form.intro.as_ref().map(|intro| said(intro, look).text);
        let then = match has_words {
            true => "-# Choose what you know; the words come next.",
            false => "-# What is left alone stays open.",
        };
        let intro = cut(&intro.unwrap_or_default(), INTRO_MAX, "…").shown.into_owned();
        format!("{intro}\n{then}").trim().to_owned()
    }

    /// The form itself stands in the id, if what was typed stands on the page: else it would come back without that.
    fn mend_id(&self, has_typed: bool) -> String {
        let short = format!("{VERSION}:f:{}:mend", self.id);
        let long = format!("{short}:{}", press::query(&self.form.path, &self.form.fixed));
        match has_typed && units(&long) <= ID_MAX {
            true => long,
            false => short,
        }
    }

    /// The form itself stands in the id where there is space.
    fn go_id(&self) -> String {
        let short = format!("{VERSION}:f:{}:go", self.id);
        let long = match self.modal_count() {
            0 | 1 => format!("{short}:{}", press::query(&self.form.path, &self.form.fixed)),
            _ => format!("{VERSION}:f:{}:on:{}", self.id, self.counted(&self.form.fixed)),
        };
        if units(&long) <= ID_MAX { long } else { short }
    }

    fn switch(&self, field: &Field) -> Value {
        let (label, style) = match self.values.get(&field.name).is_some_and(|value| value == "yes") {
            true => (on(&field.label), Style::Primary),
            false => (off(&field.label), Style::Plain),
        };
        pressable(
            &label,
            style,
            &format!("{VERSION}:f:{}:t:{}", self.id, field.name),
        )
    }

    fn menu(&self, field: &Field, look: &Look<'_>) -> Value {
        let id = format!("{VERSION}:f:{}:s:{}", self.id, field.name);
        let value = self.values.get(&field.name).map(String::as_str);
        let mut menu = json!({
            "type": 3,
            "custom_id": id,
            "placeholder": short(&field.label, MENU_TEXT_MAX),
            // What is optional may be taken back.
            "min_values": i32::from(field.required),
            "max_values": 1,
        });
        match &field.kind {
            FieldKind::Person => {
                menu["type"] = json!(5);
                let user = value.and_then(|id| (look.user_of)(&PersonId::new(id)).or_else(|| user_id(id)));
                if let Some(user) = user {
                    menu["default_values"] = json!([{ "id": user, "type": "user" }]);
                }
            }
            FieldKind::Select { options } => {
                menu["options"] = offered(options, &[value.unwrap_or_default()]);
            }
            FieldKind::Several { options } => {
                let chosen: Vec<&str> = value.unwrap_or_default().split(',').map(str::trim).collect();
                menu["options"] = offered(options, &chosen);
                menu["max_values"] = json!(options.len());
            }
            _ => {}
        }
        menu
    }
}

fn user_id(text: &str) -> Option<String> {
    super::ids::is_id(text).then(|| text.to_owned())
}

fn offered(options: &[(String, String)], chosen: &[&str]) -> Value {
    options
        .iter()
        .map(|(value, label)| {
            let mut option = json!({ "label": short(label, OPTION_MAX), "value": value });
            if chosen.contains(&value.as_str()) {
                option["default"] = json!(true);
            }
            option
        })
        .collect()
}

/// The same page with one thing changed on it.
pub fn changed(components: &Value, draft: &str, what: &Move, chosen: &[String]) -> Value {
    let mut components = components.clone();
    let id = match what {
        Move::Chose(field) => format!("{VERSION}:f:{draft}:s:{field}"),
        Move::Turned(field) => format!("{VERSION}:f:{draft}:t:{field}"),
        Move::On => return json!({ "components": components }),
    };
    let rows = components.as_array_mut().into_iter().flatten();
    let parts = rows.flat_map(|row| row["components"].as_array_mut().into_iter().flatten());
    for part in parts.filter(|part| part["custom_id"] == id.as_str()) {
        match part["type"].as_u64() {
            Some(BUTTON) => turn(part),
            Some(USER_MENU) => {
                let users = chosen.iter().map(|id| json!({ "id": id, "type": "user" }));
                part["default_values"] = users.collect();
            }
            _ => {
                for option in part["options"].as_array_mut().into_iter().flatten() {
                    let is_chosen = option["value"]
                        .as_str()
                        .is_some_and(|value| chosen.iter().any(|one| one == value));
                    option["default"] = json!(is_chosen);
                }
            }
        }
    }
    json!({ "components": components })
}

fn turn(button: &mut Value) {
    let label = button["label"].as_str().unwrap_or_default().to_owned();
    let label = label.trim_start_matches(['☑', '☐', ' ']);
    let (label, style) = match button["style"] == PRIMARY {
        true => (off(label), PLAIN),
        false => (on(label), PRIMARY),
    };
    button["label"] = json!(label);
    button["style"] = json!(style);
}
