//! The rules of commands that Discord's description does not know.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fail::Fault;

/// Characters of names, descriptions and values of a command over all.
const CHARACTERS: usize = 8000;

const OPTIONS: usize = 25;
const NAME: usize = 32;

const SUB_COMMAND: u64 = 1;
const GROUP: u64 = 2;

/// What is wrong with a command. `at` is where it stands in the body.
pub fn command(body: &Value, at: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let place = |part: &str| {
        if at.is_empty() {
            part.to_owned()
        } else {
            format!("{at}.{part}")
        }
    };
    let kind = body["type"].as_u64().unwrap_or(1);
    let name = body["name"].as_str().unwrap_or_default();
    if kind == 1 {
        name_fits(name, &place("name"), &mut faults);
        described(body, &place("description"), &mut faults);
    } else {
        let said = "Context menu commands have no description and no options".to_owned();
        let described = body["description"].as_str().is_some_and(|text| !text.is_empty());
        if described
            || body["options"]
                .as_array()
                .is_some_and(|options| !options.is_empty())
        {
            faults.push((
                place("description"),
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
                said,
            ));
        }
        if name.is_empty() || name.chars().count() > NAME {
            faults.push((
                place("name"),
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between 1 and {NAME} in length."),
            ));
        }
    }
    options(&body["options"], &place("options"), None, &mut faults);
    let characters = characters(body);
    if characters > CHARACTERS {
        let said = format!("Command exceeds maximum size ({CHARACTERS}): {characters}");
        faults.push((at.to_owned(), "APPLICATION_COMMAND_TOO_LARGE", said));
    }
    faults
}

/// `^[-_'\p{L}\p{N}]{1,32}$`, in lowercase where there is one.
fn name_fits(name: &str, at: &str, faults: &mut Vec<Fault>) {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'');
    let long = name.is_empty() || name.chars().count() > NAME;
    if long || !name.chars().all(fits) || name.to_lowercase() != name {
        let said = "Command name is invalid".to_owned();
        faults.push((at.to_owned(), "APPLICATION_COMMAND_INVALID_NAME", said));
    }
}

fn described(body: &Value, at: &str, faults: &mut Vec<Fault>) {
    let length = body["description"]
        .as_str()
        .map_or(0, |text| text.chars().count());
    if !(1..=100).contains(&length) {
        let said = "Must be between 1 and 100 in length.".to_owned();
        faults.push((at.to_owned(), "BASE_TYPE_BAD_LENGTH", said));
    }
}

fn options(options: &Value, at: &str, parent: Option<u64>, faults: &mut Vec<Fault>) {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    let mut add = |at: String, code: &'static str, said: &str| faults.push((at, code, said.to_owned()));
    if options.len() > OPTIONS {
        add(
            at.to_owned(),
            "BASE_TYPE_MAX_LENGTH",
            "Must be 25 or fewer in length.",
        );
    }
    let kind = |option: &Value| option["type"].as_u64().unwrap_or(0);
    let branches = options.iter().filter(|option| kind(option) <= GROUP).count();
    if branches > 0 && branches < options.len() {
        let said = "Sub-command and sub-command group option types are mutually exclusive to all other types";
        add(at.to_owned(), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", said);
    }
    let (mut names, mut optional) = (BTreeSet::new(), false);
    for (number, option) in options.iter().enumerate() {
        let place = format!("{at}.{number}");
        let fits = match parent {
            None => true,
            Some(GROUP) => kind(option) == SUB_COMMAND,
            Some(_) => kind(option) > GROUP,
        };
        if !fits {
            let said = "Sub-command groups hold sub-commands, and those hold options";
            add(place.clone(), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", said);
        }
        if !names.insert(option["name"].to_string()) {
            add(
                place.clone(),
                "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
                "Option names must be unique",
            );
        }
        let required = option["required"] == true;
        if required && optional {
            let said = "Required options must be placed before non-required options";
            add(
                place.clone(),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                said,
            );
        }
        optional |= !required;
    }
    for (number, option) in options.iter().enumerate() {
        let place = format!("{at}.{number}");
        name_fits(
            option["name"].as_str().unwrap_or_default(),
            &format!("{place}.name"),
            faults,
        );
        described(option, &format!("{place}.description"), faults);
        choices(option, &place, faults);
        if matches!(kind(option), SUB_COMMAND | GROUP) {
            self::options(
                &option["options"],
                &format!("{place}.options"),
                Some(kind(option)),
                faults,
            );
        }
    }
}

fn choices(option: &Value, at: &str, faults: &mut Vec<Fault>) {
    let choices = option["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let mut names = BTreeSet::new();
    let mut add = |at: String, code: &'static str, said: &str| faults.push((at, code, said.to_owned()));
    if choices.len() > OPTIONS {
        add(
            format!("{at}.choices"),
            "BASE_TYPE_MAX_LENGTH",
            "Must be 25 or fewer in length.",
        );
    }
    if !choices.is_empty() && option["autocomplete"] == true {
        let said = "Autocomplete and choices are mutually exclusive";
        add(
            format!("{at}.autocomplete"),
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            said,
        );
    }
    for (number, choice) in choices.iter().enumerate() {
        let length = choice["name"].as_str().map_or(0, |name| name.chars().count());
        if !(1..=100).contains(&length) {
            add(
                format!("{at}.choices.{number}.name"),
                "BASE_TYPE_BAD_LENGTH",
                "Must be between 1 and 100 in length.",
            );
        }
        if !names.insert(choice["name"].to_string()) {
            let said = "Choice names must be unique";
            add(
                format!("{at}.choices.{number}"),
                "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS",
                said,
            );
        }
    }
}

/// What Discord counts of a command, its longest translation included.
fn characters(body: &Value) -> usize {
    let longest = |key: &str| {
        let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        let translated = body[format!("{key}_localizations")].as_object();
        let translated = translated.into_iter().flatten().map(|(_, text)| length(text));
        translated.chain([length(&body[key])]).max().unwrap_or(0)
    };
    let inside = |key: &str| {
        body[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(characters)
            .sum::<usize>()
    };
    let value = body["value"].as_str().map_or(0, |text| text.chars().count());
    longest("name") + longest("description") + value + inside("options") + inside("choices")
}
