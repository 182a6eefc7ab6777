//! The gateway: one connection, resumed where it broke off, and the events that come over it in their order.
//!
//! It is ours and not the library's, because that one goes on with the last event it has *seen*, and we must go on with the
//! last one that is *stored*; because it falls back to Discord's own address in silence where another is configured;
//! and because it drops what it cannot read. An event counts as received when its delivery is in the inbox: if one cannot
//! be stored, the connection is resumed from before it, and Discord tells it again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

use super::DiscordChat;
use super::api::Route;
use super::manifest::intent;

/// Longest wait for a connection to open and to be greeted.
const OPEN_MAX: Duration = Duration::from_secs(15);
/// First wait after a connection could not be opened; doubles with each try.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);
/// After a refusal that only the operator can mend: a day has 1000 sessions, and this takes 288 of them.
const REFUSED_WAIT: TimeDelta = TimeDelta::minutes(5);
/// Discord wants a wait between one and five seconds before a session that it ended is begun anew.
const ANEW_MS: (i64, i64) = (1_000, 5_000);
/// Events on their way to the inbox.
const QUEUE_MAX: usize = 1_024;
/// Which gateway, and how it writes.
const VERSION: &str = "/?v=10&encoding=json";

/// Kinds of frames.
mod op {
    pub const DISPATCH: u64 = 0;
    pub const HEARTBEAT: u64 = 1;
    pub const IDENTIFY: u64 = 2;
    pub const RESUME: u64 = 6;
    pub const RECONNECT: u64 = 7;
    pub const INVALID_SESSION: u64 = 9;
    pub const HELLO: u64 = 10;
    pub const HEARTBEAT_ACK: u64 = 11;
}

/// Events that mean something to us.
const HEARD: &[&str] = &[
    "CHANNEL_CREATE",
    "CHANNEL_DELETE",
    "CHANNEL_UPDATE",
    "GUILD_CREATE",
    "MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "MESSAGE_UPDATE",
    "THREAD_CREATE",
    "THREAD_DELETE",
    "THREAD_LIST_SYNC",
    "THREAD_UPDATE",
];

/// Events that come with our intents and mean nothing to us.
const PASSED_OVER: &[&str] = &[
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE",
    "CHANNEL_PINS_UPDATE",
    "GUILD_DELETE",
    "GUILD_INTEGRATIONS_UPDATE",
    "GUILD_MEMBER_UPDATE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_DELETE",
    "GUILD_ROLE_UPDATE",
    "GUILD_UPDATE",
    "RESUMED",
    "STAGE_INSTANCE_CREATE",
    "STAGE_INSTANCE_DELETE",
    "STAGE_INSTANCE_UPDATE",
    "THREAD_MEMBERS_UPDATE",
    "THREAD_MEMBER_UPDATE",
    "USER_UPDATE",
    "VOICE_CHANNEL_STATUS_UPDATE",
];

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is needed to go on where a connection ended.
struct Session {
    id: String,
    url: String,
    /// The last event that is stored.
    stored: Arc<watch::Sender<u64>>,
}

/// How a connection ended.
enum End {
    Stopped,
    /// Go on at once.
    Again,
    /// Go on after a while.
    Later(String),
    /// Discord ended the session: a new one, after the wait it wants.
    Anew,
    /// No session may be begun before then.
    UsedUp(DateTime<Utc>),
    /// Only the operator can mend it.
    Refused(&'static str),
}

/// One event on its way to the inbox.
struct Event {
    seq: u64,
    kind: String,
    body: Value,
    key: String,
}

impl DiscordChat {
    /// Holds the connection until [`DiscordChat::close`].
    pub fn listen(self: &Arc<Self>) {
        let chat = Arc::clone(self);
        tokio::spawn(async move { chat.hold_connection().await });
    }

    async fn hold_connection(self: Arc<Self>) {
        let mut session = None;
        let mut tries = 0;
        loop {
            let end = tokio::select! {
                biased;
                () = self.stopped() => End::Stopped,
                end = self.connection(&mut session) => end,
            };
            let wait = match end {
                End::Stopped => return,
                End::Again => {
                    tries = 0;
                    continue;
                }
                End::Anew => {
                    session = None;
                    random_between(ANEW_MS)
                }
                End::UsedUp(until) => {
                    session = None;
                    tracing::error!(
                        %until,
                        "Discord allows no more sessions today; one more would reset the token, so the bot waits. Look in the log \
                         why it was started so often"
                    );
                    until - self.clock.now()
                }
                End::Refused(what) => {
                    tracing::error!("Discord does not let the bot in: {what}");
                    session = None;
                    REFUSED_WAIT
                }
                End::Later(why) => {
                    tracing::warn!(why, "Discord's gateway is not connected; trying again");
                    tries += 1;
                    (FIRST_WAIT * 2_i32.saturating_pow(tries.min(7) - 1)).min(LONGEST_WAIT)
                }
            };
            if self.stopped_within(wait).await {
                return;
            }
        }
    }

