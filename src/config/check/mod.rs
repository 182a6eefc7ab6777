//! The first look at the file, before any meaning: keys, types, words and forms, each against the schema, and no
//! secret in plain sight. The schema comes from the settings themselves, so the two cannot drift apart.

mod wording;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Report;
use super::quantity;
use super::schema::{properties, required, words};
use super::secret::{REFERENCE_FORM, SETTING_FORM};
use crate::mask::Masker;
use crate::text::cut;
pub(super) use wording::nearest;
use wording::{example, fits, homes, is_variable_name, no_secret_here, out_of_range, variable_for, wanted};

/// Where each value stands in the text, by its path: `target[0].probe.url`.
pub(super) type Places = HashMap<String, Range<usize>>;

/// Longest piece of the file that a message repeats, in characters.
const ECHO_LIMIT: usize = 40;

/// Checks the whole file and notes where everything stands.
pub(super) fn check(table: &Spanned<DeTable<'_>>, schema: &Value, report: &mut Report<'_>) -> Places {
    let mut check = Check {
        schema,
        report,
        places: Places::new(),
        masker: Masker::default(),
    };
    check.table(table.get_ref(), &table.span(), schema, &At::top());
    check.places
}

struct Check<'r, 't, 's> {
    /// Of the whole file.
    schema: &'s Value,
    report: &'r mut Report<'t>,
    places: Places,
    masker: Masker,
}

/// Where the walk is.
struct At {
    /// `target[0].probe`; empty at the top.
    path: String,
    /// `target.odoo-prod.probe`, for naming what belongs to it.
    name: String,
    /// `[target.probe]`, as a section is written.
    section: String,
}

impl At {
    fn top() -> Self {
        Self {
            path: String::new(),
            name: String::new(),
            section: String::new(),
        }
    }

    fn below(&self, key: &str) -> Self {
        let join = |before: &str| match before {
            "" => key.to_owned(),
            before => format!("{before}.{key}"),
        };
        Self {
            path: join(&self.path),
            name: join(&self.name),
            section: join(&self.section),
        }
    }

    fn item(&self, index: usize, value: &DeValue<'_>) -> Self {
        let named = ["name", "id"].iter().find_map(|key| match value {
            DeValue::Table(table) => table.get(*key).and_then(|name| name.get_ref().as_str()),
            _ => None,
        });
        Self {
            path: format!("{}[{index}]", self.path),
            name: named.map_or(self.name.clone(), |named| format!("{}.{named}", self.name)),
            section: self.section.clone(),
        }
    }

    /// How people call this place.
    fn title(&self) -> String {
        match self.section.as_str() {
            "" => "this file".to_owned(),
            section if self.path.ends_with(']') => format!("[[{section}]]"),
            section => format!("[{section}]"),
        }
    }

    fn key(&self) -> &str {
        self.section.rsplit('.').next().unwrap_or_default()
    }
}

