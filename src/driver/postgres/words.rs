//! What went wrong, in words for the person who asked.

use std::time::Duration;

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use crate::driver::Failure;

/// Anything that keeps a statement from answering.
#[derive(Debug)]
pub enum Problem {
    /// The driver's own no, or one already in words.
    Said(Failure),
    /// The server's or the line's.
    Sql(Error),
    /// The time given is over, and the server has not answered.
    Late,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

pub fn refused(text: impl Into<String>) -> Problem {
    Problem::Said(Failure::Refused(text.into()))
}

/// What the server answered, if it did.
pub fn answer(error: &Error) -> Option<&PgDatabaseError> {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
}

/// The server's message with its detail and hint, on one line.
pub fn message(error: &PgDatabaseError) -> String {
    // Details and hints are sentences, messages are not; a sentence of ours goes on after either.
    let parts = [Some(error.message()), error.detail(), error.hint()];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .map(|part| part.trim_end_matches('.'))
        .collect();
    parts.join("; ")
}

/// Whom a failure is about.
pub struct Asked<'a> {
    /// Name in the config.
    pub target: &'a str,
    /// Where it leads, without a password.
    pub address: &'a str,
    pub purpose: Purpose,
    pub allowed: Duration,
}

/// Which of the two roles of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Probe,
    Action,
}

/// In words, with what to do next.
pub fn failure(problem: Problem, asked: &Asked<'_>) -> Failure {
    let Asked {
        target,
        address,
        purpose,
        allowed,
    } = asked;
    let error = match problem {
        Problem::Said(failure) => return failure,
        Problem::Late => {
            return Failure::Unreachable(format!(
                "{target} gave no answer within {allowed:?}. It may be overloaded or the line is slow; look at the \
                 server itself, or ask again."
            ));
        }
        Problem::Sql(error) => error,
    };
    let Some(said) = answer(&error) else {
        return unanswered(&error, target, address);
    };
    let text = message(said);
    match said.code() {
        "42501" if *purpose == Purpose::Action => Failure::Refused(format!(
            "the action role has no right to this: {text}. Grant it just this right; the catalog entry says which."
        )),
        "25006" => Failure::Refused(format!(
            "a probe cannot write, and this one tried: {text}. Correct the catalog entry."
        )),
        "42501" => Failure::Refused(format!(
            "the probe role has no right to this: {text}. If it only reads, GRANT pg_monitor, pg_read_all_data TO the role."
        )),
        "42P01" | "42703" => Failure::Refused(format!(
            "{target} has no such table or column: {text}. It is another system or another version than the entry knows."
        )),
        "42601" => Failure::Refused(format!(
            "the entry's SQL is not one statement that gives rows: {text}. Correct the catalog entry."
        )),
        "57014" => Failure::Unreachable(format!(
            "{target} did not finish within {allowed:?} and the question was cancelled. It is busy, or the question \
             is too big for it."
        )),
        "55P03" => Failure::Unreachable(format!(
            "another session holds a lock that this question needs; ask `probe postgres.blocking` who. ({text})"
        )),
        "53300" => Failure::Unreachable(format!(
            "{target} takes no more connections: {text}. Free some: end idle sessions, or restart an application \
             server. From version 16 on GRANT pg_use_reserved_connections keeps one for the probe role."
        )),
        "28P01" | "28000" => Failure::Refused(format!(
            "{address} does not let this role in: {text}. Check role and password in the target's url, and pg_hba.conf."
        )),
        "3D000" => Failure::Refused(format!(
            "{address}: {text}. Check the database in the target's url."
        )),
        code if code.starts_with("57P") || code.starts_with("08") || code.starts_with("53") => {
            Failure::Unreachable(format!("{target} broke off: {text}"))
        }
        _ => Failure::Refused(format!("{target} refused: {text}")),
    }
}

fn unanswered(error: &Error, target: &str, address: &str) -> Failure {
    match error {
        Error::Configuration(_) | Error::InvalidArgument(_) => Failure::Refused(format!(
            "the url of {target} cannot be read; write postgres://role:password@host:5432/database"
        )),
        Error::Tls(why) => Failure::Refused(format!(
            "no TLS with {address}: {why}. Check sslmode and sslrootcert in the target's url."
        )),
        Error::Io(why) => Failure::Unreachable(format!(
            "no connection to {address}: {why}. Is the server up, and reachable from here?"
        )),
        other => Failure::Unreachable(format!("{target} broke off: {other}")),
    }
}
