//! orderly.toml: what may be set, checked with a message that points at the place.
//!
//! The settings are one tree of plain types ([`Config`]); the schema is derived from it, and the file is checked
//! against that schema first (keys, types, words, no secret in plain sight), then for what the settings mean together.
//! All problems are told at once, each with its line. Secrets are never in a [`Config`]: it holds their places, and
//! only [`Config::targets`] reads them.

mod check;
mod defaults;
mod problem;
mod quantity;
mod rules;
mod schema;
mod secret;
mod settings;
mod target;

use std::path::Path;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

pub use problem::Problem;
pub use quantity::{Approvers, Every, Period, Size, Zone};
pub use rules::RoomFacts;
pub use schema::schema;
pub use secret::{Reference, Setting};
pub use settings::*;
pub use target::{Resolved, TargetProblem};

use crate::incident::{Policy, Risk};
use crate::mask::{BadPattern, Masker};
use problem::Report;

/// Where environment variables come from: the process ([`process_env`]), or a test.
pub type Vars<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The variables of this process.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The commented orderly.toml that `orderly init` writes. It parses as it stands and names every setting.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Largest config that is read, in bytes: thousands of targets, and far from what would hurt.
const FILE_LIMIT: u64 = 4 << 20;

/// Everything that may be set. Relative paths have been joined to the folder of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "orderly.toml")]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the slash command, without the slash. Change it where another app owns `/incident`.
    pub command: String,
    /// Zone in which people type times such as 14:00. Everything is kept in UTC.
    pub timezone: Zone,
    /// Where the journal is kept.
    pub store: Store,
    /// The local page, webhooks and metrics.
    pub web: Web,
    /// Slack: one workspace. Without this table Slack is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// Discord: one server. Without this table Discord is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discord: Option<Discord>,
    /// What orderly writes about itself.
    pub log: Log,
    /// The room of an incident.
    pub room: Room,
    /// What the timeline shows.
    pub timeline: Timeline,
    /// Reactions that mark a message.
    pub reactions: Reactions,
    /// Runbooks of your own.
    pub runbooks: Runbooks,
    /// Probes and actions of your own.
    pub catalog: Catalog,
    /// Gentleness towards what is probed.
    pub probes: Probes,
    /// Who must agree to an action.
    pub policy: Policies,
    /// How often stakeholders get an update, by severity; the room is reminded of the next one.
    pub updates: BySeverity,
    /// Roles that nobody took.
    pub nudge: Nudge,
    /// Containment in force.
    pub containment: Containment,
    /// Work that outlives the incident.
    pub followup: Followup,
    /// The post-mortem.
    pub postmortem: Postmortem,
    /// What counts as a secret besides what is built in.
    pub mask: Mask,
    /// What each business process can bear.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub process: Vec<Objectives>,
    /// Who may take part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub person: Vec<Person>,
    /// Groups of the chat platforms that say who may take part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<Group>,
    /// What can be probed or acted on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<TargetSettings>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            command: "incident".to_owned(),
            timezone: Zone(chrono_tz::Tz::UTC),
            store: Store::default(),
            web: Web::default(),
            slack: None,
            discord: None,
            log: Log::default(),
            room: Room::default(),
            timeline: Timeline::default(),
            reactions: Reactions::default(),
            runbooks: Runbooks::default(),
            catalog: Catalog::default(),
            probes: Probes::default(),
            policy: Policies::default(),
            updates: BySeverity::updates(),
            nudge: Nudge::default(),
            containment: Containment::default(),
            followup: Followup::default(),
            postmortem: Postmortem::default(),
            mask: Mask::default(),
            process: Vec::new(),
            person: Vec::new(),
            group: Vec::new(),
            target: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a config from its text. `file_name` stands in messages, and its folder is where relative paths start.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut report = Report::new(file_name, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = error.span().unwrap_or_default();
            report.at(
                &place,
                format!(
                    "this is not TOML: {}{}",
                    error.message(),
                    quotes_missing(text, place.start)
                ),
            );
        }
        if !report.is_empty() {
            return Err(report.into_problems());
        }
        let places = check::check(&table, &schema(), &mut report);
        if !report.is_empty() {
            return Err(report.into_problems());
        }
        let mut config = match Self::over_defaults(text) {
            Ok(config) => config,
            Err(error) => {
                report.at(&error.span().unwrap_or_default(), error.message());
                return Err(report.into_problems());
            }
        };
        rules::check(&config, &places, &mut report);
        if !report.is_empty() {
            return Err(report.into_problems());
        }
        config.start_paths_at(Path::new(file_name).parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Reads a config file. A missing one is a problem too: [`Config::default`] is for where nobody named one.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let name = path.display().to_string();
        let whole_file = |message: String| {
            vec![Problem {
                file: name.clone(),
                line: 0,
                column: 0,
                message,
            }]
        };
        let unread = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                whole_file("there is no such file: `orderly init` writes one".to_owned())
            }
            _ => whole_file(format!("cannot be read: {error}")),
        };
        let size = std::fs::metadata(path).map_err(unread)?.len();
        if size > FILE_LIMIT {
            let limit = crate::text::human_bytes(FILE_LIMIT);
            return Err(whole_file(format!("is larger than {limit}: is this the config?")));
        }
        let bytes = std::fs::read(path).map_err(unread)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            whole_file(format!("is not UTF-8 text (byte {at}): save it as UTF-8"))
        })?;
        Self::parse(&name, &text)
    }

    /// The file laid over the defaults, so that a section may say one thing and keep the rest.
    fn over_defaults(text: &str) -> Result<Self, toml::de::Error> {
        let file: toml::Table = toml::from_str(text)?;
        let Ok(mut whole) = toml::Table::try_from(Self::default()) else {
            return toml::from_str(text); // the defaults are plain values, and a test writes them
        };
        lay_over(&mut whole, file);
        whole.try_into()
    }

    fn start_paths_at(&mut self, folder: &Path) {
        let options = [
            &mut self.runbooks.dir,
            &mut self.catalog.dir,
            &mut self.postmortem.template_dir,
        ];
        let paths = options.into_iter().flatten().chain([&mut self.store.path]);
        for path in paths {
            *path = folder.join(&*path);
        }
        self.target
            .iter_mut()
            .for_each(|target| target.start_paths_at(folder));
    }

    /// The effective settings as TOML, defaults included. Secrets are not in it, only their places; what should look
    /// like one nevertheless is masked.
    pub fn show(&self) -> String {
        let text =
            toml::to_string_pretty(self).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"));
        Masker::default().mask(&text).text.into_owned()
    }

    /// Who must agree to an action of this risk, if its catalog entry does not say.
    pub fn policy(&self, risk: Risk) -> Policy {
        let approvals = match risk {
            Risk::Low => &self.policy.low,
            Risk::Medium => &self.policy.medium,
            Risk::High => &self.policy.high,
        };
        Policy {
            quorum: approvals.quorum,
            role: approvals.role.0,
            expires_s: approvals.expires.0.num_seconds().unsigned_abs(),
        }
    }

    /// When a waiting proposal asks again, counted from the proposal.
    pub fn ask_again(&self) -> Vec<TimeDelta> {
        self.policy.ask_again.iter().map(|period| period.0).collect()
    }

    /// Finds secrets by the built-in rules and the patterns of this config. A parsed config has no bad pattern.
    pub fn masker(&self) -> Result<Masker, BadPattern> {
        Masker::new(&self.mask.pattern)
    }

    /// What is allowed and will hurt, for `orderly doctor`: policies that the people of this config cannot fulfil.
    pub fn warnings(&self) -> Vec<String> {
        let short = |risk: Risk| {
            let policy = self.policy(risk);
            let counts = |person: &&Person| policy.role.is_none_or(|role| person.roles.contains(&role));
            let able = self.person.iter().filter(counts).count();
            // How many a group brings, only its platform knows.
            let brings = |group: &Group| policy.role.is_none_or(|role| group.roles.contains(&role));
            let discord = self.discord.iter().flat_map(|discord| discord.roles.keys());
            let mut by_discord = discord.filter(|given| policy.role.is_none_or(|role| role == **given));
            if self.group.iter().any(brings) || by_discord.next().is_some() {
                return None;
            }
            let role = policy
                .role
                .map_or(String::new(), |role| format!(" with the role {role}"));
            let approvals = if policy.quorum == 1 {
                "approval"
            } else {
                "approvals"
            };
            let people = if able == 1 {
                "is 1 person"
            } else {
                &format!("are {able} people")
            };
            // The proposer's own approval never counts, and the proposer may be one of them.
            (able <= policy.quorum as usize && policy.quorum > 0).then(|| {
                format!(
                    "an action of {risk} risk needs {} {approvals}, and there {people}{role}, of whom one may be the \
                     proposer: add a [[person]], or lower the quorum in [policy.{risk}]",
                    policy.quorum
                )
            })
        };
        match self.person.as_slice() {
            // People can be added by command alone, and then the config knows nobody.
            [] => Vec::new(),
            _ => Risk::ALL.iter().filter_map(|risk| short(*risk)).collect(),
        }
    }

    /// Whether Slack calls us, instead of us holding sockets open.
    pub fn slack_over_http(&self) -> bool {
        let slack = self.slack.as_ref();
        slack.is_some_and(|slack| slack.transport == Transport::Http)
    }

    /// Where people reach the page, without a slash at the end.
    pub fn base_url(&self) -> String {
        match &self.web.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.web.listen),
        }
    }
}

/// The slip that is made most: `timeout = 15m`. The value is not repeated; it may be a secret.
fn quotes_missing(text: &str, at: usize) -> &'static str {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    match line.split_once('=').map(|(_, value)| value.trim_start()) {
        Some(value) if value.starts_with(|c: char| c.is_alphanumeric() || "/~.:*_-".contains(c)) => {
            ". Text, durations and addresses stand in quotes: \"15m\""
        }
        _ => "",
    }
}

fn lay_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
