//! The gateway's wire: connections of the bot.

use std::io::Write;
use std::sync::Weak;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Shared;
use super::gateway::{Frame, Refused, Socket};
use super::state::State;

/// How often a client is to say that it lives, in milliseconds: what Discord says today.
const HEARTBEAT: u64 = 41_250;

/// What a client may say in a minute, heartbeats not counted.
const MOST_SAID: usize = 120;
const MINUTE: Duration = Duration::from_secs(60);

/// From how many bytes on an event is compressed for a client that asked for it.
const WORTH_COMPRESSING: usize = 4096;

/// Members in one GUILD_MEMBERS_CHUNK.
const CHUNK: usize = 1000;

impl State {
    fn new_socket(&mut self) -> (u64, UnboundedReceiver<Frame>) {
        self.gateway.next_socket += 1;
        let id = self.gateway.next_socket;
        let (out, frames) = unbounded_channel();
        let interval = self.gateway.heartbeat.unwrap_or(HEARTBEAT);
        let hello = json!({ "op": 10, "t": null, "s": null,
            "d": { "heartbeat_interval": interval, "_trace": ["testbed"] } });
        // The receiver lives as long as this function's caller.
        let _ = out.send(Frame::Text(hello.to_string()));
        self.gateway.sockets.push(Socket {
            id,
            out,
            session: None,
            said: Vec::new(),
            heard: None,
        });
        (id, frames)
    }

    fn socket_gone(&mut self, id: u64) {
        self.gateway.sockets.retain(|socket| socket.id != id);
    }

    /// The client ended it: with 1000 or 1001 its session ends too, else it can be taken up again.
    fn left(&mut self, id: u64, code: Option<u16>) {
        let session = self.socket(id).and_then(|socket| socket.session.clone());
        if matches!(code, Some(1000 | 1001)) {
            for known in &mut self.gateway.sessions {
                known.lives &= Some(&known.id) != session.as_ref();
            }
        }
    }

    fn heard(&mut self, id: u64, said: &Value) -> Result<(), Refused> {
        let op = said["op"]
            .as_u64()
            .ok_or((4002, "Error while decoding payload."))?;
        let now = self.now;
        let session = self.socket(id).and_then(|socket| socket.session.clone());
        if let Some(socket) = self.gateway.sockets.iter_mut().find(|socket| socket.id == id)
            && op != 1
        {
            socket.said.retain(|at| *at + MINUTE > now);
            socket.said.push(now);
            if socket.said.len() > MOST_SAID {
                self.violation("said more than 120 things in a minute over the gateway".to_owned());
                return Err((4008, "You are being rate limited."));
            }
        }
        match op {
            1 => self.heartbeat(id, &said["d"]),
            2 => self.identify(id, &said["d"]),
            6 => {
                if !self.resume(id, &said["d"])? {
                    self.tell(id, &json!({ "op": 9, "t": null, "s": null, "d": false }));
                }
                Ok(())
            }
            _ if session.is_none() => Err((4003, "Not authenticated.")),
            3 | 4 | 31 => Ok(()),
            8 => {
                self.members_asked(&session.unwrap_or_default(), &said["d"]);
                Ok(())
            }
            _ => Err((4001, "Unknown opcode.")),
        }
    }

    fn heartbeat(&mut self, id: u64, seq: &Value) -> Result<(), Refused> {
        let session = self.socket(id).and_then(|socket| socket.session.as_deref());
        let sent = session
            .and_then(|id| self.session(id))
            .map_or(0, |session| session.seq);
        let seq = seq.as_u64();
        if seq.is_some_and(|seq| seq > sent) && session.is_some() {
            return Err((4007, "Invalid seq."));
        }
        if let Some(socket) = self.gateway.sockets.iter_mut().find(|socket| socket.id == id) {
            socket.heard = seq;
        }
        if self.gateway.asking && seq.is_none_or(|seq| seq < sent) {
            // Some libraries count an event only after they have handed it on: asked again, they have.
            self.tell(id, &heartbeat_wanted());
        }
        if !self.faults.deaf {
            self.tell(id, &json!({ "op": 11, "t": null, "s": null, "d": null }));
        }
        Ok(())
    }

