//! What somebody types into a command, read as Discord's own client reads it: against the commands registered.

use serde_json::{Map, Value, json};

use super::model::{Attachment, Command};
use super::render;
use super::state::State;

/// Types of options.
const SUB_COMMAND: u64 = 1;
const GROUP: u64 = 2;
const STRING: u64 = 3;
const INTEGER: u64 = 4;
const BOOLEAN: u64 = 5;
const USER: u64 = 6;
const CHANNEL: u64 = 7;
const ROLE: u64 = 8;
const MENTIONABLE: u64 = 9;
const NUMBER: u64 = 10;
const ATTACHMENT: u64 = 11;

/// What was typed, as far as it is to be read: the words of the command, and its options by name.
#[derive(Debug, Clone)]
pub struct Typed {
    words: Vec<String>,
    options: Vec<(String, Value)>,
    /// The option in which the cursor stands, if its choices are asked for.
    pub focused: Option<String>,
}

/// Everything that values name, as the interaction shows it.
#[derive(Default)]
struct Resolved(Map<String, Value>);

impl Resolved {
    fn add(&mut self, kind: &str, id: &str, what: Value) {
        self.0.entry(kind).or_insert_with(|| json!({}))[id] = what;
    }
}

impl State {
    /// Reads `/incident open summary:Orders hang severity:sev1`.
    pub(super) fn typed(&self, line: &str) -> Result<Typed, String> {
        let rest = line.strip_prefix('/').ok_or("a command begins with a slash")?;
        let mut words = Vec::new();
        let mut rest = rest.trim();
        let mut options: Vec<Value> = Vec::new();
        loop {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let branch = match words.is_empty() {
                true => self.command_named(word, 1)?.body["options"].clone(),
                false => named(&options, word, &words)?["options"].clone(),
            };
            words.push(word.to_owned());
            options = branch.as_array().cloned().unwrap_or_default();
            rest = after.trim_start();
            if !options.iter().any(is_branch) {
                break;
            }
        }
        Ok(Typed {
            options: values(rest, &options, &words)?,
            words,
            focused: None,
        })
    }

    /// The same from its parts: `incident open`, `{"summary": "Orders hang"}`.
    pub(super) fn given(path: &str, options: &Value) -> Typed {
        let options = options.as_object().into_iter().flatten();
        Typed {
            words: path
                .trim_start_matches('/')
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            options: options
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            focused: None,
        }
    }

    /// The command that people find under this name: the guild's own before the global one.
    pub(super) fn command_named(&self, name: &str, kind: u64) -> Result<&Command, String> {
        let mut all: Vec<&Command> = self
            .commands
            .values()
            .filter(|command| command.kind() == kind)
            .collect();
        all.sort_by_key(|command| !command.guild);
        let found = all.iter().find(|command| command.name() == name).copied();
        found.ok_or_else(|| {
            let there: Vec<&str> = all.iter().map(|command| command.name()).collect();
            format!("there is no command {name}; registered are: {}", there.join(", "))
        })
    }

    /// The interaction's data. Options that are not registered, or do not fit, are an error: Discord's client does not
    /// send them.
    pub(super) fn command_data(
        &self,
        user: &str,
        typed: &Typed,
        file: Option<(&str, &Attachment)>,
    ) -> Result<Value, String> {
        let first = typed.words.first().ok_or("no command was named")?;
        let command = self.command_named(first, 1)?;
        self.may_use(user, command)?;
        let mut options = command.body["options"].as_array().cloned().unwrap_or_default();
        let mut branches = Vec::new();
        for (at, word) in typed.words.iter().enumerate().skip(1) {
            let branch = named(&options, word, &typed.words[..at])?;
            branches.push((word.clone(), branch["type"].clone()));
            options = branch["options"].as_array().cloned().unwrap_or_default();
        }
        if options.iter().any(is_branch) {
            return Err(format!(
                "/{} has sub-commands: {}",
                typed.words.join(" "),
                names(&options)
            ));
        }
        let mut resolved = Resolved::default();
        let mut given = self.filled(typed, &options, &mut resolved)?;
        if let Some((option, file)) = file {
            let kind = named(&options, option, &typed.words)?["type"].as_u64();
            if kind != Some(ATTACHMENT) {
                return Err(format!("{option} takes no file"));
            }
            given.push(json!({ "name": option, "type": ATTACHMENT, "value": file.id }));
            resolved.add(
                "attachments",
                &file.id,
                self.attachment_json(&file.id).unwrap_or_default(),
            );
        }
        if typed.focused.is_none() {
            for option in options.iter().filter(|option| option["required"] == true) {
                if !given.iter().any(|there| there["name"] == option["name"]) {
                    return Err(format!("/{} needs {}", typed.words.join(" "), option["name"]));
                }
            }
        }
        let mut inside = given;
        for (name, kind) in branches.into_iter().rev() {
            inside = vec![json!({ "name": name, "type": kind, "options": inside })];
        }
        let mut data = json!({ "id": command.id, "name": command.name(), "type": 1 });
        if !inside.is_empty() {
            data["options"] = Value::Array(inside);
        }
        if command.guild {
            data["guild_id"] = json!(self.guild.id);
        }
        if !resolved.0.is_empty() {
            data["resolved"] = Value::Object(resolved.0);
        }
        Ok(data)
    }

