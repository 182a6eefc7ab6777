//! The rules that Discord's description does not know: of messages, forms and components.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fail::Fault;
use super::model::COMPONENTS_V2;

/// Characters of a message, of all embeds of a message together, of a nonce.
const CONTENT: usize = 2000;
const EMBEDS_TOGETHER: usize = 6000;
const NONCE: usize = 25;

/// Embeds of a message, rows of a message or form, places in a row, parts of a message of the newer kind.
const EMBEDS: usize = 10;
const ROWS: usize = 5;
const IN_A_ROW: usize = 5;
const PARTS: usize = 40;

/// Words on a button, options of a menu.
const BUTTON_LABEL: usize = 80;
const OPTIONS: usize = 25;

/// Files of a message, and what one without a boost may weigh.
const FILES: usize = 10;
pub const FILE_BYTES: usize = 10 * 1024 * 1024;

/// What a menu's or a field's label may have.
const FIELD_LABEL: usize = 45;
const FIELD_VALUE: u64 = 4000;

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: &str, code: &'static str, message: String) {
        self.0.push((at.to_owned(), code, message));
    }

    fn longest(&mut self, at: &str, value: &Value, most: usize) {
        if value.as_str().is_some_and(|text| text.chars().count() > most) {
            self.add(
                at,
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be {most} or fewer in length."),
            );
        }
    }

    fn needed(&mut self, at: &str, value: &Value) {
        if value.as_str().is_none_or(str::is_empty) {
            self.add(at, "BASE_TYPE_REQUIRED", "This field is required".to_owned());
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A message's body, as it is sent or changed.
pub fn message(body: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.longest("content", &body["content"], CONTENT);
    faults.longest("nonce", &body["nonce"], NONCE);
    if body["enforce_nonce"] == true && body["nonce"].is_null() {
        faults.add(
            "nonce",
            "BASE_TYPE_REQUIRED",
            "A nonce that is enforced must be there.".to_owned(),
        );
    }
    embeds(list(&body["embeds"]), &mut faults);
    let newer = body["flags"]
        .as_u64()
        .is_some_and(|flags| flags & COMPONENTS_V2 != 0);
    if newer {
        for key in ["content", "embeds"] {
            let empty =
                body[key].is_null() || body[key] == "" || list(&body[key]).is_empty() && body[key].is_array();
            if !empty {
                let said =
                    format!("The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2");
                faults.add(key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", said);
            }
        }
    }
    components(list(&body["components"]), newer, &mut faults);
    mentions(&body["allowed_mentions"], &mut faults);
    faults.0
}

fn embeds(embeds: &[Value], faults: &mut Faults) {
    if embeds.len() > EMBEDS {
        faults.add(
            "embeds",
            "BASE_TYPE_MAX_LENGTH",
            format!("Must be {EMBEDS} or fewer in length."),
        );
    }
    let mut characters = 0;
    for (at, embed) in embeds.iter().enumerate() {
        let place = |part: &str| format!("embeds.{at}.{part}");
        let length = |value: &Value| value.as_str().map_or(0, |text| text.trim().chars().count());
        let fields = list(&embed["fields"]);
        for (number, field) in fields.iter().enumerate() {
            faults.needed(&place(&format!("fields.{number}.name")), &field["name"]);
            faults.needed(&place(&format!("fields.{number}.value")), &field["value"]);
        }
        let shown = [
            &embed["title"],
            &embed["description"],
            &embed["footer"]["text"],
            &embed["author"]["name"],
        ];
        let of_fields = fields.iter().flat_map(|field| [&field["name"], &field["value"]]);
        let total: usize = shown.into_iter().chain(of_fields).map(length).sum();
        let picture = ["image", "thumbnail", "video"]
            .iter()
            .any(|key| embed[*key].is_object());
        if total == 0 && !picture {
            faults.add(
                &place("description"),
                "BASE_TYPE_REQUIRED",
                "This field is required".to_owned(),
            );
        }
        characters += total;
    }
    if characters > EMBEDS_TOGETHER {
        let said = format!("Embed size exceeds maximum size of {EMBEDS_TOGETHER}");
        faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", said);
    }
}

fn mentions(allowed: &Value, faults: &mut Faults) {
    for kind in ["users", "roles"] {
        if list(&allowed["parse"]).contains(&Value::from(kind)) && !list(&allowed[kind]).is_empty() {
            let said = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            faults.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                said,
            );
        }
    }
}

fn components(components: &[Value], newer: bool, faults: &mut Faults) {
    let mut ids = BTreeSet::new();
    if !newer && components.len() > ROWS {
        faults.add(
            "components",
            "BASE_TYPE_BAD_LENGTH",
            format!("Must be between 1 and {ROWS} in length."),
        );
    }
    if newer && parts(components) > PARTS {
        faults.add(
            "components",
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            format!("Over {PARTS} components."),
        );
    }
    for (at, component) in components.iter().enumerate() {
        let place = format!("components.{at}");
        if !newer && component["type"] != 1 {
            faults.add(
                &place,
                "UNION_TYPE_CHOICES",
                "Value of field \"type\" must be one of (1,).".to_owned(),
            );
        }
        self::component(component, &place, &mut ids, faults);
    }
}

fn parts(components: &[Value]) -> usize {
    let inside = |one: &Value| parts(list(&one["components"])) + usize::from(one["accessory"].is_object());
    components.iter().map(|one| 1 + inside(one)).sum()
}

fn component(component: &Value, at: &str, ids: &mut BTreeSet<String>, faults: &mut Faults) {
    if let Some(id) = component["custom_id"].as_str()
        && !ids.insert(id.to_owned())
    {
        let said = "Component custom id cannot be duplicated".to_owned();
        faults.add(&format!("{at}.custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", said);
    }
    match component["type"].as_u64() {
        Some(1) => {
            let inside = list(&component["components"]);
            if inside.is_empty() || inside.len() > IN_A_ROW {
                let said = format!("Must be between 1 and {IN_A_ROW} in length.");
                faults.add(&format!("{at}.components"), "BASE_TYPE_BAD_LENGTH", said);
            }
            let menus = inside.iter().filter(|one| is_menu(one)).count();
            if menus > 1 || menus == 1 && inside.len() > 1 {
                let said = "A menu takes a row for itself.".to_owned();
                faults.add(
                    &format!("{at}.components"),
                    "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                    said,
                );
            }
        }
        Some(2) => button(component, at, faults),
        Some(3) => menu(component, at, faults),
        _ => {}
    }
    for (number, inner) in list(&component["components"]).iter().enumerate() {
        self::component(inner, &format!("{at}.components.{number}"), ids, faults);
    }
    for key in ["accessory", "component"] {
        if component[key].is_object() {
            self::component(&component[key], &format!("{at}.{key}"), ids, faults);
        }
    }
}

fn is_menu(component: &Value) -> bool {
    matches!(component["type"].as_u64(), Some(3 | 5..=8))
}

fn button(button: &Value, at: &str, faults: &mut Faults) {
    faults.longest(&format!("{at}.label"), &button["label"], BUTTON_LABEL);
    let (id, url) = (button["custom_id"].is_string(), button["url"].is_string());
    match button["style"].as_u64() {
        Some(5) if id || !url => {
            let said = "A link button has a url and no custom id".to_owned();
            faults.add(&format!("{at}.url"), "BUTTON_COMPONENT_URL_REQUIRED", said);
        }
        Some(1..=4) if url || !id => {
            let said = "A custom id is required, and no url".to_owned();
            faults.add(
                &format!("{at}.custom_id"),
                "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
                said,
            );
        }
        _ => {}
    }
    let words = button["label"].as_str().is_some_and(|label| !label.is_empty());
    if !words && !button["emoji"].is_object() {
        let said = "A label or an emoji is required".to_owned();
        faults.add(&format!("{at}.label"), "BUTTON_COMPONENT_INVALID", said);
    }
}

fn menu(menu: &Value, at: &str, faults: &mut Faults) {
    let options = list(&menu["options"]);
    let mut values = BTreeSet::new();
    for (number, option) in options.iter().enumerate() {
        if !values.insert(option["value"].to_string()) {
            let said = "The specified option value is already used".to_owned();
            faults.add(
                &format!("{at}.options.{number}.value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                said,
            );
        }
    }
    let (least, most) = (
        menu["min_values"].as_u64().unwrap_or(1),
        menu["max_values"].as_u64().unwrap_or(1),
    );
    let chosen = options.iter().filter(|option| option["default"] == true).count() as u64;
    if least > most || most > options.len() as u64 || options.len() > OPTIONS || chosen > most {
        let said = format!("{least} to {most} of {} options, {chosen} chosen", options.len());
        faults.add(&format!("{at}.max_values"), "SELECT_COMPONENT_MAX_VALUES", said);
    }
}

/// The files that come with a message.
pub fn files<'a>(sizes: impl Iterator<Item = (&'a str, usize)>) -> Vec<Fault> {
    let mut faults = Faults::default();
    let mut count = 0;
    for (part, bytes) in sizes {
        count += 1;
        if part.parse::<u64>().is_err() {
            let said = "A file's part is called files[N]".to_owned();
            faults.add(part, "BASE_TYPE_INVALID", said);
        }
        if bytes > FILE_BYTES {
            faults.add(
                &format!("files.{part}"),
                "BASE_TYPE_MAX_LENGTH",
                format!("Over {FILE_BYTES} bytes."),
            );
        }
    }
    if count > FILES {
        faults.add(
            "files",
            "BASE_TYPE_MAX_LENGTH",
            format!("Must be {FILES} or fewer in length."),
        );
    }
    faults.0
}

/// A form.
pub fn modal(body: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    let components = list(&body["components"]);
    if components.is_empty() || components.len() > ROWS {
        faults.add(
            "data.components",
            "BASE_TYPE_BAD_LENGTH",
            format!("Must be between 1 and {ROWS} in length."),
        );
    }
    let mut ids = BTreeSet::new();
    for (at, row) in components.iter().enumerate() {
        let place = format!("data.components.{at}");
        component(row, &place, &mut ids, &mut faults);
        let inside = list(&row["components"]);
        if row["type"] == 1 && (inside.len() != 1 || inside[0]["type"] != 4) {
            let said = "A form's row has one text input".to_owned();
            faults.add(&format!("{place}.components"), "BASE_TYPE_BAD_LENGTH", said);
        }
        let labelled = row["type"] == 18;
        let field = if labelled {
            &row["component"]
        } else {
            &inside.first().cloned().unwrap_or_default()
        };
        faults.longest(
            &format!("{place}.label"),
            if labelled { &row["label"] } else { &field["label"] },
            FIELD_LABEL,
        );
        if field["type"] != 4 {
            continue;
        }
        if !labelled {
            faults.needed(&format!("{place}.components.0.label"), &field["label"]);
        }
        let least = field["min_length"].as_u64().unwrap_or(0);
        let most = field["max_length"].as_u64().unwrap_or(FIELD_VALUE);
        let given = field["value"].as_str().map(|value| value.chars().count() as u64);
        if least > most || most > FIELD_VALUE || given.is_some_and(|given| given > most) {
            let said = format!("{least} to {most} characters, {given:?} given");
            faults.add(
                &format!("{place}.components.0.value"),
                "BASE_TYPE_BAD_LENGTH",
                said,
            );
        }
    }
    faults.0
}

/// A list of choices, as the answer to somebody's typing.
pub fn choices(choices: &[Value]) -> Vec<Fault> {
    let mut faults = Faults::default();
    if choices.len() > OPTIONS {
        faults.add(
            "data.choices",
            "BASE_TYPE_MAX_LENGTH",
            format!("Must be {OPTIONS} or fewer in length."),
        );
    }
    for (at, choice) in choices.iter().enumerate() {
        let place = |key: &str| format!("data.choices.{at}.{key}");
        faults.needed(&place("name"), &choice["name"]);
        faults.longest(&place("name"), &choice["name"], 100);
        faults.longest(&place("value"), &choice["value"], 100);
    }
    faults.0
}
