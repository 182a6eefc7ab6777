//! The page for people. It shows and changes nothing: changes go through Orderly, which is the point of the demo.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::books::{Job, Mapping, Records, euros};
use super::serve::Counter;

/// Wrong prices shown on the page.
const WRONG_SHOWN: usize = 10;

/// Lines of the log shown on the page.
const LINES_SHOWN: usize = 12;

/// What the page shows.
#[derive(Serialize)]
struct Page {
    records: Records,
    wrong: Vec<Price>,
    log: Vec<String>,
    jobs: Vec<Job>,
    depth: i64,
    mapping: Mapping,
    /// Seconds until it shows itself anew.
    every: u64,
}

#[derive(Serialize)]
struct Price {
    product: String,
    price: String,
    at: String,
}

pub(super) async fn render(counter: &Counter) -> Result<String, sqlx::Error> {
    let books = &counter.books;
    let wrong = books.wrong_records().await?.into_iter().take(WRONG_SHOWN);
    let mut log = books.log_since(None).await?;
    let page = Page {
        records: books.records().await?,
        wrong: wrong
            .map(|record| Price {
                product: record.product,
                price: euros(record.cents),
                at: record.at,
            })
            .collect(),
        log: log.split_off(log.len().saturating_sub(LINES_SHOWN)),
        jobs: books.jobs().await?,
        depth: books.depth().await?,
        mapping: books.mapping().await?,
        every: counter.every.as_secs().max(1),
    };
    // The name ends in .html, so everything is escaped.
    let rendered = Environment::new().render_named_str("shop.html", include_str!("page.html"), Serde(page));
    Ok(rendered.unwrap_or_else(|error| {
        tracing::error!(%error, "the page of the demo's shop cannot be shown");
        "This is the demo shop. Its page cannot be shown; /records and /jobs answer.".to_owned()
    }))
}
