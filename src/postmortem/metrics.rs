//! Times derived from the moments of an incident. Each says which two moments it is, and where those come from.
//!
//! Nothing is guessed: a moment that is not set makes the metric unknown, and two moments in the wrong order make a
//! negative one that is shown as such. Drills and private incidents are for the caller to leave out of averages.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::{Moment, MomentAt, State};
use crate::timeline::span;

/// Name, from, to.
const METRICS: [(&str, Moment, Moment); 5] = [
    ("time to detect", Moment::Onset, Moment::Detected),
    ("time to acknowledge", Moment::Declared, Moment::Acknowledged),
    ("time to contain", Moment::Onset, Moment::Contained),
    ("time to mitigate", Moment::Onset, Moment::Mitigated),
    ("time to recover", Moment::Onset, Moment::Recovered),
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// `time to detect`.
    pub name: String,
    pub from: End,
    pub to: End,
    /// `None`: one of the moments is missing.
    pub seconds: Option<i64>,
    /// `1 d 3 h 20 min`, or `not known`.
    pub length: String,
    /// What is missing or wrong.
    pub remark: Option<String>,
    /// The command that sets what is missing.
    pub how: Option<String>,
    /// The second moment lies before the first.
    pub negative: bool,
}

/// One of the two moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    pub moment: Moment,
    pub at: Option<DateTime<Utc>>,
    pub provenance: Option<String>,
    pub event: Option<u64>,
}

impl End {
    pub(super) fn of(state: &State, moment: Moment) -> Self {
        let set = state.moments.get(&moment);
        let MomentAt {
            at,
            provenance,
            event,
        } = match set.cloned() {
            Some(set) => set,
            None => {
                return Self {
                    moment,
                    at: None,
                    provenance: None,
                    event: None,
                };
            }
        };
        Self {
            moment,
            at: Some(at),
            provenance: Some(provenance),
            event: Some(event),
        }
    }
}

/// Time to detect, acknowledge, contain, mitigate and recover. `command` is how people call the bot (`/incident`).
pub fn metrics(state: &State, command: &str) -> Vec<Metric> {
    METRICS
        .iter()
        .map(|(name, from, to)| metric(name, End::of(state, *from), End::of(state, *to), command))
        .collect()
}

fn metric(name: &str, from: End, to: End, command: &str) -> Metric {
    let length = match (from.at, to.at) {
        (Some(from), Some(to)) => Some(to - from),
        _ => None,
    };
    let negative = length.is_some_and(|length| length < TimeDelta::zero());
    let missing: Vec<&str> = [&from, &to]
        .iter()
        .filter(|end| end.at.is_none())
        .map(|end| end.moment.word())
        .collect();
    let remark = match missing.as_slice() {
        [one] => Some(format!("The moment {one} is not set.")),
        [one, other] => Some(format!("The moments {one} and {other} are not set.")),
        _ if negative => Some(format!(
            "The moment {} lies before {}; one of the two is wrong.",
            to.moment, from.moment
        )),
        _ => None,
    };
    let how = missing
        .first()
        .map(|one| format!("{command} set moment {one} <when>"));
    Metric {
        name: name.to_owned(),
        seconds: length.map(|length| length.num_seconds()),
        length: length.map_or_else(|| "not known".to_owned(), span),
        from,
        to,
        remark,
        how,
        negative,
    }
}
