//! `orderly demo`: an incident to live through, on a shop of its own that really breaks.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::app::{App, Files, Keeping};
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::demo;
use crate::desk;
use crate::incident::{By, PersonId};
use crate::runbook::Shelf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  orderly demo\n  orderly demo --port 0\n\nThe page opens at http://127.0.0.1:8470. Everything is kept in a temporary folder and gone at the end."
)]
pub struct Arguments {
    /// Port of the page; 0 takes a free one.
    #[arg(long, default_value_t = 8470)]
    port: u16,
    /// Seconds between two runs of the shop's jobs.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    super::serve::log(crate::config::LogFormat::default());
    let folder = std::env::temp_dir().join(format!("orderly-demo-{}", std::process::id()));
    // For nobody else, and never one that is there already: temporary folders are everybody's.
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shop = demo::Shop::start(&folder, Arc::clone(&clock), Duration::from_secs(arguments.every)).await?;
    let mut config = demo::config(&shop.url()).map_err(crate::app::Error::Config)?;
    config.web.listen.set_port(arguments.port);
    let files = Files {
        catalog: Catalog::load(&[(demo::CATALOG.0.into(), demo::CATALOG.1.to_owned())])
            .map_err(crate::app::Error::Catalog)?,
        shelf: Shelf::demo(),
        ..Files::read(config)?
    };
    let app = App::open(
        files,
        &Keeping::File(folder.join("demo.sqlite")),
        Arc::clone(&clock),
    )
    .await?;
    let links = links(&app).await?;
    let page = app
        .serve_page(true, clock)
        .await
        .context("the page cannot be shown; `orderly demo --port 0` takes a port that is free")?;
    let stopped = super::serve::stop_signal()?;
    app.start().await?;
    println!(
        "This is a demo. A small shop of its own runs at {} and is broken on purpose.",
        shop.url()
    );
    println!("\nOpen one of these in a browser and follow the guide on the page:\n");
    for (name, token) in links {
        println!("  {name:<20} http://{}/sign-in?token={token}", page.addr());
    }
    println!(
        "\nStop with Ctrl-C. Everything lies in {} and is removed then.",
        folder.display()
    );
    stopped.await;
    page.shutdown().await;
    app.stop().await;
    shop.stop().await;
    std::fs::remove_dir_all(&folder).with_context(|| format!("{} could not be removed", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// A sign-in link for each person of the demo.
async fn links(app: &App) -> Result<Vec<(String, String)>> {
    let mut links = Vec::new();
    for id in demo::PEOPLE {
        let (token, sha256) = crate::app::token()?;
        let person = PersonId::new(id);
        let request = desk::Request::IssueToken {
            person: person.clone(),
            sha256,
        };
        app.engine.on_desk(&By::Orderly, &request).await?;
        let name = app
            .engine
            .desk()
            .people
            .get(&person)
            .map_or(id.to_owned(), |known| known.name.clone());
        links.push((name, token));
    }
    Ok(links)
}
