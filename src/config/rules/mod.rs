//! What the settings mean together: the second look, once every key and type is right.

mod discord;
mod people;
mod room;
mod slack;
mod targets;

use std::ops::Range;
use std::path::Path;

use chrono::TimeDelta;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use super::Config;
use super::check::Places;
use super::problem::Report;
use super::settings::BySeverity;
use crate::mask::Masker;
use crate::text::{human_bytes, human_duration};

pub use room::RoomFacts;

/// Slack's limit for a command; Discord's is the same.
const COMMAND_LIMIT: usize = 32;

/// Longest short name of a person or a target: it is typed, and stands in tables.
const NAME_LIMIT: usize = 40;

/// More rounds of asking than this are noise.
const ASK_AGAIN_LIMIT: usize = 10;

/// Output of a probe: below, nothing useful is kept; above, one probe would fill the journal's file.
const OUTPUT: std::ops::RangeInclusive<u64> = 1024..=16 * 1024 * 1024;

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const WEEK: TimeDelta = TimeDelta::days(7);
const YEAR: TimeDelta = TimeDelta::days(366);

pub(super) fn check(config: &Config, places: &Places, report: &mut Report<'_>) {
    let mut rules = Rules { places, report };
    rules.command(&config.command);
    rules.web(config);
    rules.slack(config);
    rules.discord(config);
    rules.paths(config);
    rules.room(&config.room);
    rules.reactions(config);
    rules.policy(config);
    rules.periods(config);
    rules.processes(config);
    rules.patterns(config);
    rules.people(&config.person);
    rules.groups(config);
    rules.targets(&config.target);
}

struct Rules<'r, 't> {
    places: &'r Places,
    report: &'r mut Report<'t>,
}

impl Rules<'_, '_> {
    /// Notes a problem at a setting; where the setting is a default, at the table around it.
    fn at(&mut self, path: &str, message: impl Into<String>) {
        let mut path = path;
        let place = loop {
            match (self.places.get(path), path.rfind(['.', '['])) {
                (Some(place), _) => break place.clone(),
                (None, Some(end)) => path = &path[..end],
                (None, None) => break Range::default(),
            }
        };
        self.report.at(&place, message);
    }

    fn command(&mut self, command: &str) {
        if let Some(bare) = command.strip_prefix('/') {
            return self.at(
                "command",
                format!("`command` is written without the slash: command = \"{bare}\""),
            );
        }
        let fine = !command.is_empty()
            && command.len() <= COMMAND_LIMIT
            && command
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
        if !fine {
            let message = format!(
                "`command` takes small letters, digits, - and _, at most {COMMAND_LIMIT} of them: that is what Slack and \
                 Discord allow"
            );
            self.at("command", message);
        }
    }

