//! The name of an incident's room.

use chrono::{DateTime, Utc};
use minijinja::{Environment, UndefinedBehavior, context};

use super::Rules;
use crate::config::check::nearest;
use crate::config::settings::Room;
use crate::incident::{IncidentId, Process, Severity};

/// What a template may use.
const VARIABLES: &[&str] = &["number", "slug", "severity", "process", "date"];

/// Slack's limit for the name of a channel; Discord allows 100.
const ROOM_NAME_LIMIT: usize = 80;

/// Letters of the title in a name: enough to recognise it, and room left for what the template adds.
const SLUG_LIMIT: usize = 40;

/// What is known of an incident when its room opens.
#[derive(Debug, Clone)]
pub struct RoomFacts<'a> {
    pub number: IncidentId,
    pub title: &'a str,
    pub severity: Severity,
    pub process: Process,
    pub declared: DateTime<Utc>,
}

impl Room {
    /// Name of a new room: small letters, digits and dashes, as every platform takes it. Never empty.
    pub fn name(&self, facts: &RoomFacts<'_>) -> String {
        let fallback = format!("inc-{}", facts.number.0);
        let rendered = environment().render_str(
            &self.name_template,
            context! {
                number => facts.number.0,
                slug => shortened(&slug(facts.title), SLUG_LIMIT),
                severity => slug(facts.severity.word()),
                process => facts.process.word(),
                date => facts.declared.format("%Y-%m-%d").to_string(),
            },
        );
        match rendered.map(|name| shortened(&slug(&name), ROOM_NAME_LIMIT).to_owned()) {
            Ok(name) if !name.is_empty() => name,
            // The config was checked with a sample; what still fails must not keep a room from opening.
            _ => fallback,
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Letters and digits, everything else a dash, no two in a row and none at the ends.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for char in text.chars().flat_map(char::to_lowercase) {
        match char {
            c if c.is_ascii_alphanumeric() || c == '_' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// At a dash, if one is near. A slug is ASCII, so bytes are characters.
fn shortened(slug: &str, limit: usize) -> &str {
    if slug.len() <= limit {
        return slug;
    }
    let cut = &slug[..limit];
    let whole_words = slug[limit..].starts_with('-');
    let end = cut
        .rfind('-')
        .filter(|at| !whole_words && *at > limit / 2)
        .unwrap_or(limit);
    cut[..end].trim_end_matches('-')
}

impl Rules<'_, '_> {
    pub(super) fn room(&mut self, room: &Room) {
        const PATH: &str = "room.name_template";
        let environment = environment();
        let template = match environment.template_from_str(&room.name_template) {
            Ok(template) => template,
            Err(error) => {
                let why = error
                    .detail()
                    .map_or_else(|| error.kind().to_string(), str::to_owned);
                return self.at(PATH, format!("`name_template` is not understood: {why}"));
            }
        };
        let used = template.undeclared_variables(false);
        let mut unknown: Vec<&String> = used
            .iter()
            .filter(|name| !VARIABLES.contains(&name.as_str()))
            .collect();
        unknown.sort();
        if let Some(unknown) = unknown.first() {
            let hint = nearest(unknown, VARIABLES.iter().copied())
                .map(|near| format!(" Did you mean {near}?"))
                .unwrap_or_default();
            let known = VARIABLES.join(", ");
            return self.at(
                PATH,
                format!("`name_template` knows {known}, and no {unknown}.{hint}"),
            );
        }
        if !used.contains("number") {
            let message = "`name_template` must hold {{ number }}: two rooms cannot have one name";
            return self.at(PATH, message);
        }
        let sample = context! { number => 1, slug => "a", severity => "sev1", process => "other", date => "2026-01-31" };
        if let Err(error) = template.render(sample) {
            self.at(PATH, format!("`name_template` cannot be rendered: {error}"));
        }
    }
}
