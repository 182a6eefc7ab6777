//! `orderly journal`: verified, read, redacted.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::output::{self, counted, with_progress};
use super::postmortem::number;
use super::request::{Answer, Request, Row};
use super::{FOUND, incident, reach};
use crate::engine::journal::{self, Kept};
use crate::engine::told;
use crate::incident::IncidentId;
use crate::store::verify::Report;
use crate::store::{Mark, Store, Stream, sqlite};
use crate::text::{clean, cut};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly journal verify
  orderly journal verify --head INC-7@412:9f3c5b1e0a77d2c4
  orderly journal show INC-7
  orderly journal redact INC-7 12 --reason \"a password was posted\"")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check every event against its hash, also while the bot runs. Names the first one that is not as it was written.
    #[command(after_help = "\
Examples:
  orderly journal verify
  orderly journal verify --file backup.sqlite --json
  orderly journal verify --head INC-7@412:9f3c5b1e0a77d2c4

Without a head that was noted outside, nobody can see that the last events were cut off.
What is kept folded of a long journal, so that a start is fast, is compared with the journal as well. It can always be
dropped: stop the bot, and say `orderly journal verify --drop-kept`.
Exit code 4: something was found.")]
    Verify {
        /// A head as it was posted in the room or stands in a post-mortem.
        #[arg(long, value_name = "INC-7@412:HASH")]
        head: Option<String>,
        /// This file instead of the config's.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Drop what is kept folded and does not agree with its journal. The bot must not run.
        #[arg(long)]
        drop_kept: bool,
        #[arg(long)]
        json: bool,
    },
    /// Show the events of an incident as they are kept.
    #[command(after_help = "Example:\n  orderly journal show INC-7 --json")]
    Show {
        /// INC-7
        #[arg(value_parser = number)]
        incident: u64,
        #[arg(long)]
        json: bool,
    },
    /// Remove what an event says, and leave its place in the chain.
    #[command(after_help = "Example:\n  orderly journal redact INC-7 12 --reason \"a password was posted\"")]
    Redact {
        /// INC-7
        #[arg(value_parser = number)]
        incident: u64,
        /// Number of the event.
        event: u64,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    match arguments.what {
        What::Verify {
            head,
            file,
            drop_kept,
            json,
        } => verify(config, head.as_deref(), file, drop_kept, json).await,
        What::Show { incident, json } => show(config, incident, json).await,
        What::Redact {
            incident,
            event,
            reason,
            json,
        } => {
            let reason = orderly_commands::quoted(&reason);
            let line = format!("INC-{incident} journal redact {event} reason={reason}");
            incident::send(config, line, json).await
        }
    }
}

async fn verify(
    config: &Path,
    head: Option<&str>,
    file: Option<PathBuf>,
    drop_kept: bool,
    as_json: bool,
) -> Result<ExitCode> {
    let mark = head.map(str::parse::<Mark>).transpose()?;
    let file = match file {
        Some(file) => file,
        None => super::load(config)?.store.path,
    };
    let verifying = async {
        let mut report = sqlite::verify_file(&file, mark.as_ref()).await?;
        if !report.gaps.is_empty() {
            let store = sqlite::open_to_look(&file).await?;
            report
                .faults
                .extend(told::check_gaps(&store, &report.gaps).await?);
        }
        let kept = match report.sound() {
            true => journal::check_kept(&sqlite::open_to_look(&file).await?, None).await?,
            // With what should it agree?
            false => Vec::new(),
        };
        anyhow::Ok((report, kept))
    };
    let (report, kept) = with_progress("Verifying", verifying).await?;
    if drop_kept && !kept.is_empty() {
        let store = sqlite::open(&file, sqlite::OpenOptions::default()).await?;
        for (incident, ..) in &kept {
            journal::forget_kept(&store, *incident).await?;
        }
        store.close().await?;
    }
    match as_json {
        true => output::json(&as_value(&report, &kept, drop_kept))?,
        false => print!("{}{}", told(&report), told_of_kept(&kept, drop_kept)),
    }
    let wrong = kept.iter().any(|(.., what)| *what == Kept::Wrong);
    Ok(match report.sound() && (drop_kept || !wrong) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FOUND),
    })
}

