//! A catalog file as written. The JSON Schema is generated from these types; what they cannot say is checked by `load`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::units::{Bytes, Period};
use super::verdict::{Expression, Template};
use crate::incident::{Risk, Role, Verdict};

/// One catalog file. Many of them form one catalog.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Questions, by name (`postgres.blocking`).
    #[serde(default)]
    pub probe: BTreeMap<String, Probe>,
    /// Changes, by name (`odoo.cron.disable`).
    #[serde(default)]
    pub action: BTreeMap<String, Action>,
}

/// A read-only question to a system.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What it shows, in a few words.
    pub title: String,
    /// The question it answers, ending in a question mark.
    pub question: String,
    /// Kinds of target it fits (`postgres`, `odoo`, `redis`, `http`, `host`, `git`).
    pub targets: Vec<String>,
    /// Longest wait for an answer (`5s`).
    #[serde(default = "Period::probe", skip_serializing_if = "Period::is_probe")]
    pub timeout: Period,
    /// Most output kept (`64KiB`); the rest is cut, and the result says so.
    #[serde(default = "Bytes::output", skip_serializing_if = "Bytes::is_output")]
    pub output_limit: Bytes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub sensitivity: Sensitivity,
    /// Who may ask; left out: anybody in the room.
    #[serde(default, skip_serializing_if = "is_default")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: BTreeMap<String, Param>,
    /// CEL: true when the answer is bad.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failing: Option<Expression>,
    /// CEL: true when the answer deserves a look.
    #[serde(default, skip_serializing_if = "is_default")]
    pub suspect: Option<Expression>,
    /// CEL: true when the answer is good; left out: neither failing nor suspect.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ok: Option<Expression>,
    /// minijinja: the one line with the numbers that led to the verdict.
    pub summary: Template,
    /// What a bad verdict means for the business, as a sentence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub impact: Option<String>,
    /// Columns of the short table; left out: those of the first row.
    #[serde(default, skip_serializing_if = "is_default")]
    pub columns: Vec<String>,
    /// CEL: the rows of the short table; left out: the answer, or its only list.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rows: Option<Expression>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub postgres: Option<PostgresRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub redis: Option<RedisRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub http: Option<HttpRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub process: Option<ProcessRead>,
}

/// A change to a system: proposed, approved, attempted, verified.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What it does, as a sentence.
    pub title: String,
    /// Kinds of target it fits.
    pub targets: Vec<String>,
    /// Longest wait for the system; after that the attempt is unknown, never failed.
    #[serde(default = "Period::action", skip_serializing_if = "Period::is_action")]
    pub timeout: Period,
    /// Most output kept.
    #[serde(default = "Bytes::output", skip_serializing_if = "Bytes::is_output")]
    pub output_limit: Bytes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: BTreeMap<String, Param>,
    /// Sets who must approve and for how long the question stands.
    pub risk: Risk,
    /// Only to differ from the default of the risk.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Option<Policy>,
    /// It stops damage: a verified one closes the Contain phase and is listed until lifted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub containment: bool,
    /// It changes the system by hand: to be reconciled into Git or waived.
    #[serde(default, skip_serializing_if = "is_default")]
    pub manual_change: bool,
    /// A probe that must hold right before the attempt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub precondition: Option<Check>,
    /// A probe that tells whether it worked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub verify: Option<Check>,
    /// The action that takes it back; left out: it cannot be undone, and the proposal says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub undo: Option<Undo>,
    /// minijinja over `params`, `target` and `guards`: what would change, as a sentence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub effect: Option<Template>,
    /// What is read before anybody is asked; what it finds guards the attempt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub preview: Option<Lookup>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub postgres: Option<PostgresWrite>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub redis: Option<RedisWrite>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub http: Option<HttpWrite>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub process: Option<ProcessWrite>,
}

/// Who may see the full output of a probe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Everybody in the room.
    #[default]
    Room,
    /// Only holders of the required role.
    Restricted,
}