    /// One connection, from its opening to its end.
    async fn connection(self: &Arc<Self>, session: &mut Option<Session>) -> End {
        let opened = match tokio::time::timeout(OPEN_MAX, self.open(session.as_ref())).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(end)) => return end,
            Err(_) => return End::Later(format!("not within {} s", OPEN_MAX.as_secs())),
        };
        let (socket, beat) = opened;
        let (event, events) = mpsc::channel(QUEUE_MAX);
        let (stuck, is_stuck) = watch::channel(false);
        let stored = session.as_ref().map_or_else(
            || Arc::new(watch::Sender::new(0)),
            |session| Arc::clone(&session.stored),
        );
        let filing = tokio::spawn(Arc::clone(self).in_order(events, Arc::clone(&stored), stuck));
        let seen = *stored.borrow();
        let reading = Reading {
            chat: self,
            socket,
            beat,
            next_beat: self.clock.now() + beat * i32::from(random_byte()) / 256,
            beat_answered: true,
            event,
            last: seen,
            stored,
            behind: false,
            began: false,
        };
        let (end, began) = reading.run(session, is_stuck).await;
        // What was received is stored before Discord is told where to go on.
        let _ = filing.await;
        match end {
            // Else a server that hangs up at once would be called again at once, for ever.
            End::Again if !began => End::Later("it ended before it began".to_owned()),
            end => end,
        }
    }

    /// Opens a socket, is greeted, and goes on with the session or begins one.
    async fn open(&self, session: Option<&Session>) -> Result<(Socket, TimeDelta), End> {
        let later = |why: String| End::Later(why);
        self.own().await.map_err(|failure| match failure {
            super::api::Failure::Code { status: 401, .. } => End::Refused(TOKEN),
            failure => later(failure.to_string()),
        })?;
        let url = match session {
            Some(session) => session.url.clone(),
            None => self.gateway_address().await?,
        };
        if !may_have_the_token(&url, &self.settings.api_url) {
            return Err(End::Refused(
                "the gateway that the API names lies elsewhere, and no token goes there. Look at api_url in [discord]",
            ));
        }
        let address = format!("{}{VERSION}", url.trim_end_matches('/'));
        let (mut socket, _) = connect_async(address)
            .await
            .map_err(|_| later("the connection failed".to_owned()))?;
        let hello = loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    if frame["op"] == op::HELLO {
                        break frame;
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
                Some(Ok(_)) => {}
                _ => return Err(later("it ended before it began".to_owned())),
            }
        };
        let beat = hello["d"]["heartbeat_interval"].as_i64().filter(|ms| *ms > 0);
        let first = match session {
            Some(session) => json!({ "op": op::RESUME, "d": {
                "token": self.settings.token,
                "session_id": session.id,
                "seq": *session.stored.borrow(),
            }}),
            None => json!({ "op": op::IDENTIFY, "d": {
                "token": self.settings.token,
                "intents": intent::ALL,
                "properties": { "os": std::env::consts::OS, "browser": "orderly", "device": "orderly" },
            }}),
        };
        socket
            .send(Message::text(first.to_string()))
            .await
            .map_err(|_| later("the connection failed".to_owned()))?;
        Ok((socket, TimeDelta::milliseconds(beat.unwrap_or(41_250))))
    }

    /// Where the gateway is, if a session may be begun today.
    async fn gateway_address(&self) -> Result<String, End> {
        let answer = self.api.get(Route::new("GET /gateway/bot", &[])).await;
        let answer = answer.map_err(|failure| End::Later(failure.to_string()))?;
        let limit = &answer["session_start_limit"];
        if limit["remaining"] == 0 {
            let reset = limit["reset_after"]
                .as_i64()
                .map_or(REFUSED_WAIT, TimeDelta::milliseconds);
            return Err(End::UsedUp(self.clock.now() + reset.max(FIRST_WAIT)));
        }
        let url = answer["url"].as_str().map(str::to_owned);
        url.ok_or_else(|| End::Later("an answer without an address".to_owned()))
    }

    pub(super) async fn until_or_stopped(&self, at: DateTime<Utc>) {
        tokio::select! {
            () = self.clock.until(at) => {}
            () = self.stopped() => {}
        }
    }

    /// Hands events in, one after the other. Ends at the first that cannot be stored: nothing may overtake it.
    async fn in_order(
        self: Arc<Self>,
        mut events: mpsc::Receiver<Event>,
        stored: Arc<watch::Sender<u64>>,
        stuck: watch::Sender<bool>,
    ) {
        while let Some(event) = events.recv().await {
            let is_ours = HEARD.contains(&event.kind.as_str());
            if is_ours && !self.happened(&event.kind, &event.body, &event.key).await {
                tracing::warn!(
                    kind = event.kind,
                    "an event could not be stored; it is asked for again"
                );
                stuck.send_replace(true);
                return;
            }
            stored.send_replace(event.seq);
        }
    }

    /// Waits; whether it was told to stop meanwhile.
    pub(super) async fn stopped_within(&self, wait: TimeDelta) -> bool {
        tokio::select! {
            () = self.clock.until(self.clock.now() + wait) => false,
            () = self.stopped() => true,
        }
    }

    async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives in self, so this cannot fail.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

