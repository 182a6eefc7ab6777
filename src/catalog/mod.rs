//! The catalog: which probes may be asked and which actions may be proposed, written by operators as TOML.
//!
//! # How to write an entry
//!
//! Many files form one catalog, whole or not at all. An entry of an operator's file replaces the shipped one of the
//! same name. Unknown keys are refused, with the spot and the nearest right key.
//!
//! ```toml
//! [probe."postgres.blocking"]
//! title = "Who blocks whom"
//! question = "Is somebody waiting for a lock?"
//! targets = ["postgres", "odoo"]          # kinds of target it fits
//! timeout = "5s"
//! output_limit = "64KiB"
//! sensitivity = "room"                    # room | restricted: the full output only for `role`
//! role = "responder"                      # who may ask; left out: anybody in the room
//! params.min_seconds = { type = "integer", min = 0, max = 3600, default = 5, summary = "shortest wait shown" }
//! failing = "size(answer) > 0"            # CEL over answer, params, target (its facts), duration_ms
//! suspect = "duration_ms > 2000"
//! ok = "size(answer) == 0"                # left out: whatever is neither failing nor suspect
//! summary = "{{ answer | length }} sessions wait"   # minijinja over the same values
//! impact = "Wave processing and stock reservations wait."
//! columns = ["pid", "seconds"]            # what the short table shows
//! rows = "answer"                         # CEL: the rows of that table; left out: the answer, or its only list
//! [probe."postgres.blocking".postgres]    # exactly one driver: postgres, redis, http or process
//! sql = "SELECT … WHERE waited >= $1"
//! binds = ["min_seconds"]
//! ```
//!
//! A verdict is looked for in the order failing, suspect, ok. An expression that cannot be evaluated, or no answer at
//! all, is `unknown`, and the summary says why: nobody may read silence as health.
//!
//! # Parameters are data
//!
//! Types: `integer` and `number` (`min`, `max`), `boolean`, `text` (`max_length`, `pattern`), `choice` (`options`),
//! `identifier` (`of = "role" | "database" | …`, checked on the server and quoted by the driver), `duration` (`15m`; seconds
//! once read), `timestamp` (RFC 3339, UTC once read; `default = "$since"` is the onset of the incident, `"$since - 24h"` a day before), `path` (absolute,
//! without `..`). A parameter
//! without a default must be given, unless it says `optional = true`. What looks like a secret is refused.
//!
//! Where a call takes values (`command`, `argv`, `query`, `body`), a string that is exactly `$name` is replaced, as a whole
//! and with its type, by the parameter `name`; `$fact.name` by a fact of the target, `$since` by the onset of the incident (probes only).
//! `$since.epoch`, or a parameter of type `timestamp` with `.epoch` behind it, is `@` and the seconds since 1970.
//! `$$` at the start of a string stands for one dollar sign. In `binds` the same names stand without the dollar sign, and
//! `guard.name` is what the preview read. `{name}` in an HTTP path is one percent-encoded segment, `{name}` in SQL a
//! quoted identifier. Nothing is ever pasted into a statement, a path or a shell.
//!
//! # Actions
//!
//! ```toml
//! [action."odoo.cron.disable"]
//! title = "Switch a scheduled action off"
//! targets = ["odoo"]
//! risk = "medium"                         # low | medium | high; sets who must approve
//! policy = { quorum = 1, role = "approver", expires = "1h" }   # only to differ from the risk's default
//! containment = true                      # stops damage
//! manual_change = true                    # must be reconciled into Git or waived
//! params.cron = { type = "text", max_length = 200, summary = "name of the scheduled action" }
//! precondition = { probe = "odoo.cron", params = { cron = { from = "cron" } }, wants = "ok" }
//! verify = { probe = "odoo.cron_off", params = { cron = { from = "cron" } }, wants = "ok" }
//! undo = { action = "odoo.cron.enable", params = { cron = { from = "cron" } }, policy = { quorum = 1, expires = "4h" } }
//! effect = "{{ params.cron }} is {{ 'on' if guards.active else 'off' }} now and will be off."
//! [action."odoo.cron.disable".preview.postgres]   # what to read first; what it finds becomes the guards
//! sql = "SELECT id, active FROM … WHERE name = $1"
//! binds = ["cron"]
//! [action."odoo.cron.disable".postgres]
//! sql = "UPDATE … SET active = false WHERE id = $1 AND active = $2"
//! binds = ["guard.id", "guard.active"]
//! guards = ["id", "active"]
//! ```
//!
//! Parameters of `verify`, `precondition` and `undo` are values, `{ from = "name" }` (the action's own parameter),
//! `{ not = "name" }` (the other way round, for a boolean) or, for `undo`, `{ guard = "name" }` (what was there before).

mod check;
mod excerpt;
mod judge;
mod load;
pub mod params;
mod problem;
pub mod raw;
mod references;
mod render;
mod resolve;
pub mod units;
pub mod verdict;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) use judge::facts;
pub use judge::judge;
pub use params::When;
pub use problem::{Place, Problem, nearest};
pub use resolve::{ActionCall, ProbeCall, default_policy};

