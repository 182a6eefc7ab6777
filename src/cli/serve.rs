//! `orderly serve`: the bot, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Files, Keeping};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, LogFormat};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  orderly serve\n  orderly --config /etc/orderly/orderly.toml serve")]
pub struct Arguments {}

pub async fn run(config: &Path, _arguments: Arguments) -> Result<ExitCode> {
    let config = Config::load(config).map_err(crate::app::Error::Config)?;
    log(config.log.format);
    let keeping = Keeping::File(config.store.path.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = App::open(Files::read(config)?, &keeping, Arc::clone(&clock)).await?;
    let page = app.serve_page(None, clock).await?;
    app.start().await?;
    tracing::info!(address = %page.addr(), "ready");
    eprintln!(
        "Orderly listens on http://{}. Sign-in links: `orderly person link NAME`. Stop with Ctrl-C.",
        page.addr()
    );
    until_told_to_stop().await?;
    eprintln!("Stopping: what is in hand is finished first.");
    page.shutdown().await;
    app.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C, or the service manager.
pub async fn until_told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Logs go to standard error. No message content and no secret is in them.
pub fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ORDERLY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,orderly=info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber (in a test) is no reason to stop.
    let _ = match format {
        LogFormat::Json => builder.json().try_init(),
        _ => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
}