/// A connection that is being read.
struct Reading<'a> {
    chat: &'a Arc<DiscordChat>,
    socket: Socket,
    beat: TimeDelta,
    next_beat: DateTime<Utc>,
    beat_answered: bool,
    event: mpsc::Sender<Event>,
    /// The last event that is stored: what heartbeats tell.
    stored: Arc<watch::Sender<u64>>,
    /// The last event that was seen.
    last: u64,
    /// Discord asked how far we are, and was not told of everything that was seen by then.
    behind: bool,
    /// Discord has taken us in: something was told.
    began: bool,
}

impl Reading<'_> {
    /// Reads to the end; gives how it ended, and whether it ever began.
    async fn run(mut self, session: &mut Option<Session>, stuck: watch::Receiver<bool>) -> (End, bool) {
        let end = self.read(session, stuck).await;
        (end, self.began)
    }

    async fn read(&mut self, session: &mut Option<Session>, mut stuck: watch::Receiver<bool>) -> End {
        let mut stored = self.stored.subscribe();
        loop {
            let message = tokio::select! {
                message = self.socket.next() => message,
                () = self.chat.clock.until(self.next_beat) => {
                    // A heartbeat without an answer: the other side is gone, whatever the socket says.
                    if !self.beat_answered || !self.beat().await {
                        return End::Again;
                    }
                    // Only of these: one that Discord asked for a moment ago may still be on its way.
                    self.beat_answered = false;
                    self.next_beat = self.chat.clock.now() + self.beat;
                    continue;
                }
                () = reached(&mut stored, self.last), if self.behind => {
                    if !self.beat().await {
                        return End::Again;
                    }
                    continue;
                }
                () = told(&mut stuck) => {
                    return End::Later("an event could not be stored".to_owned());
                }
                () = self.chat.stopped() => {
                    // Nobody waits for how the goodbye went. Without a code, Discord keeps the session for a while.
                    let _ = self.socket.close(None).await;
                    return End::Stopped;
                }
            };
            match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<Value>(&text) {
                    Ok(frame) => {
                        if let Some(end) = self.frame(frame, session).await {
                            return end;
                        }
                    }
                    Err(_) => tracing::warn!("the gateway said something that is no JSON"),
                },
                Some(Ok(Message::Close(frame))) => {
                    let end = closed(frame.as_ref());
                    if frame.is_some_and(|frame| SESSION_ENDED.contains(&u16::from(frame.code))) {
                        *session = None;
                    }
                    return end;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return End::Again,
            }
        }
    }

    async fn beat(&mut self) -> bool {
        let stored = *self.stored.borrow();
        self.behind = stored < self.last;
        let told = (stored > 0).then_some(stored);
        let beat = json!({ "op": op::HEARTBEAT, "d": told });
        self.socket.send(Message::text(beat.to_string())).await.is_ok()
    }

    async fn frame(&mut self, mut frame: Value, session: &mut Option<Session>) -> Option<End> {
        match frame["op"].as_u64() {
            Some(op::DISPATCH) => return self.dispatch(&mut frame, session),
            Some(op::HEARTBEAT) => {
                self.beat().await;
            }
            Some(op::HEARTBEAT_ACK) => self.beat_answered = true,
            Some(op::RECONNECT) => return Some(End::Again),
            Some(op::INVALID_SESSION) if frame["d"] == true => return Some(End::Again),
            Some(op::INVALID_SESSION) => return Some(End::Anew),
            other => tracing::info!(
                op = other,
                "the gateway said something that this version does not know"
            ),
        }
        None
    }

    fn dispatch(&mut self, frame: &mut Value, session: &mut Option<Session>) -> Option<End> {
        let seq = frame["s"].as_u64().unwrap_or_default();
        let kind = frame["t"].as_str().unwrap_or_default().to_owned();
        let body = frame["d"].take();
        self.last = seq;
        self.began = true;
        if kind == "READY" {
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            *session = Some(Session {
                id: text("session_id"),
                url: text("resume_gateway_url"),
                stored: Arc::clone(&self.stored),
            });
            // What came while there was no session came to nobody.
            tokio::spawn(Arc::clone(self.chat).catch_up());
        } else if kind == "INTERACTION_CREATE" {
            // A person who waits is held up by nobody. Its key is its own, so it is taken once however often it comes.
            tokio::spawn(Arc::clone(self.chat).interacted(body.clone()));
        } else if !HEARD.contains(&kind.as_str()) && !PASSED_OVER.contains(&kind.as_str()) {
            tracing::info!(kind, "an event that this version does not know");
        }
        let id = session.as_ref().map_or("", |session| &session.id);
        let event = Event {
            seq,
            key: format!("discord:{id}:{seq}"),
            kind,
            body,
        };
        match self.event.try_send(event) {
            Ok(()) => None,
            // Resumed from what is stored, Discord tells the rest again.
            Err(_) => Some(End::Later(
                "events come faster than they can be stored".to_owned(),
            )),
        }
    }
}