fn as_value(report: &Report, kept: &[(IncidentId, u64, Kept)], dropped: bool) -> serde_json::Value {
    let heads = report.heads.iter().map(output::head);
    let gaps = report
        .gaps
        .iter()
        .map(|gap| json!({ "stream": gap.stream.to_string(), "event": gap.seq }));
    let faults = report.faults.iter().map(
        |fault| json!({ "stream": fault.stream.to_string(), "event": fault.seq, "words": fault.to_string() }),
    );
    let kept = kept.iter().map(|(incident, event, what)| {
        let stream = Stream::Incident(*incident).to_string();
        json!({ "stream": stream, "event": event, "believed": *what == Kept::Wrong, "dropped": dropped })
    });
    json!({
        "sound": report.sound(),
        "heads": heads.collect::<Vec<_>>(),
        "redacted": gaps.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
        "kept": kept.collect::<Vec<_>>(),
    })
}

fn told_of_kept(kept: &[(IncidentId, u64, Kept)], dropped: bool) -> String {
    let mut text = String::new();
    for (incident, event, what) in kept {
        text.push_str(&match what {
            Kept::NotBelieved => format!(
                "What is kept folded of {incident} at event {event} is broken or of another journal. It is not believed: the bot \
                 reads the journal instead.\n"
            ),
            Kept::Wrong => format!(
                "What is kept folded of {incident} at event {event} is not what the journal says, and the bot goes on from it.\n"
            ),
        });
    }
    if kept.is_empty() {
        return text;
    }
    text.push_str(match dropped {
        true => "It is dropped. The journal is the truth, and is read from its first event at the next start.\n",
        false => {
            "The journal is the truth; what is kept only makes a start faster, and nothing is lost without it. Stop the bot, \
             run `orderly journal verify --drop-kept`, and start it again.\n"
        }
    });
    text
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    for fault in &report.faults {
        text.push_str(&format!("{fault}\n"));
    }
    let events: u64 = report.heads.iter().map(|head| head.seq).sum();
    if report.sound() {
        text.push_str(&format!(
            "The journal is whole: {} in {}.\n",
            counted(events, "event"),
            counted(report.heads.len() as u64, "stream")
        ));
        match report.gaps.len() {
            0 => {}
            1 => text.push_str("1 event was redacted; its place is in order.\n"),
            gaps => text.push_str(&format!(
                "{gaps} events were redacted; their places are in order.\n"
            )),
        }
        for head in &report.heads {
            text.push_str(&format!("  {}@{}:{}\n", head.stream, head.seq, head.hash));
        }
    } else {
        text.push_str(
            "Stop the bot, keep a copy of the file, and restore a backup with `orderly restore`.\n",
        );
    }
    text
}

async fn show(config: &Path, incident: u64, as_json: bool) -> Result<ExitCode> {
    match reach::ask(config, Request::Events { incident }).await? {
        Answer::Events { events } if as_json => output::json(&events)?,
        Answer::Events { events } => events.iter().for_each(|row| println!("{}", line(row))),
        other => return reach::refused(other).or_else(|_| reach::strange()),
    }
    Ok(ExitCode::SUCCESS)
}

/// One event on as few lines as it takes; the JSON has all of it.
fn line(row: &Row) -> String {
    /// Longest payload shown: two lines of a terminal.
    const MOST: usize = 150;
    let payload = match row.redacted {
        true => "[redacted]".to_owned(),
        false => clean(&row.payload.to_string(), usize::MAX >> 1),
    };
    let payload = cut(&payload, MOST, "…").shown;
    format!(
        "#{:<4} {} {} {}\n      {payload}",
        row.seq,
        row.recorded.format("%Y-%m-%d %H:%M:%S"),
        row.by,
        row.kind,
    )
}
