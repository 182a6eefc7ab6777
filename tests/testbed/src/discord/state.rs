//! The guild's state: what there is, what time it is, and what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::fail::{MISSING_ACCESS, MISSING_PERMISSIONS, Result, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE};
use super::faults::Faults;
use super::gateway::Gateway;
use super::interaction::Interaction;
use super::limits::Limits;
use super::model::{
    Attachment, Channel, ChannelKind, Command, Guild, Member, Message, Modal, Overwrite, Role, User,
};
use super::permission::{self, VIEW_CHANNEL};

/// Discord counts its ids from the first second of 2015.
const EPOCH: Duration = Duration::from_secs(1_420_070_400);

/// The intents that must be switched on in the developer portal: presences, members, message content.
pub const GUILD_MEMBERS: u64 = 1 << 1;
pub const GUILD_PRESENCES: u64 = 1 << 8;
pub const MESSAGE_CONTENT: u64 = 1 << 15;

/// A call of the API, as it arrived and as it was answered.
#[derive(Debug, Clone)]
pub struct Call {
    /// Discord's name for it (`create_message`), or method and path of something it does not know.
    pub operation: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub body: Value,
    /// Names of the files that came with it.
    pub files: Vec<String>,
    /// What the audit log says about it.
    pub reason: Option<String>,
    /// By the guild's own clock, since 1970.
    pub at: Duration,
    pub answer: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not answered yet: it hangs, or is being worked on.
    Open,
    Done(Value),
    /// Status and Discord's code.
    Refused(u16, u32),
    /// 429.
    Limited,
    /// Another status, without Discord's words.
    Status(u16),
    /// The connection was closed; whether the call was carried out is said.
    Dropped {
        done: bool,
    },
}

/// What the app is, and what it may do.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub name: String,
    pub bot_user: String,
    pub token: String,
    /// The token was reset: nobody who has the old one gets in.
    pub revoked: bool,
    pub public_key: String,
    /// Privileged intents that are switched on in the developer portal.
    pub privileged: u64,
    /// Where interactions are posted instead of sent over the gateway, if set: nothing arrives over the gateway then.
    pub interactions_url: Option<String>,
}

pub struct State {
    pub(super) address: String,
    pub(super) app: App,
    pub(super) guild: Guild,
    pub(super) now: Duration,
    serial: u64,
    pub(super) users: BTreeMap<String, User>,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) attachments: BTreeMap<String, Attachment>,
    pub(super) commands: BTreeMap<String, Command>,
    /// When commands were made, for the number of a day.
    pub(super) commands_made: Vec<Duration>,
    pub(super) interactions: BTreeMap<String, Interaction>,
    /// The form in front of a person.
    pub(super) modals: BTreeMap<String, Modal>,
    /// Nonces used: author and nonce, when, and for which message.
    pub(super) nonces: Vec<(String, Duration, String, String)>,
    pub(super) calls: Vec<Call>,
    /// Calls that hang, and whose caller still waits.
    pub(super) hanging: usize,
    pub(super) violations: Vec<String>,
    pub(super) faults: Faults,
    pub(super) limits: Limits,
    pub(super) gateway: Gateway,
    /// Whether the answers are held against Discord's own description of them.
    pub(super) check_answers: bool,
}

impl State {
    pub(super) fn new(address: String, now: Duration) -> Self {
        let guild = Guild {
            id: "1100000000000000001".to_owned(),
            name: "Acme".to_owned(),
            owner: "1100000000000000002".to_owned(),
        };
        let app = App {
            id: "1200000000000000001".to_owned(),
            name: "Orderly".to_owned(),
            bot_user: "1200000000000000001".to_owned(),
            token: "MTIwMDAwMDAwMDAwMDAwMDAwMQ.Gtestb.ed-discord-testbed-token-0000000000001".to_owned(),
            revoked: false,
            public_key: "c0ffee00".repeat(8),
            privileged: GUILD_MEMBERS | MESSAGE_CONTENT,
            interactions_url: None,
        };
        let mut state = Self {
            address,
            app,
            guild,
            now,
            serial: 0,
            users: BTreeMap::new(),
            members: BTreeMap::new(),
            roles: BTreeMap::new(),
            channels: BTreeMap::new(),
            attachments: BTreeMap::new(),
            commands: BTreeMap::new(),
            commands_made: Vec::new(),
            interactions: BTreeMap::new(),
            modals: BTreeMap::new(),
            nonces: Vec::new(),
            calls: Vec::new(),
            hanging: 0,
            violations: Vec::new(),
            faults: Faults::default(),
            limits: Limits::default(),
            gateway: Gateway::default(),
            check_answers: false,
        };
        state.populate();
        state
    }

    /// What every guild has from the start: its owner, the role of everyone, and the bot with the role it came with.
    fn populate(&mut self) {
        let (guild, owner, bot) = (
            self.guild.id.clone(),
            self.guild.owner.clone(),
            self.app.bot_user.clone(),
        );
        self.add_role(&guild, "@everyone", permission::EVERYONE);
        self.add_user(&owner, "owner", false);
        self.add_member(&owner);
        self.add_user(&bot, "orderly", true);
        self.add_member(&bot);
        let role = self.id();
        self.add_role(&role, "Orderly", permission::ALL & !permission::ADMINISTRATOR)
            .managed = true;
        if let Some(member) = self.members.get_mut(&bot) {
            member.roles.insert(role);
        }
    }

