//! Changing: a preview that reads, a statement that checks its guards itself, and an honest word on how it ended.

use serde_json::{Map, Value};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Error, Executor};
use tokio::time::Instant;

use super::call::{BindKind, Change, Ready};
use super::read::{Beyond, Found, fetch, read, within};
use super::words::{Problem, Purpose, answer, message, refused};
use super::{about, session, statement};
use crate::driver::{Access, Failure, Limits, Target};
use crate::incident::{Operation, Outcome, Preview};

/// Prefix of a bind that the preview fills.
const GUARD: &str = "guard.";

/// The server's code for a lock that was not given in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Rows of a dry run that are shown; the number of all of them is said.
const TRIED_SHOWN: usize = 5;

/// Reads what guards the change, as the probe's role, and renders it in full, as the action's.
pub async fn preview(target: &Target, change: Change, limits: Limits) -> Result<Preview, Failure> {
    let until = Instant::now() + limits.timeout;
    let of = |purpose| move |problem| about(problem, target, purpose, limits);
    let access = action_access(target).map_err(of(Purpose::Action))?;
    let row = match &change.preview {
        Some(ask) => read(target, ask, limits)
            .await
            .and_then(|reading| only_row(reading.answer))
            .map_err(of(Purpose::Probe))?,
        None => Map::new(),
    };
    within(until, render(target, access, &change, &row, limits, until))
        .await
        .map_err(of(Purpose::Action))
}

async fn render(
    target: &Target,
    access: &Access,
    change: &Change,
    row: &Map<String, Value>,
    limits: Limits,
    until: Instant,
) -> Result<Preview, Problem> {
    let (options, address) = session::address(access)?;
    let mut connection = session::connect(options, &session_name(&change.name)).await?;
    session::begin_read_only(&mut connection, until).await?;
    let ready = settle(&mut connection, change, row, address).await?;
    connection.execute("ROLLBACK").await?;
    let tried = match change.dry_run {
        true => dry_run(&mut connection, &ready, limits, until).await?,
        false => Tried::Not,
    };
    let _ = connection.close().await;
    shown(target, ready, row, tried)
}

/// What came of the dry run.
enum Tried {
    Not,
    /// Another session holds a row. That is no reason not to propose: the attempt asks again.
    Locked,
    Touched(Found),
}

fn action_access(target: &Target) -> Result<&Access, Problem> {
    target.action.as_ref().ok_or_else(|| {
        refused(format!(
            "{} takes no actions: add an action url with a role of its own to this target in orderly.toml",
            target.name
        ))
    })
}

