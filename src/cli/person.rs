//! `orderly person`: who may take part.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::output::{self, table};
use super::reach;
use super::request::{Answer, Known, Request};
use crate::incident::Role;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly person add ana --name \"Ana Bell\" --role commander --role approver
  orderly person link ana
  orderly person list

People can stand in orderly.toml as well, as [[person]]; those get a link by `person link`.
A link is a key: it is shown once, and a new one replaces the one before.")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add somebody, and print their sign-in link.
    #[command(after_help = "Example:\n  orderly person add ana --name \"Ana Bell\" --role approver")]
    Add {
        /// Short name, in small letters.
        id: String,
        /// Full name, for the post-mortem.
        #[arg(long)]
        name: Option<String>,
        /// A role they may take; give it once for each.
        #[arg(long = "role", value_parser = role)]
        roles: Vec<Role>,
        /// May read, not command.
        #[arg(long)]
        guest: bool,
        /// Their user on this machine, for `orderly incident`.
        #[arg(long, value_name = "USER")]
        os_user: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Print a new sign-in link; the one before no longer works.
    #[command(after_help = "Example:\n  orderly person link ana")]
    Link {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Show everybody.
    #[command(after_help = "Example:\n  orderly person list --json")]
    List {
        #[arg(long)]
        json: bool,
    },
    /// Give somebody a role.
    #[command(after_help = "Example:\n  orderly person grant ana approver")]
    Grant {
        id: String,
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Take a role from somebody; approvals given in it no longer count.
    #[command(after_help = "Example:\n  orderly person revoke ana approver")]
    Revoke {
        id: String,
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Take an account off somebody, also one they proved themselves with `role link`.
    #[command(after_help = "Example:\n  orderly person unlink ana slack")]
    Unlink {
        id: String,
        /// `slack`, `discord` or `local`.
        platform: String,
    },
    /// Let somebody in no more.
    #[command(after_help = "Example:\n  orderly person deactivate ana --reason \"left the company\"")]
    Deactivate {
        id: String,
        #[arg(long)]
        reason: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.word()).collect();
        format!("there is {}", roles.join(", "))
    })
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let (request, json) = match arguments.what {
        What::Add {
            id,
            name,
            roles,
            guest,
            os_user,
            json,
        } => {
            let name = name.unwrap_or_else(|| id.clone());
            let request = Request::AddPerson {
                person: id,
                name,
                roles,
                guest,
                os_user,
            };
            (request, json)
        }
        What::Link { id, json } => (Request::Link { person: id }, json),
        What::List { json } => (Request::People, json),
        What::Grant { id, role } => (Request::Grant { person: id, role }, false),
        What::Revoke { id, role } => (Request::Revoke { person: id, role }, false),
        What::Unlink { id, platform } => (Request::Unlink { person: id, platform }, false),
        What::Deactivate { id, reason } => (Request::Deactivate { person: id, reason }, false),
    };
    match reach::ask(config, request).await? {
        Answer::Link { person, url } if json => {
            output::json(&serde_json::json!({ "person": person, "url": url }))?;
        }
        Answer::Link { person, url } => {
            println!("The sign-in link of {person}, shown this once:\n\n  {url}\n");
            println!("It works while `orderly serve` runs.");
        }
        Answer::People { people } if json => output::json(&people)?,
        Answer::People { people } => print!("{}", shown(&people)),
        other => return reach::refused(other).or_else(|_| reach::strange()),
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(people: &[Known]) -> String {
    if people.is_empty() {
        return "Nobody is known yet. Add somebody: orderly person add ana --name \"Ana Bell\" --role commander\n"
            .to_owned();
    }
    let row = |person: &Known| {
        let roles: Vec<_> = person.roles.iter().map(|role| role.word()).collect();
        let roles = if roles.is_empty() {
            "no role".to_owned()
        } else {
            roles.join(", ")
        };
        let mut remarks = Vec::new();
        if !person.active {
            remarks.push("deactivated".to_owned());
        }
        if person.guest {
            remarks.push("guest".to_owned());
        }
        if person.in_config {
            remarks.push("in orderly.toml".to_owned());
        }
        if let Some(user) = &person.os_user {
            remarks.push(format!("user {user} of this machine"));
        }
        if !person.link && person.active {
            remarks.push("no sign-in link yet".to_owned());
        }
        vec![person.id.clone(), person.name.clone(), roles, remarks.join("; ")]
    };
    table(&people.iter().map(row).collect::<Vec<_>>())
}
