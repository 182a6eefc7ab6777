//! The shop as it opens for the first time: with a past, and with the change that breaks it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use super::runs::take_order;
use super::{Answer, IMPORT, RIGHT, SHIPPING, WRONG, change, log, stamp};

/// Orders that wait when the shop opens.
const ORDERS_AT_OPENING: i64 = 8;

/// Products with their list price in cents.
pub(super) const PRODUCTS: [(&str, i64); 12] = [
    ("Blue mug", 890),
    ("Tea towel", 650),
    ("Oak tray", 2_400),
    ("Wool blanket", 7_900),
    ("Reading lamp", 4_950),
    ("Door mat", 1_990),
    ("Salad bowl", 2_250),
    ("Bread knife", 3_400),
    ("Linen apron", 2_800),
    ("Candle", 1_200),
    ("Tin box", 990),
    ("Wall clock", 5_600),
];

/// its products at their right prices, some orders, and what changed lately.
pub(super) async fn seed(tx: &mut SqliteConnection, now: DateTime<Utc>) -> Answer<()> {
    for (name, cents) in PRODUCTS {
        sqlx::query("INSERT INTO products (name, cents) VALUES (?, ?)")
            .bind(name)
            .bind(cents)
            .execute(&mut *tx)
            .await?;
    }
    let yesterday = now - TimeDelta::days(1);
    sqlx::query(
        "INSERT INTO prices (product, cents, at, job) SELECT id, cents, ?, ? FROM products ORDER BY id",
    )
    .bind(stamp(yesterday))
    .bind(IMPORT)
    .execute(&mut *tx)
    .await?;
    for job in [IMPORT, SHIPPING] {
        sqlx::query("INSERT INTO jobs (name, running) VALUES (?, true)")
            .bind(job)
            .execute(&mut *tx)
            .await?;
    }
    for _ in 0..ORDERS_AT_OPENING {
        take_order(tx, now).await?;
    }
    let days = |days| now - TimeDelta::days(days);
    change(
        tx,
        days(21),
        "import mapping v1: the price is in the column `list_price`",
        "noor",
        Some(RIGHT),
    )
    .await?;
    change(tx, days(6), "new banner on the front page", "kim", None).await?;
    change(
        tx,
        days(2),
        "ship-orders packs three orders a run, not two",
        "noor",
        None,
    )
    .await?;
    let broken = "import mapping v2: the price is in the column `discount`";
    change(tx, now, broken, "kim", Some(WRONG)).await?;
    log(tx, now, &format!("INFO {IMPORT} reloaded its mapping: {WRONG}")).await
}
