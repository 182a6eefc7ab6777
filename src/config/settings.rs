//! Every setting, with its default. The comments on the fields become the schema's and the reference's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{Approvers, Every, Period, Size};
use super::secret::{Reference, Setting};
use crate::incident::{Environment, Identity, Process, Role, Severity};
use crate::mask;

/// Where the journal is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The SQLite file. A relative path starts at the folder of orderly.toml.
    pub path: PathBuf,
}

/// The local page, webhooks and metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Address and port to listen on. An address that others can reach is refused unless `behind_tls` is true.
    #[schemars(with = "String", extend("x-form" = "address"))]
    pub listen: SocketAddr,
    /// How people reach the page, for the links in messages. Without it: the address of `listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// A proxy in front speaks TLS, so that sign-in links and cookies do not cross the network in the clear.
    pub behind_tls: bool,
}

/// Slack: one workspace. Without this table Slack is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Where the bot's token is (`xoxb-…`): `{ env = "NAME" }` or `{ file = "/path" }`.
    pub bot_token: Reference,
    /// How deliveries come: `socket` needs no public address, `http` needs one that Slack can reach.
    #[serde(default)]
    pub transport: Transport,
    /// Where the app-level token is (`xapp-…`, scope `connections:write`), for `socket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_token: Option<Reference>,
    /// Where the signing secret is, for `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<Reference>,
    /// Sockets open at the same time, so that one may be renewed or lost without silence. Slack allows ten.
    #[serde(default = "two_sockets")]
    #[schemars(range(min = 1, max = 10))]
    pub connections: u32,
    /// Where incidents are announced: the channel's id, such as `C0123ABCD`. Without it: where they are opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<String>,
    /// Address of Slack's Web API, for a stand-in.
    #[serde(default = "slack_api")]
    pub api_url: String,
}

fn two_sockets() -> u32 {
    2
}

fn slack_api() -> String {
    "https://slack.com/api".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    #[default]
    Socket,
    Http,
}

/// Discord: one server. Without this table Discord is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discord {
    /// Where the bot's token is: `{ env = "NAME" }` or `{ file = "/path" }`.
    pub token: Reference,
    /// The server's id. Ids are copied with Developer Mode on: right-click, Copy ID.
    pub guild: String,
    /// Id of the category in which rooms are opened.
    pub category: String,
    /// Id of the category to which rooms go when they are closed. Without it they stay where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_category: Option<String>,
    /// Where incidents are announced: the channel's id. Without it: where they are opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<String>,
    /// Ids of the server's roles that are called when an incident is announced. Nobody else is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// Roles that come from the server: for each role here, the ids of the server's roles whose members have it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Role, Vec<String>>,
    /// Address of Discord's REST API, with its version, for a stand-in.
    #[serde(default = "discord_api")]
    pub api_url: String,
}

fn discord_api() -> String {
    "https://discord.com/api/v10".to_owned()
}

/// The room of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Room {
    /// Name of a new room, as a template. Must hold `{{ number }}`; may hold `{{ slug }}` (from the title),
    /// `{{ severity }}`, `{{ process }}` and `{{ date }}`.
    pub name_template: String,
    /// Rooms that orderly made are archived when the incident is closed, and opened again with it.
    pub archive_on_close: bool,
    /// What people say in one room of the team is carried over to its rooms on other platforms.
    pub carry_over: bool,
    /// A channel that was there before (`open --here`, `room #ops`) gets the incident's topic.
    pub adopted_topic: bool,
    /// Whoever joins the response is invited into a channel that was there before.
    pub adopted_invite: bool,
    /// How long a platform may be out of reach before the rooms on other platforms are told.
    pub away_after: Period,
    /// Whoever is entitled to one of these is invited when a room is opened; into a private one, nobody by themselves.
    pub invite: Vec<Role>,
}

/// What the timeline shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timeline {
    /// `marked`: the facts and what people marked. `all`: every message of the room as well.
    pub capture: Capture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capture {
    #[default]
    Marked,
    All,
}

/// Somebody who may take part, and who they are on each platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Short name, in small letters: `ana`.
    pub id: String,
    /// Full name, for the post-mortem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Roles they may take. Only `approver` lets an approval count where a policy asks for that role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Who they are on each platform; all of these together have one vote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<IdentitySchema>")]
    pub identities: Vec<Identity>,
    /// Their user on this machine, for `orderly incident` on the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
}

/// A group of a platform whose members have roles. One that cannot be read counts for nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// `slack`. What Discord's roles give stands in `[discord] roles`.
    #[schemars(with = "GroupPlatform")]
    pub platform: String,
    /// The group there. On Slack a user group, by its handle (`@approvers`) or its id (`S0123ABCD`).
    pub group: String,
    /// What its members are entitled to, beside what `[[person]]` gives them.
    pub roles: Vec<Role>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // describes `Group::platform`, and is never built
enum GroupPlatform {
    Slack,
    // Known, so that whoever writes it is told where Discord's roles stand.
    Discord,
}

