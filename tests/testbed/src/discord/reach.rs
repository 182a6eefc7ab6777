//! What goes wrong between the bot and Discord, and what the gateway says of its own.

use std::time::Duration;

use serde_json::{Value, json};

use super::faults::Fault;
use super::gateway::Frame;
use super::server::DiscordServer;

/// Close codes after which a session is not taken up again.
const ENDS_SESSION: [u16; 8] = [4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014];

impl DiscordServer {
    // --- calls

    /// The next calls of this operation (`create_message`), or of any for `*`, go wrong this way.
    pub fn fault(&self, operation: &str, times: usize, fault: Fault) {
        self.shared
            .with(|state| state.faults.calls.plan(operation, times, &fault));
    }

    /// Every call is answered 429, with so long to wait, the first time it comes.
    pub fn limit_every_call_once(&self, after: Duration) {
        self.every_call_once(Fault::Limited(after), 1, 0);
    }

    /// Calls go wrong this way the first time they come, and are as usual when they come again: one of so many,
    /// counted from this one, so that several tests can share what takes long.
    pub fn every_call_once(&self, fault: Fault, of: usize, from: usize) {
        self.shared
            .with(|state| state.faults.calls.each_once(fault, of, from));
    }

    /// As if so many calls had been answered 401, 403 or 429 in these ten minutes; with 10,000 the address is shut out.
    pub fn spend_invalid_calls(&self, count: usize) {
        self.shared.with(|state| {
            let now = state.now;
            state.limits.spend_invalid(count, now);
        });
    }

    /// Lets calls go that hang.
    pub fn release(&self) {
        self.shared.gate.send_modify(|opened| *opened += 1);
    }

    /// No more faults, planned or standing.
    pub fn no_more_faults(&self) {
        self.shared.with(|state| {
            state.faults.clear();
            state.let_go(false);
        });
        self.release();
    }

    /// Discord is gone: all connections are closed, and new ones as they are made.
    pub fn go_away(&self) {
        self.shared.with(|state| state.faults.away = true);
        self.drop_sockets();
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }

    pub fn come_back(&self) {
        self.shared.with(|state| state.faults.away = false);
    }

    // --- events

    /// Sends an event of the test's own making to every session that has one of the intents; `0` for every session.
    pub fn send_event(&self, intents: u64, name: &'static str, data: Value) {
        self.shared.with(|state| state.event(intents, name, data));
    }

    /// Every event arrives twice from here on, with one sequence.
    pub fn every_event_twice(&self, on: bool) {
        self.shared.with(|state| state.faults.twice = on);
    }

    /// Keeps events back until [`Self::let_events_go`].
    pub fn hold_events(&self) {
        self.shared.with(|state| state.gateway.holding = true);
    }

    /// Sends what was kept back, the last first if `reversed`.
    pub fn let_events_go(&self, reversed: bool) {
        self.shared.with(|state| state.let_go(reversed));
    }

    /// The next so many events never arrive, and no resume brings them: they are in the history alone.
    pub fn lose_events(&self, count: usize) {
        self.shared.with(|state| state.faults.lose = count);
    }

    /// The next so many events come in a shape that no library can read.
    pub fn garble_events(&self, count: usize) {
        self.shared.with(|state| state.faults.garble = count);
    }

    /// What the bot has not answered by now is late, without the clock being moved.
    pub fn time_out_interactions(&self) {
        self.shared.with(|state| state.late(|_| true));
    }

    // --- connections

    /// How often a client is told to say that it lives, from the next connection on. Real time: clients count by it.
    pub fn heartbeat_every(&self, interval: Duration) {
        let millis = u64::try_from(interval.as_millis()).ok();
        self.shared.with(|state| state.gateway.heartbeat = millis);
    }

    /// Heartbeats are no longer acknowledged, or are again: a connection that lives on one side only.
    pub fn acknowledge_heartbeats(&self, on: bool) {
        self.shared.with(|state| state.faults.deaf = !on);
    }

    /// Ends every connection without a word. Sessions stay, and can be taken up again.
    pub fn drop_sockets(&self) {
        self.shared.with(|state| {
            state.tell_sockets(|| Frame::Drop);
            state.gateway.sockets.clear();
        });
    }

    /// The connections stay open, and nothing is read or written any more: what a dead network looks like.
    pub fn freeze_sockets(&self) {
        self.shared.with(|state| state.tell_sockets(|| Frame::Freeze));
    }

    /// Closes every connection with this code (4000 unknown error, 4008 too much said, 4009 session timed out …).
    pub fn close_sockets(&self, code: u16) {
        self.shared.with(|state| {
            state.tell_sockets(|| Frame::Close(code, "As planned by the test."));
            state.gateway.sockets.clear();
            if ENDS_SESSION.contains(&code) {
                state.forget_sessions();
            }
        });
    }

    /// Asks the bot to connect anew and to resume (op 7).
    pub fn ask_to_reconnect(&self) {
        let ask = json!({ "op": 7, "t": null, "s": null, "d": null }).to_string();
        self.shared
            .with(|state| state.tell_sockets(|| Frame::Text(ask.clone())));
    }

    /// Says that the session is invalid (op 9), and whether a resume may help.
    pub fn invalidate_sessions(&self, resumable: bool) {
        let invalid = json!({ "op": 9, "t": null, "s": null, "d": resumable }).to_string();
        self.shared.with(|state| {
            state.tell_sockets(|| Frame::Text(invalid.clone()));
            if !resumable {
                state.forget_sessions();
            }
        });
    }

    /// Says something over every connection, JSON or not.
    pub fn say_over_sockets(&self, text: &str) {
        self.shared
            .with(|state| state.tell_sockets(|| Frame::Text(text.to_owned())));
    }

    /// As if so many sessions had been started today; with 1000 the next one costs the token.
    pub fn spend_sessions(&self, count: usize) {
        self.shared.with(|state| {
            let now = state.now;
            state.gateway.identified.extend(std::iter::repeat_n(now, count));
        });
    }
}
