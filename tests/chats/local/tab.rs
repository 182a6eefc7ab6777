//! An open tab: the live stream of a room, as the page's script reads it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// How long a test waits in real time for what should come at once; it only decides how long a broken test takes.
pub const GUARD: Duration = Duration::from_secs(20);

/// Forms that came and were not sent yet, the newest last.
#[derive(Clone)]
pub struct Shown(Arc<watch::Sender<Vec<String>>>);

impl Default for Shown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }
}

impl Shown {
    /// The newest form, once there is one.
    pub async fn next(&self) -> String {
        let mut forms = self.0.subscribe();
        // The sender lives in self.
        let shown = forms.wait_for(|forms| !forms.is_empty()).await;
        shown.expect("a sender").last().expect("a form").clone()
    }

    pub fn close(&self) {
        self.0.send_modify(Vec::clear);
    }
}

pub struct Tab {
    pub name: String,
    cut: Arc<Notify>,
    listening: AbortHandle,
}

/// What a tab needs to listen, and to listen again.
pub struct Address {
    pub http: reqwest::Client,
    pub url: String,
    pub cookie: String,
}

impl Tab {
    pub fn open(name: String, at: Address, forms: Shown) -> Self {
        let cut = Arc::new(Notify::new());
        let listening = tokio::spawn(listen(at, Arc::clone(&cut), forms));
        Self {
            name,
            cut,
            listening: listening.abort_handle(),
        }
    }

    /// The connection breaks; the tab makes another one and says what it saw last.
    pub fn cut(&self) {
        self.cut.notify_one();
    }

    pub fn is_open(&self) -> bool {
        !self.listening.is_finished()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Listens until the server ends it.
async fn listen(at: Address, cut: Arc<Notify>, forms: Shown) {
    let mut last = None;
    loop {
        let mut request = at.http.get(&at.url).header("cookie", &at.cookie);
        if let Some(last) = &last {
            request = request.header("last-event-id", last);
        }
        let Ok(mut stream) = request.send().await else {
            return;
        };
        let mut read = Vec::new();
        loop {
            let bytes = tokio::select! {
                bytes = stream.chunk() => bytes,
                () = cut.notified() => break,
            };
            let Ok(Some(bytes)) = bytes else { return };
            read.extend_from_slice(&bytes);
            while let Some(end) = read.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = read.drain(..end + 2).collect();
                let event = String::from_utf8(event).expect("text");
                last = field(&event, "id").or(last);
                if field(&event, "event").as_deref() == Some("form") {
                    let html = field(&event, "data").unwrap_or_default();
                    forms.0.send_modify(|forms| forms.push(html));
                }
            }
        }
    }
}

/// A field of an event, its lines joined.
fn field(event: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = event
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
