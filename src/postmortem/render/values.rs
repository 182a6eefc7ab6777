//! The document as templates see it: the same names as in the JSON.
//!
//! Nothing is handed over before it is asked for. Turning ten thousand lines into maps first, and the parts that a
//! template leaves out as well, took longer than rendering them.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde, Value};
use serde::Serialize;

use crate::postmortem::document::{Document, Evidence, Work};
use crate::timeline::Entry;

/// The whole document. A field is made a value once, when a template first names it.
pub fn document(document: &Arc<Document>) -> Value {
    Value::from_object(Whole {
        document: Arc::clone(document),
        made: [const { OnceLock::new() }; FIELDS.len()],
    })
}

#[derive(Debug)]
struct Whole {
    document: Arc<Document>,
    made: [OnceLock<Value>; FIELDS.len()],
}

impl Object for Whole {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let place = FIELDS.iter().position(|field| *field == key)?;
        let made = self.made[place].get_or_init(|| field(&self.document, key).unwrap_or_default());
        Some(made.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(FIELDS)
    }
}

/// `plain`: made whole. `lists`: item by item. `long`: item by item, and of each only what is asked for.
macro_rules! document {
    (plain { $($plain:ident)* } lists { $($list:ident)* } long { $($long:ident)* }) => {
        const FIELDS: &[&str] = &[$(stringify!($plain),)* $(stringify!($list),)* $(stringify!($long),)* "room_log"];

        fn field(document: &Arc<Document>, key: &str) -> Option<Value> {
            // A field that is added there and not here does not compile.
            let Document { $($plain,)* $($list: _,)* $($long: _,)* room_log } = &**document;
            Some(match key {
                $(stringify!($plain) => Value::from(Serde($plain)),)*
                $(stringify!($list) => List::value(document, |document| &document.$list),)*
                $(stringify!($long) => Rows::value(document, |document| &document.$long),)*
                "room_log" if room_log.is_none() => Value::from(()),
                "room_log" => List::value(document, |document| document.room_log.as_deref().unwrap_or_default()),
                _ => return None,
            })
        }
    };
}

document! {
    plain {
        schema header summary frame impact moments metrics cause prevention went_well went_badly lucky decision
        resolution highlights_left_out gaps
    }
    lists {
        actions containment recovery changes detours people hand_overs pages findings probe_groups probes updates links
        reviews
    }
    long { followups tasks evidence highlights timeline }
}

/// Where the items of a list stand.
type Of<T> = fn(&Document) -> &[T];

#[derive(Debug)]
struct List<T: 'static> {
    document: Arc<Document>,
    of: Of<T>,
}

impl<T: Serialize + Debug + Send + Sync> List<T> {
    fn value(document: &Arc<Document>, of: Of<T>) -> Value {
        let document = Arc::clone(document);
        Value::from_object(Self { document, of })
    }
}

impl<T: Serialize + Debug + Send + Sync> Object for List<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let item = (self.of)(&self.document).get(key.as_usize()?)?;
        Some(Value::from(Serde(item)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq((self.of)(&self.document).len())
    }
}

/// A list so long that making each of its items whole would be felt.
#[derive(Debug)]
struct Rows<T: 'static> {
    document: Arc<Document>,
    of: Of<T>,
}

impl<T: Fields> Rows<T> {
    fn value(document: &Arc<Document>, of: Of<T>) -> Value {
        let document = Arc::clone(document);
        Value::from_object(Self { document, of })
    }
}

impl<T: Fields> Object for Rows<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = key.as_usize()?;
        let (document, of) = (Arc::clone(&self.document), self.of);
        (at < of(&document).len()).then(|| Value::from_object(Row { document, of, at }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq((self.of)(&self.document).len())
    }
}

#[derive(Debug)]
struct Row<T: 'static> {
    document: Arc<Document>,
    of: Of<T>,
    at: usize,
}

impl<T: Fields> Object for Row<T> {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        (self.of)(&self.document).get(self.at)?.field(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(T::NAMES)
    }
}

/// What gives its fields one by one, named as in the JSON.
trait Fields: Debug + Send + Sync + 'static {
    const NAMES: &'static [&'static str];

    fn field(&self, name: &str) -> Option<Value>;
}

