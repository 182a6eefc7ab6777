//! Asking: one prepared statement as a source of rows, inside a transaction that cannot write.

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, Row};
use tokio::time::Instant;

use super::call::{Bind, Read, Shape};
use super::session;
use super::statement;
use super::words::{Problem, refused};
use crate::driver::{Limits, Reading, Target};

/// Rows of one answer: more than anybody reads, few enough to keep. An entry asks for the worst first.
const ROWS_MAX: usize = 1_000;

/// Asks, and leaves nothing behind.
pub async fn read(target: &Target, ask: &Read, limits: Limits) -> Result<Reading, Problem> {
    let until = Instant::now() + limits.timeout;
    within(until, async {
        let (options, _) = session::address(&target.probe)?;
        let what = format!("orderly probe {}", ask.name.as_deref().unwrap_or_default());
        let mut connection = session::connect(options, what.trim_end()).await?;
        session::begin_read_only(&mut connection, until).await?;
        let caveat = session::check_powers(&mut connection, target).await?;
        let found = rows(&mut connection, ask, limits.output).await?;
        // Rolled back, never committed: a NOTIFY or a large object made by a function goes with it.
        connection.execute("ROLLBACK").await?;
        // What came back counts, whatever becomes of the goodbye.
        let _ = connection.close().await;
        found.reading(ask.answer, caveat)
    })
    .await
}

/// The time given covers all of it, connecting included.
pub async fn within<T>(until: Instant, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout_at(until, work)
        .await
        .unwrap_or(Err(Problem::Late))
}

/// Rows as JSON text, and what was left out.
#[derive(Default)]
pub struct Found {
    rows: Vec<String>,
    bytes: usize,
    /// Rows larger than the whole output limit.
    too_large: usize,
    /// Rows counted and not kept.
    more: usize,
    cut: Option<&'static str>,
}

async fn rows(connection: &mut PgConnection, ask: &Read, output: usize) -> Result<Found, Problem> {
    let (sql, binds) = statement::choose(connection, ask.choice()).await?;
    fetch(connection, &wrapped(&sql, output), &binds, output, Beyond::Stop).await
}

/// Below a SELECT nothing but a source of rows can stand: no second statement, no data-modifying WITH, no SET, no COPY.
/// The line break ends a trailing comment. A row larger than the whole answer may be is not sent at all.
fn wrapped(sql: &str, output: usize) -> String {
    let sql = sql.trim_end().trim_end_matches(';');
    format!(
        "SELECT CASE WHEN octet_length(row) <= {output} THEN row END FROM (\
         SELECT row_to_json(asked)::text AS row FROM (\n{sql}\n) AS asked LIMIT {}) AS rows",
        ROWS_MAX + 1
    )
}

/// What to do with rows beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Leave them unread; they end with the connection.
    Stop,
    /// Count them without keeping them: a change must know how many rows it touched.
    Count,
}

/// Takes rows until the limit.
pub async fn fetch(
    connection: &mut PgConnection,
    sql: &str,
    binds: &[Bind],
    output: usize,
    beyond: Beyond,
) -> Result<Found, Problem> {
    let mut found = Found::default();
    let mut stream = statement::bind(sql.to_owned(), binds)?.fetch(connection);
    while let Some(row) = stream.try_next().await? {
        let row = row.try_get::<Option<String>, _>(0)?;
        let limit = match &row {
            None => {
                found.too_large += 1;
                continue;
            }
            Some(row) if found.bytes + row.len() > output => Some("the output limit"),
            Some(_) if found.rows.len() == ROWS_MAX => Some("the limit of rows"),
            Some(_) => found.cut,
        };
        found.cut = limit;
        match (limit, row) {
            (None, Some(row)) => {
                found.bytes += row.len();
                found.rows.push(row);
            }
            (Some(_), _) if beyond == Beyond::Stop => break,
            _ => found.more += 1,
        }
    }
    Ok(found)
}

impl Found {
    /// Rows there were.
    pub fn count(&self) -> usize {
        self.rows.len() + self.too_large + self.more
    }

    /// The rows, a line each, and how many more there were.
    pub fn text(&self) -> String {
        let mut text = self.rows.join("\n");
        let more = self.too_large + self.more;
        if more > 0 {
            text.push_str(&format!("\n… and {more} more rows"));
        }
        text
    }

    pub fn values(&self) -> Result<Vec<Value>, Problem> {
        self.rows
            .iter()
            .map(|row| serde_json::from_str(row))
            .collect::<Result<_, _>>()
            .map_err(|why| refused(format!("the server's JSON cannot be read: {why}")))
    }

    fn reading(self, shape: Shape, caveat: Option<String>) -> Result<Reading, Problem> {
        let mut caveats: Vec<String> = caveat.into_iter().collect();
        if let Some(limit) = self.cut {
            caveats.push(format!(
                "only the first {} rows: {limit} was reached",
                self.rows.len()
            ));
        }
        if self.too_large > 0 {
            caveats.push(format!(
                "{} rows left out: each alone is above the output limit",
                self.too_large
            ));
        }
        let raw = self.rows.join("\n");
        let values = self.values()?;
        let answer = match shape {
            Shape::Rows => Value::Array(values),
            Shape::Row => match <[Value; 1]>::try_from(values) {
                Ok([row]) => row,
                Err(rows) if rows.is_empty() => Value::Null,
                Err(rows) => {
                    return Err(refused(format!(
                        "the entry promises one row and its SQL gave {}; add an aggregate or answer = \"rows\"",
                        rows.len()
                    )));
                }
            },
        };
        Ok(Reading {
            answer,
            raw: raw.into_bytes(),
            caveats,
        })
    }
}
