//! Socket Mode: several sockets, each envelope on any one of them, and a new one open before an old one closes.
//!
//! The library closes before it opens, acknowledges what it cannot read, and hides the envelope, so the socket is ours.
//! An envelope is acknowledged when its delivery is in the inbox; one that is not, Slack sends again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::SlackChat;
use super::receive::Reply;

/// Longest wait for a socket to open.
const OPEN_MAX: Duration = Duration::from_secs(15);
/// First wait after a socket could not be opened; doubles with each try.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// A socket that lived for so long is replaced at once when it ends; of those that do not, only the first.
const STEADY: TimeDelta = TimeDelta::seconds(30);
/// How often Slack is asked whether it is still there.
const PING_EVERY: TimeDelta = TimeDelta::seconds(10);
/// Pings in a row after which nothing was heard: the path is dead, and each command that Slack sends there is lost. By
/// count and not by time, because a clock that jumps says nothing about a socket.
const UNHEARD_MAX: u32 = 2;
/// What may have come already while the clock jumped is waited for so long before a socket is given up.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// How long a socket is read on after the next one is open. Slack ends it within about ten seconds, and until then
/// sends commands there that it sends only once.
const READ_ON: TimeDelta = TimeDelta::seconds(20);
/// Longest wait until a socket takes a few bytes.
const SEND_MAX: Duration = Duration::from_secs(10);
/// Events on their way in, and answers on their way out, of one socket.
const QUEUE_MAX: usize = 256;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl SlackChat {
    /// Holds the sockets open until [`SlackChat::close`].
    pub fn listen(self: &Arc<Self>) {
        for _ in 0..self.settings.connections.max(1) {
            let chat = Arc::clone(self);
            tokio::spawn(async move { chat.hold().await });
        }
    }

    /// One of the sockets, renewed for ever.
    async fn hold(self: Arc<Self>) {
        let mut old: Option<oneshot::Sender<()>> = None;
        let mut in_vain = 0;
        while let Some((socket, asked)) = self.next_socket(&mut in_vain).await {
            // Only now that the next one is open, the one before may go.
            if let Some(old) = old.take() {
                // It may have ended by itself.
                let _ = old.send(());
            }
            // What came between two sockets came to nobody.
            tokio::spawn(Arc::clone(&self).catch_up());
            let (retire, retired) = oneshot::channel();
            let (renew, mut wanted) = watch::channel(false);
            tokio::spawn(Arc::clone(&self).read(socket, renew, retired));
            // Slack asks for the next one, or this one is gone and with it its sender.
            let _ = wanted.wait_for(|wanted| *wanted).await;
            old = Some(retire);
            in_vain = match self.clock.now() - asked >= STEADY {
                true => 0,
                false => in_vain + 1,
            };
        }
    }

    /// Tries until a socket is open, and says when it was asked for; `None` once the bot stops. `in_vain`: how often in a
    /// row none could be opened, or ended as soon as it was.
    async fn next_socket(&self, in_vain: &mut u32) -> Option<(Socket, DateTime<Utc>)> {
        loop {
            if let Some(before) = in_vain.checked_sub(2)
                && self.stopped_within(wait(before)).await
            {
                return None;
            }
            let asked = self.clock.now();
            let opened = tokio::select! {
                biased;
                () = self.stopped() => return None,
                opened = self.open_socket() => opened,
            };
            match opened {
                Ok(socket) => return Some((socket, asked)),
                Err(why) => tracing::warn!(why, "Slack's socket could not be opened; trying again"),
            }
            // Slack was asked a moment ago, so the next try waits in any case.
            *in_vain = (*in_vain).max(1) + 1;
        }
    }

    /// Opens a socket and waits until Slack says hello on it.
    async fn open_socket(&self) -> Result<Socket, String> {
        let opening = async {
            self.own().await.map_err(|failure| failure.to_string())?;
            let url = self
                .api
                .socket_address()
                .await
                .map_err(|failure| failure.to_string())?;
            let (mut socket, _) = connect_async(url)
                .await
                .map_err(|_| "the connection failed".to_owned())?;
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(text) = message {
                    let hello: Value = serde_json::from_str(&text).unwrap_or_default();
                    if hello["type"] == "hello" {
                        return Ok(socket);
                    }
                }
            }
            Err("it ended before it began".to_owned())
        };
        let opened = tokio::time::timeout(OPEN_MAX, opening).await;
        opened.unwrap_or_else(|_| Err(format!("not within {} s", OPEN_MAX.as_secs())))
    }

    /// Reads one socket to its end, or until another one has taken its place and Slack has had time to go over to that.
    /// Events are handed in one after the other, beside the reading; a person who waits for an answer is held up by nobody.
    async fn read(
        self: Arc<Self>,
        mut socket: Socket,
        renew: watch::Sender<bool>,
        retired: oneshot::Receiver<()>,
    ) {
        let (answer, mut answers) = mpsc::channel::<String>(QUEUE_MAX);
        let (event, events) = mpsc::channel::<Value>(QUEUE_MAX);
        tokio::spawn(Arc::clone(&self).in_order(events, answer.clone()));
        let mut over = pin!(self.over(retired));
        let mut ping = pin!(self.passed(PING_EVERY));
        let mut unheard = 0;
        loop {
            let message = tokio::select! {
                // Answers have three seconds; and what came is read before anything ends.
                biased;
                Some(text) = answers.recv() => {
                    if !sent(&mut socket, Message::text(text)).await {
                        return;
                    }
                    continue;
                }
                message = socket.next() => message,
                () = &mut ping => {
                    ping.set(self.passed(PING_EVERY));
                    if unheard >= UNHEARD_MAX && let Ok(message) = tokio::time::timeout(LAST_MOMENT, socket.next()).await {
                        message
                    } else {
                        if unheard >= UNHEARD_MAX && !renew.send_replace(true) {
                            tracing::warn!("Slack's socket is silent; another one takes its place");
                        }
                        unheard += 1;
                        if !sent(&mut socket, Message::Ping(Bytes::new())).await {
                            return;
                        }
                        continue;
                    }
                }
                () = &mut over => break,
            };
            let Some(Ok(message)) = message else { return };
            unheard = 0;
            let Message::Text(text) = message else { continue };
            let envelope: Value = serde_json::from_str(&text).unwrap_or_default();
            if envelope["type"] == "disconnect" {
                renew.send_replace(true);
            } else if envelope["type"] == "events_api" {
                // What happens in a channel keeps its order. One too many is not acknowledged, and Slack sends it again.
                if event.try_send(envelope).is_err() {
                    tracing::warn!("events come faster than they can be stored");
                }
            } else {
                tokio::spawn(Arc::clone(&self).acknowledged(envelope, answer.clone()));
            }
        }
        // What is still being answered here is answered here.
        drop((answer, event));
        while let Some(text) = answers.recv().await {
            if !sent(&mut socket, Message::text(text)).await {
                return;
            }
        }
        // Nobody waits for how the goodbye went.
        let _ = socket.close(None).await;
    }

    /// Returns when a socket is read no more: another one has been there for a while, or the bot stops.
    async fn over(&self, retired: oneshot::Receiver<()>) {
        let replaced = async {
            // Without a word nobody opens the next one any more: the bot stops.
            let _ = retired.await;
            self.passed(READ_ON).await;
        };
        tokio::select! {
            () = replaced => {}
            () = self.stopped() => {}
        }
    }

    async fn in_order(self: Arc<Self>, mut events: mpsc::Receiver<Value>, answer: mpsc::Sender<String>) {
        while let Some(envelope) = events.recv().await {
            Arc::clone(&self).acknowledged(envelope, answer.clone()).await;
        }
    }

    /// Hands a delivery in, and acknowledges it if it was taken.
    async fn acknowledged(self: Arc<Self>, envelope: Value, answer: mpsc::Sender<String>) {
        let (Some(id), Some(kind)) = (envelope["envelope_id"].as_str(), envelope["type"].as_str()) else {
            return;
        };
        let text = match self.deliver(kind, &envelope["payload"]).await {
            Reply::Empty => json!({ "envelope_id": id }),
            Reply::With(payload) => json!({ "envelope_id": id, "payload": payload }),
            Reply::No => return,
        };
        // The socket may have ended meanwhile: Slack sends the delivery again, and it is known then.
        let _ = answer.send(text.to_string()).await;
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

async fn sent(socket: &mut Socket, message: Message) -> bool {
    let sent = tokio::time::timeout(SEND_MAX, socket.send(message)).await;
    matches!(sent, Ok(Ok(())))
}

fn wait(tries: u32) -> TimeDelta {
    (FIRST_WAIT * 2_i32.saturating_pow(tries.min(6))).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_cannot_be_opened_is_tried_less_and_less_often() {
        let waits: Vec<i64> = (0..8).map(|tries| wait(tries).num_seconds()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }
}
