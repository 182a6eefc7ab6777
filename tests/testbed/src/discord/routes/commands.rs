//! The app's commands, global and of the guild.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Route, bot, paced};
use crate::discord::asked::Asked;
use crate::discord::check_command;
use crate::discord::fail::{
    Fault, Result, TOO_MANY_COMMANDS, TOO_MANY_COMMANDS_TODAY, UNKNOWN_APPLICATION, UNKNOWN_COMMAND,
};
use crate::discord::limits::{self, Rate};
use crate::discord::model::Command;
use crate::discord::state::State;

/// Typed commands, and of each context menu; made in a day.
const TYPED: usize = 100;
const OF_A_MENU: usize = 15;
const A_DAY: usize = 200;
const DAY: Duration = Duration::from_secs(86_400);

const GLOBAL: &str = "/applications/{application_id}/commands";
const GLOBAL_ONE: &str = "/applications/{application_id}/commands/{command_id}";
const GUILD: &str = "/applications/{application_id}/guilds/{guild_id}/commands";
const GUILD_ONE: &str = "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}";

const RATE: Rate = limits::ORDINARY;

pub const ROUTES: &[Route] = &[
    paced(RATE, bot("list_application_commands", "GET", GLOBAL, list)),
    bot("bulk_set_application_commands", "PUT", GLOBAL, replace),
    bot("create_application_command", "POST", GLOBAL, create),
    bot("get_application_command", "GET", GLOBAL_ONE, get),
    bot("update_application_command", "PATCH", GLOBAL_ONE, update),
    bot("delete_application_command", "DELETE", GLOBAL_ONE, delete),
    bot("list_guild_application_commands", "GET", GUILD, list),
    bot("bulk_set_guild_application_commands", "PUT", GUILD, replace),
    bot("create_guild_application_command", "POST", GUILD, create),
    bot("get_guild_application_command", "GET", GUILD_ONE, get),
    bot("update_guild_application_command", "PATCH", GUILD_ONE, update),
    bot("delete_guild_application_command", "DELETE", GUILD_ONE, delete),
];

/// Whether the path means the guild's commands.
fn scope(state: &State, asked: &Asked) -> Result<bool> {
    if asked.place("application_id") != state.app.id {
        return Err(UNKNOWN_APPLICATION.into());
    }
    match asked.places.contains_key("guild_id") {
        true => super::guild::there(state, asked).map(|()| true),
        false => Ok(false),
    }
}

fn list(state: &mut State, asked: &Asked) -> Result<Value> {
    let guild = scope(state, asked)?;
    let all = state.commands.values().filter(|command| command.guild == guild);
    let translated = asked
        .query
        .get("with_localizations")
        .is_some_and(|with| with == "true");
    Ok(all
        .map(|command| {
            let mut out = state.command_json(command);
            if !translated {
                bare(&mut out);
            }
            out
        })
        .collect())
}

/// Without being asked for them, the list has no translations.
fn bare(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !key.ends_with("_localizations"));
            object.values_mut().for_each(bare);
        }
        Value::Array(list) => list.iter_mut().for_each(bare),
        _ => {}
    }
}

fn holds(state: &mut State, body: &Value, at: &str) -> Result<()> {
    let faults: Vec<Fault> = check_command::command(body, at);
    state.form_holds("commands", &faults)
}

