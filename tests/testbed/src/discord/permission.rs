//! Who may do what: Discord's bits, and how roles and overwrites make them up.

use super::model::Channel;
use super::state::State;

pub const MANAGE_CHANNELS: u64 = 1 << 4;
pub const ADD_REACTIONS: u64 = 1 << 6;
pub const VIEW_CHANNEL: u64 = 1 << 10;
pub const SEND_MESSAGES: u64 = 1 << 11;
pub const MANAGE_MESSAGES: u64 = 1 << 13;
pub const EMBED_LINKS: u64 = 1 << 14;
pub const ATTACH_FILES: u64 = 1 << 15;
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub const MENTION_EVERYONE: u64 = 1 << 17;
pub const MANAGE_ROLES: u64 = 1 << 28;
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
pub const MANAGE_THREADS: u64 = 1 << 34;
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// A permission of its own since 2026-02-23; MANAGE_MESSAGES no longer pins.
pub const PIN_MESSAGES: u64 = 1 << 51;
pub const ADMINISTRATOR: u64 = 1 << 3;

/// Every bit Discord gives out today.
pub const ALL: u64 = (1 << 53) - 1;

/// What a new guild lets everyone do.
pub const EVERYONE: u64 = ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | MENTION_EVERYONE
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | SEND_MESSAGES_IN_THREADS;

impl State {
    /// What a member may do in the guild, before any channel is looked at. Nothing for who is no member.
    pub(super) fn guild_permissions(&self, user: &str) -> u64 {
        let Some(member) = self.members.get(user) else {
            return 0;
        };
        if self.guild.owner == user {
            return ALL;
        }
        let roles = self
            .roles
            .values()
            .filter(|role| role.id == self.guild.id || member.roles.contains(&role.id));
        let sum = roles.fold(0, |sum, role| sum | role.permissions);
        if sum & ADMINISTRATOR != 0 { ALL } else { sum }
    }

    /// What a member may do in a channel; in a thread, what they may do in the channel above it.
    pub(super) fn permissions(&self, user: &str, channel: &Channel) -> u64 {
        if let Some(recipient) = &channel.recipient {
            let inside = recipient == user || self.app.bot_user == user;
            return if inside { EVERYONE } else { 0 };
        }
        let base = self.guild_permissions(user);
        if base & ADMINISTRATOR != 0 {
            return ALL;
        }
        let Some(member) = self.members.get(user) else {
            return 0;
        };
        let above = channel.thread.as_ref().and(channel.parent.as_ref());
        let ruled = above.and_then(|id| self.channels.get(id)).unwrap_or(channel);
        let of = |wanted: &dyn Fn(&str) -> bool| {
            let applying = ruled.overwrites.iter().filter(|overwrite| wanted(&overwrite.id));
            applying.fold((0, 0), |(allow, deny), one| (allow | one.allow, deny | one.deny))
        };
        let mut sum = base;
        for (allow, deny) in [
            of(&|id| id == self.guild.id),
            of(&|id| member.roles.contains(id)),
            of(&|id| id == user),
        ] {
            sum = sum & !deny | allow;
        }
        if sum & VIEW_CHANNEL == 0 {
            return 0;
        }
        let private = channel.thread.as_ref().is_some_and(|thread| thread.private);
        let in_thread = channel
            .thread
            .as_ref()
            .is_some_and(|thread| thread.members.contains(user));
        if private && !in_thread && sum & MANAGE_THREADS == 0 {
            return 0;
        }
        sum
    }
}
