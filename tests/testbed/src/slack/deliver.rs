//! What goes to the bot: events, commands and clicks, over its sockets or to its addresses, with Slack's retries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use super::http;
use super::socket::{Frame, Socket};
use super::state::State;

/// How long Slack waits for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(3);

/// When Slack delivers an event again: at once, after a minute, after five.
const RETRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    Event,
    Command,
    Interaction,
    /// An interaction whose answer is read: a submitted form, or a question for options.
    Question,
}

/// What to do with what the bot says in its acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Reply { user: String, channel: String },
    Form { view: String },
}

/// The bot's acknowledgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Ack {
    /// What came with it; null where nothing did.
    pub payload: Value,
    /// By the workspace's clock, between the delivery and the acknowledgement.
    pub after: Duration,
}

/// One try to deliver.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Socket Mode's envelope id, or the stand-in for it over HTTP.
    pub envelope: String,
    pub at: Duration,
    pub retry: usize,
    pub reason: String,
    /// Why it came to nothing, as Slack says it in the next try's reason.
    pub failed: Option<String>,
    pub acked: bool,
    pub(super) socket: Option<u64>,
    pub(super) http: Option<AbortHandle>,
}

#[derive(Debug, Clone)]
pub struct Delivery {
    pub carries: Carries,
    pub payload: Value,
    pub attempts: Vec<Attempt>,
    /// The acknowledgement, or why there will be none.
    pub settled: Option<Result<Ack, String>>,
    pub(super) then: Then,
    retry_at: Option<Duration>,
}

#[derive(Default)]
pub struct Deliveries {
    pub(super) all: BTreeMap<u64, Delivery>,
    pub(super) sockets: Vec<Socket>,
    /// The fewest connections at a time since they were last told to be renewed.
    pub(super) fewest: usize,
    next_socket: usize,
    pub(super) http: Option<(http::Endpoints, UnboundedSender<http::Job>)>,
    /// Events kept back, to be let go later, perhaps in reverse.
    pub(super) kept: Vec<u64>,
    /// While set, events are kept back until the test lets them go.
    pub(super) holding: bool,
}