    fn tell(&self, id: u64, what: &Value) {
        if let Some(socket) = self.socket(id) {
            let _ = socket.out.send(Frame::Text(what.to_string()));
        }
    }

    /// Request Guild Members: by beginning of the name, or by ids.
    fn members_asked(&mut self, session: &str, asked: &Value) {
        let ids: Vec<&str> = match &asked["user_ids"] {
            Value::String(one) => vec![one],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let query = asked["query"].as_str().unwrap_or_default();
        let limit = asked["limit"].as_u64().filter(|limit| *limit > 0);
        let limit = limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX);
        let found: Vec<Value> = self
            .members
            .values()
            .filter(|member| match ids.is_empty() {
                true => self
                    .users
                    .get(&member.user)
                    .is_some_and(|user| user.name.starts_with(query)),
                false => ids.contains(&member.user.as_str()),
            })
            .take(limit)
            .map(|member| self.member_json(member))
            .collect();
        let gone: Vec<&str> = ids
            .into_iter()
            .filter(|id| !self.members.contains_key(*id))
            .collect();
        let chunks: Vec<&[Value]> = if found.is_empty() {
            vec![&[]]
        } else {
            found.chunks(CHUNK).collect()
        };
        let count = chunks.len();
        let mut answers = Vec::new();
        for (at, chunk) in chunks.into_iter().enumerate() {
            let mut answer = json!({
                "guild_id": self.guild.id, "members": chunk, "chunk_index": at, "chunk_count": count,
                "not_found": gone,
            });
            if !asked["nonce"].is_null() {
                answer["nonce"] = asked["nonce"].clone();
            }
            answers.push(answer);
        }
        for answer in answers {
            self.send_to(session, "GUILD_MEMBERS_CHUNK", answer);
        }
    }
}

/// Asks a client to say how far it has come.
pub fn heartbeat_wanted() -> Value {
    json!({ "op": 1, "t": null, "s": null, "d": null })
}

/// Serves one connection until either side ends it.
pub async fn serve(shared: Weak<Shared>, mut socket: WebSocket) {
    let Some((id, mut frames)) = shared.upgrade().map(|shared| shared.with(State::new_socket)) else {
        return;
    };
    let mut compress = false;
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Text(text)) => if socket.send(packed(text, compress)).await.is_err() { break },
                Some(Frame::Close(code, reason)) => {
                    close(&mut socket, code, reason).await;
                    break;
                }
                Some(Frame::Freeze) => {
                    while !matches!(frames.recv().await, None | Some(Frame::Drop)) {}
                    break;
                }
                Some(Frame::Drop) | None => break,
            },
            said = socket.recv() => {
                let Some(shared) = shared.upgrade() else { break };
                let said = match said {
                    Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap_or_default(),
                    Some(Ok(Message::Close(frame))) => {
                        shared.with(|state| state.left(id, frame.map(|frame| frame.code)));
                        // Reading on sends the answer that a proper close asks for.
                        let _ = socket.recv().await;
                        break;
                    }
                    Some(Err(_)) | None => break,
                    Some(Ok(_)) => continue,
                };
                let said: Value = said;
                compress |= said["op"] == 2 && said["d"]["compress"] == true;
                if let Err((code, reason)) = shared.with(|state| state.heard(id, &said)) {
                    close(&mut socket, code, reason).await;
                    break;
                }
            }
        }
    }
    if let Some(shared) = shared.upgrade() {
        shared.with(|state| state.socket_gone(id));
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // The other side may be gone already.
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        let _ = socket.recv().await;
    }
}

/// Large events go compressed to a client that said it can take that.
fn packed(text: String, compress: bool) -> Message {
    if !compress || text.len() < WORTH_COMPRESSING {
        return Message::Text(text.into());
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    packed.map_or_else(
        |_| Message::Text(text.into()),
        |bytes| Message::Binary(bytes.into()),
    )
}