    /// Whether a command is offered to somebody.
    pub(super) fn may_use(&self, user: &str, command: &Command) -> Result<(), String> {
        let wanted = render::plain(&command.body["default_member_permissions"])
            .parse::<u64>()
            .ok();
        let has = self.guild_permissions(user);
        match wanted {
            Some(wanted)
                if has & wanted != wanted || (wanted == 0 && has & super::permission::ADMINISTRATOR == 0) =>
            {
                Err(format!(
                    "/{} is not offered to them: default_member_permissions",
                    command.name()
                ))
            }
            _ => Ok(()),
        }
    }

    fn filled(
        &self,
        typed: &Typed,
        options: &[Value],
        resolved: &mut Resolved,
    ) -> Result<Vec<Value>, String> {
        let mut out = Vec::new();
        for (name, value) in &typed.options {
            let option = named(options, name, &typed.words)?;
            let focused = typed.focused.as_ref() == Some(name);
            if focused && option["autocomplete"] != true {
                return Err(format!("{name} is not registered with autocomplete"));
            }
            // What is being typed is text, whatever it becomes.
            let value = if focused {
                json!(render::plain(value))
            } else {
                self.value(option, value, resolved)?
            };
            let mut filled = json!({ "name": name, "type": option["type"], "value": value });
            if focused {
                filled["focused"] = json!(true);
            }
            out.push(filled);
        }
        Ok(out)
    }

