//! `orderly action`: what can be proposed. Nothing runs from here: an action needs an incident and its approvals.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::REFUSED;
use super::output::{self, table};
use crate::app::Files;
use crate::catalog::{ActionEntry, Catalog};
use crate::incident::{Policy, Refusal};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly action list
  orderly action show postgres.cancel_backend
  orderly incident INC-7 propose postgres.cancel_backend pid=4711 reason=\"it blocks the picking\"

Nothing runs from here: an action is proposed in an incident, and approved there.")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what can be proposed.
    #[command(after_help = "Example:\n  orderly action list --json")]
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show one: parameters, risk, approvals, undo.
    #[command(after_help = "Example:\n  orderly action show odoo.cron.disable")]
    Show {
        name: String,
        #[arg(long)]
        json: bool,
    },
}

pub fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let config = super::load_or_default(config)?.unwrap_or_default();
    let catalog = Files::catalog(&config)?;
    match arguments.what {
        What::List { json } => list(&catalog, json)?,
        What::Show { name, json } => {
            let Some(entry) = catalog.action(&name) else {
                let known: Vec<_> = catalog.action_names().map(str::to_owned).collect();
                eprintln!(
                    "{}",
                    super::output::refusal(&Refusal::unknown("action", name, &known).words)
                );
                return Ok(ExitCode::from(REFUSED));
            };
            let policy = config.policy(entry.raw.risk);
            match json {
                true => {
                    output::json(&json!({ "name": entry.name, "digest": entry.digest, "entry": entry.raw }))?
                }
                false => print!("{}", shown(entry, &policy)),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(catalog: &Catalog, as_json: bool) -> Result<()> {
    if as_json {
        let listed: Vec<_> = catalog
            .actions()
            .map(|entry| {
                let raw = &entry.raw;
                json!({ "name": entry.name, "title": raw.title, "risk": raw.risk, "kinds": raw.targets })
            })
            .collect();
        return output::json(&listed);
    }
    let row = |entry: &ActionEntry| {
        let kinds = entry.raw.targets.join(", ");
        vec![
            entry.name.clone(),
            entry.raw.risk.to_string(),
            format!("{} ({kinds})", entry.raw.title),
        ]
    };
    print!("{}", table(&catalog.actions().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn shown(entry: &ActionEntry, policy: &Policy) -> String {
    let raw = &entry.raw;
    let own = raw.policy.as_ref();
    let quorum = own.and_then(|own| own.quorum).unwrap_or(policy.quorum);
    let role = own.and_then(|own| own.role).or(policy.role);
    let from = role.map_or("any member but the proposer".to_owned(), |role| {
        format!("the role {role}")
    });
    let pair = |label: &str, text: String| vec![label.to_owned(), text];
    let mut rows = vec![
        pair("Name", entry.name.clone()),
        pair("Does", raw.title.clone()),
        pair("Fits", format!("targets of kind {}", raw.targets.join(", "))),
        pair("Risk", raw.risk.to_string()),
        pair("Approvals", format!("{quorum}, from {from}")),
        pair("By", format!("the {} driver", entry.driver())),
    ];
    for (name, param) in &raw.params {
        rows.push(pair("Parameter", format!("{name}: {}", param.summary)));
    }
    if raw.containment {
        rows.push(pair(
            "Contains",
            "it stops damage, and is listed until it is lifted".to_owned(),
        ));
    }
    rows.push(match &raw.undo {
        Some(_) => pair("Undo", "yes, as a proposal of its own".to_owned()),
        None => pair("Undo", "no: take it back by hand".to_owned()),
    });
    table(&rows)
}