/// All commands at once: what is not in the list goes. Only what is new counts for the day.
fn replace(state: &mut State, asked: &Asked) -> Result<Value> {
    let guild = scope(state, asked)?;
    let bodies = asked.body.as_array().cloned().unwrap_or_default();
    for (at, body) in bodies.iter().enumerate() {
        holds(state, body, &at.to_string())?;
    }
    let mut names: Vec<(u64, &str)> = bodies
        .iter()
        .map(|body| {
            (
                body["type"].as_u64().unwrap_or(1),
                body["name"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        let said = "Application command names must be unique".to_owned();
        let fault = (String::new(), "APPLICATION_COMMANDS_DUPLICATE_NAME", said);
        return state.form_holds("commands", &[fault]).map(|()| Value::Null);
    }
    most(&names.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())?;
    let old: Vec<Command> = state
        .commands
        .values()
        .filter(|command| command.guild == guild)
        .cloned()
        .collect();
    let known = |kind: u64, name: &str| {
        old.iter()
            .find(|command| command.kind() == kind && command.name() == name)
    };
    let new = names
        .iter()
        .filter(|(kind, name)| known(*kind, name).is_none())
        .count();
    made(state, new)?;
    state.commands.retain(|_, command| command.guild != guild);
    for body in &bodies {
        let kept = known(
            body["type"].as_u64().unwrap_or(1),
            body["name"].as_str().unwrap_or_default(),
        );
        put(state, guild, body, kept);
    }
    list(state, asked)
}

fn most(kinds: &[u64]) -> Result<()> {
    let of = |kind: u64| kinds.iter().filter(|one| **one == kind).count();
    match of(1) > TYPED || of(2) > OF_A_MENU || of(3) > OF_A_MENU {
        true => Err(TOO_MANY_COMMANDS.into()),
        false => Ok(()),
    }
}

/// Counts new commands for the day.
fn made(state: &mut State, count: usize) -> Result<()> {
    let now = state.now;
    state.commands_made.retain(|at| *at + DAY > now);
    if state.commands_made.len() + count > A_DAY {
        return Err(TOO_MANY_COMMANDS_TODAY.into());
    }
    state.commands_made.extend(std::iter::repeat_n(now, count));
    Ok(())
}

/// Keeps a command. One that was there keeps its id, and its version too where nothing changed.
fn put(state: &mut State, guild: bool, body: &Value, kept: Option<&Command>) -> String {
    let id = kept.map_or_else(|| state.id(), |kept| kept.id.clone());
    let same = kept
        .filter(|kept| kept.body == *body)
        .map(|kept| kept.version.clone());
    let version = same.unwrap_or_else(|| state.id());
    let command = Command {
        id: id.clone(),
        guild,
        version,
        body: body.clone(),
    };
    state.commands.insert(id.clone(), command);
    id
}

/// Makes a command, or replaces the one of the same name.
fn create(state: &mut State, asked: &Asked) -> Result<Value> {
    let guild = scope(state, asked)?;
    holds(state, &asked.body, "")?;
    let kind = asked.body["type"].as_u64().unwrap_or(1);
    let name = asked.text("name").unwrap_or_default();
    let there = state.commands.values().filter(|command| command.guild == guild);
    let mut kinds: Vec<u64> = there.clone().map(Command::kind).collect();
    let old = there
        .clone()
        .find(|command| command.kind() == kind && command.name() == name)
        .cloned();
    if old.is_none() {
        kinds.push(kind);
        most(&kinds)?;
        made(state, 1)?;
    }
    let id = put(state, guild, &asked.body, old.as_ref());
    Ok(state.command_json(&state.commands[&id]))
}

fn one<'a>(state: &'a State, asked: &Asked) -> Result<&'a Command> {
    let guild = scope(state, asked)?;
    let command = state.commands.get(asked.place("command_id"));
    Ok(command
        .filter(|command| command.guild == guild)
        .ok_or(UNKNOWN_COMMAND)?)
}

fn get(state: &mut State, asked: &Asked) -> Result<Value> {
    Ok(state.command_json(one(state, asked)?))
}

fn update(state: &mut State, asked: &Asked) -> Result<Value> {
    let old = one(state, asked)?.clone();
    let mut body = old.body.clone();
    for (key, value) in asked.body.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    holds(state, &body, "")?;
    let id = put(state, old.guild, &body, Some(&old));
    Ok(state.command_json(&state.commands[&id]))
}

fn delete(state: &mut State, asked: &Asked) -> Result<Value> {
    let id = one(state, asked)?.id.clone();
    state.commands.remove(&id);
    Ok(json!(null))
}
