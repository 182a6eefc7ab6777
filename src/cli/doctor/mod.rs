//! `orderly doctor`: looks at everything the bot needs, changes nothing, and says how to mend what is wrong.

mod discord;
mod files;
mod slack;
mod store;
mod targets;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::FOUND;
use super::output::{self, colour};
use super::render::Look;
use crate::chat::{Block, Check, Message, Rich, Row, Tone};
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly doctor
  orderly doctor --json
  orderly --config /etc/orderly/orderly.toml doctor && orderly serve

Changes nothing, and may be run while the bot runs. Exit code 4: something needs mending.")]
pub struct Arguments {
    #[arg(long)]
    json: bool,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Ok,
    /// Worth knowing; nothing is wrong.
    Note,
    /// Needs mending.
    Mend,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `config`, `database`, `files`, `people`, `page`, `slack`, `discord`, `clock`, or `target odoo-prod`.
    pub about: String,
    pub grade: Grade,
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    pub fn ok(about: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(about, Grade::Ok, what)
    }

    pub fn note(about: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(about, Grade::Note, what)
    }

    pub fn wrong(about: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(about, Grade::Mend, what)
    }

    fn new(about: impl Into<String>, grade: Grade, what: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            grade,
            what: what.into(),
            mend: None,
        }
    }

    /// What an adapter found on its platform.
    pub fn of(about: &str, check: Check) -> Self {
        match check {
            Check::Fine(what) => Self::ok(about, what),
            Check::Note { what, mend } => Self::note(about, what).mend(mend),
            Check::Wrong { what, mend } => Self::wrong(about, what).mend(mend),
        }
    }

    pub fn mend(mut self, how: impl Into<String>) -> Self {
        self.mend = Some(how.into());
        self
    }
}

pub async fn run(path: &Path, arguments: Arguments) -> Result<ExitCode> {
    let findings = findings(path).await;
    if arguments.json {
        output::json(&findings)?;
    } else {
        let look = Look {
            colour: colour(),
            incident: None,
            program: "orderly",
        };
        print!("{}", look.message(&shown(&findings)));
    }
    let wrong = findings.iter().any(|finding| finding.grade == Grade::Mend);
    Ok(if wrong {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

async fn findings(path: &Path) -> Vec<Finding> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(problems) => {
            let wrong = |problem: crate::config::Problem| {
                Finding::wrong("config", problem.to_string())
                    .mend("Mend that line; the rest is looked at then.")
            };
            return problems.into_iter().map(wrong).collect();
        }
    };
    let mut findings = vec![Finding::ok("config", format!("{} is in order", path.display()))];
    let looking = store::look(&config, &mut findings);
    let served = output::with_progress("Looking at the journal", looking).await;
    files::look(&config, &mut findings);
    people(&config, &mut findings);
    page(&config, served, &mut findings);
    output::with_progress("Asking Slack", slack::look(&config, &mut findings)).await;
    output::with_progress("Asking Discord", discord::look(&config, &mut findings)).await;
    targets::look(&config, &mut findings).await;
    findings
}

fn people(config: &Config, findings: &mut Vec<Finding>) {
    let about = "people";
    if config.person.is_empty() {
        findings.push(Finding::note(about, "orderly.toml names nobody").mend(
            "Add people by `orderly person add ana --name \"Ana Bell\" --role commander`, or as [[person]].",
        ));
    } else {
        findings.push(Finding::ok(
            about,
            format!("{} in orderly.toml", config.person.len()),
        ));
    }
    for person in config.person.iter().filter(|person| person.roles.is_empty()) {
        findings.push(
            Finding::note(about, format!("{} has no role", person.id))
                .mend("Give them roles = […] if they should lead or approve."),
        );
    }
    for warning in config.warnings() {
        findings.push(Finding::wrong(about, warning));
    }
}

/// The rules of the address were checked with the config; here, whether it is free.
fn page(config: &Config, served: bool, findings: &mut Vec<Finding>) {
    let address = config.web.listen;
    if served {
        return findings.push(Finding::ok("page", format!("served at {}", config.base_url())));
    }
    match std::net::TcpListener::bind(address) {
        Ok(_) => findings.push(Finding::ok("page", format!("{address} is free"))),
        Err(error) => findings.push(
            Finding::wrong("page", format!("{address} cannot be listened on: {error}"))
                .mend("Set another address at `listen` in [web], or stop what has it."),
        ),
    }
    if config.web.behind_tls && config.web.public_url.is_none() {
        findings.push(
            Finding::wrong(
                "page",
                "behind_tls is true, and nothing says how people reach the page",
            )
            .mend("Set public_url = \"https://…\" in [web]; links in messages use it."),
        );
    }
}

fn shown(findings: &[Finding]) -> Message {
    let row = |finding: &Finding| {
        let (tone, mark) = match finding.grade {
            Grade::Ok => (Tone::Good, "ok"),
            Grade::Note => (Tone::Warn, "note"),
            Grade::Mend => (Tone::Bad, "mend"),
        };
        Row {
            tone,
            mark: mark.to_owned(),
            title: format!("{}: {}", finding.about, finding.what).into(),
            detail: finding.mend.clone().map_or_else(Rich::new, Rich::from),
        }
    };
    let wrong = findings
        .iter()
        .filter(|finding| finding.grade == Grade::Mend)
        .count();
    let last = match wrong {
        0 => "Nothing needs mending.".to_owned(),
        1 => "One thing needs mending.".to_owned(),
        several => format!("{several} things need mending."),
    };
    Message {
        fallback: last.clone(),
        blocks: vec![
            Block::Rows {
                rows: findings.iter().map(row).collect(),
            },
            Block::Text { text: last.into() },
        ],
    }
}
