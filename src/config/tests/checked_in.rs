//! Files that are made from the settings, or speak of them, and must stay true.
//!
//! `BLESS=1` before the test command writes the schema and the reference anew.

use std::fmt::Write;

use serde_json::Value;

use super::super::schema::{properties, required, words};
use super::*;

const SCHEMA: &str = "schemas/config.schema.json";
const REFERENCE: &str = "docs/configuration.md";
const BEGIN: &str = "<!-- made from the settings: begin -->\n";
const END: &str = "<!-- made from the settings: end -->\n";

fn in_house(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The file says this, or is made to say it.
fn holds_true(path: &str, wanted: &str) {
    let file = in_house(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, wanted).expect("written");
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == wanted,
        "{path} is behind the settings: run the tests once with BLESS=1 and read the diff"
    );
}

/// Every setting, `target[].probe.url`, with its schema and whether it must be given.
fn settings() -> Vec<(String, Value, bool)> {
    fn walk(schema: &Value, path: &str, all: &mut Vec<(String, Value, bool)>) {
        for (name, below) in properties(schema).into_iter().flatten() {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let needed = required(schema).any(|one| one == name);
            all.push((path.clone(), below.clone(), needed));
            match below.get("items") {
                Some(items) => walk(items, &format!("{path}[]"), all),
                None if below.get("x-form").is_none() => walk(below, &path, all),
                None => {}
            }
        }
    }
    let mut all = Vec::new();
    walk(&schema(), "", &mut all);
    all
}

/// The key alone: what stands left of the equals sign, or in the brackets.
fn key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[test]
fn the_schema_is_checked_in() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    holds_true(SCHEMA, &text);
}

#[test]
fn the_schema_and_the_check_agree_on_the_template() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let json =
        |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON");
    for text in ["", TEMPLATE, &uncommented(), &Config::default().show()] {
        let problems: Vec<String> = validator
            .iter_errors(&json(text))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(problems, Vec::<String>::new());
    }
    assert!(!validator.is_valid(&json("comand = \"x\"")));
}

/// The template with every commented setting switched on. Prose has a space after its `#`.
fn uncommented() -> String {
    TEMPLATE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with([' ', '#']) => setting,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_template_is_a_good_config_as_it_stands_and_with_everything_switched_on() {
    good(TEMPLATE);
    let full = good(&uncommented());
    assert!(!full.target.is_empty() && !full.person.is_empty() && !full.process.is_empty());
}

#[test]
fn the_template_shows_the_defaults() {
    let mut plain = good(TEMPLATE);
    // `orderly init` writes these two folders beside the file.
    plain.runbooks.dir = None;
    plain.catalog.dir = None;
    assert_eq!(plain, Config::default());
    let mut full = good(&uncommented());
    full.runbooks.dir = None;
    full.catalog.dir = None;
    full.postmortem.template_dir = None;
    full.web.public_url = None;
    full.slack = None;
    full.discord = None;
    (full.mask, full.process, full.person, full.group, full.target) = Default::default();
    assert_eq!(full, Config::default());
}

#[test]
fn every_setting_stands_in_the_template() {
    let written: toml::Table = toml::from_str(&uncommented()).expect("TOML");
    fn stands(value: &toml::Value, path: &[&str]) -> bool {
        match (path, value) {
            ([], _) => true,
            (_, toml::Value::Array(items)) => items.iter().any(|item| stands(item, path)),
            ([first, rest @ ..], toml::Value::Table(table)) => {
                table.get(*first).is_some_and(|value| stands(value, rest))
            }
            _ => false,
        }
    }
    let whole = toml::Value::Table(written);
    let missing: Vec<String> = settings()
        .into_iter()
        .map(|(path, _, _)| path)
        .filter(|path| !stands(&whole, &path.replace("[]", "").split('.').collect::<Vec<_>>()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_reference_tells_every_setting() {
    let file = std::fs::read_to_string(in_house(REFERENCE)).expect("the reference");
    let (before, rest) = file.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    let wanted = format!("{before}{BEGIN}{}{END}{after}", reference());
    holds_true(REFERENCE, &wanted);
    for (path, _, _) in settings() {
        assert!(
            wanted.contains(&format!("`{}`", key(&path)))
                || wanted.contains(&format!("[{}]", path.replace("[]", ""))),
            "{path}"
        );
    }
}

/// One table a section: setting, value, default, meaning.
fn reference() -> String {
    const HEAD: &str = "\n| setting | value | default | meaning |\n|---|---|---|---|\n";
    let all = settings();
    let is_section = |schema: &Value| {
        schema.get("x-form").is_none()
            && (properties(schema).is_some() || properties(&schema["items"]).is_some())
    };
    let mut text = format!("\n### At the top\n{HEAD}");
    for (path, schema, needed) in all
        .iter()
        .filter(|(path, schema, _)| !path.contains('.') && !is_section(schema))
    {
        text += &row(path, schema, *needed);
    }
    for (section, schema, _) in all.iter().filter(|(_, schema, _)| is_section(schema)) {
        let title = match schema.get("items") {
            Some(_) => format!("[[{section}]]"),
            None => format!("[{section}]"),
        };
        let below = if schema.get("items").is_some() {
            format!("{section}[]")
        } else {
            section.clone()
        };
        let rows: String = all
            .iter()
            .filter(|(path, schema, _)| {
                path.rsplit_once('.').is_some_and(|(parent, _)| parent == below) && !is_section(schema)
            })
            .map(|(path, schema, needed)| row(path, schema, *needed))
            .collect();
        let meaning = schema["description"].as_str().unwrap_or_default();
        let _ = write!(
            text,
            "\n### `{}`\n\n{}\n",
            title.replace("[].", "."),
            meaning.replace('\n', " ")
        );
        if !rows.is_empty() {
            let _ = write!(text, "{HEAD}{rows}");
        }
    }
    text + "\n"
}

fn row(path: &str, schema: &Value, needed: bool) -> String {
    let kind = match (schema["x-form"].as_str(), schema["type"].as_str()) {
        _ if !words(schema).is_empty() => words(schema)
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(" "),
        (Some(form), _) => form.to_owned(),
        (None, Some("string")) => "text".to_owned(),
        (None, Some("boolean")) => "true or false".to_owned(),
        (None, Some("integer")) => {
            let bound = |key: &str| schema[key].as_i64().map(|n| n.to_string()).unwrap_or_default();
            format!("number, {} to {}", bound("minimum"), bound("maximum"))
        }
        (None, Some("array")) => "list".to_owned(),
        (None, _) => "table".to_owned(),
    };
    let default = match (&schema["default"], needed) {
        (_, true) => "required".to_owned(),
        (Value::Null, _) => String::new(),
        (value, _) => format!("`{value}`"),
    };
    let meaning = schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
        .replace('|', "\\|");
    format!("| `{}` | {kind} | {default} | {meaning} |\n", key(path))
}
