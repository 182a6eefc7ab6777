//! Buttons, menus and forms, as people use them.

use serde_json::{Map, Value, json};

use super::interaction::{COMMAND, COMPONENT, SUBMITTED};
use super::model::Modal;
use super::render;
use super::state::State;

/// Types of components.
const BUTTON: u64 = 2;
const MENU: u64 = 3;
const INPUT: u64 = 4;
const USERS: u64 = 5;
const ROLES: u64 = 6;
const MENTIONABLES: u64 = 7;
const CHANNELS: u64 = 8;

/// Everything that can be used, in the order in which it stands.
fn usable(components: &[Value]) -> Vec<&Value> {
    let mut found = Vec::new();
    for component in components {
        if component["custom_id"].is_string() || component["url"].is_string() {
            found.push(component);
        }
        found.extend(usable(
            component["components"].as_array().map_or(&[], Vec::as_slice),
        ));
        for key in ["accessory", "component"] {
            if component[key].is_object() {
                found.extend(usable(std::slice::from_ref(&component[key])));
            }
        }
    }
    found
}

fn words(component: &Value) -> &str {
    let text = |key: &str| component[key].as_str().filter(|text| !text.is_empty());
    text("label")
        .or(text("placeholder"))
        .or(component["emoji"]["name"].as_str())
        .unwrap_or_default()
}

fn find(components: &[Value], which: &str) -> Result<Value, String> {
    let all = usable(components);
    let found = all
        .iter()
        .find(|one| one["custom_id"] == which || words(one) == which);
    found.map(|one| (*one).clone()).ok_or_else(|| {
        let there: Vec<String> = all
            .iter()
            .map(|one| format!("{} “{}”", render::plain(&one["custom_id"]), words(one)))
            .collect();
        format!("there is no “{which}”; there are: {}", there.join(", "))
    })
}

impl State {
    /// Somebody presses a button or chooses in a menu of a message they see.
    pub(super) fn press(
        &mut self,
        user: &str,
        channel: &str,
        message: &str,
        which: &str,
        chosen: &[&str],
    ) -> Result<String, String> {
        let there = self.seen(user, channel, message)?;
        let component = find(&there.components, which)?;
        if component["disabled"] == true {
            return Err(format!("“{which}” is switched off"));
        }
        if component["url"].is_string() {
            return Err(format!("“{which}” is a link and tells the bot nothing"));
        }
        self.press_this(user, channel, message, &component, chosen)
    }

    /// The same with a component as it is, or once was.
    pub(super) fn press_this(
        &mut self,
        user: &str,
        channel: &str,
        message: &str,
        component: &Value,
        chosen: &[&str],
    ) -> Result<String, String> {
        let kind = component["type"].as_u64().unwrap_or(BUTTON);
        let mut data = json!({ "custom_id": component["custom_id"], "component_type": kind });
        if !component["id"].is_null() {
            data["id"] = component["id"].clone();
        }
        if kind == BUTTON && !chosen.is_empty() {
            return Err("a button is pressed, and nothing is chosen".to_owned());
        }
        if kind != BUTTON {
            let (values, resolved) = self.chosen(component, chosen)?;
            data["values"] = values;
            if !resolved.is_empty() {
                data["resolved"] = Value::Object(resolved);
            }
        }
        Ok(self.interact(COMPONENT, user, channel, data, Some(message)))
    }

    /// A message that this person sees.
    fn seen(&self, user: &str, channel: &str, id: &str) -> Result<&super::model::Message, String> {
        let there = self.channels.get(channel).ok_or("there is no such channel")?;
        if !self.sees(user, there) {
            return Err("they do not see this channel".to_owned());
        }
        let message = there.messages.get(id).ok_or("there is no such message")?;
        match message.only_for.as_deref().is_none_or(|only| only == user) {
            true => Ok(message),
            false => Err("somebody else sees this message, and only they".to_owned()),
        }
    }

    fn chosen(&self, menu: &Value, chosen: &[&str]) -> Result<(Value, Map<String, Value>), String> {
        let (least, most) = (
            menu["min_values"].as_u64().unwrap_or(1),
            menu["max_values"].as_u64().unwrap_or(1),
        );
        if (chosen.len() as u64) < least || (chosen.len() as u64) > most {
            return Err(format!(
                "{least} to {most} are chosen here, and not {}",
                chosen.len()
            ));
        }
        let mut resolved = Map::new();
        let mut add = |kind: &str, id: &str, what: Value| {
            resolved.entry(kind).or_insert_with(|| json!({}))[id] = what;
        };
        let mut values = Vec::new();
        for one in chosen {
            let value = match menu["type"].as_u64().unwrap_or(0) {
                MENU => option(menu, one)?,
                kind @ (USERS | MENTIONABLES) if self.users.contains_key(*one) || kind == USERS => {
                    if !self.users.contains_key(*one) {
                        return Err(format!("nobody has the id {one}"));
                    }
                    let (user, member) = self.resolved_user(one);
                    add("users", one, user);
                    if let Some(member) = member {
                        add("members", one, member);
                    }
                    (*one).to_owned()
                }
                ROLES | MENTIONABLES => {
                    let role = self
                        .roles
                        .get(*one)
                        .ok_or_else(|| format!("there is no role {one}"))?;
                    add("roles", one, super::shown::role(role));
                    (*one).to_owned()
                }
                CHANNELS => {
                    let channel = self
                        .channels
                        .get(*one)
                        .ok_or_else(|| format!("there is no channel {one}"))?;
                    let allowed = self.permissions(&self.app.bot_user, channel);
                    add("channels", one, self.partial_channel(channel, allowed));
                    (*one).to_owned()
                }
                other => return Err(format!("nothing is chosen in a component of type {other}")),
            };
            values.push(json!(value));
        }
        Ok((Value::Array(values), resolved))
    }

