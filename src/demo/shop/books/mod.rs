//! What the shop knows, in SQLite: products, prices, orders, jobs, changes and a log.

mod runs;
mod seed;

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{Row, SqliteConnection};

/// The job that does the damage.
pub const IMPORT: &str = "import-prices";

/// The job that does its work.
pub const SHIPPING: &str = "ship-orders";

/// The mapping that is right.
pub const RIGHT: &str = "v1";

/// The mapping that takes the discount for the price.
pub const WRONG: &str = "v2";

/// Lines of the log in one answer; more than a few screens are not read.
const LINES_SHOWN: i64 = 200;

/// The books of one shop. Cloning gives another hand on the same ones.
#[derive(Clone)]
pub struct Books {
    pool: SqlitePool,
}

#[derive(Debug, Serialize)]
pub struct Job {
    pub name: String,
    pub running: bool,
    /// Prices it wrote wrongly and nobody repaired.
    pub wrong: i64,
    pub last_run: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Records {
    pub total: i64,
    pub wrong: i64,
    pub repaired: i64,
    pub last_wrong_at: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Record {
    pub id: i64,
    pub product: String,
    pub cents: i64,
    pub at: String,
    pub job: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Change {
    pub at: String,
    pub what: String,
    pub by: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Mapping {
    pub active: String,
    /// Where this mapping takes the price from.
    pub column: &'static str,
    pub since: String,
    pub by: String,
    /// Number of the change that put it in use; its version.
    #[serde(skip)]
    pub change: i64,
}

/// A state before and after something was asked for; the same twice when there was nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    Done {
        before: String,
        after: String,
    },
    /// Not in the state that the caller expected; nothing was done.
    Otherwise {
        now: String,
    },
    NoSuchJob {
        known: Vec<String>,
    },
}

type Answer<T> = Result<T, sqlx::Error>;

/// As it stands in the books.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn state_word(running: bool) -> &'static str {
    if running { "running" } else { "paused" }
}

impl Books {
    /// Opens the books, and makes them if there are none: with a past, and with the change that breaks the import.
    pub async fn open(path: &Path, now: DateTime<Utc>) -> Answer<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true);
        // One connection: the shop is small, and its writers wait for each other without a lock being busy.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        let books = Self { pool };
        let mut tx = books.pool.begin().await?;
        if count(&mut tx, "SELECT count(*) FROM products").await? == 0 {
            seed::seed(&mut tx, now).await?;
        }
        tx.commit().await?;
        Ok(books)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn jobs(&self) -> Answer<Vec<Job>> {
        jobs(&mut *self.pool.acquire().await?).await
    }

    /// Pauses or resumes a job. With `expected`, only from that state.
    pub async fn set_job(
        &self,
        name: &str,
        running: bool,
        expected: Option<&str>,
        now: DateTime<Utc>,
    ) -> Answer<Changed> {
        let mut tx = self.pool.begin().await?;
        let jobs = jobs(&mut tx).await?;
        let Some(job) = jobs.iter().find(|job| job.name == name) else {
            let known = jobs.into_iter().map(|job| job.name).collect();
            return Ok(Changed::NoSuchJob { known });
        };
        let before = state_word(job.running);
        if expected.is_some_and(|expected| expected != before) {
            return Ok(Changed::Otherwise {
                now: before.to_owned(),
            });
        }
        if job.running != running {
            sqlx::query("UPDATE jobs SET running = ? WHERE name = ?")
                .bind(running)
                .bind(name)
                .execute(&mut *tx)
                .await?;
            let verb = if running { "resumed" } else { "paused" };
            log(&mut tx, now, &format!("INFO {name} was {verb}")).await?;
            tx.commit().await?;
        }
        Ok(Changed::Done {
            before: before.to_owned(),
            after: state_word(running).to_owned(),
        })
    }

