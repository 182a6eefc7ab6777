//! The document as templates see it: the same names as in the JSON.
//!
//! The lines of the timeline are handed over as they are asked for: turning ten thousand of them into maps first took
//! longer than rendering them.

use std::sync::Arc;

use chrono::SecondsFormat;
use minijinja::value::{Enumerator, Object, Serde, Value};

use crate::postmortem::document::Document;
use crate::timeline::Entry;

macro_rules! document {
    ($($field:ident)*) => {
        /// Every field of the document but the lines of the timeline, which are rows.
        pub fn document(document: &Document) -> Value {
            // A field that is added there and not here does not compile.
            let Document { $($field,)* timeline, highlights } = document;
            let fields = [
                $((stringify!($field), Value::from(Serde($field))),)*
                ("timeline", rows(timeline)),
                ("highlights", rows(highlights)),
            ];
            Value::from_pairs(fields)
        }
    };
}

document! {
    schema header summary frame impact moments metrics cause prevention followups went_well went_badly lucky actions
    containment decision resolution recovery changes detours people hand_overs pages tasks findings probe_groups probes
    evidence updates links highlights_left_out reviews gaps room_log
}

fn rows(entries: &[Entry]) -> Value {
    entries
        .iter()
        .map(|entry| Value::from_object(Row(entry.clone())))
        .collect()
}

#[derive(Debug)]
struct Row(Entry);

const FIELDS: &[&str] = &[
    "event", "also", "at", "recorded", "source", "by", "actor", "kind", "lane", "tone", "weight", "phase",
    "sentence", "words", "earlier", "removed",
];

impl Object for Row {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let row = &self.0;
        Some(match key {
            "event" => Value::from(row.event),
            "also" => row.also.iter().copied().map(Value::from).collect(),
            "at" => Value::from(row.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            "recorded" => Value::from(row.recorded.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            "source" => Value::from(row.source.as_str()),
            "sentence" => Value::from(row.sentence.as_str()),
            "words" => Value::from(row.words.as_deref()),
            "actor" => Value::from(row.actor.as_str()),
            "kind" => Value::from(row.kind.as_str()),
            "removed" => Value::from(row.removed.as_deref()),
            "earlier" => row
                .earlier
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect(),
            "by" => Value::from(Serde(&row.by)),
            "lane" => Value::from(Serde(&row.lane)),
            "tone" => Value::from(Serde(&row.tone)),
            "weight" => Value::from(Serde(&row.weight)),
            "phase" => Value::from(Serde(&row.phase)),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(FIELDS)
    }
}

#[cfg(test)]
mod tests {
    use minijinja::value::{Serde, Value};

    use crate::incident::PersonId;
    use crate::postmortem::sample::incident;
    use crate::timeline;

    #[test]
    fn a_row_has_what_the_json_of_a_line_has() {
        let names = |person: &PersonId| person.0.clone();
        for entry in timeline::read(&incident(), &names) {
            let plain = Value::from(Serde(&entry));
            let row = super::rows(std::slice::from_ref(&entry))
                .get_item_by_index(0)
                .unwrap();
            let keys: Vec<Value> = plain.try_iter().unwrap().collect();
            assert_eq!(keys.len(), super::FIELDS.len());
            for key in keys {
                assert_eq!(
                    row.get_item(&key).unwrap(),
                    plain.get_item(&key).unwrap(),
                    "{key}"
                );
            }
        }
    }
}