/// One parameter of a probe or an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    #[serde(rename = "type")]
    pub kind: ParamKind,
    /// What it means, in a few words.
    pub summary: String,
    /// Taken when nothing is given.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default: Option<Value>,
    /// May be left out without a default; it is null then.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// `integer`, `number`: smallest value. `duration`: smallest value in seconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min: Option<f64>,
    /// `integer`, `number`: largest value. `duration`: largest value in seconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max: Option<f64>,
    /// `text`: most characters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_length: Option<usize>,
    /// `text`: a regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pattern: Option<String>,
    /// `choice`: the values allowed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Vec<String>,
    /// `identifier`: what it names on the server (`role`, `database`, `schema`, `table`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub of: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParamKind {
    Integer,
    Number,
    Boolean,
    Text,
    Choice,
    Identifier,
    /// Written `15m`, `2h`; whole seconds once read.
    Duration,
    /// Written in RFC 3339; UTC once read.
    Timestamp,
    /// An absolute path (`/var/log`, `/web/health`) without `..`; the one kind that may be a whole HTTP path.
    Path,
}

/// Who must agree, where that differs from the default of the risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Approvals needed. Zero must be written out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quorum: Option<u32>,
    /// Role whose approval counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub role: Option<Role>,
    /// How long the question stands (`1h`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub expires: Option<Period>,
}

/// A probe with the verdict it must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub probe: String,
    /// Values, `{ from = "name" }` or `{ not = "name" }`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: BTreeMap<String, Value>,
    pub wants: Verdict,
}

/// The action that takes another back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    pub action: String,
    /// Values, `{ from = "name" }`, `{ not = "name" }` or `{ guard = "name" }`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Option<Policy>,
}

/// What a preview reads: the driver table of a probe, of the same driver as the action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    #[serde(default, skip_serializing_if = "is_default")]
    pub postgres: Option<PostgresRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub redis: Option<RedisRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub http: Option<HttpRead>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub process: Option<ProcessRead>,
}

/// One prepared statement in a read-only transaction. Rendered to
/// `{"sql", "binds": [{"name", "type", "value"}], "identifiers": [{"name", "of", "value"}], "answer", "variants": […]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresRead {
    /// The statement; may be left out where `variants` has one for every version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sql: Option<String>,
    /// What `$1`, `$2`, … stand for: `param`, `fact.name` or `since`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub binds: Vec<String>,
    /// The first variant whose `needs` all exist is taken, else `sql`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub variants: Vec<PostgresVariant>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub answer: RowShape,
    /// Said when no variant fits and there is no `sql`: what is not installed, as a sentence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub absent: Option<String>,
}

/// The same question for another version of the schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresVariant {
    /// `table` or `table.column`: what must exist for this variant.
    pub needs: Vec<String>,
    pub sql: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub binds: Vec<String>,
}

/// How rows become the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowShape {
    /// A list of maps.
    #[default]
    Rows,
    /// The one row as a map; no row is a missing answer.
    Row,
}

/// One statement that changes something. Rendered to `{"preview": <read or null>, "guards": […], "rows", "sql", "binds",
/// "identifiers", "variants"}`; a bind `guard.x` is `{"name": "guard.x", "type": "guard"}` and filled in by the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresWrite {
    #[serde(default, skip_serializing_if = "is_default")]
    pub sql: Option<String>,
    /// What `$1`, `$2`, … stand for: `param`, `fact.name`, `since` or `guard.name`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub binds: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub variants: Vec<PostgresVariant>,
    /// Columns of the preview's only row that guard the attempt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub guards: Vec<String>,
    /// Run the statement for the preview and roll it back. Not for signals.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// What the statement does outlives a rollback, as a signal to another session does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub signals: bool,
    /// Said when no variant fits and there is no `sql`: what is not installed, as a sentence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub absent: Option<String>,
    /// Rows the statement must return, else it is rolled back; 0 stands for any number but none. It ends in RETURNING,
    /// or is a SELECT; a returned column `done` that is false counts as refused.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rows: u64,
}

