//! How the bot is reached, and what goes wrong on the way.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deliver::{Carries, Then};
use super::faults::Fault;
use super::http::{self, Endpoints};
use super::server::SlackServer;
use super::socket::{self, Frame};

impl SlackServer {
    /// From here on everything is posted, signed, to this base address (`http://127.0.0.1:PORT`) at
    /// `/slack/events`, `/slack/commands` and `/slack/interactions`.
    #[track_caller]
    pub fn deliver_over_http(&self, base: &str) {
        self.deliver_to(
            &format!("{base}/slack/events"),
            &format!("{base}/slack/commands"),
            &format!("{base}/slack/interactions"),
        );
    }

    /// The same with each address by itself. Only addresses of this machine are taken.
    #[track_caller]
    pub fn deliver_to(&self, events: &str, commands: &str, interactions: &str) {
        for address in [events, commands, interactions] {
            let url = url::Url::parse(address).unwrap_or_else(|why| panic!("{address}: {why}"));
            http::local(&url).unwrap_or_else(|why| panic!("{why}"));
        }
        let endpoints = Endpoints {
            events: events.to_owned(),
            commands: commands.to_owned(),
            interactions: interactions.to_owned(),
        };
        let jobs = http::start(Arc::downgrade(&self.shared));
        self.shared
            .with(|state| state.deliveries.http = Some((endpoints, jobs)));
    }

    /// Back to Socket Mode.
    pub fn deliver_over_sockets(&self) {
        self.shared.with(|state| state.deliveries.http = None);
    }

    /// Asks the events address whether it is the bot's, as Slack does when one is entered. Gives status and body.
    pub async fn verify_url(&self, challenge: &str) -> Result<(u16, Value), String> {
        let (url, headers, body) = self.read(|state| {
            let (endpoints, _) = state
                .deliveries
                .http
                .as_ref()
                .expect("deliver_over_http comes first");
            let token = &state.app.verification_token;
            let body =
                json!({ "type": "url_verification", "token": token, "challenge": challenge }).to_string();
            let stamp = state.seconds();
            let signature = http::signature(&state.app.signing_secret, stamp, &body);
            let headers = vec![
                ("content-type", "application/json".to_owned()),
                ("x-slack-request-timestamp", stamp.to_string()),
                ("x-slack-signature", signature),
            ];
            (endpoints.events.clone(), headers, body)
        });
        http::post(&url, &headers, body)
            .await
            .map(|(status, _, body)| (status, body))
    }

    /// Sends an event of the test's own making to the bot.
    pub fn send_event(&self, event: Value) {
        self.shared.with(|state| state.event(event));
    }

    /// The app is told that it gets too many events, and that those of this minute are held back.
    pub fn limits_events(&self) {
        self.shared.with(|state| {
            let told = json!({
                "token": state.app.verification_token,
                "type": "app_rate_limited",
                "team_id": state.team,
                "minute_rate_limited": state.seconds() / 60 * 60,
                "api_app_id": state.app.id,
            });
            state.deliver(Carries::Event, told, Then::Nothing);
        });
    }

    // --- what goes wrong

    /// The next calls of this method, or of any for `*`, go wrong this way. What calls no method is named `response_url`,
    /// `upload` and `download`.
    pub fn fault(&self, method: &str, times: usize, fault: Fault) {
        self.shared
            .with(|state| state.faults.calls.plan(method, times, &fault));
    }

    /// Every call is answered 429, with so many seconds to wait, the first time it comes.
    pub fn limit_every_call_once(&self, after: u64) {
        self.every_call_once(Fault::Limited(after), 1, 0);
    }

    /// Calls go wrong this way the first time they come, and are as usual when they come again: one of so many,
    /// counted from this one, so that several tests can share what takes long.
    pub fn every_call_once(&self, fault: Fault, of: usize, from: usize) {
        self.shared
            .with(|state| state.faults.calls.each_once(fault, of, from));
    }

    /// Every event arrives twice from here on, the second time marked as a retry.
    pub fn every_event_twice(&self, on: bool) {
        self.shared.with(|state| state.faults.twice = on);
    }

    /// Keeps events back until [`Self::let_events_go`].
    pub fn hold_events(&self) {
        self.shared.with(|state| state.deliveries.holding = true);
    }

    /// Delivers what was kept back, the last first if `reversed`.
    pub fn let_events_go(&self, reversed: bool) {
        self.shared.with(|state| {
            state.deliveries.holding = false;
            state.let_go(reversed);
        });
    }

    /// What the bot has not acknowledged by now is late, without the clock being moved.
    pub fn time_out_deliveries(&self) {
        self.shared.with(|state| state.late(|_| true));
    }

    /// Slack has tried for as long as it does: what is not acknowledged by now is never delivered again.
    pub fn give_up_deliveries(&self) {
        self.shared.with(|state| state.give_up_all());
    }

    /// No more faults, planned or standing.
    pub fn no_more_faults(&self) {
        self.shared.with(|state| {
            state.faults.clear();
            state.let_go(false);
        });
        self.release();
    }

    /// Lets calls go that hang.
    pub fn release(&self) {
        self.shared.gate.send_modify(|opened| *opened += 1);
    }

    /// Ends every socket without a word. What was not acknowledged is delivered again elsewhere.
    pub fn drop_sockets(&self) {
        self.shared.with(|state| {
            state.tell_sockets(|| Frame::Drop);
            let ids: Vec<u64> = state.deliveries.sockets.iter().map(|socket| socket.id).collect();
            ids.into_iter().for_each(|id| state.socket_gone(id));
        });
    }

    /// The sockets stay open, and nothing is read or written any more: what a dead network looks like.
    pub fn freeze_sockets(&self) {
        self.shared.with(|state| state.tell_sockets(|| Frame::Freeze));
    }

    /// Announces that the connections end in about ten seconds. They are still given envelopes.
    pub fn warn_sockets(&self) {
        let warning = socket::disconnect("warning").to_string();
        self.shared.with(|state| {
            state.deliveries.fewest = state.deliveries.sockets.len();
            state.tell_sockets(|| Frame::Text(warning.clone()));
        });
    }

    /// Asks for new connections. The old ones are given nothing more, and stay open until the bot closes them.
    pub fn refresh_sockets(&self) {
        let refresh = socket::disconnect("refresh_requested").to_string();
        self.shared.with(|state| {
            state.deliveries.fewest = state.deliveries.sockets.len();
            state.tell_sockets(|| Frame::Text(refresh.clone()));
            state
                .deliveries
                .sockets
                .iter_mut()
                .for_each(|socket| socket.takes = false);
        });
    }

    /// Slack is gone: all connections are closed, and new ones as they are made.
    pub fn go_away(&self) {
        self.shared.with(|state| state.faults.away = true);
        self.drop_sockets();
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }

    pub fn come_back(&self) {
        self.shared.with(|state| state.faults.away = false);
    }
}
