//! One connection for one call, and what its role may do.
//!
//! Nothing is pooled: whatever a statement leaves in a session (an advisory lock, a setting, a listening channel) ends
//! with the call, and the role's powers are looked at each time, so that a grant made yesterday is noticed today.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::time::Instant;

use super::words::Problem;
use crate::driver::{Access, Failure, Target};

/// PostgreSQL cuts `application_name` at NAMEDATALEN less one.
const NAME_MAX: usize = 63;

/// Longest wait of a question for a lock: a probe must not queue behind an ALTER TABLE and hold up others in turn.
const READ_LOCK_WAIT_MS: u128 = 2_000;

/// Longest wait of a dry run: people wait for it, and it holds up others meanwhile.
const TRY_LOCK_WAIT_MS: u128 = 500;

/// Longest wait of a change for a row or table lock.
const WRITE_LOCK_WAIT_MS: u128 = 5_000;

/// The server gives up a little before we do, so that what comes back is its answer and not our guess.
const SERVER_SHARE: f64 = 0.9;

/// Powers named in a refusal: enough to see what kind of role it is. Tables come last.
const POWERS_NAMED: usize = 5;

/// What a probe role should look like. Said in each refusal.
pub const PROPER_ROLE: &str = "CREATE ROLE orderly_probe LOGIN PASSWORD '…'; \
     GRANT pg_monitor, pg_read_all_data TO orderly_probe;";

/// Where an access leads, without its password.
pub fn address(access: &Access) -> Result<(PgConnectOptions, String), Problem> {
    let options = PgConnectOptions::from_str(&access.url)?;
    let host = options.get_socket().map_or_else(
        || format!("{}:{}", options.get_host(), options.get_port()),
        |socket| socket.display().to_string(),
    );
    let database = options.get_database().unwrap_or(options.get_username());
    let address = format!("{}@{host}/{database}", options.get_username());
    Ok((options, address))
}

pub async fn connect(options: PgConnectOptions, what: &str) -> Result<PgConnection, Problem> {
    let mut name: String = what.chars().filter(char::is_ascii).collect();
    name.truncate(NAME_MAX);
    // Statements hold parameters; they belong into the journal, masked, and in no log.
    let options = options
        .application_name(&name)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    Ok(PgConnection::connect_with(&options).await?)
}

/// A transaction that cannot write, with limits the server itself holds.
pub async fn begin_read_only(connection: &mut PgConnection, until: Instant) -> Result<(), Problem> {
    begin(connection, "READ ONLY", READ_LOCK_WAIT_MS, until).await
}

pub async fn begin_read_write(connection: &mut PgConnection, until: Instant) -> Result<(), Problem> {
    begin(connection, "READ WRITE", WRITE_LOCK_WAIT_MS, until).await
}

pub async fn begin_dry_run(connection: &mut PgConnection, until: Instant) -> Result<(), Problem> {
    begin(connection, "READ WRITE", TRY_LOCK_WAIT_MS, until).await
}

async fn begin(
    connection: &mut PgConnection,
    mode: &str,
    lock_wait: u128,
    until: Instant,
) -> Result<(), Problem> {
    let left = until.saturating_duration_since(Instant::now());
    let server = left.mul_f64(SERVER_SHARE).as_millis().max(1);
    let lock = lock_wait.min(server / 2).max(1);
    // Settings, not start-up options: a connection pooler in front passes these on.
    let script = format!(
        "BEGIN {mode}; SET LOCAL statement_timeout = {server}; SET LOCAL lock_timeout = {lock}; \
         SET LOCAL idle_in_transaction_session_timeout = {server}; SET LOCAL TimeZone = 'UTC'; \
         SET LOCAL DateStyle = 'ISO'"
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await?;
    Ok(())
}

/// Refuses a role that could write, unless the operator accepts it; then what to say on the result.
pub async fn check_powers(connection: &mut PgConnection, target: &Target) -> Result<Option<String>, Problem> {
    let powers: Vec<String> = sqlx::query_scalar(POWERS)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    if powers.is_empty() {
        return Ok(None);
    }
    let powers = named(&powers);
    if target.accept_privileged_probe {
        return Ok(Some(format!(
            "asked with a role that could write ({powers}); the read-only transaction held it"
        )));
    }
    Err(Problem::Said(Failure::Refused(format!(
        "the probe role of {} could write: {powers}. Give it a role that can only read: {PROPER_ROLE} \
         (or set accept_privileged_probe = true for this target; every result will say so)",
        target.name
    ))))
}

/// The first few, and that there are more.
fn named(powers: &[String]) -> String {
    let mut said = powers.iter().take(POWERS_NAMED).cloned().collect::<Vec<_>>();
    if powers.len() > POWERS_NAMED {
        said.push("and more".to_owned());
    }
    said.join(", ")
}

/// One line for each power beyond reading, of the login role and of every role it could become. A superuser is member
/// of all roles, so it is asked for alone. `pg_settings` can be "updated" by anybody, which is SET; hence no catalogs.
const POWERS: &str = r"
WITH me AS (
    SELECT oid, rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user
), reach AS (
    SELECT r.* FROM pg_catalog.pg_roles r, me
    WHERE NOT me.rolsuper AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER')
)
SELECT 'is a superuser' FROM me WHERE rolsuper
UNION ALL SELECT 'can become superuser ' || rolname FROM reach WHERE rolsuper
UNION ALL SELECT 'may create roles' FROM reach WHERE rolcreaterole
UNION ALL SELECT 'may create databases' FROM reach WHERE rolcreatedb
UNION ALL SELECT 'may replicate' FROM reach WHERE rolreplication
UNION ALL SELECT 'is a member of ' || rolname FROM reach
    WHERE rolname IN ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files',
        'pg_signal_backend', 'pg_checkpoint', 'pg_maintain', 'pg_create_subscription', 'pg_signal_autovacuum_worker')
UNION ALL SELECT 'owns database ' || d.datname FROM pg_catalog.pg_database d JOIN reach r ON r.oid = d.datdba
UNION ALL SELECT format('may run %1$s (REVOKE EXECUTE ON FUNCTION %1$s FROM PUBLIC)', p.oid::regprocedure) FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang, me
    WHERE NOT me.rolsuper AND pg_catalog.has_function_privilege(me.oid, p.oid, 'EXECUTE')
      AND ((NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c'))
        OR (p.proname IN ('dblink_exec', 'dblink_connect_u', 'dblink_connect', 'dblink') AND l.lanname = 'c'))
UNION ALL (SELECT DISTINCT 'may write to ' || c.oid::regclass FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN reach r
    WHERE c.relkind IN ('r', 'p', 'v', 'f') AND r.oid >= 16384
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
      AND (c.relowner = r.oid
        OR pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
        OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE'))
    LIMIT 20)";