    /// The role that came with the bot.
    pub(super) fn bot_role(&mut self) -> Option<&mut Role> {
        self.roles.values_mut().find(|role| role.managed)
    }

    /// Seconds since 1970 by the guild's clock.
    pub(super) fn seconds(&self) -> u64 {
        self.now.as_secs()
    }

    /// A snowflake: the time, then a number that never repeats within a moment.
    pub(super) fn id(&mut self) -> String {
        self.serial += 1;
        let millis = u64::try_from(self.now.saturating_sub(EPOCH).as_millis()).unwrap_or(0);
        // Kept growing while the clock stands still, beyond what 22 bits hold.
        ((millis << 22) + self.serial).to_string()
    }

    pub(super) fn violation(&mut self, what: String) {
        if !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }

    pub(super) fn add_user(&mut self, id: &str, name: &str, bot: bool) -> &mut User {
        self.users.entry(id.to_owned()).or_insert(User {
            id: id.to_owned(),
            name: name.to_owned(),
            global_name: None,
            bot,
        })
    }

    pub(super) fn add_member(&mut self, user: &str) -> &mut Member {
        let joined_at = self.now;
        self.members.entry(user.to_owned()).or_insert(Member {
            user: user.to_owned(),
            nick: None,
            roles: BTreeSet::new(),
            joined_at,
            guest: false,
        })
    }

    pub(super) fn add_role(&mut self, id: &str, name: &str, permissions: u64) -> &mut Role {
        let position = self.roles.len() as u64;
        self.roles.entry(id.to_owned()).or_insert(Role {
            id: id.to_owned(),
            name: name.to_owned(),
            permissions,
            mentionable: false,
            managed: false,
            position,
        })
    }

    pub(super) fn add_channel(&mut self, name: &str, kind: ChannelKind) -> &mut Channel {
        let id = self.id();
        let position = self.channels.len() as u64;
        self.channels.entry(id.clone()).or_insert(Channel {
            id,
            kind,
            name: name.to_owned(),
            topic: None,
            parent: None,
            overwrites: Vec::new(),
            position,
            nsfw: false,
            slowmode: 0,
            extra: serde_json::Map::new(),
            thread: None,
            recipient: None,
            messages: BTreeMap::new(),
            pins: Vec::new(),
            deleted: BTreeSet::new(),
        })
    }

    /// The direct conversation of the bot and this person.
    pub(super) fn direct(&mut self, user: &str) -> String {
        let known = self
            .channels
            .values()
            .find(|channel| channel.recipient.as_deref() == Some(user))
            .map(|channel| channel.id.clone());
        known.unwrap_or_else(|| {
            let channel = self.add_channel("", ChannelKind::Direct);
            channel.recipient = Some(user.to_owned());
            channel.id.clone()
        })
    }

    pub(super) fn channel_of(&self, id: &str) -> Result<&Channel> {
        self.channels.get(id).ok_or_else(|| UNKNOWN_CHANNEL.into())
    }

    pub(super) fn channel_mut(&mut self, id: &str) -> Result<&mut Channel> {
        self.channels.get_mut(id).ok_or_else(|| UNKNOWN_CHANNEL.into())
    }

    /// The channel, if the bot may see it and has these permissions in it.
    pub(super) fn permitted(&self, channel: &str, wanted: u64) -> Result<&Channel> {
        let channel = self.channel_of(channel)?;
        let has = self.permissions(&self.app.bot_user, channel);
        if has & VIEW_CHANNEL == 0 {
            return Err(MISSING_ACCESS.into());
        }
        if has & wanted != wanted {
            return Err(MISSING_PERMISSIONS.into());
        }
        Ok(channel)
    }

    /// Whether the bot hears what happens in a channel.
    pub(super) fn hears(&self, channel: &str) -> bool {
        let bot = &self.app.bot_user;
        self.channels
            .get(channel)
            .is_some_and(|channel| self.permissions(bot, channel) & VIEW_CHANNEL != 0)
    }

    /// A message that the channel has and everybody in it sees.
    pub(super) fn message(&self, channel: &str, id: &str) -> Result<&Message> {
        let message = self.channel_of(channel)?.messages.get(id);
        message
            .filter(|message| message.only_for.is_none())
            .ok_or_else(|| UNKNOWN_MESSAGE.into())
    }

    pub(super) fn message_mut(&mut self, channel: &str, id: &str) -> Result<&mut Message> {
        self.channel_mut(channel)?
            .messages
            .get_mut(id)
            .ok_or_else(|| UNKNOWN_MESSAGE.into())
    }

    pub(super) fn set_overwrite(&mut self, channel: &str, overwrite: Overwrite) -> Result<()> {
        let there = &mut self.channel_mut(channel)?.overwrites;
        there.retain(|known| known.id != overwrite.id);
        there.push(overwrite);
        Ok(())
    }
}