impl Check<'_, '_, '_> {
    fn table(&mut self, table: &DeTable<'_>, place: &Range<usize>, schema: &Value, at: &At) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let below = at.below(name);
            let known = properties(schema).and_then(|known| known.get(name));
            match (known, schema.get("additionalProperties")) {
                (Some(known), _) => self.value(value, known, &below),
                (None, Some(Value::Bool(false))) => {
                    let message = self.unknown_key(name, value.get_ref(), schema, at);
                    self.report.at(&key.span(), message);
                }
                (None, Some(any)) => self.value(value, any, &below),
                (None, None) => self.value(value, &Value::Bool(true), &below),
            }
        }
        for key in required(schema).filter(|key| !table.contains_key(*key)) {
            let title = at.title();
            let wanted = properties(schema)
                .and_then(|known| known.get(key))
                .unwrap_or(&Value::Null);
            self.report.at(
                place,
                format!("{title} lacks `{key}`: add {key} = {}", example(wanted)),
            );
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &Value, at: &At) {
        let place = value.span();
        self.places.insert(at.path.clone(), place.clone());
        let form = schema.get("x-form").and_then(Value::as_str).unwrap_or_default();
        match (value.get_ref(), form) {
            (DeValue::String(_), REFERENCE_FORM) => {
                self.report.at(&place, no_secret_here("is a secret and", at))
            }
            (DeValue::Table(table), REFERENCE_FORM | SETTING_FORM) => {
                self.reference(table, &place, schema, at)
            }
            (DeValue::String(text), SETTING_FORM) => self.no_secret(text, &place, at),
            (DeValue::String(text), _) => self.text(text, &place, schema, form, at),
            (DeValue::Table(table), _) if fits(schema, "object") => self.table(table, &place, schema, at),
            (DeValue::Array(items), _) if fits(schema, "array") => {
                let of = schema.get("items").unwrap_or(&Value::Bool(true));
                for (index, item) in items.iter().enumerate() {
                    self.value(item, of, &at.item(index, item.get_ref()));
                }
            }
            (DeValue::Integer(number), _) if fits(schema, "integer") || fits(schema, "number") => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                if let Some(wrong) = out_of_range(number.ok(), schema) {
                    self.report.at(&place, format!("`{}` must be {wrong}", at.key()));
                }
            }
            (DeValue::Boolean(_), _) if fits(schema, "boolean") => {}
            (DeValue::Float(_), _) if fits(schema, "number") => {}
            (DeValue::Datetime(date), _) if schema.get("type").is_none() => {
                let message = format!(
                    "`{}` is a date without quotes: write it as text, \"{date}\"",
                    at.key()
                );
                self.report.at(&place, message);
            }
            _ => {
                let message = format!("`{}` must be {}", at.key(), wanted(schema, form, at));
                self.report.at(&place, message);
            }
        }
    }

    fn text(&mut self, text: &str, place: &Range<usize>, schema: &Value, form: &str, at: &At) {
        if !fits(schema, "string") {
            let message = format!("`{}` must be {}", at.key(), wanted(schema, form, at));
            return self.report.at(place, message);
        }
        let allowed = words(schema);
        if !allowed.is_empty() && !allowed.contains(&text) {
            let hint = nearest(text, allowed.iter().copied())
                .map(|near| format!(" Did you mean \"{near}\"?"))
                .unwrap_or_default();
            let message = format!(
                "`{}` cannot be {}. It is one of: {}.{hint}",
                at.key(),
                self.echo(text),
                allowed.join(", ")
            );
            return self.report.at(place, message);
        }
        let wrong = match form {
            "address" => text.parse::<SocketAddr>().err().map(|_| {
                "it is an address and a port, such as 127.0.0.1:8470 (a name such as localhost will not do)".to_owned()
            }),
            form => quantity::wrong_with(form, text),
        };
        match wrong {
            Some(why) => {
                let message = format!("`{}` cannot be {}: {why}", at.key(), self.echo(text));
                self.report.at(place, message);
            }
            // A pattern describes secrets and may well look like one.
            None if at.path.starts_with("mask.pattern") => {}
            None => self.no_secret(text, place, at),
        }
    }

    /// No text of the file may look like a secret, whatever its key; and a key that names a secret may hold none.
    fn no_secret(&mut self, text: &str, place: &Range<usize>, at: &At) {
        let named = format!("{} = \"{text}\"", at.key());
        let kind = self
            .masker
            .looks_secret(text)
            .or_else(|| self.masker.looks_secret(&named));
        if let Some(kind) = kind {
            let what = format!("holds what looks like a secret ({kind}), and that");
            self.report.at(place, no_secret_here(&what, at));
        }
    }

    fn reference(&mut self, table: &DeTable<'_>, place: &Range<usize>, schema: &Value, at: &At) {
        self.table(table, place, schema, at);
        let places = ["env", "file"]
            .iter()
            .filter(|key| table.contains_key(**key))
            .count();
        if places != 1 {
            let message = format!(
                "`{}` must name one place of the secret: {{ env = \"NAME\" }} or {{ file = \"/path\" }}",
                at.key()
            );
            self.report.at(place, message);
        }
        if let Some(env) = table.get("env")
            && let Some(name) = env.get_ref().as_str()
            && !is_variable_name(name)
        {
            // Somebody may have put the secret itself here, so it is not repeated.
            let message = format!(
                "`env` is the name of an environment variable, in capitals, such as {}: the secret itself goes into \
                 that variable",
                variable_for(&at.name)
            );
            self.report.at(&env.span(), message);
        }
    }

    fn unknown_key(&self, key: &str, value: &DeValue<'_>, schema: &Value, at: &At) -> String {
        let title = at.title();
        let echo = self.echo(key);
        let echo = echo.trim_matches('"');
        let known: Vec<&str> = properties(schema)
            .into_iter()
            .flatten()
            .map(|(known, _)| known.as_str())
            .collect();
        let elsewhere = homes(self.schema, key, "");
        let advice = if let Some(near) = nearest(key, known.iter().copied()) {
            format!("Did you mean `{near}`?")
        } else if !elsewhere.is_empty() {
            format!("It belongs {}.", elsewhere.join(" or "))
        } else {
            format!("It knows: {}.", known.join(", "))
        };
        let is_secret = matches!(value, DeValue::String(text)
            if self.masker.looks_secret(&format!("{key} = \"{text}\"")).is_some());
        let secret = if is_secret {
            format!(
                " And a secret may not stand in this file: write {echo} = {{ env = \"{}\" }}.",
                variable_for(&at.below(key).name)
            )
        } else {
            String::new()
        };
        format!("{title} has no setting `{echo}`. {advice}{secret}")
    }

    /// A piece of the file, fit to be repeated in a message.
    fn echo(&self, text: &str) -> String {
        let masked = self.masker.mask(text).text;
        let clean = crate::text::clean(&masked, ECHO_LIMIT * 2).replace('\n', " ");
        format!("\"{}\"", cut(&clean, ECHO_LIMIT, "…").shown)
    }
}