    pub async fn records(&self) -> Answer<Records> {
        let row = sqlx::query(
            "SELECT count(*) AS total, count(*) FILTER (WHERE cents < 0) AS wrong, count(repaired) AS repaired,
                    max(CASE WHEN cents < 0 OR repaired IS NOT NULL THEN at END) AS last_wrong_at
             FROM prices",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Records {
            total: row.try_get("total")?,
            wrong: row.try_get("wrong")?,
            repaired: row.try_get("repaired")?,
            last_wrong_at: row.try_get("last_wrong_at")?,
        })
    }

    /// The wrong records themselves, newest first.
    pub async fn wrong_records(&self) -> Answer<Vec<Record>> {
        let rows = sqlx::query(
            "SELECT prices.id, products.name, prices.cents, prices.at, prices.job
             FROM prices JOIN products ON products.id = prices.product
             WHERE prices.cents < 0 ORDER BY prices.id DESC LIMIT ?",
        )
        .bind(LINES_SHOWN)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Record {
                    id: row.try_get("id")?,
                    product: row.try_get("name")?,
                    cents: row.try_get("cents")?,
                    at: row.try_get("at")?,
                    job: row.try_get("job")?,
                })
            })
            .collect()
    }

    /// Gives every wrong price the list price of its product. Says how many there were.
    pub async fn repair(&self, now: DateTime<Utc>) -> Answer<u64> {
        let mut tx = self.pool.begin().await?;
        let repaired = sqlx::query(
            "UPDATE prices SET repaired = ?, cents = (SELECT cents FROM products WHERE products.id = prices.product)
             WHERE cents < 0",
        )
        .bind(stamp(now))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if repaired > 0 {
            log(&mut tx, now, &format!("INFO {repaired} wrong prices repaired")).await?;
        }
        tx.commit().await?;
        Ok(repaired)
    }

    pub async fn changes(&self) -> Answer<Vec<Change>> {
        let rows = sqlx::query("SELECT at, what, by FROM changes ORDER BY id DESC LIMIT ?")
            .bind(LINES_SHOWN)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Change {
                    at: row.try_get("at")?,
                    what: row.try_get("what")?,
                    by: row.try_get("by")?,
                })
            })
            .collect()
    }

    pub async fn mapping(&self) -> Answer<Mapping> {
        mapping(&mut *self.pool.acquire().await?).await
    }

    /// Takes the import back to the right mapping. With `expected`, only from that mapping; with `version`, only while
    /// no other change came in between.
    pub async fn roll_back(
        &self,
        expected: Option<&str>,
        version: Option<i64>,
        now: DateTime<Utc>,
    ) -> Answer<Changed> {
        let mut tx = self.pool.begin().await?;
        let mapping = mapping(&mut tx).await?;
        let before = mapping.active;
        let moved = version.is_some_and(|version| version != mapping.change);
        if moved || expected.is_some_and(|expected| expected != before) {
            return Ok(Changed::Otherwise { now: before });
        }
        if before != RIGHT {
            let what = format!("import mapping rolled back from {before} to {RIGHT}");
            change(&mut tx, now, &what, "orderly", Some(RIGHT)).await?;
            log(&mut tx, now, &format!("INFO {what}")).await?;
            tx.commit().await?;
        }
        Ok(Changed::Done {
            before,
            after: RIGHT.to_owned(),
        })
    }

    /// Lines of the log from a moment on, oldest first; the latest if there are too many.
    pub async fn log_since(&self, since: Option<DateTime<Utc>>) -> Answer<Vec<String>> {
        let rows = sqlx::query("SELECT at || ' ' || line FROM log WHERE at >= ? ORDER BY id DESC LIMIT ?")
            .bind(since.map(stamp).unwrap_or_default())
            .bind(LINES_SHOWN)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().rev().map(|row| row.try_get(0)).collect()
    }

    /// Orders that wait.
    pub async fn depth(&self) -> Answer<i64> {
        count(
            &mut *self.pool.acquire().await?,
            "SELECT count(*) FROM orders WHERE shipped IS NULL",
        )
        .await
    }
}

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> Answer<i64> {
    sqlx::query_scalar(sql).fetch_one(connection).await
}

async fn jobs(connection: &mut SqliteConnection) -> Answer<Vec<Job>> {
    let rows = sqlx::query(
        "SELECT name, running, last_run,
                (SELECT count(*) FROM prices WHERE prices.job = jobs.name AND prices.cents < 0) AS wrong
         FROM jobs ORDER BY name",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Job {
                name: row.try_get("name")?,
                running: row.try_get("running")?,
                wrong: row.try_get("wrong")?,
                last_run: row.try_get("last_run")?,
            })
        })
        .collect()
}

async fn mapping(connection: &mut SqliteConnection) -> Answer<Mapping> {
    let row = sqlx::query(
        "SELECT id, mapping, at, by FROM changes WHERE mapping IS NOT NULL ORDER BY id DESC LIMIT 1",
    )
    .fetch_one(connection)
    .await?;
    let active: String = row.try_get("mapping")?;
    Ok(Mapping {
        column: if active == RIGHT { "list_price" } else { "discount" },
        active,
        since: row.try_get("at")?,
        by: row.try_get("by")?,
        change: row.try_get("id")?,
    })
}

/// Cents as people write money: `-0.89`.
pub fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} EUR", cents.abs() / 100, cents.abs() % 100)
}

async fn change(
    tx: &mut SqliteConnection,
    at: DateTime<Utc>,
    what: &str,
    by: &str,
    mapping: Option<&str>,
) -> Answer<()> {
    sqlx::query("INSERT INTO changes (at, what, by, mapping) VALUES (?, ?, ?, ?)")
        .bind(stamp(at))
        .bind(what)
        .bind(by)
        .bind(mapping)
        .execute(tx)
        .await
        .map(|_| ())
}

async fn log(tx: &mut SqliteConnection, at: DateTime<Utc>, line: &str) -> Answer<()> {
    sqlx::query("INSERT INTO log (at, line) VALUES (?, ?)")
        .bind(stamp(at))
        .bind(line)
        .execute(tx)
        .await
        .map(|_| ())
}
