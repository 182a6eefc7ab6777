use chrono::TimeDelta;

use super::*;
use crate::incident::*;
use crate::postmortem::sample::{Journal, at, incident, message, names, opening, the_other_kinds};

fn marked(text: &str) -> Event {
    Event::MessageMarked {
        marked: Marked {
            message: message("1"),
            author: "Eva Lind".to_owned(),
            text: text.to_owned(),
            files: vec![],
        },
        reacted: true,
    }
}

fn opened() -> Journal {
    let mut journal = Journal::new();
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening("Posting is wrong")),
        },
    );
    journal
}

fn kinds_in_the_schema() -> Vec<String> {
    let schema = schemars::schema_for!(Event).to_value();
    let kinds = schema["oneOf"].as_array().expect("an enum has variants");
    let kind = |variant: &serde_json::Value| {
        variant["properties"]["event"]["const"]
            .as_str()
            .map(str::to_owned)
    };
    kinds.iter().filter_map(kind).collect()
}

#[test]
fn every_kind_of_event_has_a_sentence_of_its_own() {
    let mut journal = Journal::new();
    journal.events = incident();
    journal.at("11-03T10:00");
    for event in the_other_kinds() {
        journal.by("ana", event);
    }
    let read = read(&journal.events, &names);
    for kind in kinds_in_the_schema() {
        if kind == "exported" {
            continue;
        }
        let line = read.iter().find(|entry| entry.kind == kind);
        let line = line.unwrap_or_else(|| panic!("the sample has no {kind}"));
        let dull = format!("{}: {}.", line.actor, kind.replace('_', " "));
        assert_ne!(line.sentence, dull, "{kind} is not told in a sentence");
        assert!(
            line.sentence.ends_with(['.', ':', '?', '!', '…']),
            "{}",
            line.sentence
        );
        assert!(!line.sentence.contains(".."), "{}", line.sentence);
    }
}

#[test]
fn lines_are_sorted_by_when_it_happened_then_by_number() {
    let mut journal = opened();
    journal
        .said("ben", "10-31T14:00", "message", marked("it is slow"))
        .by("ben", Event::Acknowledged);
    let order: Vec<u64> = read(&journal.events, &names)
        .iter()
        .map(|entry| entry.event)
        .collect();
    assert_eq!(order, [2, 1, 3]);
    let read = read(&incident(), &names);
    assert!(read.is_sorted_by_key(|entry| (entry.at, entry.event)));
}

#[test]
fn a_message_that_two_people_marked_is_one_line() {
    let mut journal = opened();
    journal
        .said("ben", "10-31T14:20", "message", marked("it is slow"))
        .said("ana", "10-31T14:20", "message", marked("it is slow"));
    let read = read(&journal.events, &names);
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].event, read[0].also.as_slice()), (2, [3].as_slice()));
    assert_eq!(read[0].at, at("10-31T14:20"));
}

#[test]
fn an_edited_message_shows_its_new_text_and_keeps_the_earlier_ones() {
    let mut journal = opened();
    journal.by("ben", marked("it is slow"));
    for text in ["it is down", "it is up"] {
        let text = text.to_owned();
        journal.bot(Event::MessageChanged {
            message: message("1"),
            text,
        });
    }
    let read = read(&journal.events, &names);
    assert_eq!(read[1].words.as_deref(), Some("it is up"));
    assert_eq!(read[1].earlier, ["it is slow", "it is down"]);
}

#[test]
fn a_mark_is_gone_only_when_nobody_wants_it_there() {
    let unmark = || Event::MessageUnmarked {
        message: message("1"),
        why: "the reaction was taken back".to_owned(),
    };
    let mut journal = opened();
    journal
        .by("ben", marked("it is slow"))
        .by("ana", marked("it is slow"))
        .by("ben", unmark());
    let usual = |journal: &Journal| Filter::default().apply(read(&journal.events, &names)).len();
    assert_eq!(usual(&journal), 2);
    journal.by("ana", unmark());
    assert_eq!(usual(&journal), 1);
    let all = Filter {
        removed: true,
        ..Filter::default()
    };
    assert_eq!(all.apply(read(&journal.events, &names)).len(), 2);
    journal.by("eva", marked("it is slow"));
    assert_eq!(usual(&journal), 2);
}

