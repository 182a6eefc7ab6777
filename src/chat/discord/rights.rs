//! Who may do what, as roles and overwrites make it up. Pure.

use serde_json::Value;

use super::manifest::{PERMISSIONS, allow};

/// May everything, everywhere.
pub const ADMINISTRATOR: u64 = 1 << 3;

/// A number that travels as text; the contract knows it as a number.
pub fn bits(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    text.or_else(|| value.as_u64()).unwrap_or_default()
}

fn holds(member: &Value, role: &str) -> bool {
    let mut held = member["roles"].as_array().into_iter().flatten();
    held.any(|held| held == role)
}

/// What a member may do in the whole server.
pub fn in_server(roles: &Value, member: &Value, guild: &str) -> u64 {
    let roles = roles.as_array().into_iter().flatten();
    roles
        .filter(|role| {
            role["id"]
                .as_str()
                .is_some_and(|id| id == guild || holds(member, id))
        })
        .fold(0, |all, role| all | bits(&role["permissions"]))
}

/// A channel in the list of the server's.
pub fn channel<'a>(channels: &'a Value, id: &str) -> Option<&'a Value> {
    channels.as_array()?.iter().find(|channel| channel["id"] == id)
}

/// What is left of it in a channel: everybody's overwrite, then the roles' together, then the member's own.
pub fn in_channel(server: u64, channel: &Value, member: &Value, user: &str, guild: &str) -> u64 {
    if server & ADMINISTRATOR != 0 {
        return u64::MAX;
    }
    let overwrites: Vec<&Value> = channel["permission_overwrites"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let of = |id: &str| {
        overwrites
            .iter()
            .filter(move |one| one["id"] == id)
            .copied()
            .collect::<Vec<_>>()
    };
    let by_roles: Vec<&Value> = overwrites
        .iter()
        .filter(|one| {
            one["id"]
                .as_str()
                .is_some_and(|id| id != guild && holds(member, id))
        })
        .copied()
        .collect();
    let mut may = server;
    for layer in [of(guild), by_roles, of(user)] {
        let denied = layer.iter().fold(0, |all, one| all | bits(&one["deny"]));
        let allowed = layer.iter().fold(0, |all, one| all | bits(&one["allow"]));
        may = (may & !denied) | allowed;
    }
    // Who cannot see it can do nothing there.
    if may & allow::VIEW_CHANNEL == 0 { 0 } else { may }
}

/// What is missing of these, as Discord names it.
pub fn missing(has: u64, wanted: u64) -> Vec<&'static str> {
    let lacking = PERMISSIONS.iter().filter(|(bit, ..)| wanted & bit & !has != 0);
    lacking.map(|(_, name, _)| *name).collect()
}
