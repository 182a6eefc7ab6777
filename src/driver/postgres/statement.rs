//! From a call to one prepared statement: the variant that fits, quoted identifiers, typed parameters.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgTypeInfo};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, Postgres, Type};

use super::call::{Bind, BindKind, Identifier, IdentifierOf, Variant};
use super::words::{Problem, refused};

/// A statement as the call has it, with its variants.
pub struct Choice<'a> {
    pub sql: Option<&'a str>,
    pub binds: &'a [Bind],
    pub identifiers: &'a [Identifier],
    pub variants: &'a [Variant],
    pub absent: Option<&'a str>,
}

/// The statement of the first variant whose needs all exist, else `sql`; with its identifiers quoted.
pub async fn choose(
    connection: &mut PgConnection,
    choice: Choice<'_>,
) -> Result<(String, Vec<Bind>), Problem> {
    for variant in choice.variants {
        if missing(connection, &variant.needs).await?.is_empty() {
            let sql = name(connection, &variant.sql, &variant.identifiers).await?;
            return Ok((sql, variant.binds.clone()));
        }
    }
    if let Some(sql) = choice.sql {
        let sql = name(connection, sql, choice.identifiers).await?;
        return Ok((sql, choice.binds.to_vec()));
    }
    let wanted = choice.variants.last().map_or(&[][..], |variant| &variant.needs);
    let lacks = missing(connection, wanted).await?.join(", ");
    Err(refused(match choice.absent {
        Some(absent) => format!("{absent} (this database has no {lacks})"),
        None => {
            format!(
                "this database has no {lacks}: it is another system or a version this entry does not know"
            )
        }
    }))
}

/// Those of `table` and `table.column` that the search path does not find.
async fn missing(connection: &mut PgConnection, needs: &[String]) -> Result<Vec<String>, Problem> {
    const ASK: &str = "SELECT need FROM unnest($1::text[]) WITH ORDINALITY AS wanted(need, nth)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_class c
            WHERE c.oid = to_regclass(quote_ident(split_part(need, '.', 1)))
              AND (split_part(need, '.', 2) = '' OR EXISTS (
                  SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname = split_part(need, '.', 2)
                    AND a.attnum > 0 AND NOT a.attisdropped)))
        ORDER BY nth";
    sqlx::query_scalar(ASK)
        .bind(needs)
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(Problem::from)
}

/// Puts names of real things, quoted by the server, where `{name}` stands.
async fn name(
    connection: &mut PgConnection,
    sql: &str,
    identifiers: &[Identifier],
) -> Result<String, Problem> {
    let mut named = sql.to_owned();
    for identifier in identifiers {
        let quoted = quote(connection, identifier).await?;
        named = named.replace(&format!("{{{}}}", identifier.name), &quoted);
    }
    Ok(named)
}

async fn quote(connection: &mut PgConnection, identifier: &Identifier) -> Result<String, Problem> {
    let (ask, what) = match identifier.of {
        IdentifierOf::Database => (
            "SELECT quote_ident(datname) FROM pg_catalog.pg_database WHERE datname = $1",
            "database",
        ),
        IdentifierOf::Role => (
            "SELECT quote_ident(rolname) FROM pg_catalog.pg_roles WHERE rolname = $1",
            "role",
        ),
        IdentifierOf::Schema => (
            "SELECT quote_ident(nspname) FROM pg_catalog.pg_namespace WHERE nspname = $1",
            "schema",
        ),
        IdentifierOf::Table => (
            "SELECT quote_ident(relname) FROM pg_catalog.pg_class
             WHERE oid = to_regclass(quote_ident($1)) AND relkind IN ('r', 'p', 'v', 'm', 'f')",
            "table",
        ),
    };
    sqlx::query_scalar::<_, String>(ask)
        .bind(&identifier.value)
        .persistent(false)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| {
            refused(format!(
                "there is no {what} `{}` here; check the spelling",
                identifier.value
            ))
        })
}

/// The statement with its values beside it. `persistent(false)`: the unnamed statement, which a connection pooler in
/// front passes on.
pub fn bind<'q>(sql: String, binds: &[Bind]) -> Result<Query<'q, Postgres, PgArguments>, Problem> {
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for bind in binds {
        let wrong = || {
            refused(format!(
                "`{}` cannot be {}: it must be {}",
                bind.name,
                bind.value,
                expected(bind.kind)
            ))
        };
        query = match (bind.kind, &bind.value) {
            (BindKind::Integer, Value::Null) => query.bind(None::<i64>),
            (BindKind::Integer, value) => query.bind(value.as_i64().ok_or_else(wrong)?),
            (BindKind::Number, Value::Null) => query.bind(None::<f64>),
            (BindKind::Number, value) => query.bind(value.as_f64().ok_or_else(wrong)?),
            (BindKind::Boolean, Value::Null) => query.bind(None::<bool>),
            (BindKind::Boolean, value) => query.bind(value.as_bool().ok_or_else(wrong)?),
            (BindKind::Timestamp, Value::Null) => query.bind(None::<Stamp>),
            (BindKind::Timestamp, value) => query.bind(
                value
                    .as_str()
                    .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
                    .map(|at| Stamp(at.to_utc()))
                    .ok_or_else(wrong)?,
            ),
            (BindKind::Text | BindKind::Guard, Value::Null) => query.bind(None::<String>),
            (BindKind::Guard, Value::Bool(value)) => query.bind(*value),
            (BindKind::Guard, Value::Number(value)) if value.is_i64() => query.bind(value.as_i64()),
            (BindKind::Text | BindKind::Guard, Value::String(value)) => query.bind(value.clone()),
            (BindKind::Guard, value) => query.bind(value.to_string()),
            (BindKind::Text, _) => return Err(wrong()),
        };
    }
    Ok(query)
}

fn expected(kind: BindKind) -> &'static str {
    match kind {
        BindKind::Text | BindKind::Guard => "text",
        BindKind::Integer => "a whole number",
        BindKind::Number => "a number",
        BindKind::Boolean => "true or false",
        BindKind::Timestamp => "a time such as 2026-03-01T14:05:00Z",
    }
}

/// A `timestamptz`. sqlx's own support for chrono is a feature that nothing else here needs.
struct Stamp(DateTime<Utc>);

impl Type<Postgres> for Stamp {
    fn type_info() -> PgTypeInfo {
        // `timestamptz` in every PostgreSQL: pg_type.dat.
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl Encode<'_, Postgres> for Stamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // On the wire: microseconds since 2000-01-01 UTC, which is 946 684 800 s after 1970.
        let since = self.0 - DateTime::UNIX_EPOCH - TimeDelta::seconds(946_684_800);
        let micros = since.num_microseconds().ok_or("a time PostgreSQL cannot hold")?;
        buffer.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }
}
