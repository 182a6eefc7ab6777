//! What people typed and chose in blocks, as Slack reports it.

use serde_json::{Map, Value, json};

use super::model::View;

/// An element that somebody can use, and where it stands.
#[derive(Debug, Clone)]
pub struct Place {
    pub block_id: String,
    pub element: Value,
    /// The label of its input block, if it stands in one.
    pub label: Option<String>,
    pub optional: bool,
    /// Whether using it tells the bot at once: not in an input block, unless that asks for it.
    pub dispatches: bool,
}

impl Place {
    pub fn action_id(&self) -> &str {
        self.element["action_id"].as_str().unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self.element["type"].as_str().unwrap_or_default()
    }

    /// The words on it.
    fn words(&self) -> Option<&str> {
        let element = &self.element;
        self.label
            .as_deref()
            .or(element["text"]["text"].as_str())
            .or(element["placeholder"]["text"].as_str())
    }

    /// Whether a test means this one: by action id, block id, or what stands on it.
    fn is(&self, which: &str) -> bool {
        self.action_id() == which || self.block_id == which || self.words() == Some(which)
    }

    /// Buttons and menus keep nothing.
    fn keeps_state(&self) -> bool {
        !matches!(
            self.kind(),
            "button" | "overflow" | "workflow_button" | "icon_button" | "feedback_buttons"
        )
    }
}

impl Place {
    /// An element as some message once had it.
    pub fn of_old(block_id: &str, element: Value) -> Self {
        Self {
            block_id: block_id.to_owned(),
            element,
            label: None,
            optional: false,
            dispatches: true,
        }
    }
}

