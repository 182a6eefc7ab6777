//! The gateway's memory: sessions, what they were sent, and what they may hear.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::state::{GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT, State};

/// The bits of intents, as they are named in the events' documentation.
pub const GUILDS: u64 = 1;
pub const GUILD_MESSAGES: u64 = 1 << 9;
pub const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
pub const DIRECT_MESSAGES: u64 = 1 << 12;
pub const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;

/// Every intent there is.
const KNOWN: u64 = ((1 << 17) - 1) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;

/// Identifies a day. Discord resets the token when they are used up.
pub const SESSIONS_A_DAY: usize = 1000;
const DAY: Duration = Duration::from_secs(86_400);

/// Events that a session keeps for a resume. Discord says no number; a test that loses more wants to know.
const KEPT: usize = 10_000;

/// What a connection is told to do.
pub enum Frame {
    Text(String),
    /// An end with a close code.
    Close(u16, &'static str),
    /// An end without a word.
    Drop,
    /// Nothing more is read or written, and the connection stays: what a dead network looks like.
    Freeze,
}

/// One connection, whatever has been said on it.
pub struct Socket {
    pub id: u64,
    pub out: UnboundedSender<Frame>,
    /// The session that speaks over it.
    pub session: Option<String>,
    /// When it said something, for the limit on that.
    pub said: Vec<Duration>,
    /// The last sequence it acknowledged with a heartbeat.
    pub heard: Option<u64>,
}

pub struct Session {
    pub id: String,
    pub intents: u64,
    pub seq: u64,
    /// The events so far, for a resume.
    pub sent: Vec<(u64, String)>,
    /// Whether a resume is taken.
    pub lives: bool,
}

#[derive(Default)]
pub struct Gateway {
    pub sockets: Vec<Socket>,
    pub sessions: Vec<Session>,
    /// When each session was started.
    pub identified: Vec<Duration>,
    pub resumed: usize,
    pub next_socket: u64,
    /// Events kept back, to be let go later, perhaps in reverse.
    kept: Vec<(u64, &'static str, Value)>,
    pub holding: bool,
    /// A test waits until the client says that it has read everything.
    pub asking: bool,
    /// How often a client is told to say that it lives, in milliseconds; Discord's own if nothing is set.
    pub heartbeat: Option<u64>,
}

/// Why an identify is refused: the close code and its words.
pub type Refused = (u16, &'static str);

impl State {
    /// Sends an event to every session that has the intent. `0` is for what always arrives.
    pub(super) fn event(&mut self, intent: u64, name: &'static str, data: Value) {
        if self.faults.lose > 0 {
            self.faults.lose -= 1;
            return;
        }
        if self.gateway.holding {
            self.gateway.kept.push((intent, name, data));
            return;
        }
        self.dispatch(intent, name, &data);
    }

    /// An event about a channel, which the bot hears if it sees the channel.
    pub(super) fn channel_event(&mut self, channel: &str, name: &'static str, data: Value) {
        if !self.hears(channel) {
            return;
        }
        let direct = self
            .channels
            .get(channel)
            .is_some_and(|channel| channel.recipient.is_some());
        let intent = match (name, direct) {
            (name, false) if name.starts_with("MESSAGE_REACTION") => GUILD_MESSAGE_REACTIONS,
            (name, true) if name.starts_with("MESSAGE_REACTION") => DIRECT_MESSAGE_REACTIONS,
            (name, false) if name.starts_with("MESSAGE") => GUILD_MESSAGES,
            (name, true) if name.starts_with("MESSAGE") => DIRECT_MESSAGES,
            (_, false) => GUILDS,
            (_, true) => GUILDS | DIRECT_MESSAGES,
        };
        self.event(intent, name, data);
    }

    fn dispatch(&mut self, intent: u64, name: &'static str, data: &Value) {
        let (garble, twice) = (self.faults.garble > 0, self.faults.twice);
        self.faults.garble = self.faults.garble.saturating_sub(1);
        let bot = self.app.bot_user.clone();
        for at in 0..self.gateway.sessions.len() {
            let session = &mut self.gateway.sessions[at];
            if !session.lives || (intent != 0 && session.intents & intent == 0) {
                continue;
            }
            let mut data = data.clone();
            if name.starts_with("MESSAGE_") && session.intents & MESSAGE_CONTENT == 0 {
                hide_content(&mut data, &bot);
            }
            if garble {
                // A shape that no version of the API ever had.
                data["id"] = json!({ "since": "tomorrow" });
                data["message_id"] = json!({ "since": "tomorrow" });
            }
            session.seq += 1;
            let (seq, id) = (session.seq, session.id.clone());
            let frame = json!({ "op": 0, "t": name, "s": seq, "d": data }).to_string();
            session.sent.push((seq, frame.clone()));
            let spare = session.sent.len().saturating_sub(KEPT);
            session.sent.drain(..spare);
            for _ in 0..if twice { 2 } else { 1 } {
                self.tell_session(&id, frame.clone());
            }
            self.asks_again(&id);
        }
    }

    /// Says something on the connection of a session; one that has none gets it with its resume.
    pub(super) fn tell_session(&self, session: &str, frame: String) {
        let socket = self
            .gateway
            .sockets
            .iter()
            .find(|socket| socket.session.as_deref() == Some(session));
        if let Some(socket) = socket {
            // Gone in this moment: then it is replayed.
            let _ = socket.out.send(Frame::Text(frame));
        }
    }

    pub(super) fn tell_sockets(&self, frame: impl Fn() -> Frame) {
        for socket in &self.gateway.sockets {
            let _ = socket.out.send(frame());
        }
    }

    /// Lets the events go that were kept back, the last one first if so wished.
    pub(super) fn let_go(&mut self, reversed: bool) {
        self.gateway.holding = false;
        let mut kept = std::mem::take(&mut self.gateway.kept);
        if reversed {
            kept.reverse();
        }
        for (intent, name, data) in kept {
            self.dispatch(intent, name, &data);
        }
    }

    /// Sessions that may still be started today.
    pub(super) fn sessions_left(&self) -> usize {
        let today = self.gateway.identified.iter().filter(|at| **at + DAY > self.now);
        SESSIONS_A_DAY.saturating_sub(today.count())
    }

    /// So many more sessions are begun today, by somebody who has the same token.
    pub(super) fn use_up_sessions(&mut self, count: usize) {
        let now = self.now;
        self.gateway.identified.extend(std::iter::repeat_n(now, count));
    }

    /// Until the day's first session no longer counts.
    pub(super) fn sessions_reset_after(&self) -> Duration {
        let first = self.gateway.identified.iter().find(|at| **at + DAY > self.now);
        first.map_or(Duration::ZERO, |at| (*at + DAY).saturating_sub(self.now))
    }

    /// A connection identifies itself. Its first event is READY, then comes the guild.
    pub(super) fn identify(&mut self, socket: u64, data: &Value) -> Result<(), Refused> {
        if self.socket(socket).is_some_and(|socket| socket.session.is_some()) {
            return Err((4005, "Already authenticated."));
        }
        self.authenticated(data)?;
        if let Some(refused) = self.faults.refuse {
            return Err(refused);
        }
        let Some(intents) = data["intents"].as_u64() else {
            return Err((4002, "Error while decoding payload."));
        };
        if !data["properties"].is_object() {
            self.violation("identified without properties".to_owned());
        }
        if let Some(shard) = data["shard"].as_array()
            && (shard.len() != 2 || shard[0].as_u64() >= shard[1].as_u64())
        {
            return Err((4010, "Invalid shard."));
        }
        if intents & !KNOWN != 0 {
            return Err((4013, "Invalid intent(s)."));
        }
        if intents & PRIVILEGED & !self.app.privileged != 0 {
            return Err((4014, "Disallowed intent(s)."));
        }
        if self.sessions_left() == 0 {
            self.app.revoked = true;
            self.violation("identified more than 1000 times in a day: Discord reset the token".to_owned());
            return Err((4004, "Authentication failed."));
        }
        self.gateway.identified.push(self.now);
        let id = format!("session{:024x}", self.gateway.identified.len());
        self.gateway.sessions.push(Session {
            id: id.clone(),
            intents,
            seq: 0,
            sent: Vec::new(),
            lives: true,
        });
        self.bind(socket, &id);
        self.ready(&id, data["shard"].clone());
        Ok(())
    }

    fn ready(&mut self, session: &str, shard: Value) {
        let mut ready = json!({
            "v": 10, "user": self.user_json(&self.app.bot_user), "session_id": session, "session_type": "normal",
            "resume_gateway_url": format!("ws://{}", self.address), "private_channels": [], "presences": [],
            "relationships": [], "geo_ordered_rtc_regions": [], "user_settings": {}, "game_relationships": [],
            "guilds": [{ "id": self.guild.id, "unavailable": true }],
            "application": { "id": self.app.id, "flags": 0 }, "_trace": ["testbed"],
        });
        ready["user"]["verified"] = json!(true);
        ready["user"]["email"] = Value::Null;
        ready["user"]["mfa_enabled"] = json!(true);
        if shard.is_array() {
            ready["shard"] = shard;
        }
        let intents = self.session(session).map_or(0, |session| session.intents);
        let guild = self.guild_create(intents & GUILD_MEMBERS != 0);
        self.send_to(session, "READY", ready);
        if intents & GUILDS != 0 {
            self.send_to(session, "GUILD_CREATE", guild);
        }
    }

    /// An event for one session alone, which no fault touches.
    pub(super) fn send_to(&mut self, id: &str, name: &str, data: Value) {
        let Some(session) = self.gateway.sessions.iter_mut().find(|session| session.id == id) else {
            return;
        };
        session.seq += 1;
        let frame = json!({ "op": 0, "t": name, "s": session.seq, "d": data }).to_string();
        session.sent.push((session.seq, frame.clone()));
        self.tell_session(id, frame);
        self.asks_again(id);
    }

    /// A test waits until everything is read: whoever has said already how far it had come, or is a new connection, is asked.
    fn asks_again(&self, session: &str) {
        if self.gateway.asking {
            self.tell_session(session, super::socket::heartbeat_wanted().to_string());
        }
    }

    /// A connection takes up a session where it was left. False where that cannot be.
    pub(super) fn resume(&mut self, socket: u64, data: &Value) -> Result<bool, Refused> {
        self.authenticated(data)?;
        let (id, seq) = (
            data["session_id"].as_str().unwrap_or_default(),
            data["seq"].as_u64(),
        );
        let Some(session) = self
            .gateway
            .sessions
            .iter()
            .find(|session| session.id == id && session.lives)
        else {
            return Ok(false);
        };
        let Some(seq) = seq.filter(|seq| *seq <= session.seq) else {
            return Err((4007, "Invalid seq."));
        };
        let missed: Vec<String> = session
            .sent
            .iter()
            .filter(|(sent, _)| *sent > seq)
            .map(|(_, frame)| frame.clone())
            .collect();
        let id = id.to_owned();
        self.bind(socket, &id);
        self.gateway.resumed += 1;
        for frame in missed {
            self.tell_session(&id, frame);
        }
        self.send_to(&id, "RESUMED", json!({ "_trace": ["testbed"] }));
        Ok(true)
    }

    fn authenticated(&self, data: &Value) -> Result<(), Refused> {
        let token = data["token"].as_str().unwrap_or_default();
        if token.trim_start_matches("Bot ") == self.app.token && !self.app.revoked {
            Ok(())
        } else {
            Err((4004, "Authentication failed."))
        }
    }

    fn bind(&mut self, socket: u64, session: &str) {
        // A session speaks over one connection: the newest.
        for other in &mut self.gateway.sockets {
            if other.session.as_deref() == Some(session) {
                other.session = None;
            }
            if other.id == socket {
                other.session = Some(session.to_owned());
            }
        }
    }

    pub(super) fn socket(&self, id: u64) -> Option<&Socket> {
        self.gateway.sockets.iter().find(|socket| socket.id == id)
    }

    pub(super) fn session(&self, id: &str) -> Option<&Session> {
        self.gateway.sessions.iter().find(|session| session.id == id)
    }

    /// No session is taken up again; who comes must identify.
    pub(super) fn forget_sessions(&mut self) {
        for session in &mut self.gateway.sessions {
            session.lives = false;
        }
        for socket in &mut self.gateway.sockets {
            socket.session = None;
        }
    }
}

/// What a message without the content intent looks like: the bot's own words stay, and those that name it.
fn hide_content(message: &mut Value, bot: &str) {
    let own = message["author"]["id"] == bot;
    let mentions = message["mentions"].as_array().into_iter().flatten();
    let named = mentions.into_iter().any(|user| user["id"] == bot);
    let direct = message["guild_id"].is_null();
    if own || named || direct || !message["content"].is_string() {
        return;
    }
    message["content"] = json!("");
    for key in ["embeds", "attachments", "components"] {
        message[key] = json!([]);
    }
    if message["referenced_message"].is_object() {
        let mut inner = message["referenced_message"].take();
        inner["guild_id"] = message["guild_id"].clone();
        hide_content(&mut inner, bot);
        message["referenced_message"] = inner;
    }
}