    /// Uses a command of a context menu, on a message or on a person.
    pub(super) fn use_on(
        &mut self,
        user: &str,
        name: &str,
        channel: &str,
        kind: u64,
        target: &str,
    ) -> Result<String, String> {
        let command = self.command_named(name, kind)?;
        self.may_use(user, command)?;
        let mut data = json!({ "id": command.id, "name": name, "type": kind, "target_id": target });
        if command.guild {
            data["guild_id"] = json!(self.guild.id);
        }
        if kind == 3 {
            let message = self.message_json(self.seen(user, channel, target)?);
            data["resolved"] = json!({ "messages": { target: message } });
        } else {
            let (whole, member) = self.resolved_user(target);
            data["resolved"] = json!({ "users": { target: whole } });
            if let Some(member) = member {
                data["resolved"]["members"] = json!({ target: member });
            }
        }
        Ok(self.interact(COMMAND, user, channel, data, None))
    }

    /// Sends a form with these fields filled, each named by its custom_id or its label.
    pub(super) fn submit(&mut self, user: &str, modal: &Modal, values: &Value) -> Result<String, String> {
        let open = self.modals.get(user).filter(|open| open.id == modal.id);
        let open = open.ok_or("this form is not open any more")?.clone();
        let mut left = values.as_object().cloned().unwrap_or_default();
        let rows = open.body["components"].as_array().cloned().unwrap_or_default();
        let mut out = Vec::new();
        for row in &rows {
            out.extend(self.row(row, &mut left)?);
        }
        if let Some(name) = left.keys().next() {
            return Err(format!(
                "the form has no field “{name}”:\n{}",
                render::modal(self, &open)
            ));
        }
        self.modals.remove(user);
        let data = json!({ "custom_id": open.body["custom_id"], "components": out });
        Ok(self.interact(SUBMITTED, user, &open.channel, data, open.message.as_deref()))
    }

    /// One row of a form as it is sent; text between the fields is not.
    fn row(&self, row: &Value, left: &mut Map<String, Value>) -> Result<Option<Value>, String> {
        let (field, label) = match row["type"].as_u64() {
            Some(1) => (&row["components"][0], row["components"][0]["label"].as_str()),
            Some(18) => (&row["component"], row["label"].as_str()),
            _ => return Ok(None),
        };
        let (id, label) = (
            field["custom_id"].as_str().unwrap_or_default(),
            label.unwrap_or_default(),
        );
        let given = left.remove(id).or_else(|| left.remove(label));
        let mut sent = json!({ "type": field["type"], "custom_id": id, "id": 2 });
        if field["type"] == INPUT {
            sent["value"] = json!(written(field, label, given)?);
        } else {
            let chosen: Vec<String> = match &given {
                Some(Value::Array(list)) => list.iter().map(render::plain).collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(one) => vec![render::plain(one)],
            };
            let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
            sent["values"] = match chosen.is_empty() && field["required"] == false {
                true => json!([]),
                false => {
                    self.chosen(field, &chosen)
                        .map_err(|why| format!("{label}: {why}"))?
                        .0
                }
            };
        }
        Ok(Some(match row["type"] == 1 {
            true => json!({ "type": 1, "id": 1, "components": [sent] }),
            false => json!({ "type": 18, "id": 1, "component": sent }),
        }))
    }
}

/// Text as it comes from a field; Discord's own client keeps to the field's limits.
fn written(field: &Value, label: &str, given: Option<Value>) -> Result<String, String> {
    let text = match given {
        Some(Value::Null) => String::new(),
        Some(given) => render::plain(&given),
        None => field["value"].as_str().unwrap_or_default().to_owned(),
    };
    let required = field["required"].as_bool().unwrap_or(true);
    if text.trim().is_empty() {
        return if required {
            Err(format!("“{label}” must be filled"))
        } else {
            Ok(text)
        };
    }
    let length = text.chars().count() as u64;
    let least = field["min_length"].as_u64().unwrap_or(0);
    let most = field["max_length"].as_u64().unwrap_or(4000);
    if length < least || length > most {
        return Err(format!(
            "“{label}” takes {least} to {most} characters, and not {length}"
        ));
    }
    if field["style"] == 1 && text.contains('\n') {
        return Err(format!("“{label}” is a single line"));
    }
    Ok(text)
}

fn option(menu: &Value, wanted: &str) -> Result<String, String> {
    let options = menu["options"].as_array().map_or(&[][..], Vec::as_slice);
    let found = options
        .iter()
        .find(|option| option["value"] == wanted || option["label"] == wanted);
    found
        .map(|option| render::plain(&option["value"]))
        .ok_or_else(|| {
            let there: Vec<&str> = options
                .iter()
                .filter_map(|option| option["label"].as_str())
                .collect();
            format!("there is no option {wanted}; there are: {}", there.join(", "))
        })
}