/// Everything in the blocks that can be used.
pub fn places(blocks: &[Value]) -> Vec<Place> {
    let mut found = Vec::new();
    for block in blocks {
        let input = block["type"] == "input";
        let mut add = |element: &Value| {
            let usable = element["action_id"].is_string();
            if usable {
                found.push(Place {
                    block_id: block["block_id"].as_str().unwrap_or_default().to_owned(),
                    element: element.clone(),
                    label: block["label"]["text"]
                        .as_str()
                        .filter(|_| input)
                        .map(str::to_owned),
                    optional: block["optional"] == true,
                    dispatches: !input || block["dispatch_action"] == true,
                });
            }
        };
        add(&block["element"]);
        add(&block["accessory"]);
        block["elements"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(&mut add);
    }
    found
}

/// The place that a test means. The error lists what there is.
pub fn find(blocks: &[Value], which: &str) -> Result<Place, String> {
    let all = places(blocks);
    if let Some(place) = all.iter().find(|place| place.is(which)) {
        return Ok(place.clone());
    }
    let there: Vec<String> = all
        .iter()
        .map(|place| format!("{} “{}”", place.action_id(), place.words().unwrap_or_default()))
        .collect();
    Err(format!("there is no “{which}”; there are: {}", there.join(", ")))
}

/// Every option of a menu, grouped or not.
fn options(element: &Value) -> Vec<&Value> {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    element["options"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(grouped)
        .collect()
}

/// An option by its value or by its words.
fn option(element: &Value, wanted: &Value) -> Result<Value, String> {
    if wanted.is_object()
        || element["type"]
            .as_str()
            .is_some_and(|kind| kind.contains("external"))
    {
        return Ok(match wanted {
            Value::String(value) => {
                json!({ "text": { "type": "plain_text", "text": value, "emoji": true }, "value": value })
            }
            whole => whole.clone(),
        });
    }
    let all = options(element);
    let found = all
        .iter()
        .find(|option| option["value"] == *wanted || option["text"]["text"] == *wanted);
    found.map(|option| (*option).clone()).ok_or_else(|| {
        let there: Vec<&str> = all.iter().filter_map(|option| option["value"].as_str()).collect();
        format!("there is no option {wanted}; there are: {}", there.join(", "))
    })
}

/// The name under which an element's state is reported, and under which its first state is set.
fn fields(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "static_select" | "external_select" | "radio_buttons" | "overflow" => {
            ("selected_option", "initial_option")
        }
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            ("selected_options", "initial_options")
        }
        "users_select" => ("selected_user", "initial_user"),
        "multi_users_select" => ("selected_users", "initial_users"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "multi_conversations_select" => ("selected_conversations", "initial_conversations"),
        "channels_select" => ("selected_channel", "initial_channel"),
        "multi_channels_select" => ("selected_channels", "initial_channels"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        "datetimepicker" => ("selected_date_time", "initial_date_time"),
        "rich_text_input" => ("rich_text_value", "initial_value"),
        "file_input" => ("files", "initial_files"),
        _ => ("value", "initial_value"),
    }
}

/// What Slack reports of an element nobody has touched.
fn untouched(element: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let (field, initial) = fields(kind);
    let many = field.ends_with('s') && field != "files";
    let value = match &element[initial] {
        Value::Null if many || kind == "file_input" => json!([]),
        value => value.clone(),
    };
    json!({ "type": kind, field: value })
}

/// What Slack reports once somebody chose or typed this: text, an option's value or words, an id, a date, or a list.
pub fn touched(element: &Value, value: &Value) -> Result<Value, String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let (field, _) = fields(kind);
    let value = match field {
        "selected_option" if !value.is_null() => option(element, value)?,
        "selected_options" => {
            let chosen = value.as_array().ok_or("several are chosen here: give a list")?;
            Value::Array(
                chosen
                    .iter()
                    .map(|one| option(element, one))
                    .collect::<Result<_, _>>()?,
            )
        }
        "value" => typed(element, value)?,
        _ => value.clone(),
    };
    Ok(json!({ "type": kind, field: value }))
}

/// Text as it comes from a field; Slack's own client keeps to the field's limits.
fn typed(element: &Value, value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::Null => return Ok(Value::Null),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let characters = text.chars().count() as u64;
    let (least, most) = (element["min_length"].as_u64(), element["max_length"].as_u64());
    if least.is_some_and(|least| characters < least) || characters > most.unwrap_or(3000) {
        return Err(format!("Slack does not take {characters} characters here"));
    }
    Ok(if text.is_empty() {
        Value::Null
    } else {
        Value::String(text)
    })
}

fn is_empty(state: &Value) -> bool {
    let object = state.as_object();
    let value = object
        .and_then(|object| object.iter().find(|(key, _)| *key != "type"))
        .map(|(_, value)| value);
    value.is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
}

fn blocks_of(view: &View) -> Vec<Value> {
    view.body["blocks"].as_array().cloned().unwrap_or_default()
}

/// Gives every element of a view its first state, keeps what was typed where block and action are still there,
/// and forgets the rest.
pub fn fill_initial(view: &mut View) {
    let old = std::mem::take(&mut view.values);
    for place in places(&blocks_of(view))
        .iter()
        .filter(|place| place.keeps_state())
    {
        let known = old
            .get(&place.block_id)
            .and_then(|actions| actions.get(place.action_id()));
        let same = known.filter(|known| known["type"] == place.element["type"]);
        let state = same.cloned().unwrap_or_else(|| untouched(&place.element));
        let actions = view.values.entry(place.block_id.clone()).or_default();
        actions.insert(place.action_id().to_owned(), state);
    }
}

/// Somebody fills a field of a view.
pub fn fill(view: &mut View, which: &str, value: &Value) -> Result<Place, String> {
    let place = find(&blocks_of(view), which)?;
    let state = touched(&place.element, value)?;
    if place.keeps_state() {
        let actions = view.values.entry(place.block_id.clone()).or_default();
        actions.insert(place.action_id().to_owned(), state);
    }
    Ok(place)
}

/// The labels of fields that must be filled and are not: Slack's client does not send the form.
pub fn unfilled(view: &View) -> Vec<String> {
    let empty = |place: &Place| {
        let state = view
            .values
            .get(&place.block_id)
            .and_then(|actions| actions.get(place.action_id()));
        state.is_none_or(is_empty)
    };
    places(&blocks_of(view))
        .into_iter()
        .filter(|place| place.label.is_some() && !place.optional && empty(place))
        .filter_map(|place| place.label)
        .collect()
}

/// The state of a message's elements, some of them used.
pub fn message_state(blocks: &[Value], used: &[(Place, Value)]) -> Value {
    let mut values = Map::new();
    for place in places(blocks).iter().filter(|place| place.keeps_state()) {
        let this = |used: &&(Place, Value)| {
            used.0.block_id == place.block_id && used.0.action_id() == place.action_id()
        };
        let state = used
            .iter()
            .find(this)
            .map_or_else(|| untouched(&place.element), |(_, state)| state.clone());
        let block = values.entry(place.block_id.clone()).or_insert_with(|| json!({}));
        block[place.action_id()] = state;
    }
    json!({ "values": values })
}

/// One of a block_actions payload's actions.
pub fn action(used: &Place, state: &Value, ts: &str) -> Value {
    let mut action = json!({
        "type": used.kind(), "action_id": used.action_id(), "block_id": used.block_id, "action_ts": ts,
    });
    for key in ["text", "value", "style", "placeholder", "confirm"] {
        if !used.element[key].is_null() {
            action[key] = used.element[key].clone();
        }
    }
    if used.kind() != "button" {
        for (key, value) in state.as_object().into_iter().flatten() {
            action[key] = value.clone();
        }
    }
    action
}
