//! The neutral message and the neutral form: what the bot says before a platform gives it a shape.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rich::Rich;

/// What the bot posts. A platform that cannot hold all of it cuts at a block and puts the rest in a thread or a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// One line for notifications and for readers of plain text.
    pub fallback: String,
    pub blocks: Vec<Block>,
}

impl Message {
    /// The same, shown where its incident (`INC-7`) does not go without saying: every button names it.
    pub fn about(mut self, incident: &str) -> Self {
        let rows = self.blocks.iter_mut().filter_map(|block| match block {
            Block::Buttons { buttons } => Some(buttons),
            _ => None,
        });
        for button in rows.flatten() {
            match &mut button.press {
                Press::Run { line } if !line.starts_with("INC-") => *line = format!("{incident} {line}"),
                Press::Run { .. } => {}
                Press::Ask { fixed, .. } => {
                    fixed
                        .entry("incident".to_owned())
                        .or_insert_with(|| incident.to_owned());
                }
            }
        }
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "b", rename_all = "snake_case")]
pub enum Block {
    /// A title, plain.
    Header {
        text: String,
    },
    Text {
        text: Rich,
    },
    /// Label and value pairs, shown two to a row where there is space.
    Fields {
        fields: Vec<(String, Rich)>,
    },
    /// One result a row, with its tone as colour and word, never colour alone.
    Rows {
        rows: Vec<Row>,
    },
    /// Verbatim text; `diff` colours lines that start with `+` and `-`.
    Code {
        text: String,
        diff: bool,
    },
    /// Long text that opens on demand.
    Details {
        title: String,
        text: String,
    },
    Buttons {
        buttons: Vec<Button>,
    },
    /// Small print.
    Context {
        text: Rich,
    },
    Divider,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub tone: Tone,
    /// One word: `ok`, `failing`, `done`, `waiting`.
    pub mark: String,
    pub title: Rich,
    pub detail: Rich,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Good,
    Warn,
    Bad,
    Quiet,
    Busy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub style: Style,
    pub press: Press,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Plain,
    Primary,
    Danger,
}

/// What pressing a button does. Stored with the message, so that a button posted by an older version still works:
/// it names a command of the table, and commands are never taken away, only given aliases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Press {
    /// Runs a command line, as if the person had typed it in the room.
    Run { line: String },
    /// Opens the form of a command, some of its options already fixed.
    Ask {
        path: String,
        fixed: BTreeMap<String, String>,
    },
}

/// A form: a command of the table whose missing options a person fills in. Submitting it is the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Path of the command (`action approve`).
    pub path: String,
    /// Options that are settled and not shown.
    pub fixed: BTreeMap<String, String>,
    pub title: String,
    pub intro: Option<Rich>,
    pub fields: Vec<Field>,
    pub submit: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name of the command's option.
    pub name: String,
    pub label: String,
    pub hint: Option<String>,
    pub kind: FieldKind,
    /// Filled in beforehand.
    pub value: Option<String>,
    pub required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    Line,
    Area,
    Number,
    /// Value and label.
    Select {
        options: Vec<(String, String)>,
    },
    /// Any of these; submitted as values joined by commas.
    Several {
        options: Vec<(String, String)>,
    },
    DateTime,
    Day,
    Person,
    /// Submitted as `yes` when ticked, left out otherwise.
    Tick,
}
