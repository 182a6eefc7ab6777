//! Text as spans, so that nothing a person typed can become markup.
//!
//! Adapters turn spans into what their platform writes and escape every plain part. There is no way from a string to
//! markup, and a mention fires only where the bot put a [`Span::Person`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::incident::{PersonId, RoomRef};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "s", rename_all = "snake_case")]
pub enum Span {
    Plain {
        text: String,
    },
    Bold {
        text: String,
    },
    Code {
        text: String,
    },
    Link {
        url: String,
        text: String,
    },
    /// A person, mentioned so that they are notified.
    Person {
        id: PersonId,
        name: String,
    },
    /// A moment, shown in the reader's own zone where the platform can do that.
    Time {
        at: DateTime<Utc>,
    },
    /// A room, as a link into it where it is one of the reader's platform.
    Room {
        at: RoomRef,
    },
}

/// A run of spans. Line breaks are `\n` in plain spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rich(pub Vec<Span>);

impl Rich {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Plain { text: text.into() });
        self
    }

    pub fn bold(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Bold { text: text.into() });
        self
    }

    pub fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Code { text: text.into() });
        self
    }

    pub fn link(mut self, url: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.push(Span::Link {
            url: url.into(),
            text: text.into(),
        });
        self
    }

    pub fn person(mut self, id: &PersonId, name: impl Into<String>) -> Self {
        self.0.push(Span::Person {
            id: id.clone(),
            name: name.into(),
        });
        self
    }

    pub fn time(mut self, at: DateTime<Utc>) -> Self {
        self.0.push(Span::Time { at });
        self
    }

    pub fn room(mut self, at: &RoomRef) -> Self {
        self.0.push(Span::Room { at: at.clone() });
        self
    }

    pub fn then(mut self, other: Rich) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a terminal or a log of plain text shows. Times are UTC to the minute.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Plain { text } | Span::Bold { text } => text.clone(),
                Span::Code { text } => format!("`{text}`"),
                Span::Link { url, text } if url == text => url.clone(),
                Span::Link { url, text } => format!("{text} ({url})"),
                Span::Person { name, .. } => format!("@{name}"),
                Span::Time { at } => at.format("%Y-%m-%d %H:%M UTC").to_string(),
                Span::Room { at } => elsewhere(at),
            })
            .collect()
    }
}

/// A room for whoever cannot be led into it.
pub fn elsewhere(room: &RoomRef) -> String {
    format!("a room on {}", room.platform)
}

impl From<&str> for Rich {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for Rich {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}
