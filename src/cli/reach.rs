//! The way to the journal: over the socket while the bot runs, else by owning the file for a moment.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use chrono::TimeDelta;

use super::output::with_progress;
use super::request::{Answer, Host, Request};
use super::{REFUSED, socket};
use crate::app::{App, Files, Keeping, backup, chat_path};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::store::sqlite;

/// What a command set in motion is waited for so long; the rest goes on at the next start.
const SETTLE: Duration = Duration::from_secs(30);

/// How long a file that somebody else owns is waited for. Another command has it for less than a second, and a bot that
/// starts has its socket by then; what holds it longer is no command.
const PATIENCE: TimeDelta = TimeDelta::seconds(5);

/// How soon it is tried again.
const AGAIN: TimeDelta = TimeDelta::milliseconds(50);

/// Has a request carried out, wherever the journal is at the moment.
pub async fn ask(config: &Path, request: Request) -> Result<Answer> {
    let config = super::load(config)?;
    let asking = async {
        let clock = SystemClock;
        let until = clock.now() + PATIENCE;
        loop {
            if let Some(answer) = socket::send(&socket::beside(&config.store.path), &request).await? {
                return Ok(answer);
            }
            match alone(config.clone(), request.clone()).await {
                Err(error) if is_taken(&error) && clock.now() < until => {
                    clock.until(clock.now() + AGAIN).await;
                }
                other => return other,
            }
        }
    };
    with_progress("Working", asking).await
}

/// Somebody else owns the file, and nothing of the request was done.
fn is_taken(error: &anyhow::Error) -> bool {
    use crate::app::Error::Store;
    use crate::store::Error::Owned;
    matches!(error.downcast_ref(), Some(Store(Owned { .. })))
        || matches!(error.downcast_ref(), Some(Owned { .. }))
}

/// Owns the file, carries the request out, waits until what it set in motion is done, and lets go.
async fn alone(config: Config, request: Request) -> Result<Answer> {
    let path = config.store.path.clone();
    let looks = matches!(
        request,
        Request::Postmortem { .. } | Request::Events { .. } | Request::Output { .. }
    );
    let reads = looks || matches!(request, Request::Backup { .. });
    if reads && !path.exists() {
        bail!(
            "there is no journal at {} yet: nothing has happened here",
            path.display()
        );
    }
    if let Request::Backup { dest } = &request {
        let store = sqlite::open(&path, sqlite::OpenOptions::default()).await?;
        // The lock of the journal guards the chat as well: nobody writes to it now.
        let copied = backup::copy(&store, &chat_path(&path), dest).await;
        crate::store::Store::close(&store).await?;
        return Ok(copied.map_or_else(Answer::from, Answer::from));
    }
    let base_url = config.base_url();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let open = async |keeping: Keeping| {
        let files = Files::read(config.clone())?;
        App::open(files, &keeping, Arc::clone(&clock)).await
    };
    let app = match open(Keeping::File(path.clone())).await {
        // A copy put away where nobody writes can still be read.
        Err(crate::app::Error::Store(crate::store::Error::ReadOnly { .. })) if looks => {
            open(Keeping::Look(path)).await?
        }
        opened => opened?,
    };
    let host = Host {
        app: Arc::new(app),
        base_url,
        clock,
    };
    let os_user = socket::user_name(socket::own_uid());
    let keeps = host.app.sqlite.is_some();
    let acts = matches!(request, Request::Command { .. }) && host.knows(&os_user);
    if acts {
        host.app.start().await?;
    }
    let answer = host.carry_out(&os_user, request).await;
    if acts {
        // Late: a slow system. Its effects stand in the outbox and go on at the next start.
        let _ = tokio::time::timeout(SETTLE, settle(&host)).await;
    }
    if keeps {
        host.app.stop().await;
    }
    Ok(answer)
}

/// Waits until nothing is under way and nothing is due.
async fn settle(host: &Host) {
    let engine = &host.app.engine;
    loop {
        engine.quiet().await;
        match engine.store().due_effects(host.clock.now(), &[], 1).await {
            Ok(due) if !due.is_empty() => tokio::task::yield_now().await,
            _ => return,
        }
    }
}

/// Says what did not become of a request; `Err`: it is something to show.
pub fn refused(answer: Answer) -> Result<ExitCode, Answer> {
    match answer {
        Answer::Refused { words } => {
            eprintln!("{}", super::output::refusal(&words));
            Ok(ExitCode::from(REFUSED))
        }
        Answer::Failed { words } => {
            eprintln!("orderly: {words}");
            Ok(ExitCode::FAILURE)
        }
        Answer::Done { words } => {
            println!("{words}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(other),
    }
}

/// For an answer that does not belong to what was asked.
pub fn strange() -> Result<ExitCode> {
    bail!("the answer is not one to this question: is the other `orderly` of the same version?")
}
