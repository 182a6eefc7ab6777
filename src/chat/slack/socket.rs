//! Socket Mode: several sockets, each envelope on any one of them, and a new one open before an old one closes.
//!
//! The library closes before it opens, acknowledges what it cannot read, and hides the envelope, so the socket is ours.
//! An envelope is acknowledged when its delivery is in the inbox; one that is not, Slack sends again.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::SlackChat;
use super::receive::Reply;

/// Longest wait for a socket to open.
const OPEN_MAX: Duration = Duration::from_secs(15);
/// First wait after a socket could not be opened; doubles with each try.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// Slack pings more often than this; a socket that is silent for so long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(90);
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
        while let Some(socket) = self.next_socket().await {
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
        }
    }

    /// Tries until a socket is open; `None` once the bot stops.
    async fn next_socket(&self) -> Option<Socket> {
        let mut tries = 0;
        loop {
            let opened = tokio::select! {
                biased;
                () = self.stopped() => return None,
                opened = self.open_socket() => opened,
            };
            match opened {
                Ok(socket) => return Some(socket),
                Err(why) => tracing::warn!(why, "Slack's socket could not be opened; trying again"),
            }
            if self.stopped_within(wait(tries)).await {
                return None;
            }
            tries += 1;
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

    /// Reads one socket to its end, or until another one has taken its place. Events are handed in one after the other,
    /// beside the reading; a person who waits for an answer is held up by nobody.
    async fn read(
        self: Arc<Self>,
        mut socket: Socket,
        renew: watch::Sender<bool>,
        mut retired: oneshot::Receiver<()>,
    ) {
        let (answer, mut answers) = mpsc::channel::<String>(QUEUE_MAX);
        let (event, events) = mpsc::channel::<Value>(QUEUE_MAX);
        tokio::spawn(Arc::clone(&self).in_order(events, answer.clone()));
        let stopped = self.stopped();
        tokio::pin!(stopped);
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout(SILENCE_MAX, socket.next()) => message,
                Some(text) = answers.recv() => {
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                    continue;
                }
                _ = &mut retired => break,
                () = &mut stopped => break,
            };
            let Ok(Some(Ok(message))) = message else { return };
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
            if socket.send(Message::text(text)).await.is_err() {
                return;
            }
        }
        // Nobody waits for how the goodbye went.
        let _ = socket.close(None).await;
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
