//! From a reading to an answer with a verdict. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::ProbeEntry;
use super::excerpt::{cut, table};
use super::verdict::Scope;
use crate::driver::{Failure, Reading, Target};
use crate::incident::{Answer, Params, Verdict};

/// Characters of a summary: one line on a card.
const SUMMARY: usize = 240;

/// What a reading means. `output` is left for whoever keeps the full output; masking is left to the caller as well.
pub fn judge(
    entry: &ProbeEntry,
    reading: Result<&Reading, &Failure>,
    duration: Duration,
    params: &Params,
    target: &Target,
) -> Answer {
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let unknown = |summary: String, excerpt: String, caveats: Vec<String>| Answer {
        verdict: Verdict::Unknown,
        summary: cut(&summary, SUMMARY),
        excerpt,
        impact: None,
        duration_ms,
        output: None,
        caveats,
    };
    let reading = match reading {
        Ok(reading) => reading,
        Err(failure) => return unknown(failure.to_string(), String::new(), Vec::new()),
    };
    let (params, facts) = (json!(params), facts(target));
    let scope = Scope {
        answer: &reading.answer,
        params: &params,
        target: &facts,
        duration_ms,
    };
    let excerpt = excerpt(entry, &scope);
    if reading.answer.is_null() {
        return unknown(
            "No answer came back.".to_owned(),
            excerpt,
            reading.caveats.clone(),
        );
    }
    let verdict = match verdict(entry, &scope) {
        Ok(verdict) => verdict,
        Err(why) => return unknown(format!("No verdict: {why}"), excerpt, reading.caveats.clone()),
    };
    let mut caveats = reading.caveats.clone();
    let summary = entry.raw.summary.line(&scope).unwrap_or_else(|why| {
        caveats.push(cut(
            &format!("The summary in the catalog does not fit this answer: {why}"),
            SUMMARY,
        ));
        format!("{}: {verdict}", entry.raw.title)
    });
    Answer {
        verdict,
        summary: cut(&summary, SUMMARY),
        excerpt,
        impact: entry
            .raw
            .impact
            .clone()
            .filter(|_| matches!(verdict, Verdict::Suspect | Verdict::Failing)),
        duration_ms,
        output: None,
        caveats,
    }
}

fn verdict(entry: &ProbeEntry, scope: &Scope<'_>) -> Result<Verdict, String> {
    for (expression, verdict) in [
        (&entry.raw.failing, Verdict::Failing),
        (&entry.raw.suspect, Verdict::Suspect),
    ] {
        if let Some(expression) = expression
            && expression.holds(scope)?
        {
            return Ok(verdict);
        }
    }
    match &entry.raw.ok {
        None => Ok(Verdict::Ok),
        Some(ok) if ok.holds(scope)? => Ok(Verdict::Ok),
        Some(_) => Err("the answer is neither good nor bad by the rules of this probe".to_owned()),
    }
}

fn excerpt(entry: &ProbeEntry, scope: &Scope<'_>) -> String {
    let rows = entry.raw.rows.as_ref().and_then(|rows| rows.value(scope).ok());
    table(rows.as_ref().unwrap_or(scope.answer), &entry.raw.columns)
}

/// What expressions see as `target`.
pub(crate) fn facts(target: &Target) -> Value {
    let mut facts = target.facts.clone();
    facts.insert("name".to_owned(), json!(target.name));
    facts.insert("kind".to_owned(), json!(target.kind));
    facts.insert("environment".to_owned(), json!(target.environment));
    facts.insert("tenant".to_owned(), json!(target.tenant));
    Value::Object(facts)
}