/// A probe of the catalog.
#[derive(Debug, Clone)]
pub struct ProbeEntry {
    pub name: String,
    /// SHA-256 of its canonical JSON, hex.
    pub digest: String,
    pub raw: raw::Probe,
}

/// An action of the catalog.
#[derive(Debug, Clone)]
pub struct ActionEntry {
    pub name: String,
    /// SHA-256 of its canonical JSON, hex.
    pub digest: String,
    pub raw: raw::Action,
}

/// All probes and actions there are.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    probes: BTreeMap<String, ProbeEntry>,
    actions: BTreeMap<String, ActionEntry>,
}

/// The files in the binary.
const SHIPPED: &[(&str, &str)] = &[
    ("catalog/actions.toml", include_str!("../../catalog/actions.toml")),
    ("catalog/demo.toml", include_str!("../../catalog/demo.toml")),
    ("catalog/git.toml", include_str!("../../catalog/git.toml")),
    ("catalog/host.toml", include_str!("../../catalog/host.toml")),
    ("catalog/http.toml", include_str!("../../catalog/http.toml")),
    ("catalog/odoo.toml", include_str!("../../catalog/odoo.toml")),
    (
        "catalog/postgres.toml",
        include_str!("../../catalog/postgres.toml"),
    ),
    ("catalog/redis.toml", include_str!("../../catalog/redis.toml")),
];

impl Catalog {
    /// The entries that come with the bot.
    pub fn shipped() -> Self {
        // The files are part of the binary, and a test reads them.
        Self::load(&[]).expect("the shipped catalog is whole")
    }

    /// The shipped entries with the operator's files over them: an entry of the same name replaces the shipped one. Whole
    /// or not at all; reloading is calling this again and keeping the old catalog on `Err`.
    pub fn load(files: &[(PathBuf, String)]) -> Result<Self, Vec<Problem>> {
        let shipped = SHIPPED.iter().map(|(path, text)| (Path::new(*path), *text));
        let own = files.iter().map(|(path, text)| (path.as_path(), text.as_str()));
        let entries = load::read(shipped.chain(own), SHIPPED.len())?;
        Ok(Self {
            probes: entries
                .probes
                .into_iter()
                .map(|(name, (entry, _))| (name, entry))
                .collect(),
            actions: entries
                .actions
                .into_iter()
                .map(|(name, (entry, _))| (name, entry))
                .collect(),
        })
    }

    pub fn probe(&self, name: &str) -> Option<&ProbeEntry> {
        self.probes.get(name)
    }

    pub fn action(&self, name: &str) -> Option<&ActionEntry> {
        self.actions.get(name)
    }

    pub fn probes(&self) -> impl Iterator<Item = &ProbeEntry> {
        self.probes.values()
    }

    pub fn actions(&self) -> impl Iterator<Item = &ActionEntry> {
        self.actions.values()
    }

    pub fn probe_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.probes.keys().map(String::as_str)
    }

    pub fn action_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.actions.keys().map(String::as_str)
    }

    /// SHA-256 over all entries, hex: the version of the catalog as a whole.
    pub fn digest(&self) -> String {
        let probes = self.probes.values().map(|entry| (&entry.name, &entry.digest));
        let actions = self.actions.values().map(|entry| (&entry.name, &entry.digest));
        digest_of(&(probes.collect::<Vec<_>>(), actions.collect::<Vec<_>>()))
    }

    /// The shipped files as they are, for `orderly init`.
    pub fn shipped_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        SHIPPED.iter().copied()
    }
}

impl ProbeEntry {
    /// The verdict expressions as one text, which an approval binds to.
    pub fn expression(&self) -> String {
        let parts = [
            ("failing", &self.raw.failing),
            ("suspect", &self.raw.suspect),
            ("ok", &self.raw.ok),
        ];
        let parts = parts
            .iter()
            .filter_map(|(verdict, it)| Some(format!("{verdict}: {}", it.as_ref()?.text())));
        parts.collect::<Vec<_>>().join("; ")
    }

    /// Whether the onset of the incident matters to it.
    fn uses_since(&self) -> bool {
        let text = serde_json::to_string(&self.raw).unwrap_or_default();
        text.contains("\"$since\"") || text.contains("\"since\"")
    }
}

impl ActionEntry {
    /// The driver that performs it.
    pub fn driver(&self) -> &'static str {
        match &self.raw {
            raw::Action {
                postgres: Some(_), ..
            } => "postgres",
            raw::Action { redis: Some(_), .. } => "redis",
            raw::Action { http: Some(_), .. } => "http",
            _ => "process",
        }
    }
}

/// The JSON Schema of a catalog file, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(raw::File).to_value()
}

/// SHA-256 of a value's canonical JSON, hex: keys sorted, no white space.
pub fn digest_of(value: &impl Serialize) -> String {
    // Only types without fallible parts come here: maps with text keys, numbers, text.
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    let mut text = String::new();
    canonical(&value, &mut text);
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (n, (key, value)) in sorted.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
