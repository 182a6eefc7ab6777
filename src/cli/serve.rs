//! `orderly serve`: the bot, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::with_progress;
use super::request::Host;
use super::{resident, socket};
use crate::app::{App, Files, Keeping};
use crate::clock::{Clock, SystemClock};
use crate::config::LogFormat;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  orderly serve\n  orderly --config /etc/orderly/orderly.toml serve\n\nSIGHUP reads the catalog anew. SIGTERM and Ctrl-C stop it, after what is in hand."
)]
pub struct Arguments {}

pub async fn run(config: &Path, _arguments: Arguments) -> Result<ExitCode> {
    let config = super::load(config)?;
    log(config.log.format);
    let path = config.store.path.clone();
    let public_url = config.web.public_url.is_some().then(|| config.base_url());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (files, keeping) = (Files::read(config)?, Keeping::File(path.clone()));
    // A file of an older version is copied before it is brought up to date.
    let opening = App::open(files, &keeping, Arc::clone(&clock));
    let app = with_progress("Opening the journal", opening).await?;
    let app = Arc::new(app);
    let page = app.serve_page(false, Arc::clone(&clock)).await?;
    app.start().await?;
    let address = format!("http://{}", page.addr());
    let host = Host {
        app: Arc::clone(&app),
        base_url: public_url.unwrap_or_else(|| address.clone()),
        clock,
    };
    let socket = listen(&path, Arc::new(host));
    // Heard from before anybody is told that it runs.
    let (stopped, hangup) = (stop_signal()?, signal(SignalKind::hangup())?);
    let settling = tokio::spawn(resident::give_back());
    tracing::info!(address = %page.addr(), "ready");
    if app.engine.desk().people.is_empty() {
        eprintln!(
            "Nobody can sign in yet. Add somebody: `orderly person add ana --name \"Ana Bell\" --role commander`."
        );
    }
    eprintln!("Orderly listens on {address}. Sign-in links: `orderly person link NAME`. Stop with Ctrl-C.");
    tokio::select! {
        () = stopped => {}
        () = reload_when_told(&app, hangup) => {}
    }
    settling.abort();
    eprintln!("Stopping: what is in hand is finished first.");
    socket.into_iter().for_each(socket::Listening::stop);
    page.shutdown().await;
    app.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Lets terminals in. Without it the page still works, so that it is said and no reason to stop.
fn listen(journal: &Path, host: Arc<Host>) -> Option<socket::Listening> {
    let path = socket::beside(journal);
    match socket::listen(path.clone(), host) {
        Ok(listening) => Some(listening),
        Err(error) => {
            eprintln!(
                "{} cannot be opened ({error}): `orderly incident` and `orderly person` do not work while this runs. A \
                 path of more than 100 characters is too long for it.",
                path.display()
            );
            None
        }
    }
}

/// SIGHUP: the catalog is read anew, whole or not at all. Never ends.
async fn reload_when_told(app: &App, mut told: Signal) {
    while told.recv().await.is_some() {
        match app.reload_catalog().await {
            Ok((probes, actions)) => {
                eprintln!(
                    "The catalog was read anew: {probes} probes, {actions} actions. Proposals whose entry changed are \
                     void."
                );
            }
            Err(error) => eprintln!("{error}\nThe catalog stays as it was."),
        }
    }
    std::future::pending().await
}

/// Ctrl-C, or the service manager; heard from the call on.
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Logs go to standard error. No message content and no secret is in them.
pub fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ORDERLY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,orderly=info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Whoever read the log may have left; that is no reason to stop either.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second subscriber (in a test) is no reason to stop.
    let _ = match format {
        LogFormat::Json => builder.json().try_init(),
        _ => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
}