/// One identity, as the schema tells it.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // describes `Identity`, and is never built
struct IdentitySchema {
    /// `local`, `slack` or `discord`.
    platform: Platform,
    /// Team (Slack), guild (Discord), or `local`.
    workspace: String,
    /// The platform's own id of the person, such as `U0123ABCD`. Never a display name.
    user: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // describes `Identity::platform`, and is never built
enum Platform {
    Local,
    Slack,
    Discord,
}

/// Something that can be probed or acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSettings {
    /// Short name, in small letters: `odoo-prod`.
    pub name: String,
    /// What it is: `odoo`, `postgres`, `redis`, `http`, `host` or `git`, or `demo` for the shop of `orderly demo`.
    /// Probes and actions say which kinds they fit.
    pub kind: Kind,
    /// `production`, `staging`, `dr` or `drill`. Always said, never assumed.
    pub environment: Environment,
    /// Whose it is, where one installation serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Where it is, without a password: `postgres://…`, `redis://…`, `https://…`, or a folder for `host` and `git`.
    pub url: String,
    /// The user for probes and actions that name none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Added to every HTTP request. Not for secrets: those go below `probe` and `action`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Added to the clean environment of every process. Not for secrets: those go below `probe` and `action`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The operator accepts a probe user that could write. Said on every result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_privileged_probe: bool,
    /// What probes may know of it: `version = "17.0"`, `log = "/var/log/odoo.log"`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// With what probes ask: a user who can read and nothing else.
    #[serde(default, skip_serializing_if = "Credentials::is_empty")]
    pub probe: Credentials,
    /// With what approved actions run. Without this table the target takes no actions; an empty one (`action = {}`)
    /// allows them without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Credentials>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Odoo,
    Postgres,
    Redis,
    Http,
    Host,
    Git,
    Demo,
}

/// How to sign in. Secrets by reference only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// Another address than the target's, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Another user than the target's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the password is: `{ env = "NAME" }` or `{ file = "/path" }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Reference>,
    /// HTTP headers: text, or where a secret is: `{ env = "NAME", prefix = "Bearer " }`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Setting>,
    /// Variables of a process: text, or where a secret is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Setting>,
}

impl Credentials {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What belongs to no process has no objectives of its own.
fn without_other(schema: &mut schemars::Schema) {
    if let Some(words) = schema.get_mut("enum").and_then(serde_json::Value::as_array_mut) {
        words.retain(|word| word != Process::Other.word());
    }
}

/// What a business process can bear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objectives {
    /// `warehouse-execution`, `order-routing`, `carrier-connectivity`, `inventory-sync` or `finance-posting`.
    #[schemars(transform = without_other)]
    pub name: Process,
    /// Recovery time objective: how long it may be down.
    pub rto: Period,
    /// Recovery point objective: how much of its data, in time, may be lost.
    pub rpo: Period,
}

/// Who must agree to an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// When a waiting proposal asks again, each time in a wider circle; counted from the proposal.
    pub ask_again: Vec<Period>,
    /// Actions of low risk.
    pub low: Approvals,
    /// Actions of medium risk.
    pub medium: Approvals,
    /// Actions of high risk.
    pub high: Approvals,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Approvals {
    /// Approvals needed; the proposer's own never counts. 0 lets such actions run unasked.
    #[schemars(range(max = 9))]
    pub quorum: u32,
    /// Whose approvals count: a role, or `any` for every member but the proposer.
    pub role: Approvers,
    /// How long a proposal waits before it expires.
    pub expires: Period,
}

/// A duration for each severity, or `off`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BySeverity {
    /// For incidents of SEV1.
    #[serde(rename = "SEV1")]
    pub sev1: Every,
    /// For incidents of SEV2.
    #[serde(rename = "SEV2")]
    pub sev2: Every,
    /// For incidents of SEV3.
    #[serde(rename = "SEV3")]
    pub sev3: Every,
    /// For incidents of SEV4.
    #[serde(rename = "SEV4")]
    pub sev4: Every,
    /// For incidents of SEV5.
    #[serde(rename = "SEV5")]
    pub sev5: Every,
}

impl BySeverity {
    pub fn of(&self, severity: Severity) -> Option<TimeDelta> {
        match severity {
            Severity::Sev1 => self.sev1,
            Severity::Sev2 => self.sev2,
            Severity::Sev3 => self.sev3,
            Severity::Sev4 => self.sev4,
            Severity::Sev5 => self.sev5,
        }
        .0
    }
}

/// Roles that nobody took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nudge {
    /// When the room is reminded that nobody commands; of a SEV1 or SEV2 also, after twice as long, of scribe and liaison.
    pub roles_after: Every,
}

/// Containment in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Containment {
    /// How often the room is reminded of containment that was not lifted.
    pub remind_every: Every,
}

/// Work that outlives the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Followup {
    /// When a follow-up is due if nobody says otherwise.
    pub due: Period,
}

/// Reactions that mark a message: an emoji, or `:name:` for one of your own. All differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reactions {
    /// Puts the message into the timeline.
    pub timeline: String,
    /// Makes a task of it.
    pub task: String,
    /// Makes a follow-up of it.
    pub followup: String,
}

/// What counts as a secret besides what is built in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mask {
    /// Patterns of your own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pattern: Vec<mask::Pattern>,
}

/// Runbooks of your own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Runbooks {
    /// A folder of Markdown files. Without it: the runbooks that come with orderly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
}

/// Probes and actions of your own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Catalog {
    /// A folder of TOML files. Without it: the catalog that comes with orderly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
}

/// The post-mortem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Postmortem {
    /// A folder of templates of your own. Without it: the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_dir: Option<PathBuf>,
    /// When the post-mortem is due, counted from the end of the incident.
    pub due: BySeverity,
}

/// Gentleness towards what is probed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Probes {
    /// Probes that run on one target at the same time.
    #[schemars(range(min = 1, max = 16))]
    pub per_target: u32,
    /// How long a probe may take if its catalog entry does not say.
    pub timeout: Period,
    /// How much of a probe's output is kept if its catalog entry does not say.
    pub output: Size,
}

/// What orderly writes about itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}
