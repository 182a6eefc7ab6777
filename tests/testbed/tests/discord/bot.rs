//! A bot of the simplest kind: what the tests hold the fake by.

use futures::{SinkExt, StreamExt};
use orderly_testbed::discord::DiscordServer;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What a bot like ours hears: guilds, members, messages, reactions, direct messages, and what stands in them.
pub const INTENTS: u64 = 1 | 1 << 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15;

/// A guild whose own answers too are held against Discord's description.
pub async fn guild() -> DiscordServer {
    let discord = DiscordServer::start().await;
    discord.check_answers();
    discord
}

/// Calls the API as the bot.
pub struct Api {
    client: Client,
    base: String,
    pub token: String,
    app: String,
    pub guild: String,
}

impl Api {
    pub fn of(discord: &DiscordServer) -> Self {
        // One provider for the whole process; a second test in it finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            client: Client::builder()
                .no_proxy()
                .user_agent("DiscordBot (https://example.com, 1.0)")
                .build()
                .expect("a client"),
            base: discord.api_url(),
            token: discord.bot_token(),
            app: discord.app_id(),
            guild: discord.guild_id(),
        }
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("authorization", format!("Bot {}", self.token))
    }

    /// Status and body of a call; null where there is none.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A call that succeeds.
    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let said = format!("{method} {path} {body}");
        let (status, answer) = self.call(method, path, body).await;
        assert!(status < 300, "{said}: {status} {answer}");
        answer
    }

    /// Discord's code of a call that does not.
    pub async fn refused(&self, method: &str, path: &str, body: Value) -> u64 {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status >= 400, "{method} {path}: {status} {answer}");
        answer["code"].as_u64().unwrap_or_default()
    }

    /// Says something and gives the message's id.
    pub async fn says(&self, channel: &str, text: &str) -> String {
        let said = self
            .done(
                "POST",
                &format!("/channels/{channel}/messages"),
                json!({ "content": text }),
            )
            .await;
        said["id"].as_str().expect("an id").to_owned()
    }

    /// Registers these commands for the guild, and no others.
    pub async fn registers(&self, commands: Value) -> Value {
        let path = format!("/applications/{}/guilds/{}/commands", self.app, self.guild);
        self.done("PUT", &path, commands).await
    }

    pub fn commands_path(&self) -> String {
        format!("/applications/{}/commands", self.app)
    }

    /// The first response to an interaction.
    pub async fn responds(&self, interaction: &Value, kind: u64, data: Value) -> (u16, Value) {
        let (id, token) = (text(&interaction["id"]), text(&interaction["token"]));
        let mut body = json!({ "type": kind });
        if !data.is_null() {
            body["data"] = data;
        }
        self.call("POST", &format!("/interactions/{id}/{token}/callback"), body)
            .await
    }

    /// The address of what comes after it.
    pub fn after(&self, interaction: &Value, rest: &str) -> String {
        format!("/webhooks/{}/{}{rest}", self.app, text(&interaction["token"]))
    }

    /// A connection, identified, its READY and GUILD_CREATE already read.
    pub async fn hears(&self, discord: &DiscordServer, intents: u64) -> Ear {
        let mut ear = Ear::connect(discord).await;
        ear.identify(&self.token, intents).await;
        let ready = ear.event("READY").await;
        ear.session = text(&ready["session_id"]);
        if intents & 1 != 0 {
            ear.event("GUILD_CREATE").await;
        }
        ear
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One connection to the gateway.
pub struct Ear {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub session: String,
    pub seq: u64,
    /// The code with which it was closed.
    pub closed: Option<u16>,
}

impl Ear {
    /// A connection whose hello is read.
    pub async fn connect(discord: &DiscordServer) -> Self {
        let (stream, _) = connect_async(format!("{}/?v=10&encoding=json", discord.gateway_url()))
            .await
            .expect("a socket");
        let mut ear = Self {
            stream,
            session: String::new(),
            seq: 0,
            closed: None,
        };
        assert_eq!(ear.next().await["op"], 10);
        ear
    }

    pub async fn say(&mut self, what: Value) {
        self.stream
            .send(Message::Text(what.to_string().into()))
            .await
            .expect("an open socket");
    }

    pub async fn identify(&mut self, token: &str, intents: u64) {
        let properties = json!({ "os": "linux", "browser": "test", "device": "test" });
        self.say(json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": properties } }))
            .await;
    }

    pub async fn resume(&mut self, token: &str, session: &str, seq: u64) {
        self.say(json!({ "op": 6, "d": { "token": token, "session_id": session, "seq": seq } }))
            .await;
    }

    /// What is said next; null when the connection has ended.
    pub async fn next(&mut self) -> Value {
        while let Some(Ok(message)) = self.stream.next().await {
            match message {
                Message::Text(text) => {
                    let said: Value = serde_json::from_str(&text).expect("JSON");
                    self.seq = said["s"].as_u64().unwrap_or(self.seq);
                    return said;
                }
                Message::Close(frame) => self.closed = frame.map(|frame| frame.code.into()),
                _ => {}
            }
        }
        Value::Null
    }

    /// The data of the next event, which has this name.
    pub async fn event(&mut self, name: &str) -> Value {
        let mut said = self.next().await;
        assert_eq!(said["t"], name, "{said}");
        said["d"].take()
    }
}
