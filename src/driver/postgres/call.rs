//! The calls this driver takes, as the catalog renders them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::statement::Choice;

/// A question: one statement that is a source of rows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Name of the entry: the session's `application_name`, so that a DBA sees who asks.
    #[serde(default)]
    pub name: Option<String>,
    /// Taken when no variant fits.
    #[serde(default)]
    pub sql: Option<String>,
    #[serde(default)]
    pub binds: Vec<Bind>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
    #[serde(default)]
    pub variants: Vec<Variant>,
    #[serde(default)]
    pub answer: Shape,
    /// Said when nothing here fits the schema: what is not installed.
    #[serde(default)]
    pub absent: Option<String>,
}

/// A change: one statement that returns the rows it touched (`UPDATE … RETURNING …`, `SELECT pg_cancel_backend(…)`).
///
/// A column named `done` that is false counts as "the server could not".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    pub name: Option<String>,
    /// What it would touch, as exactly one row; its columns can be guards.
    #[serde(default)]
    pub preview: Option<Read>,
    /// Columns of that row that the statement checks again.
    #[serde(default)]
    pub guards: Vec<String>,
    /// Rows the statement must touch, else all is rolled back; 0 stands for "any number, but not none".
    #[serde(default = "one")]
    pub rows: u64,
    /// Run the statement before anybody is asked, and roll it back.
    #[serde(default)]
    pub dry_run: bool,
    /// What the statement does outlives a rollback (signals to other sessions).
    #[serde(default)]
    pub signals: bool,
    #[serde(default)]
    pub sql: Option<String>,
    #[serde(default)]
    pub binds: Vec<Bind>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
    #[serde(default)]
    pub variants: Vec<Variant>,
    #[serde(default)]
    pub absent: Option<String>,
}

/// The same statement for another version of the schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// `table` or `table.column`, all of which must exist.
    pub needs: Vec<String>,
    pub sql: String,
    #[serde(default)]
    pub binds: Vec<Bind>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
}

impl Read {
    pub(super) fn choice(&self) -> Choice<'_> {
        Choice {
            sql: self.sql.as_deref(),
            binds: &self.binds,
            identifiers: &self.identifiers,
            variants: &self.variants,
            absent: self.absent.as_deref(),
        }
    }
}

impl Change {
    pub(super) fn choice(&self) -> Choice<'_> {
        Choice {
            sql: self.sql.as_deref(),
            binds: &self.binds,
            identifiers: &self.identifiers,
            variants: &self.variants,
            absent: self.absent.as_deref(),
        }
    }
}

/// What one `$n` stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: BindKind,
    #[serde(default)]
    pub value: Value,
}

/// How a value travels. It never becomes part of the statement's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BindKind {
    #[serde(alias = "choice", alias = "identifier")]
    Text,
    /// `int8`; a duration is its whole seconds.
    #[serde(alias = "int8", alias = "duration")]
    Integer,
    /// `float8`.
    #[serde(alias = "float8")]
    Number,
    #[serde(alias = "bool")]
    Boolean,
    /// `timestamptz`, from RFC 3339.
    #[serde(alias = "timestamptz")]
    Timestamp,
    /// A column of the preview's row, by the name `guard.column`; numbers and booleans as such, all else as text, so
    /// that the statement casts it (`$2::timestamptz`).
    Guard,
}

/// A name of something on the server, written `{name}` in the statement. It must exist and is quoted by the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    pub name: String,
    pub of: IdentifierOf,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierOf {
    Database,
    Role,
    Schema,
    Table,
}

/// How rows become the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A list of maps.
    #[default]
    Rows,
    /// The one row as a map; null when there is none.
    Row,
}

/// A change with everything settled: what the approval is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    pub name: String,
    /// `role@host:port/database`: an approval for one server is none for another.
    pub address: String,
    pub sql: String,
    /// Guards filled in.
    pub binds: Vec<Bind>,
    pub rows: u64,
    pub signals: bool,
    pub guards: Map<String, Value>,
}

fn one() -> u64 {
    1
}
