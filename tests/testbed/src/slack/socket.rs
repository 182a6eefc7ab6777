//! Socket Mode: connections to the bot.

use std::sync::Weak;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Shared;
use super::state::State;

/// Connections an app may have. Slack: ten.
const MOST: usize = 10;

/// How often a connection is pinged, in real time: it is no part of any test's story.
const PING_EVERY: Duration = Duration::from_secs(5);

/// What a connection is told to do.
pub enum Frame {
    Text(String),
    /// A proper end, with a close frame.
    Close,
    /// An end without a word.
    Drop,
    /// Nothing more is read or written, and the connection stays: what a dead network looks like.
    Freeze,
}

pub struct Socket {
    pub id: u64,
    pub out: UnboundedSender<Frame>,
    /// Whether it is given envelopes.
    pub takes: bool,
}

impl State {
    fn new_socket(&mut self) -> (u64, UnboundedReceiver<Frame>) {
        let id = self.next();
        let (out, frames) = unbounded_channel();
        let many = self.deliveries.sockets.len() >= MOST;
        let first = if many {
            disconnect("too_many_websockets")
        } else {
            json!({
                "type": "hello",
                "num_connections": self.deliveries.sockets.len() + 1,
                "debug_info": { "host": "applink-1", "build_number": 10, "approximate_connection_time": 18060 },
                "connection_info": { "app_id": self.app.id },
            })
        };
        // The receiver lives as long as this function's caller.
        let _ = out.send(Frame::Text(first.to_string()));
        if many {
            let _ = out.send(Frame::Close);
        } else {
            self.deliveries.sockets.push(Socket { id, out, takes: true });
        }
        (id, frames)
    }

    /// Tells the connections something. A connection that is gone does not hear it.
    pub(super) fn tell_sockets(&self, frame: impl Fn() -> Frame) {
        for socket in &self.deliveries.sockets {
            let _ = socket.out.send(frame());
        }
    }
}

/// The message that ends, or announces the end of, a connection.
pub fn disconnect(reason: &str) -> Value {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } })
}

/// Serves one connection until either side ends it.
pub async fn serve(shared: Weak<Shared>, mut socket: WebSocket) {
    let Some((id, mut frames)) = shared.upgrade().map(|shared| shared.with(State::new_socket)) else {
        return;
    };
    let mut pings = tokio::time::interval(PING_EVERY);
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Text(text)) => if socket.send(Message::Text(text.into())).await.is_err() { break },
                Some(Frame::Close) => {
                    // The other side may be gone already.
                    let _ = socket.send(Message::Close(None)).await;
                    break;
                }
                Some(Frame::Freeze) => {
                    while !matches!(frames.recv().await, None | Some(Frame::Drop)) {}
                    break;
                }
                Some(Frame::Drop) | None => break,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => {
                    let Some(shared) = shared.upgrade() else { break };
                    shared.with(|state| heard(state, &text));
                }
                Some(Ok(Message::Close(_))) => {
                    // Reading on sends the answer that a proper close asks for.
                    let _ = socket.recv().await;
                    break;
                }
                Some(Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            _ = pings.tick() => {
                let hello = format!("Ping from applink-{id}");
                if socket.send(Message::Ping(hello.into())).await.is_err() { break }
            }
        }
    }
    if let Some(shared) = shared.upgrade() {
        shared.with(|state| state.socket_gone(id));
    }
}

fn heard(state: &mut State, text: &str) {
    let Ok(mut said) = serde_json::from_str::<Value>(text) else {
        state.violation(format!("said over a socket, and no JSON: {text}"));
        return;
    };
    match said["envelope_id"].as_str().map(str::to_owned) {
        Some(envelope) => state.envelope_acked(&envelope, said["payload"].take()),
        None => state.violation(format!("said over a socket without an envelope_id: {text}")),
    }
}