    fn web(&mut self, config: &Config) {
        let web = &config.web;
        if !web.listen.ip().is_loopback() && !web.behind_tls {
            let message = format!(
                "{} can be reached from outside, and sign-in links would cross the network in the clear. Listen on \
                 127.0.0.1, or put a proxy with TLS in front and say behind_tls = true",
                web.listen
            );
            self.at("web.listen", message);
        }
        let Some(text) = &web.public_url else { return };
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(url) = url else {
            return self.at(
                "web.public_url",
                "`public_url` is the address people type, such as https://orderly.example.com",
            );
        };
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            self.at(
                "web.public_url",
                "`public_url` ends after the path: take out the user, the ? and the #",
            );
        } else if web.behind_tls && url.scheme() == "http" {
            self.at(
                "web.public_url",
                "`behind_tls` is true, so `public_url` begins with https://",
            );
        }
    }

    fn paths(&mut self, config: &Config) {
        let optional = [
            ("runbooks.dir", &config.runbooks.dir),
            ("catalog.dir", &config.catalog.dir),
            ("postmortem.template_dir", &config.postmortem.template_dir),
        ];
        let optional = optional
            .into_iter()
            .filter_map(|(key, path)| Some((key, path.as_ref()?)));
        for (key, path) in optional.chain([("store.path", &config.store.path)]) {
            self.path(key, path);
        }
    }

    fn path(&mut self, key: &str, path: &Path) {
        let name = key.rsplit('.').next().unwrap_or(key);
        if path.as_os_str().is_empty() {
            self.at(
                key,
                format!("`{name}` is empty: name a path, or take the line out"),
            );
        } else if path.starts_with("~") {
            self.at(
                key,
                format!("`{name}` begins with ~, which only a shell understands: write the path in full"),
            );
        }
    }

    fn reactions(&mut self, config: &Config) {
        let reactions = &config.reactions;
        let all = [
            ("timeline", &reactions.timeline),
            ("task", &reactions.task),
            ("followup", &reactions.followup),
        ];
        for (index, (key, emoji)) in all.iter().enumerate() {
            let path = format!("reactions.{key}");
            if !is_emoji(emoji) {
                self.at(
                    &path,
                    format!("`{key}` is one emoji, such as 📌, or the :name: of one of your own"),
                );
            } else if let Some((other, _)) = all[..index].iter().find(|(_, other)| other == emoji) {
                let message = format!(
                    "{emoji} stands for `{other}` and for `{key}`: one reaction cannot mean two things"
                );
                self.at(&path, message);
            }
        }
    }

    fn policy(&mut self, config: &Config) {
        let policies = [
            ("low", &config.policy.low),
            ("medium", &config.policy.medium),
            ("high", &config.policy.high),
        ];
        for (risk, approvals) in policies {
            self.bounded(
                &format!("policy.{risk}.expires"),
                approvals.expires.0,
                MINUTE,
                WEEK,
            );
        }
        let times = &config.policy.ask_again;
        let rising = times.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || times.first().is_some_and(|first| first.0 <= TimeDelta::zero()) {
            let message = "`ask_again` counts from the proposal, so each time is later than the one before: \
                           [\"3m\", \"6m\", \"10m\"]";
            self.at("policy.ask_again", message);
        } else if times.len() > ASK_AGAIN_LIMIT {
            self.at(
                "policy.ask_again",
                format!("`ask_again` takes at most {ASK_AGAIN_LIMIT} times"),
            );
        }
    }

    fn periods(&mut self, config: &Config) {
        let mut every = |path: &str, period: Option<TimeDelta>, most| {
            if let Some(period) = period {
                self.bounded(path, period, MINUTE, most);
            }
        };
        every("nudge.roles_after", config.nudge.roles_after.0, WEEK);
        every(
            "containment.remind_every",
            config.containment.remind_every.0,
            WEEK,
        );
        let of = |by: &BySeverity| [by.sev1, by.sev2, by.sev3, by.sev4, by.sev5];
        for (index, (update, due)) in of(&config.updates)
            .iter()
            .zip(of(&config.postmortem.due))
            .enumerate()
        {
            let severity = index + 1;
            every(&format!("updates.SEV{severity}"), update.0, WEEK);
            every(&format!("postmortem.due.SEV{severity}"), due.0, YEAR);
        }
        self.bounded("followup.due", config.followup.due.0, MINUTE, YEAR);
        let tenth = TimeDelta::milliseconds(100);
        self.bounded(
            "probes.timeout",
            config.probes.timeout.0,
            tenth,
            TimeDelta::minutes(10),
        );
        if !OUTPUT.contains(&config.probes.output.0) {
            let (least, most) = (human_bytes(*OUTPUT.start()), human_bytes(*OUTPUT.end()));
            self.at(
                "probes.output",
                format!("`output` must be from {least} to {most}"),
            );
        }
    }

    fn bounded(&mut self, path: &str, period: TimeDelta, least: TimeDelta, most: TimeDelta) {
        if period < least || period > most {
            let key = path.rsplit('.').next().unwrap_or(path);
            let (least, most) = (human_duration(least), human_duration(most));
            self.at(path, format!("`{key}` must be from {least} to {most}"));
        }
    }

    fn processes(&mut self, config: &Config) {
        for (index, process) in config.process.iter().enumerate() {
            let path = format!("process[{index}]");
            if config.process[..index]
                .iter()
                .any(|other| other.name == process.name)
            {
                let message = format!("process {} stands here twice: keep one", process.name);
                self.at(&format!("{path}.name"), message);
            }
            if process.rto.0 <= TimeDelta::zero() {
                self.at(
                    &format!("{path}.rto"),
                    "`rto` is longer than zero: nothing recovers in no time",
                );
            }
        }
    }

    fn patterns(&mut self, config: &Config) {
        for (index, pattern) in config.mask.pattern.iter().enumerate() {
            if let Err(bad) = Masker::new(std::slice::from_ref(pattern)) {
                self.at(&format!("mask.pattern[{index}].regex"), bad.to_string());
            }
        }
    }
}

fn is_emoji(text: &str) -> bool {
    let own = text.strip_prefix(':').and_then(|text| text.strip_suffix(':'));
    match own {
        Some(name) => {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-+".contains(c))
        }
        // Letters of any script are no reaction; neither is a keycap's bare digit.
        None => {
            text.graphemes(true).count() == 1 && !text.is_ascii() && !text.chars().any(char::is_alphabetic)
        }
    }
}

/// Short names that are typed: small letters, digits, and a few signs between them.
fn is_short_name(name: &str) -> bool {
    name.len() <= NAME_LIMIT
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
}

fn short_name_wanted(what: &str) -> String {
    format!(
        "{what} is typed in commands: small letters, digits, - _ and ., at most {NAME_LIMIT}, beginning with a letter \
         or digit"
    )
}
