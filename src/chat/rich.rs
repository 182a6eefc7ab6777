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
    /// A command of the bot, as one types it after the slash command's name. Where commands are typed in another way, it is
    /// shown in that way.
    Command {
        name: String,
        line: String,
    },
    Link {
        url: String,
        text: String,
        /// What to type where the link leads nowhere: it begins with a slash, and nobody said where the page is reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
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

    pub fn command(mut self, name: impl Into<String>, line: impl Into<String>) -> Self {
        self.0.push(Span::Command {
            name: name.into(),
            line: line.into(),
        });
        self
    }

    pub fn link(mut self, url: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.push(Span::Link {
            url: url.into(),
            text: text.into(),
            otherwise: None,
        });
        self
    }

    /// A link into the page, and the command on the machine that shows the same.
    pub fn into_page(
        mut self,
        url: impl Into<String>,
        text: impl Into<String>,
        otherwise: impl Into<String>,
    ) -> Self {
        self.0.push(Span::Link {
            url: url.into(),
            text: text.into(),
            otherwise: Some(otherwise.into()),
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

    /// Where nothing can be set apart (a notification, the error of a form): what stands in code elsewhere is quoted.
    pub fn bare(&self) -> String {
        let spans = self.0.iter().map(|span| match span {
            Span::Code { text } => format!("“{text}”"),
            Span::Command { name, line } => typed(name, line),
            other => Self(vec![other.clone()]).plain(),
        });
        spans.collect()
    }

    /// What a terminal or a log of plain text shows. Times are UTC to the minute.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Plain { text } | Span::Bold { text } => text.clone(),
                Span::Code { text } => format!("`{text}`"),
                Span::Command { name, line } => format!("`{}`", typed(name, line)),
                Span::Link { url, text, .. } if url == text => url.clone(),
                Span::Link {
                    text,
                    otherwise: Some(otherwise),
                    ..
                } => format!("{text} (`{otherwise}`)"),
                Span::Link { url, text, .. } => format!("{text} ({url})"),
                Span::Person { name, .. } => format!("@{name}"),
                Span::Time { at } => at.format("%Y-%m-%d %H:%M UTC").to_string(),
                Span::Room { at } => elsewhere(at),
            })
            .collect()
    }
}

/// A command as people type it.
pub fn typed(name: &str, line: &str) -> String {
    format!("/{name} {line}").trim_end().to_owned()
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
