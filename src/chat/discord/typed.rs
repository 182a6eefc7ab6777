//! Native commands: the table as Discord registers it, and what comes back as the line that somebody would have typed.
//! Pure.

use orderly_commands::{ArgKind, ArgSpec, CommandSpec, find, groups, head, members, partial, quoted, table};
use serde_json::{Value, json};

use super::incoming::SHORTCUTS;

/// Sub-command, group, and the types of options.
const SUB_COMMAND: u8 = 1;
const GROUP: u8 = 2;
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const BOOLEAN: u8 = 5;
const USER: u8 = 6;
/// Kinds of commands: typed, and of a message's menu.
const CHAT_INPUT: u8 = 1;
const MESSAGE: u8 = 3;
/// Where commands are offered: in a guild, not in direct messages.
const IN_GUILD: u8 = 0;

/// What stands for the command alone, which Discord does not take beside sub-commands: without options it opens the form,
/// or says where things stand in a room.
const BARE: &str = "open";

/// The incident, where it is not the one of the room.
const INCIDENT: &str = "incident";
const INCIDENT_SUMMARY: &str = "Which";

/// Commands that are about two incidents, or come before a room is used: these name the incident, whatever else they must
/// have. Others that must have something are typed in its room.
const NAMING: [&str; 4] = ["mark duplicate", "mark related", "runbook use", "set room"];

/// Groups of what is done in the incident's own room.
const HOME_GROUPS: [&str; 2] = ["postmortem ", "set "];

/// Everything that is registered: the command, and the entries of a message's menu.
pub fn commands(name: &str) -> Vec<Value> {
    let singles = table().iter().filter(|spec| spec.group().is_none());
    let mut options: Vec<Value> = singles.map(|spec| sub_command(spec, spec.path)).collect();
    options.extend(groups().iter().map(|group| {
        let inner: Vec<Value> = members(group)
            .map(|spec| sub_command(spec, spec.path.split(' ').next_back().unwrap_or(spec.path)))
            .collect();
        json!({ "type": GROUP, "name": group.name, "description": group.summary, "options": inner })
    }));
    let typed = json!({
        "type": CHAT_INPUT,
        "name": name,
        "description": "Incident response in order",
        "options": options,
        "contexts": [IN_GUILD],
        "integration_types": [0],
    });
    let menu = SHORTCUTS.iter().map(|(label, _)| {
        json!({ "type": MESSAGE, "name": label, "contexts": [IN_GUILD], "integration_types": [0] })
    });
    std::iter::once(typed).chain(menu).collect()
}

fn sub_command(spec: &CommandSpec, name: &str) -> Value {
    let mut options: Vec<Value> = spec.args.iter().map(option).collect();
    // Only where somebody may well stand in another room: each costs some of the 8,000 characters.
    let at_home = HOME_GROUPS.iter().any(|group| spec.path.starts_with(group));
    let names_it = NAMING.contains(&spec.path);
    let elsewhere = spec.scope == orderly_commands::Scope::Room && (!at_home || names_it);
    let has_place = !spec.args.iter().any(|arg| arg.required) || names_it;
    if elsewhere && has_place {
        options.push(json!({
            "type": STRING, "name": INCIDENT, "description": INCIDENT_SUMMARY, "required": false, "autocomplete": true,
        }));
    }
    json!({ "type": SUB_COMMAND, "name": name, "description": spec.summary, "options": options })
}

fn option(arg: &ArgSpec) -> Value {
    let mut option = json!({
        "type": kind(arg.kind),
        "name": arg.name,
        "description": arg.summary,
        "required": arg.required,
    });
    match arg.kind {
        ArgKind::Number { min, max } => {
            option["min_value"] = json!(min);
            option["max_value"] = json!(max);
        }
        kind => {
            if let Some(words) = kind.registered_choices() {
                option["choices"] = words
                    .iter()
                    .map(|word| json!({ "name": word, "value": word }))
                    .collect();
            } else if completed(kind) {
                option["autocomplete"] = json!(true);
            }
        }
    }
    option
}

/// A channel is text, in which Discord's client offers channels as well: it may be a platform, or a channel elsewhere.
fn kind(kind: ArgKind) -> u8 {
    match kind {
        ArgKind::Number { .. } => INTEGER,
        ArgKind::Flag => BOOLEAN,
        ArgKind::Person => USER,
        _ => STRING,
    }
}

/// Whether the bot knows what fits.
fn completed(kind: ArgKind) -> bool {
    matches!(
        kind,
        ArgKind::Role
            | ArgKind::Who
            | ArgKind::Process
            | ArgKind::Incident
            | ArgKind::Proposal
            | ArgKind::Task
            | ArgKind::Followup
            | ArgKind::Finding
            | ArgKind::Change
            | ArgKind::Page
            | ArgKind::Probe
            | ArgKind::Action
            | ArgKind::Target
            | ArgKind::Targets
            | ArgKind::Runbook
            | ArgKind::Step
    )
}