/// Waits until everything up to here is stored.
async fn reached(stored: &mut watch::Receiver<u64>, last: u64) {
    if stored.wait_for(|stored| *stored >= last).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until this is so; for ever, if nobody is left who could say it.
async fn told(so: &mut watch::Receiver<bool>) {
    if so.wait_for(|so| *so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

const TOKEN: &str = "the token does not work. Reset it on the page Bot of the developer portal and put the new one where [discord] \
                     token points";

/// Codes after which a session cannot be resumed.
const SESSION_ENDED: [u16; 3] = [4003, 4007, 4009];

/// What an end by Discord means.
fn closed(frame: Option<&CloseFrame>) -> End {
    match frame.map(|frame| u16::from(frame.code)) {
        Some(4004) => End::Refused(TOKEN),
        Some(4013) => {
            End::Refused("it asked for an intent that Discord does not know (4013). Update Orderly")
        }
        Some(4014) => End::Refused(
            "Message Content Intent is switched off (4014). Switch it on: developer portal, your application, page Bot, \
             Privileged Gateway Intents",
        ),
        Some(4010..=4012) => End::Refused("Discord wants another version of its gateway. Update Orderly"),
        _ => End::Again,
    }
}

/// The token goes to Discord and to nobody else, whatever an answer says: to its gateways, or to the very host that the
/// config names as the API.
pub fn may_have_the_token(gateway: &str, api: &str) -> bool {
    let (Ok(gateway), Ok(api)) = (Url::parse(gateway), Url::parse(api)) else {
        return false;
    };
    let (Some(host), Some(api_host)) = (gateway.host_str(), api.host_str()) else {
        return false;
    };
    if is_discord_s_own(&api) {
        return gateway.scheme() == "wss" && host.ends_with(".discord.gg");
    }
    host == api_host && (gateway.scheme() == "wss" || api.scheme() == "http")
}

/// Whether the API is Discord itself, and not what stands in for it.
pub fn is_discord_s_own(api: &Url) -> bool {
    let host = api.host_str().unwrap_or_default();
    host == "discord.com" || host.ends_with(".discord.com")
}

fn random_byte() -> u8 {
    let mut byte = [128];
    // Without randomness the middle will do: it only spreads heartbeats.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

fn random_between((least, most): (i64, i64)) -> TimeDelta {
    TimeDelta::milliseconds(least + (most - least) * i64::from(random_byte()) / 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_discord_or_to_the_stand_in_and_nowhere_else() {
        let real = "https://discord.com/api/v10";
        assert!(may_have_the_token("wss://gateway.discord.gg", real));
        assert!(may_have_the_token("wss://gateway-us-east1-b.discord.gg", real));
        for elsewhere in [
            "ws://gateway.discord.gg",
            "wss://discord.gg.example.com",
            "wss://evildiscord.gg",
            "ws://127.0.0.1:1",
            "nonsense",
        ] {
            assert!(!may_have_the_token(elsewhere, real), "{elsewhere}");
        }
        let stand_in = "http://127.0.0.1:4000/api/v10";
        assert!(may_have_the_token("ws://127.0.0.1:4001", stand_in));
        assert!(!may_have_the_token("wss://gateway.discord.gg", stand_in));
    }

    #[test]
    fn an_intent_that_is_switched_off_is_told_with_its_switch() {
        let frame = CloseFrame {
            code: 4014.into(),
            reason: "".into(),
        };
        let End::Refused(why) = closed(Some(&frame)) else {
            panic!("only the operator can mend that");
        };
        assert!(
            why.contains("Message Content Intent") && why.contains("page Bot"),
            "{why}"
        );
    }
}
