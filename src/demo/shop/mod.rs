//! The demo's shop: an HTTP service with a SQLite file of its own and two jobs that run on a schedule.
//!
//! `import-prices` reads the supplier's price list. Since a change made when the shop first starts, its mapping takes
//! the price from the wrong column, so every run writes negative prices. `ship-orders` is healthy and works off the
//! queue. Both really run and really write; nothing is simulated but the customers.
//!
//! What probes read here is described at the head of `catalog/demo.toml`.

mod books;
mod page;
mod serve;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use books::Books;

/// Shortest time between two runs: a clock without pauses would keep the machine busy.
const SHORTEST: Duration = Duration::from_millis(100);

/// Why the shop cannot open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the demo's shop cannot keep its books in {folder}: {why}. Free some space there, or set TMPDIR to another folder."
    )]
    Books { folder: String, why: sqlx::Error },
    #[error("the demo's shop finds no free port on 127.0.0.1: {0}")]
    Port(std::io::Error),
}

/// A running shop. Dropping it stops it without waiting; [`Shop::stop`] waits.
pub struct Shop {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    runs: watch::Receiver<u64>,
    schedule: JoinHandle<()>,
    server: JoinHandle<()>,
}

impl Shop {
    /// Opens the shop in a folder, continuing with the books that lie there. The jobs run once at once, then each time
    /// `every` has passed on the clock.
    pub async fn start(dir: &Path, clock: Arc<dyn Clock>, every: Duration) -> Result<Self, Error> {
        let every = every.max(SHORTEST);
        let unkept = |why| Error::Books {
            folder: dir.display().to_string(),
            why,
        };
        let books = Books::open(&dir.join("shop.sqlite"), clock.now())
            .await
            .map_err(unkept)?;
        let opened = clock.now();
        books.run_jobs(opened).await.map_err(unkept)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Error::Port)?;
        let address = listener.local_addr().map_err(Error::Port)?;
        let (stop, stopped) = watch::channel(false);
        let (ran, runs) = watch::channel(1);
        let routes = serve::routes(books.clone(), clock.clone(), every, address);
        let server = tokio::spawn(serve::until_stopped(listener, routes, stopped.clone()));
        let schedule = tokio::spawn(keep_running(books, clock, opened, every, ran, stopped));
        Ok(Self {
            address,
            stop,
            runs,
            schedule,
            server,
        })
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often the jobs have run, to wait for a run without guessing how long it takes.
    pub fn runs(&self) -> watch::Receiver<u64> {
        self.runs.clone()
    }

    /// Answers what is being asked, finishes the run it is in, and closes.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked has said so already; there is nothing left to stop.
        let _ = self.schedule.await;
        let _ = self.server.await;
    }
}

/// Runs the jobs on schedule. After a pause of the machine one run makes up for all that were missed.
async fn keep_running(
    books: Books,
    clock: Arc<dyn Clock>,
    mut last: DateTime<Utc>,
    every: Duration,
    ran: watch::Sender<u64>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            () = clock.until(last + every) => {}
        }
        last = clock.now();
        if let Err(error) = books.run_jobs(last).await {
            tracing::warn!(%error, "the demo's shop could not run its jobs; it tries again at the next run");
        }
        ran.send_modify(|runs| *runs += 1);
    }
    books.close().await;
}