impl State {
    /// Sends an event, if the app is subscribed to it.
    pub(super) fn event(&mut self, event: Value) {
        let kind = event["type"].as_str().unwrap_or_default();
        let name = match (kind, event["channel_type"].as_str()) {
            ("message", Some("channel")) => "message.channels".to_owned(),
            ("message", Some("group")) => "message.groups".to_owned(),
            ("message", Some(direct)) => format!("message.{direct}"),
            (other, _) => other.to_owned(),
        };
        if self
            .app
            .subscribed
            .as_ref()
            .is_some_and(|wanted| !wanted.contains(&name))
        {
            return;
        }
        let payload = json!({
            "token": self.app.verification_token,
            "team_id": self.team,
            "context_team_id": self.team,
            "context_enterprise_id": null,
            "api_app_id": self.app.id,
            "event": event,
            "type": "event_callback",
            "event_id": self.id("Ev"),
            "event_time": self.seconds(),
            "authorizations": [{
                "enterprise_id": null, "team_id": self.team, "user_id": self.app.bot_user,
                "is_bot": true, "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
            "event_context": format!("4-{}", self.next()),
        });
        self.deliver(Carries::Event, payload, Then::Nothing);
    }

    pub(super) fn deliver(&mut self, carries: Carries, payload: Value, then: Then) -> u64 {
        let serial = self.next();
        let delivery = Delivery {
            carries,
            payload,
            attempts: Vec::new(),
            settled: None,
            then,
            retry_at: None,
        };
        self.deliveries.all.insert(serial, delivery);
        if carries == Carries::Event && self.deliveries.holding {
            self.deliveries.kept.push(serial);
        } else {
            self.first_attempt(serial);
        }
        serial
    }

    fn first_attempt(&mut self, serial: u64) {
        self.attempt(serial, 0, "");
        let event = self
            .deliveries
            .all
            .get(&serial)
            .is_some_and(|d| d.carries == Carries::Event);
        if event && self.faults.twice {
            self.attempt(serial, 1, "http_timeout");
        }
    }

    /// Lets the events go that were kept back, the last one first if so wished.
    pub(super) fn let_go(&mut self, reversed: bool) {
        let mut kept = std::mem::take(&mut self.deliveries.kept);
        if reversed {
            kept.reverse();
        }
        for serial in kept {
            self.first_attempt(serial);
        }
    }

    fn attempt(&mut self, serial: u64, retry: usize, reason: &str) {
        let envelope = format!("{:08x}-0000-4000-8000-{serial:012x}", self.next());
        let Some(delivery) = self.deliveries.all.get_mut(&serial) else {
            return;
        };
        delivery.retry_at = None;
        let at = delivery.attempts.len();
        delivery.attempts.push(Attempt {
            envelope: envelope.clone(),
            at: self.now,
            retry,
            reason: reason.to_owned(),
            failed: None,
            acked: false,
            socket: None,
            http: None,
        });
        let sent = if self.faults.away {
            false
        } else if self.deliveries.http.is_some() {
            self.over_http(serial, at)
        } else {
            self.over_socket(serial, at)
        };
        if !sent {
            self.attempt_failed(serial, at, "connection_failed");
        }
    }

    fn over_http(&mut self, serial: u64, at: usize) -> bool {
        let (Some((endpoints, jobs)), Some(delivery)) =
            (&self.deliveries.http, self.deliveries.all.get(&serial))
        else {
            return false;
        };
        let job = http::job(
            endpoints,
            delivery,
            at,
            serial,
            &self.app.signing_secret,
            self.now,
        );
        jobs.send(job).is_ok()
    }

    fn over_socket(&mut self, serial: u64, at: usize) -> bool {
        let Some(delivery) = self.deliveries.all.get_mut(&serial) else {
            return false;
        };
        let Some(attempt) = delivery.attempts.get_mut(at) else {
            return false;
        };
        let mut envelope = json!({
            "envelope_id": attempt.envelope,
            "payload": delivery.payload,
            "type": match delivery.carries {
                Carries::Event => "events_api",
                Carries::Command => "slash_commands",
                Carries::Interaction | Carries::Question => "interactive",
            },
            "accepts_response_payload": matches!(delivery.carries, Carries::Command | Carries::Question),
        });
        if delivery.carries == Carries::Event {
            envelope["retry_attempt"] = json!(attempt.retry);
            envelope["retry_reason"] = json!(attempt.reason);
        }
        if !self.app.socket_mode {
            return false;
        }
        // Any one of the connections, each in its turn.
        let open: Vec<&Socket> = self.deliveries.sockets.iter().filter(|s| s.takes).collect();
        if open.is_empty() {
            return false;
        }
        let socket = open[self.deliveries.next_socket % open.len()];
        self.deliveries.next_socket += 1;
        attempt.socket = Some(socket.id);
        socket.out.send(Frame::Text(envelope.to_string())).is_ok()
    }

    /// Ends a try without success; an event is tried again later.
    pub(super) fn attempt_failed(&mut self, serial: u64, at: usize, why: &str) {
        let now = self.now;
        let Some(delivery) = self.deliveries.all.get_mut(&serial) else {
            return;
        };
        let Some(attempt) = delivery.attempts.get_mut(at) else {
            return;
        };
        if attempt.acked || attempt.failed.is_some() {
            return;
        }
        attempt.failed = Some(why.to_owned());
        if let Some(http) = attempt.http.take() {
            http.abort();
        }
        let retry = attempt.retry;
        if delivery.settled.is_some() {
            return;
        }
        match RETRIES.get(retry) {
            Some(after) if delivery.carries == Carries::Event => {
                delivery.retry_at = Some(now + *after);
                if after.is_zero() {
                    let why = why.to_owned();
                    self.attempt(serial, retry + 1, &why);
                }
            }
            _ => delivery.settled = Some(Err(why.to_owned())),
        }
    }

    /// The bot asked for no more tries.
    pub(super) fn give_up(&mut self, serial: u64, at: usize, why: &str) {
        if let Some(delivery) = self.deliveries.all.get_mut(&serial) {
            delivery.settled.get_or_insert_with(|| Err(why.to_owned()));
        }
        self.attempt_failed(serial, at, why);
    }

    /// No delivery that is still open is tried again, and none that was kept back is tried at all.
    pub(super) fn give_up_all(&mut self) {
        self.deliveries.kept.clear();
        for delivery in self.deliveries.all.values_mut() {
            if delivery.settled.is_none() {
                delivery.settled = Some(Err("given up".to_owned()));
                delivery.retry_at = None;
            }
        }
    }

    /// Tries that stand open and are late come to nothing.
    pub(super) fn late(&mut self, late: impl Fn(&Attempt) -> bool) {
        let open = self
            .deliveries
            .all
            .iter()
            .filter(|(_, delivery)| delivery.settled.is_none());
        let late: Vec<(u64, usize)> = open
            .flat_map(|(serial, delivery)| {
                let attempts = delivery.attempts.iter().enumerate();
                attempts.map(move |(at, attempt)| (*serial, at, attempt))
            })
            .filter(|(_, _, attempt)| !attempt.acked && attempt.failed.is_none() && late(attempt))
            .map(|(serial, at, _)| (serial, at))
            .collect();
        for (serial, at) in late {
            self.attempt_failed(serial, at, "http_timeout");
        }
    }

    /// Time has passed: what was not acknowledged is late, and what is due is tried again.
    pub(super) fn tick(&mut self) {
        let now = self.now;
        self.late(|attempt| attempt.at + PATIENCE <= now);
        let due: Vec<(u64, usize, String)> = self
            .deliveries
            .all
            .iter()
            .filter(|(_, d)| d.settled.is_none() && d.retry_at.is_some_and(|at| at <= now))
            .filter_map(|(serial, d)| {
                let last = d.attempts.last()?;
                Some((*serial, last.retry + 1, last.failed.clone().unwrap_or_default()))
            })
            .collect();
        for (serial, retry, reason) in due {
            self.attempt(serial, retry, &reason);
        }
    }

    /// A connection is gone: what it was given and did not acknowledge was lost.
    pub(super) fn socket_gone(&mut self, id: u64) {
        self.deliveries.sockets.retain(|socket| socket.id != id);
        self.deliveries.fewest = self.deliveries.fewest.min(self.deliveries.sockets.len());
        let open = self
            .deliveries
            .all
            .iter()
            .filter(|(_, delivery)| delivery.settled.is_none());
        let lost: Vec<(u64, usize)> = open
            .flat_map(|(serial, delivery)| {
                let attempts = delivery.attempts.iter().enumerate();
                attempts.map(move |(at, attempt)| (*serial, at, attempt))
            })
            .filter(|(_, _, attempt)| {
                attempt.socket == Some(id) && !attempt.acked && attempt.failed.is_none()
            })
            .map(|(serial, at, _)| (serial, at))
            .collect();
        for (serial, at) in lost {
            self.attempt_failed(serial, at, "connection_failed");
        }
    }

    /// An acknowledgement came over a socket.
    pub(super) fn envelope_acked(&mut self, envelope: &str, payload: Value) {
        // Its last part is the delivery's number.
        let serial = envelope
            .rsplit('-')
            .next()
            .and_then(|last| u64::from_str_radix(last, 16).ok());
        let found = serial.and_then(|serial| {
            let delivery = self.deliveries.all.get(&serial)?;
            let at = delivery.attempts.iter().position(|a| a.envelope == envelope)?;
            Some((serial, at, delivery.carries))
        });
        match found {
            None => self.violation(format!(
                "acknowledged an envelope that was never sent: {envelope}"
            )),
            Some((serial, at, carries)) => {
                let empty = payload.is_null() || payload.as_object().is_some_and(serde_json::Map::is_empty);
                if !empty && matches!(carries, Carries::Event | Carries::Interaction) {
                    self.violation(format!(
                        "an acknowledgement carried a payload where none is accepted: {payload}"
                    ));
                }
                self.acked(serial, at, payload);
            }
        }
    }

    /// The bot took it. A late acknowledgement counts for nothing; Slack has given up by then.
    pub(super) fn acked(&mut self, serial: u64, at: usize, payload: Value) {
        let now = self.now;
        let Some(delivery) = self.deliveries.all.get_mut(&serial) else {
            return;
        };
        let Some(attempt) = delivery.attempts.get_mut(at) else {
            return;
        };
        if attempt.failed.is_some() {
            return;
        }
        attempt.acked = true;
        let after = now.saturating_sub(attempt.at);
        if delivery.settled.is_none() {
            delivery.retry_at = None;
            let then = delivery.then.clone();
            delivery.settled = Some(Ok(Ack {
                payload: payload.clone(),
                after,
            }));
            self.heed(&then, &payload);
        }
    }
}