/// A command as it was picked: its path, and its options.
struct Picked<'a> {
    path: String,
    options: &'a [Value],
}

fn picked(data: &Value) -> Picked<'_> {
    let mut path = Vec::new();
    let mut options: &[Value] = options_of(data);
    while let [only] = options
        && matches!(only["type"].as_u64(), Some(1 | 2))
    {
        path.extend(only["name"].as_str());
        options = options_of(only);
    }
    Picked {
        path: path.join(" "),
        options,
    }
}

fn options_of(data: &Value) -> &[Value] {
    data["options"].as_array().map_or(&[], Vec::as_slice)
}

/// The line that somebody would have typed. `user` writes a user's id as people write that person.
pub fn line(data: &Value, user: &dyn Fn(&str) -> String) -> String {
    let picked = picked(data);
    if picked.path == BARE && picked.options.is_empty() {
        return String::new();
    }
    let words = picked
        .options
        .iter()
        .filter_map(|option| word(&picked.path, option, user));
    std::iter::once(picked.path.clone())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn word(path: &str, option: &Value, user: &dyn Fn(&str) -> String) -> Option<String> {
    let name = option["name"].as_str()?;
    let kind = find(path).and_then(|spec| spec.arg(name)).map(|arg| arg.kind);
    let value = &option["value"];
    Some(
        match option["type"].as_u64().and_then(|kind| u8::try_from(kind).ok())? {
            BOOLEAN => return (value == true).then(|| format!("--{name}")),
            INTEGER => format!("{name}={}", value.as_i64()?),
            USER => format!("{name}={}", quoted(&user(value.as_str()?))),
            _ => {
                let value = value.as_str()?;
                match kind {
                    // Written as they are: `key=value key="other value"`.
                    Some(ArgKind::Params) => value.to_owned(),
                    _ => format!("{name}={}", quoted(value)),
                }
            }
        },
    )
}

/// The line up to the value that is being typed, with it at the end.
pub struct Asked {
    pub line: String,
    /// Where the value begins.
    pub at: usize,
}

/// A command, written for people who type text, as they find it here: its path, since nothing else is registered, and what
/// is given as the options that Discord asks for.
pub fn picked_as(line: &str) -> String {
    if line.is_empty() {
        return BARE.to_owned();
    }
    let Some((incident, path, rest)) = head(line) else {
        return line.to_owned();
    };
    let Some((_, options)) = partial(line) else {
        // Words that stand for something (`approve <proposal>`) stay as they are.
        let incident = incident.map(|number| format!("{INCIDENT}:INC-{number}"));
        let words = [Some(path.to_owned()), incident, Some(rest.to_owned())];
        return words
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
            .trim_end()
            .to_owned();
    };
    let order = find(path).into_iter().flat_map(|spec| spec.args);
    let names = order.map(|arg| arg.name).chain([INCIDENT]);
    let given = names.filter_map(|name| Some(format!("{name}:{}", options.get(name)?)));
    std::iter::once(path.to_owned())
        .chain(given)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What is being typed into an option; `None` where nothing is.
pub fn asked(data: &Value, user: &dyn Fn(&str) -> String) -> Option<Asked> {
    let picked = picked(data);
    let focused = picked.options.iter().find(|option| option["focused"] == true)?;
    let name = focused["name"].as_str()?;
    let others = picked
        .options
        .iter()
        .filter(|option| option["focused"] != true)
        .filter_map(|option| word(&picked.path, option, user));
    let typed = focused["value"].as_str().unwrap_or_default();
    // A space would end the word; what stands before the first one narrows enough.
    let typed = typed.split_whitespace().next().unwrap_or_default();
    let mut line = std::iter::once(picked.path.clone())
        .chain(others)
        .collect::<Vec<_>>()
        .join(" ");
    line.push_str(&format!(" {name}="));
    let at = line.len();
    line.push_str(typed);
    Some(Asked { line, at })
}

/// What the intake completed, as Discord's choices.
pub fn choices(asked: &Asked, found: &[(String, String)]) -> Vec<Value> {
    const CHOICES_MAX: usize = 25;
    const CHOICE_MAX: usize = 100;
    found
        .iter()
        .filter_map(|(line, _)| {
            let value = line.get(asked.at..)?;
            let value = unquoted(value);
            let fits = !value.is_empty() && value.encode_utf16().count() <= CHOICE_MAX;
            fits.then(|| json!({ "name": value, "value": value }))
        })
        .take(CHOICES_MAX)
        .collect()
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}
