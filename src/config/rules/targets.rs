//! Targets: addresses that fit, no secret in them, and no credential that both asks and acts.

use std::collections::BTreeMap;

use url::Url;

use super::{Rules, is_short_name, short_name_wanted};
use crate::config::secret::{Reference, Setting};
use crate::config::settings::{Credentials, Kind, TargetSettings};
use crate::config::target::schemes;

/// Words in the name of a header or variable whose value is a secret.
const SECRET_NAMES: &[&str] = &[
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "api-key",
    "apikey",
    "api_key",
];

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Odoo => "odoo",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Http => "http",
            Self::Host => "host",
            Self::Git => "git",
            Self::Demo => "demo",
        }
    }
}

impl Rules<'_, '_> {
    pub(super) fn targets(&mut self, targets: &[TargetSettings]) {
        for (index, target) in targets.iter().enumerate() {
            let path = format!("target[{index}]");
            if !is_short_name(&target.name) {
                self.at(&format!("{path}.name"), short_name_wanted("`name`"));
            } else if targets[..index].iter().any(|other| other.name == target.name) {
                let message = format!(
                    "two targets are called {}: give one of them another name",
                    target.name
                );
                self.at(&format!("{path}.name"), message);
            }
            self.url(&format!("{path}.url"), target.kind, &target.url);
            self.plain(&format!("{path}.headers"), target.headers.iter());
            self.plain(&format!("{path}.env"), target.env.iter());
            self.names(&path, target.headers.keys(), target.env.keys());
            self.credentials(&format!("{path}.probe"), target, &target.probe);
            if let Some(action) = &target.action {
                self.credentials(&format!("{path}.action"), target, action);
                self.kept_apart(&path, &target.probe, action);
            }
        }
    }

    fn url(&mut self, path: &str, kind: Kind, text: &str) {
        let (word, schemes) = (kind.word(), schemes(kind));
        if schemes.is_empty() {
            if text.trim().is_empty() || text.contains("://") {
                let message =
                    format!("the url of a {word} target is a folder on this machine, such as /srv/odoo");
                self.at(path, message);
            } else {
                self.path(path, std::path::Path::new(text));
            }
            return;
        }
        let wanted = schemes
            .iter()
            .map(|scheme| format!("{scheme}://…"))
            .collect::<Vec<_>>()
            .join(" or ");
        match Url::parse(text) {
            Ok(url) if !schemes.contains(&url.scheme()) => {
                self.at(path, format!("the url of a {word} target begins with {wanted}"));
            }
            // The address is not repeated in these messages: a password may be in it.
            Ok(url) if url.password().is_some() || url.query_pairs().any(|(key, _)| is_secret_name(&key)) => {
                let message = "`url` holds a password, and a secret may not stand in this file. Take it out and name its \
                               place: password = { env = \"NAME\" } below [target.probe] or [target.action]";
                self.at(path, message);
            }
            Ok(_) => {}
            Err(error) => self.at(
                path,
                format!("`url` is not an address ({error}): it begins with {wanted}"),
            ),
        }
    }

    fn credentials(&mut self, path: &str, target: &TargetSettings, credentials: &Credentials) {
        if let Some(url) = &credentials.url {
            self.url(&format!("{path}.url"), target.kind, url);
        }
        let is_folder = schemes(target.kind).is_empty();
        let user = credentials.user.as_ref().or(target.user.as_ref());
        if is_folder && (user.is_some() || credentials.password.is_some()) {
            let message = format!(
                "a {} target is a folder, and takes no user or password",
                target.kind.word()
            );
            return self.at(path, message);
        }
        let url = Url::parse(credentials.url.as_ref().unwrap_or(&target.url));
        let in_url = url.is_ok_and(|url| !url.username().is_empty());
        if in_url && user.is_some() {
            let message = "the user stands in the `url` and in `user`: keep one of them";
            self.at(&format!("{path}.user"), message);
        }
        // Redis has passwords without a user.
        if credentials.password.is_some() && !in_url && user.is_none() && target.kind != Kind::Redis {
            let message = "there is a password and no user: add user = \"…\"";
            self.at(&format!("{path}.password"), message);
        }
        self.names(path, credentials.headers.keys(), credentials.env.keys());
        self.plain(&format!("{path}.headers"), plain(&credentials.headers));
        self.plain(&format!("{path}.env"), plain(&credentials.env));
    }

    /// Text where a secret belongs.
    fn plain<'a>(&mut self, path: &str, texts: impl Iterator<Item = (&'a String, &'a String)>) {
        for (name, _) in texts.filter(|(name, text)| is_secret_name(name) && !text.is_empty()) {
            let table = path.rsplit('.').next().unwrap_or(path);
            let variable = name.to_uppercase().replace('-', "_");
            let message = format!(
                "`{name}` is a secret and may not stand in this file. Below [target.probe] or [target.action], write \
                 {table} = {{ {name} = {{ env = \"{variable}\" }} }}"
            );
            self.at(&format!("{path}.{name}"), message);
        }
    }

    fn names<'a>(
        &mut self,
        path: &str,
        headers: impl Iterator<Item = &'a String>,
        env: impl Iterator<Item = &'a String>,
    ) {
        for name in headers {
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&b))
            {
                let message =
                    "the name of a header takes letters, digits and dashes, such as X-Odoo-Database";
                self.at(&format!("{path}.headers.{name}"), message);
            }
        }
        for name in env {
            if name.is_empty() || name.contains(['=', '\0']) {
                self.at(
                    &format!("{path}.env.{name}"),
                    "the name of a variable takes letters, digits and _",
                );
            }
        }
    }

    /// One credential for both would let every probe act.
    fn kept_apart(&mut self, path: &str, probe: &Credentials, action: &Credentials) {
        let asking: Vec<&Reference> = secrets(probe).map(|(_, place)| place).collect();
        for (key, _) in secrets(action).filter(|(_, place)| asking.contains(place)) {
            let message = "probes and actions use the same secret here, so a probe could do what only an approved action \
                           may. Make a user for probes who can read and nothing else";
            self.at(&format!("{path}.action.{key}"), message);
        }
    }
}

fn plain(settings: &BTreeMap<String, Setting>) -> impl Iterator<Item = (&String, &String)> {
    settings.iter().filter_map(|(name, setting)| match setting {
        Setting::Plain(text) => Some((name, text)),
        Setting::Secret { .. } => None,
    })
}

fn secrets(credentials: &Credentials) -> impl Iterator<Item = (String, &Reference)> {
    let of = |table: &'static str, settings| {
        let settings: &BTreeMap<String, Setting> = settings;
        let places = settings
            .iter()
            .filter_map(|(name, setting)| Some((name, setting.place()?)));
        places.map(move |(name, place)| (format!("{table}.{name}"), place))
    };
    let password = credentials
        .password
        .iter()
        .map(|place| ("password".to_owned(), place));
    password
        .chain(of("headers", &credentials.headers))
        .chain(of("env", &credentials.env))
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let names_a_place = ["_file", "_path", "_dir", "_url"]
        .iter()
        .any(|end| name.ends_with(end));
    !names_a_place && SECRET_NAMES.iter().any(|secret| name.contains(secret))
}