fn session_name(name: &Option<String>) -> String {
    format!("orderly action {}", name.as_deref().unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// The one thing the change is about. A preview gives exactly one row, or nobody knows what would be approved.
fn only_row(answer: Value) -> Result<Map<String, Value>, Problem> {
    let mut rows = match answer {
        Value::Array(rows) => rows,
        Value::Null => Vec::new(),
        row => vec![row],
    };
    match (rows.len(), rows.pop()) {
        (1, Some(Value::Object(row))) => Ok(row),
        (0, _) => Err(refused(
            "nothing here fits: it is gone, was changed already, or the name or number is wrong. Ask the probe again.",
        )),
        (count, _) => Err(refused(format!(
            "{count} things fit; name one of them exactly, by its number"
        ))),
    }
}

/// Chooses the statement, quotes identifiers and fills in guards.
async fn settle(
    connection: &mut PgConnection,
    change: &Change,
    row: &Map<String, Value>,
    address: String,
) -> Result<Ready, Problem> {
    let (sql, mut binds) = statement::choose(connection, change.choice()).await?;
    let mut guards = Map::new();
    for column in &change.guards {
        let value = row.get(column).ok_or_else(|| {
            refused(format!(
                "the entry's preview has no column `{column}` to guard with; correct the catalog entry"
            ))
        })?;
        guards.insert(column.clone(), value.clone());
    }
    for bind in binds.iter_mut().filter(|bind| bind.kind == BindKind::Guard) {
        let column = bind.name.strip_prefix(GUARD).unwrap_or(&bind.name);
        bind.value = guards.get(column).cloned().ok_or_else(|| {
            refused(format!(
                "the entry binds {} but does not list `{column}` in guards; correct the catalog entry",
                bind.name
            ))
        })?;
    }
    Ok(Ready {
        name: change.name.clone().unwrap_or_default(),
        address,
        sql: sql.trim_end().trim_end_matches(';').to_owned(),
        binds,
        rows: change.rows,
        signals: change.signals,
        guards,
    })
}

/// The statement as the action's role runs it, then taken back. It holds its row locks for that moment.
async fn dry_run(
    connection: &mut PgConnection,
    ready: &Ready,
    limits: Limits,
    until: Instant,
) -> Result<Tried, Problem> {
    if ready.signals {
        return Err(refused(
            "a signal cannot be tried out: take dry_run out of the catalog entry",
        ));
    }
    session::begin_dry_run(connection, until).await?;
    let found = match touch(connection, ready, limits).await {
        Err(Problem::Sql(error)) if answer(&error).is_some_and(|said| said.code() == LOCK_NOT_AVAILABLE) => {
            return Ok(Tried::Locked);
        }
        found => found?,
    };
    connection.execute("ROLLBACK").await?;
    if let Some(why) = wrong_rows(&found, ready)? {
        return Err(refused(format!("tried and taken back: {why}")));
    }
    Ok(Tried::Touched(found))
}

/// The rows the statement returns, as JSON. A data-modifying statement may stand here and only here.
fn returning(sql: &str) -> String {
    format!("WITH touched AS (\n{sql}\n) SELECT row_to_json(touched)::text FROM touched")
}

async fn touch(connection: &mut PgConnection, ready: &Ready, limits: Limits) -> Result<Found, Problem> {
    let sql = returning(&ready.sql);
    fetch(connection, &sql, &ready.binds, limits.output, Beyond::Count).await
}

fn shown(target: &Target, ready: Ready, row: &Map<String, Value>, tried: Tried) -> Result<Preview, Problem> {
    let mut display = format!("{}\n", ready.sql);
    for (nth, bind) in ready.binds.iter().enumerate() {
        display.push_str(&format!("  ${} {} = {}\n", nth + 1, bind.name, bind.value));
    }
    display.push_str(&format!("on {} as {}", target.name, ready.address));
    let mut effect = String::new();
    if !row.is_empty() {
        effect.push_str("now: ");
        effect.push_str(&fields(row));
    }
    effect.push_str(&match &tried {
        Tried::Not => String::new(),
        Tried::Locked => {
            "\nnot tried: another session holds the row now, perhaps the very job that is running; \
             the attempt will meet it too while that lasts"
                .to_owned()
        }
        Tried::Touched(found) => rehearsed(found)?,
    });
    let guards = ready.guards.clone();
    let call = serde_json::to_value(&ready)
        .map_err(|why| refused(format!("the operation cannot be written down: {why}")))?;
    Ok(Preview {
        operation: Operation {
            driver: "postgres".to_owned(),
            display,
            call,
            guards,
        },
        effect: effect.trim_start().to_owned(),
        dry_run: matches!(tried, Tried::Touched(_)),
    })
}

fn rehearsed(found: &Found) -> Result<String, Problem> {
    let mut text = String::new();
    for touched in found.values()?.iter().take(TRIED_SHOWN) {
        text.push_str("\ntried and taken back: ");
        text.push_str(&touched.as_object().map_or_else(|| touched.to_string(), fields));
    }
    if found.count() > TRIED_SHOWN {
        text.push_str(&format!("\n… {} rows in all", found.count()));
    }
    Ok(text)
}

fn fields(row: &Map<String, Value>) -> String {
    row.iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} = {text}"),
            other => format!("{name} = {other}"),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// Why these rows are not the ones that were promised.
fn wrong_rows(found: &Found, ready: &Ready) -> Result<Option<String>, Problem> {
    let count = found.count() as u64;
    let why = match (ready.rows, count) {
        (_, 0) => "nothing fits the statement any more: it ended, was changed meanwhile, or was done already"
            .to_owned(),
        (0, _) => return refusals(found),
        (wanted, count) if wanted != count => {
            format!("the statement would touch {count} rows where {wanted} was expected")
        }
        _ => return refusals(found),
    };
    Ok(Some(why))
}

fn refusals(found: &Found) -> Result<Option<String>, Problem> {
    let could_not = |row: &Value| row.get("done").and_then(Value::as_bool) == Some(false);
    Ok(found
        .values()?
        .iter()
        .any(could_not)
        .then(|| "the server answered that it could not".to_owned()))
}

/// How far an attempt came. What an error means depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of the operation has left.
    Before,
    /// The statement is with the server.
    Sent,
    /// COMMIT is with the server.
    Committing,
}

/// Performs it, once. Never retried: each error says what is known.
pub async fn attempt(target: &Target, call: &Value, limits: Limits) -> Outcome {
    let mut stage = Stage::Before;
    let signals = call.get("signals").and_then(Value::as_bool) == Some(true);
    let until = Instant::now() + limits.timeout;
    let done = within(until, perform(target, call, limits, until, &mut stage)).await;
    match done {
        Ok(outcome) => outcome,
        Err(problem) => ended(problem, stage, signals, target, limits),
    }
}

async fn perform(
    target: &Target,
    call: &Value,
    limits: Limits,
    until: Instant,
    stage: &mut Stage,
) -> Result<Outcome, Problem> {
    let ready: Ready = serde_json::from_value(call.clone())
        .map_err(|why| refused(format!("the approved operation cannot be read: {why}")))?;
    let (options, address) = session::address(action_access(target)?)?;
    if address != ready.address {
        return Err(refused(format!(
            "this was approved for {} and the config now says {address}; propose it again",
            ready.address
        )));
    }
    let mut connection = session::connect(options, &session_name(&Some(ready.name.clone()))).await?;
    session::begin_read_write(&mut connection, until).await?;
    // A value that does not fit is found while nothing has been sent.
    let _ = statement::bind(ready.sql.clone(), &ready.binds)?;
    *stage = Stage::Sent;
    let found = touch(&mut connection, &ready, limits).await?;
    if let Some(why) = wrong_rows(&found, &ready)? {
        // Certain either way: a lost connection rolls back too.
        let _ = connection.execute("ROLLBACK").await;
        return Ok(Outcome::NotDone { why });
    }
    *stage = Stage::Committing;
    connection.execute("COMMIT").await?;
    let _ = connection.close().await;
    Ok(Outcome::Done { report: found.text() })
}

/// What is certain, given how far it came.
fn ended(problem: Problem, stage: Stage, signals: bool, target: &Target, limits: Limits) -> Outcome {
    let name = &target.name;
    match (&problem, stage) {
        (_, Stage::Before) => Outcome::NotDone {
            why: before(problem, target, limits),
        },
        (Problem::Sql(error), stage) if certain(error, stage, signals) => {
            let said = answer(error).map(message).unwrap_or_default();
            let hint = match answer(error).map(|said| said.code()) {
                Some(LOCK_NOT_AVAILABLE) => {
                    "; another session holds the row, perhaps the very job that is running. Wait for it or end its \
                     session, then propose again"
                }
                Some("42501") => "; grant the action role just this right, or have it done by hand",
                _ => "",
            };
            Outcome::NotDone {
                why: format!("{name} refused and nothing was changed: {said}{hint}"),
            }
        }
        (Problem::Late, _) => Outcome::Unknown {
            why: format!(
                "sent to {name}, and no answer within {:?}. It may or may not have happened: check before anything else",
                limits.timeout
            ),
        },
        (Problem::Said(failure), _) => Outcome::Unknown {
            why: format!("sent to {name}, and its answer cannot be read: {failure}"),
        },
        (Problem::Sql(error), _) => Outcome::Unknown {
            why: format!(
                "sent to {name}, and the line broke before a certain answer ({error}). It may or may not have \
                 happened: check before anything else"
            ),
        },
    }
}

fn before(problem: Problem, target: &Target, limits: Limits) -> String {
    format!(
        "nothing was sent: {}",
        about(problem, target, Purpose::Action, limits)
    )
}

/// Whether the server's error proves that nothing happened.
fn certain(error: &Error, stage: Stage, signals: bool) -> bool {
    let Some(said) = answer(error) else { return false };
    // Class 57 (stopped or shut down), 53, 58 and XX can strike after the work was done.
    let aborts = !["57", "53", "58", "XX", "08"]
        .iter()
        .any(|class| said.code().starts_with(class));
    match stage {
        Stage::Before => true,
        // An error before COMMIT undoes a statement that can be undone, whatever its reason.
        Stage::Sent => aborts || !signals,
        // A deferred constraint or a serialization failure; not a server that stops while it commits.
        Stage::Committing => aborts,
    }
}
