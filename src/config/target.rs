//! From the description of a target to the target that drivers use: the one place where secrets are read.

use std::collections::BTreeMap;
use std::path::Path;

use url::Url;

use super::settings::{Credentials, Kind, TargetSettings};
use super::{Config, Vars};
use crate::driver::{Access, Target};

/// The targets whose secrets could be read, and what is wrong with the others.
///
/// One target that cannot be used does not take the others with it. `Debug` is deliberately absent: a target holds
/// credentials.
pub struct Resolved {
    pub targets: Vec<Target>,
    pub problems: Vec<TargetProblem>,
}

/// Why a target cannot be used; reads as `target odoo-prod: …` and never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("target {target}: {message}")]
pub struct TargetProblem {
    pub target: String,
    pub message: String,
}

/// Addresses that a kind of target may have; none: it is a folder.
pub(super) fn schemes(kind: Kind) -> &'static [&'static str] {
    match kind {
        // Odoo is asked over HTTP, or over SQL in its database.
        Kind::Odoo => &["https", "http", "postgres", "postgresql"],
        Kind::Postgres => &["postgres", "postgresql"],
        Kind::Redis => &["redis", "rediss"],
        Kind::Http => &["https", "http"],
        Kind::Demo => &["http"],
        Kind::Host | Kind::Git => &[],
    }
}

impl Config {
    /// All targets, with their secrets read now.
    pub fn targets(&self, vars: Vars<'_>) -> Resolved {
        let mut resolved = Resolved {
            targets: Vec::new(),
            problems: Vec::new(),
        };
        for settings in &self.target {
            match settings.resolve(vars) {
                Ok(target) => resolved.targets.push(target),
                Err(messages) => {
                    resolved
                        .problems
                        .extend(messages.into_iter().map(|message| TargetProblem {
                            target: settings.name.clone(),
                            message,
                        }))
                }
            }
        }
        resolved
    }
}

impl TargetSettings {
    fn resolve(&self, vars: Vars<'_>) -> Result<Target, Vec<String>> {
        let mut problems = Vec::new();
        let probe = self.access(&self.probe, vars, &mut problems);
        let action = self
            .action
            .as_ref()
            .map(|action| self.access(action, vars, &mut problems));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Target {
            name: self.name.clone(),
            kind: self.kind.word().to_owned(),
            environment: self.environment,
            tenant: self.tenant.clone(),
            probe,
            action,
            facts: self.facts.clone(),
            accept_privileged_probe: self.accept_privileged_probe,
        })
    }

    fn access(&self, credentials: &Credentials, vars: Vars<'_>, problems: &mut Vec<String>) -> Access {
        let mut note = |read: Result<String, String>| {
            read.unwrap_or_else(|why| {
                problems.push(why);
                String::new()
            })
        };
        let password = credentials.password.as_ref().map(|place| note(place.read(vars)));
        let mut values = |shared: &BTreeMap<String, String>, own: &BTreeMap<String, super::Setting>| {
            let shared = shared.iter().filter(|(name, _)| !own.contains_key(*name));
            let mut all: Vec<_> = shared.map(|(name, text)| (name.clone(), text.clone())).collect();
            all.extend(
                own.iter()
                    .map(|(name, setting)| (name.clone(), note(setting.read(vars)))),
            );
            all
        };
        let headers = values(&self.headers, &credentials.headers);
        let env = values(&self.env, &credentials.env);
        let user = credentials.user.as_deref().or(self.user.as_deref());
        let url = credentials.url.as_deref().unwrap_or(&self.url);
        let url = if schemes(self.kind).is_empty() {
            url.to_owned()
        } else {
            note(signed_in(url, user, password.as_deref()))
        };
        Access { url, headers, env }
    }

    /// Folders are the only addresses that can be relative.
    pub(super) fn start_paths_at(&mut self, folder: &Path) {
        if !schemes(self.kind).is_empty() {
            return;
        }
        let others = [Some(&mut self.probe), self.action.as_mut()]
            .into_iter()
            .flatten();
        let urls = others
            .filter_map(|credentials| credentials.url.as_mut())
            .chain([&mut self.url]);
        for url in urls {
            *url = folder.join(&*url).display().to_string();
        }
    }
}

/// The address with user and password in it, percent-encoded.
fn signed_in(url: &str, user: Option<&str>, password: Option<&str>) -> Result<String, String> {
    // The parser's message is about form alone; the address itself holds no secret yet.
    let mut url = Url::parse(url).map_err(|error| format!("its url is not understood: {error}"))?;
    if user.is_none() && password.is_none() {
        return Ok(url.into());
    }
    if url.has_host() && url.host_str() != Some("") {
        // Both fail only for an address without a host.
        let set = user
            .map_or(Ok(()), |user| url.set_username(user))
            .and_then(|()| match password {
                Some(password) => url.set_password(Some(password)),
                None => Ok(()),
            });
        set.map_err(|()| "its url takes no user: it needs a host".to_owned())?;
    } else {
        // `postgres:///odoo?host=/run/postgresql`: over a Unix socket, the user goes into the query.
        let mut query = url.query_pairs_mut();
        for (key, value) in [("user", user), ("password", password)] {
            if let Some(value) = value {
                query.append_pair(key, value);
            }
        }
    }
    Ok(url.into())
}