    /// One option's value as Discord sends it.
    fn value(&self, option: &Value, typed: &Value, resolved: &mut Resolved) -> Result<Value, String> {
        let name = option["name"].as_str().unwrap_or_default();
        let text = render::plain(typed);
        if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
            let meant = choices
                .iter()
                .find(|one| one["name"] == text || render::plain(&one["value"]) == text);
            return meant.map(|choice| choice["value"].clone()).ok_or_else(|| {
                let there: Vec<&str> = choices.iter().filter_map(|one| one["name"].as_str()).collect();
                format!("{name} has no choice {text}; there are: {}", there.join(", "))
            });
        }
        let refused = |why: &str| Err(format!("{name} does not take {text}: {why}"));
        match option["type"].as_u64().unwrap_or(0) {
            STRING => {
                let length = text.chars().count() as u64;
                let most = option["max_length"].as_u64().unwrap_or(6000);
                match length < option["min_length"].as_u64().unwrap_or(0) || length > most {
                    true => refused("its length"),
                    false => Ok(json!(text)),
                }
            }
            kind @ (INTEGER | NUMBER) => {
                let Ok(number) = text.parse::<f64>() else {
                    return refused("no number");
                };
                let low = option["min_value"].as_f64().is_some_and(|least| number < least);
                let high = option["max_value"].as_f64().is_some_and(|most| number > most);
                match (low || high, kind, text.parse::<i64>()) {
                    (true, ..) => refused("out of its range"),
                    (_, INTEGER, Ok(whole)) => Ok(json!(whole)),
                    (_, INTEGER, Err(_)) => refused("no whole number"),
                    _ => Ok(json!(number)),
                }
            }
            BOOLEAN => match text.to_ascii_lowercase().as_str() {
                "true" => Ok(json!(true)),
                "false" => Ok(json!(false)),
                _ => refused("True or False"),
            },
            USER => self.user_value(&text, resolved).or_else(|why| refused(&why)),
            ROLE => self.role_value(&text, resolved).or_else(|why| refused(&why)),
            MENTIONABLE => self
                .user_value(&text, resolved)
                .or_else(|_| self.role_value(&text, resolved))
                .or_else(|why| refused(&why)),
            CHANNEL => self
                .channel_value(option, &text, resolved)
                .or_else(|why| refused(&why)),
            _ => refused("give a file with types_with_file"),
        }
    }

    fn user_value(&self, text: &str, resolved: &mut Resolved) -> Result<Value, String> {
        let id = text.trim_start_matches("<@").trim_end_matches('>');
        let name = text.trim_start_matches('@');
        let found = self
            .users
            .values()
            .find(|user| user.id == id || user.name == name);
        let user = found.ok_or("nobody of this name is here")?;
        let (whole, member) = self.resolved_user(&user.id);
        resolved.add("users", &user.id, whole);
        if let Some(member) = member {
            resolved.add("members", &user.id, member);
        }
        Ok(json!(user.id))
    }

    /// A user, and the member without the user, as `resolved` has them.
    pub(super) fn resolved_user(&self, id: &str) -> (Value, Option<Value>) {
        let member = self.members.get(id).map(|member| {
            let mut out = self.member_json(member);
            out["permissions"] = json!(self.guild_permissions(id).to_string());
            for key in ["user", "deaf", "mute"] {
                out.as_object_mut().map(|out| out.remove(key));
            }
            out
        });
        (self.user_json(id), member)
    }

    fn role_value(&self, text: &str, resolved: &mut Resolved) -> Result<Value, String> {
        let id = text.trim_start_matches("<@&").trim_end_matches('>');
        let name = text.trim_start_matches('@');
        let found = self
            .roles
            .values()
            .find(|role| role.id == id || role.name.trim_start_matches('@') == name);
        let role = found.ok_or("there is no such role")?;
        resolved.add("roles", &role.id, super::shown::role(role));
        Ok(json!(role.id))
    }

    fn channel_value(&self, option: &Value, text: &str, resolved: &mut Resolved) -> Result<Value, String> {
        let id = text.trim_start_matches("<#").trim_end_matches('>');
        let name = text.trim_start_matches('#');
        let found = self
            .channels
            .values()
            .find(|channel| channel.id == id || channel.name == name);
        let channel = found.ok_or("there is no such channel")?;
        let kinds = option["channel_types"].as_array();
        if kinds.is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&json!(channel.kind as u64))) {
            return Err("this kind of channel is not offered".to_owned());
        }
        let allowed = self.permissions(&self.app.bot_user, channel);
        resolved.add("channels", &channel.id, self.partial_channel(channel, allowed));
        Ok(json!(channel.id))
    }
}

fn is_branch(option: &Value) -> bool {
    matches!(option["type"].as_u64(), Some(SUB_COMMAND | GROUP))
}

fn names(options: &[Value]) -> String {
    let names: Vec<&str> = options
        .iter()
        .filter_map(|option| option["name"].as_str())
        .collect();
    names.join(", ")
}

fn named<'a>(options: &'a [Value], name: &str, words: &[String]) -> Result<&'a Value, String> {
    let found = options.iter().find(|option| option["name"] == name);
    found.ok_or_else(|| {
        let there = names(options);
        format!("/{} has no “{name}”; registered are: {there}", words.join(" "))
    })
}

/// `name:value` pairs; a value goes on until the next registered name.
fn values(text: &str, options: &[Value], words: &[String]) -> Result<Vec<(String, Value)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let pair = piece
            .split_once(':')
            .filter(|(name, _)| options.iter().any(|option| option["name"] == *name));
        match (pair, found.last_mut()) {
            (Some((name, value)), _) => found.push((name.to_owned(), value.to_owned())),
            (None, Some((_, value))) => value.push_str(piece),
            (None, None) if piece.trim().is_empty() => {}
            (None, None) => {
                let name = piece.split(':').next().unwrap_or_default().trim();
                named(options, name, words)?;
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(name, value)| (name, json!(value.trim())))
        .collect())
}

impl Typed {
    /// The cursor stands in the last option.
    pub(super) fn focus_last(&mut self) -> Result<(), String> {
        let last = self
            .options
            .last()
            .ok_or("nothing is being typed: the line ends in `option:beginning`")?;
        self.focused = Some(last.0.clone());
        Ok(())
    }
}