impl Fields for Entry {
    const NAMES: &'static [&'static str] = &[
        "event", "also", "at", "recorded", "source", "by", "actor", "kind", "lane", "tone", "weight",
        "phase", "sentence", "words", "earlier", "removed",
    ];

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "event" => Value::from(self.event),
            "also" => numbers(&self.also),
            "at" => time(self.at),
            "recorded" => time(self.recorded),
            "source" => Value::from(self.source.as_str()),
            "sentence" => Value::from(self.sentence.as_str()),
            "words" => Value::from(self.words.as_deref()),
            "actor" => Value::from(self.actor.as_str()),
            "kind" => Value::from(self.kind.as_str()),
            "removed" => Value::from(self.removed.as_deref()),
            "earlier" if self.earlier.is_empty() => nothing(),
            "earlier" => self
                .earlier
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect(),
            "by" => Value::from(Serde(&self.by)),
            "lane" => Value::from(Serde(&self.lane)),
            "tone" => Value::from(Serde(&self.tone)),
            "weight" => Value::from(Serde(&self.weight)),
            "phase" => Value::from(Serde(&self.phase)),
            _ => return None,
        })
    }
}

impl Fields for Work {
    const NAMES: &'static [&'static str] = &[
        "id",
        "text",
        "owner",
        "due",
        "tracker",
        "tracker_url",
        "state",
        "note",
        "events",
    ];

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "id" => Value::from(self.id.as_str()),
            "text" => Value::from(self.text.as_str()),
            "owner" => Value::from(self.owner.as_deref()),
            "due" => Value::from(Serde(&self.due)),
            "tracker" => Value::from(self.tracker.as_deref()),
            "tracker_url" => Value::from(self.tracker_url.as_deref()),
            "state" => Value::from(self.state.as_str()),
            "note" => Value::from(self.note.as_deref()),
            "events" => numbers(&self.events),
            _ => return None,
        })
    }
}

impl Fields for Evidence {
    const NAMES: &'static [&'static str] = &["what", "sha256", "event"];

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "what" => Value::from(self.what.as_str()),
            "sha256" => Value::from(self.sha256.as_str()),
            "event" => Value::from(self.event),
            _ => return None,
        })
    }
}

/// The empty list: most lines have no earlier text and no further event.
fn nothing() -> Value {
    static NOTHING: OnceLock<Value> = OnceLock::new();
    NOTHING.get_or_init(|| Value::from(Vec::<Value>::new())).clone()
}

fn numbers(events: &[u64]) -> Value {
    match events {
        [] => nothing(),
        events => events.iter().copied().map(Value::from).collect(),
    }
}

/// `2026-10-31T14:02:05Z`, as in the JSON. Most times are of that length, and several are asked for on each line.
fn time(at: DateTime<Utc>) -> Value {
    let (year, nanos) = (at.year(), at.nanosecond());
    if nanos != 0 || !(0..=9_999).contains(&year) {
        return Value::from(at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let mut put = |place: usize, digits: usize, mut number: u32| {
        for digit in text[place..place + digits].iter_mut().rev() {
            *digit += (number % 10) as u8;
            number /= 10;
        }
    };
    put(0, 4, year.unsigned_abs());
    put(5, 2, at.month());
    put(8, 2, at.day());
    put(11, 2, at.hour());
    put(14, 2, at.minute());
    put(17, 2, at.second());
    Value::from(std::str::from_utf8(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, Utc};
    use minijinja::value::{Serde, Value};

    use crate::incident::PersonId;
    use crate::postmortem::sample::incident;
    use crate::postmortem::{Source, assemble};

    #[test]
    fn a_template_sees_what_stands_in_the_json() {
        let names = |person: &PersonId| person.0.clone();
        let source = Source {
            events: &incident(),
            head: "INC-7@88:9f3c1d",
            names: &names,
            command: "/incident",
            objectives: None,
            room_log: Some(&[]),
        };
        let document = Arc::new(assemble(source).unwrap());
        for lists in [&document.followups, &document.tasks] {
            assert!(!lists.is_empty(), "there is something to compare");
        }
        assert!(!document.evidence.is_empty() && !document.timeline.is_empty());
        let seen = serde_json::to_value(super::document(&document)).unwrap();
        assert_eq!(seen, serde_json::to_value(&*document).unwrap());
    }

    #[test]
    fn a_time_reads_as_in_the_json() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-10-31T23:59:60Z",
            "0007-12-31T00:00:00Z",
            "2026-10-31T14:02:05.120Z",
            "-0004-10-31T14:02:05Z",
        ] {
            let at: DateTime<Utc> = text.parse().unwrap();
            assert_eq!(super::time(at), Value::from(Serde(&at)), "{text}");
        }
    }
}
