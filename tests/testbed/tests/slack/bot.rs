//! A bot of the simplest kind: what the tests hold the fake by.

use axum::Router;
use axum::http::HeaderMap;
use futures::{SinkExt, StreamExt};
use orderly_testbed::slack::SlackServer;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Calls the Web API as the bot.
pub struct Api {
    client: Client,
    base: String,
    pub bot: String,
    pub app: String,
}

impl Api {
    pub fn of(slack: &SlackServer) -> Self {
        // One provider for the whole process; a second test in it finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            client: Client::builder().no_proxy().build().expect("a client"),
            base: slack.api_url(),
            bot: slack.bot_token(),
            app: slack.app_token(),
        }
    }

    pub fn request(&self, method: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(format!("{}/{method}", self.base))
            .bearer_auth(&self.bot)
            .json(body)
    }

    /// A call that is answered with 200.
    pub async fn call(&self, method: &str, body: Value) -> Value {
        let answer = self.request(method, &body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{method}");
        answer.json().await.expect("JSON")
    }

    /// A call that succeeds.
    #[track_caller]
    pub fn done(&self, method: &str, body: Value) -> impl Future<Output = Value> {
        let said = format!("{method} {body}");
        let call = self.request(method, &body).send();
        async move {
            let body: Value = call.await.expect("an answer").json().await.expect("JSON");
            assert_eq!(body["ok"], true, "{said}: {body}");
            body
        }
    }

    /// The error code of a call that does not.
    pub async fn refused(&self, method: &str, body: Value) -> String {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        answer["error"].as_str().unwrap_or_default().to_owned()
    }

    pub async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Value {
        let url = format!("{}/{method}", self.base);
        let call = self.client.post(url).bearer_auth(&self.bot).form(fields).send();
        call.await.expect("an answer").json().await.expect("JSON")
    }

    pub async fn post(&self, url: &str, body: &Value) -> reqwest::Response {
        self.client.post(url).json(body).send().await.expect("an answer")
    }

    pub async fn get(&self, url: &str, token: Option<&str>) -> reqwest::Response {
        let mut request = self.client.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("an answer")
    }

    pub async fn send(&self, url: &str, bytes: Vec<u8>) -> reqwest::Response {
        self.client.post(url).body(bytes).send().await.expect("an answer")
    }

    /// A socket, its hello already read.
    pub async fn socket(&self) -> Socket {
        let url = format!("{}/apps.connections.open", self.base);
        let call = self
            .client
            .post(url)
            .bearer_auth(&self.app)
            .send()
            .await
            .expect("an answer");
        let body: Value = call.json().await.expect("JSON");
        let address = body["url"].as_str().expect("an address");
        let (stream, _) = connect_async(address).await.expect("a socket");
        let mut socket = Socket(stream);
        assert_eq!(socket.next().await["type"], "hello");
        socket
    }
}

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next message; null when the connection has ended.
    pub async fn next(&mut self) -> Value {
        while let Some(Ok(message)) = self.0.next().await {
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
        Value::Null
    }

    /// The next message's event.
    pub async fn event(&mut self) -> Value {
        let envelope = self.next().await;
        self.ack(&envelope, Value::Null).await;
        envelope["payload"]["event"].clone()
    }

    pub async fn ack(&mut self, envelope: &Value, payload: Value) {
        let mut ack = json!({ "envelope_id": envelope["envelope_id"] });
        if !payload.is_null() {
            ack["payload"] = payload;
        }
        self.0
            .send(Message::Text(ack.to_string().into()))
            .await
            .expect("an open socket");
    }
}

/// A request that came to the bot's own address.
pub struct Came {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
    answer: tokio::sync::oneshot::Sender<(u16, String)>,
}

impl Came {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub fn answer(self, status: u16, body: &str) {
        // Slack may have given up.
        let _ = self.answer.send((status, body.to_owned()));
    }
}

/// The bot's own addresses: gives their base and what comes.
pub async fn endpoint() -> (String, UnboundedReceiver<Came>) {
    let (came, arrivals) = unbounded_channel();
    let app = Router::new().fallback(move |uri: axum::http::Uri, headers: HeaderMap, body: String| {
        let came = came.clone();
        async move {
            let (answer, answered) = tokio::sync::oneshot::channel();
            let path = uri.path().to_owned();
            let _ = came.send(Came {
                path,
                headers,
                body,
                answer,
            });
            let (status, body) = answered.await.unwrap_or((500, String::new()));
            (axum::http::StatusCode::from_u16(status).expect("a status"), body)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, arrivals)
}
