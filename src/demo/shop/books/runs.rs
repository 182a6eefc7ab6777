//! What happens in the shop as time goes by: orders come in, and the jobs run.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::seed::PRODUCTS;
use super::{Answer, Books, IMPORT, RIGHT, SHIPPING, count, euros, jobs, log, mapping, stamp};

/// Prices written by one run of the import: few enough to watch them grow.
const PRICES_A_RUN: i64 = 3;

/// Orders that come in between two runs; one less than is shipped, so the queue drains.
const ORDERS_A_RUN: i64 = 2;

/// Orders shipped by one run.
const SHIPPED_A_RUN: i64 = 3;

/// Rows kept of log, prices and orders. At five seconds a run that is more than a day, and the file stays small.
const ROWS_KEPT: i64 = 50_000;

impl Books {
    /// What happens between two runs, and the run of each job that is not paused.
    pub async fn run_jobs(&self, now: DateTime<Utc>) -> Answer<()> {
        let mut tx = self.pool.begin().await?;
        for _ in 0..ORDERS_A_RUN {
            take_order(&mut tx, now).await?;
        }
        for job in jobs(&mut tx).await?.iter().filter(|job| job.running) {
            match job.name.as_str() {
                IMPORT => import_prices(&mut tx, now).await?,
                _ => ship_orders(&mut tx, now).await?,
            }
            sqlx::query("UPDATE jobs SET last_run = ? WHERE name = ?")
                .bind(stamp(now))
                .bind(&job.name)
                .execute(&mut *tx)
                .await?;
        }
        forget_old_rows(&mut tx).await?;
        tx.commit().await
    }
}

/// The next products in turn get the price that the mapping finds for them.
async fn import_prices(tx: &mut SqliteConnection, now: DateTime<Utc>) -> Answer<()> {
    let active = mapping(tx).await?.active;
    let written = count(tx, "SELECT count(*) FROM prices").await?;
    let products = PRODUCTS.len() as i64;
    for turn in written..written + PRICES_A_RUN {
        let product = turn % products + 1;
        // The discount stands in the list as what is taken off: a tenth, with a minus before it.
        let price = if active == RIGHT { "cents" } else { "-(cents / 10)" };
        let sql = format!(
            "INSERT INTO prices (product, cents, at, job) SELECT id, {price}, ?, ? FROM products WHERE id = ?"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stamp(now))
            .bind(IMPORT)
            .bind(product)
            .execute(&mut *tx)
            .await?;
    }
    log(
        tx,
        now,
        &format!("INFO {IMPORT} wrote {PRICES_A_RUN} prices with mapping {active}"),
    )
    .await?;
    if active != RIGHT {
        log(
            tx,
            now,
            &format!("WARN {IMPORT}: {PRICES_A_RUN} prices are below zero"),
        )
        .await?;
    }
    Ok(())
}

async fn ship_orders(tx: &mut SqliteConnection, now: DateTime<Utc>) -> Answer<()> {
    let shipped = sqlx::query(
        "UPDATE orders SET shipped = ? WHERE id IN (SELECT id FROM orders WHERE shipped IS NULL ORDER BY id LIMIT ?)",
    )
    .bind(stamp(now))
    .bind(SHIPPED_A_RUN)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if shipped > 0 {
        log(tx, now, &format!("INFO {SHIPPING} shipped {shipped} orders")).await?;
    }
    Ok(())
}

/// A customer buys the next product in turn, at the price of the hour.
pub(super) async fn take_order(tx: &mut SqliteConnection, now: DateTime<Utc>) -> Answer<()> {
    let next = count(tx, "SELECT coalesce(max(id), 0) + 1 FROM orders").await?;
    let product = next % PRODUCTS.len() as i64 + 1;
    let cents: i64 =
        sqlx::query_scalar("SELECT cents FROM prices WHERE product = ? ORDER BY id DESC LIMIT 1")
            .bind(product)
            .fetch_one(&mut *tx)
            .await?;
    sqlx::query("INSERT INTO orders (id, product, cents, at) VALUES (?, ?, ?, ?)")
        .bind(next)
        .bind(product)
        .bind(cents)
        .bind(stamp(now))
        .execute(&mut *tx)
        .await?;
    if cents < 0 {
        let name = PRODUCTS[(product - 1) as usize].0;
        let line = format!(
            "ERROR order {next} was sold below zero: {name} for {}",
            euros(cents)
        );
        log(tx, now, &line).await?;
    }
    Ok(())
}

/// Wrong prices and waiting orders stay, however old: they are what this is about.
async fn forget_old_rows(tx: &mut SqliteConnection) -> Answer<()> {
    for sql in [
        "DELETE FROM log WHERE id <= (SELECT max(id) FROM log) - ?",
        "DELETE FROM orders WHERE id <= (SELECT max(id) FROM orders) - ? AND shipped IS NOT NULL",
        "DELETE FROM prices WHERE id <= (SELECT max(id) FROM prices) - ? AND cents > 0",
    ] {
        sqlx::query(sql).bind(ROWS_KEPT).execute(&mut *tx).await?;
    }
    Ok(())
}