#[test]
fn a_deleted_message_is_gone_at_once() {
    let mut journal = opened();
    journal.by("ben", marked("oops")).by("ana", marked("oops"));
    journal.bot(Event::MessageUnmarked {
        message: message("1"),
        why: "the message was deleted".to_owned(),
    });
    assert_eq!(Filter::default().apply(read(&journal.events, &names)).len(), 1);
}

#[test]
fn a_corrected_moment_says_so_and_a_second_recovery_corrects_nothing() {
    let set = |moment, time: &str| Event::MomentSet {
        moment,
        at: at(time),
        provenance: "said by ana".to_owned(),
    };
    let mut journal = opened();
    journal
        .by("ana", set(Moment::Onset, "10-31T14:00"))
        .by("ana", set(Moment::Onset, "10-31T13:50"))
        .by("ana", set(Moment::Recovered, "10-31T15:00"))
        .by(
            "ana",
            Event::Reopened {
                reason: "it is back".to_owned(),
            },
        )
        .by("ana", set(Moment::Recovered, "10-31T17:00"));
    let corrected: Vec<u64> = read(&journal.events, &names)
        .iter()
        .filter(|entry| entry.sentence.contains("Corrected later"))
        .map(|entry| entry.event)
        .collect();
    assert_eq!(corrected, [2]);
}

#[test]
fn exports_are_not_told() {
    let mut journal = opened();
    let sha256 = String::new();
    journal.by(
        "ana",
        Event::Exported {
            format: "html".to_owned(),
            as_of: 1,
            sha256,
        },
    );
    assert_eq!(read(&journal.events, &names).len(), 1);
}

#[test]
fn what_was_redacted_leaves_a_line() {
    let mut journal = opened();
    journal.redacted("ben");
    let read = read(&journal.events, &names);
    assert_eq!(read[1].kind, "redacted");
    assert_eq!(read[1].sentence, "What stood here was removed from the journal.");
}

#[test]
fn a_very_long_text_is_cut_and_says_so() {
    let mut journal = opened();
    journal.by(
        "ben",
        Event::Noted {
            text: "ü".repeat(LONGEST_WORDS + 7),
        },
    );
    let words = read(&journal.events, &names).remove(1).words.unwrap_or_default();
    assert!(
        words.ends_with("ü … (7 more characters in the journal)"),
        "{words}"
    );
}

#[test]
fn a_filter_picks_lanes_people_times_phases_weights_and_words() {
    let all = read(&incident(), &names);
    let count = |filter: Filter| filter.apply(all.clone()).len();
    let by_ana = Filter {
        person: Some(PersonId::new("ana")),
        ..Filter::default()
    };
    assert!(
        by_ana
            .apply(all.clone())
            .iter()
            .all(|entry| entry.actor == "Ana Reyes")
    );
    let probes = Filter {
        lanes: vec![Lane::Probes],
        ..Filter::default()
    };
    assert_eq!(count(probes), 16);
    let late = Filter {
        from: Some(at("11-01T00:00")),
        ..Filter::default()
    };
    assert!(
        late.apply(all.clone())
            .iter()
            .all(|entry| entry.at > at("11-01T00:00"))
    );
    let triage = Filter {
        phase: Some(Phase::Triage),
        weight: Some(Weight::Key),
        ..Filter::default()
    };
    assert!(
        triage
            .apply(all.clone())
            .iter()
            .all(|entry| entry.phase == Some(Phase::Triage))
    );
    let text = Filter {
        text: Some("ALERT FIRED".to_owned()),
        ..Filter::default()
    };
    assert_eq!(count(text), 1);
    let last = Filter {
        last: Some(3),
        after: Some(80),
        ..Filter::default()
    };
    assert_eq!(count(last), 3);
}

#[test]
fn lanes_are_found_by_the_word_people_type() {
    assert_eq!(Lane::from_word("actions"), Some(Lane::Actions));
    assert_eq!(Lane::from_word("nonsense"), None);
}

#[test]
fn lengths_are_told_with_their_days() {
    let told = |seconds| span(TimeDelta::seconds(seconds));
    assert_eq!(told(98_400), "1 d 3 h 20 min");
    assert_eq!(told(86_400), "1 d");
    assert_eq!(told(3_659), "1 h");
    assert_eq!(told(59), "59 s");
    assert_eq!(told(0), "0 s");
    assert_eq!(told(-5_400), "−1 h 30 min");
}