/// Commands that read. Rendered to `{"command": […]}` or `{"commands": {name: […]}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisRead {
    /// One command; its reply is the answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub command: Vec<Value>,
    /// Several commands by name; the answer has one key for each.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commands: BTreeMap<String, Vec<Value>>,
}

/// A command that changes something. Rendered to `{"preview": <read or null>, "guards": {…}, "command": […]}`; a word
/// `{ guard = "name" }` is filled in by the driver. A reply of 0 counts as "nothing fitted".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisWrite {
    pub command: Vec<Value>,
    /// Guard by name: where it stands in the preview's answer (`a.b.0`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub guards: BTreeMap<String, String>,
}

/// A GET or HEAD request. The answer is `{status, latency_ms, headers, json, text, …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRead {
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: ReadMethod,
    /// Path below the target's address; `{name}` is one percent-encoded segment. Or exactly `$name` of type `path`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub path: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: BTreeMap<String, Value>,
    /// The body must be JSON, else there is no answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub json: bool,
    /// Statuses that count as an answer; left out: all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Vec<u16>,
    /// No connection is an answer too (`reached = false`), for probes that ask just that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub down_is_an_answer: bool,
    /// Look at the TLS certificate instead of sending a request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub certificate: bool,
}

/// A probe's HTTP method. There is no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReadMethod {
    #[default]
    Get,
    Head,
}

/// A request that changes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpWrite {
    pub method: WriteMethod,
    #[serde(default, skip_serializing_if = "is_default")]
    pub path: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: BTreeMap<String, Value>,
    /// The JSON body, as a table; `"$name"` or `{ param = "name" }` is the typed value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: Option<Value>,
    /// Guard by name: where it stands in the preview's answer (`json.enabled`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub guards: BTreeMap<String, String>,
    /// Send the preview's ETag as `If-Match`, so that the server itself checks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub if_match: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum WriteMethod {
    Post,
    Put,
    Patch,
    Delete,
}

/// A program that only reads: no shell, no writable path, no network unless it says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessRead {
    /// Program and arguments; each `$name` is one whole argument.
    pub argv: Vec<Value>,
    /// Allow the network; said on every result.
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: bool,
    /// Exit codes that count as an answer (`grep` ends with 1 when nothing matches).
    #[serde(default = "zero_only", skip_serializing_if = "is_zero_only")]
    pub exit: Vec<i32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub output: OutputShape,
}

/// How the output of a program becomes `answer`, besides `exit` and `stderr`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "as", rename_all = "lowercase", deny_unknown_fields)]
pub enum OutputShape {
    /// `lines`: the output line by line.
    #[default]
    Lines,
    /// `json`: the output read as JSON.
    Json,
    /// `rows`: each line cut into named fields, the last of which takes the rest of the line.
    Rows {
        columns: Vec<String>,
        /// Columns read as numbers, `93%` too; null where there is none.
        #[serde(default, skip_serializing_if = "is_default")]
        numbers: Vec<String>,
        /// Left out: any white space.
        #[serde(default, skip_serializing_if = "is_default")]
        separator: Option<String>,
        /// Lines of heading.
        #[serde(default, skip_serializing_if = "is_default")]
        skip: usize,
    },
}

/// The operator's own program, run once with the rights of the bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessWrite {
    pub argv: Vec<Value>,
    /// Guard by name: where it stands in the preview's answer (`lines.0`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub guards: BTreeMap<String, String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> u64 {
    1
}

fn is_one(rows: &u64) -> bool {
    *rows == 1
}

fn zero_only() -> Vec<i32> {
    vec![0]
}

fn is_zero_only(exit: &[i32]) -> bool {
    exit == [0]
}
