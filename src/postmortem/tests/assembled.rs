use proptest::prelude::*;

use super::*;
use crate::incident::*;
use crate::postmortem::sample::{Journal, at, incident, message, opening, terms, the_other_kinds};

fn opened(change: impl FnOnce(&mut Opening)) -> Journal {
    let mut journal = Journal::new();
    let mut opening = opening("Posting is wrong");
    change(&mut opening);
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening),
        },
    );
    journal
}

fn moment(moment: Moment, when: &str) -> Event {
    Event::MomentSet {
        moment,
        at: at(when),
        provenance: "said by ana".to_owned(),
    }
}

fn exported(as_of: u64) -> Event {
    Event::Exported {
        format: "html".to_owned(),
        as_of,
        sha256: "00".repeat(32),
    }
}

#[test]
fn metrics_say_from_which_two_moments_they_are_and_count_days() {
    let mut journal = opened(|_| {});
    journal
        .by("ana", moment(Moment::Onset, "10-30T11:00"))
        .by("ana", moment(Moment::Detected, "10-31T14:20"));
    let document = document(&journal.events);
    let detect = &document.metrics[0];
    assert_eq!(detect.name, "time to detect");
    assert_eq!(detect.length, "1 d 3 h 20 min");
    assert_eq!((detect.from.moment, detect.from.event), (Moment::Onset, Some(2)));
    assert_eq!(detect.to.provenance.as_deref(), Some("said by ana"));
}

#[test]
fn a_metric_without_its_moment_says_which_one_and_how_to_set_it() {
    let journal = opened(|_| {});
    let recover = document(&journal.events).metrics.remove(4);
    assert_eq!((recover.length.as_str(), recover.seconds), ("not known", None));
    insta::assert_snapshot!(
        recover.remark.unwrap_or_default(),
        @"The moments onset and recovered are not set."
    );
    assert_eq!(recover.how.as_deref(), Some("/incident set moment onset <when>"));
}

#[test]
fn a_negative_metric_is_flagged_and_not_hidden() {
    let mut journal = opened(|_| {});
    journal
        .by("ana", moment(Moment::Onset, "10-31T14:00"))
        .by("ana", moment(Moment::Detected, "10-31T13:30"));
    let document = document(&journal.events);
    assert!(document.metrics[0].negative);
    assert_eq!(document.metrics[0].length, "−30 min");
    assert!(markdown(&document).unwrap().contains("**−30 min** (negative)"));
    assert!(
        html(&document)
            .unwrap()
            .contains("<span class=\"pill failing\">negative</span>")
    );
}

#[test]
fn severities_are_counted_in_minutes_and_stop_while_it_is_resolved() {
    let mut journal = opened(|_| {});
    let changed = |from, to| Event::SeverityChanged {
        from,
        to,
        reason: None,
    };
    journal
        .at("10-31T14:36")
        .by("ana", changed(Severity::Sev2, Severity::Sev1))
        .at("10-31T15:36")
        .by("ana", Event::Resolved { summary: None })
        .at("10-31T20:00")
        .by(
            "ana",
            Event::Reopened {
                reason: "it is back".to_owned(),
            },
        )
        .at("10-31T20:30")
        .by(
            "ana",
            Event::Noted {
                text: "still looking".to_owned(),
            },
        );
    let told: Vec<(String, String, bool)> = document(&journal.events)
        .impact
        .severities
        .into_iter()
        .map(|stretch| (stretch.name, stretch.length, stretch.open))
        .collect();
    let wanted = [
        ("SEV2", "10 min", false),
        ("SEV1", "1 h", false),
        ("SEV1", "30 min", true),
    ];
    assert_eq!(
        told,
        wanted.map(|(name, length, open)| (name.to_owned(), length.to_owned(), open))
    );
}

#[test]
fn the_recovery_time_objective_is_held_against_the_duration() {
    let events = incident();
    let objectives = Some(Objectives {
        rto_s: Some(4 * 3_600),
        rpo_s: Some(900),
    });
    let document = assemble(Source {
        objectives,
        ..source(&events)
    })
    .unwrap();
    assert_eq!(
        document.impact.numbers[1].detail.as_deref(),
        Some("recovery time objective 4 h: exceeded by 5 min; recovery point objective 15 min")
    );
}

#[test]
fn records_are_told_as_found_and_as_left() {
    let document = document(&incident());
    let records = document
        .impact
        .numbers
        .iter()
        .find(|number| number.label == "Records to repair")
        .unwrap();
    assert_eq!(records.value, "412");
    assert_eq!(records.detail.as_deref(), Some("0 left at 2026-10-31 17:34 UTC"));
}

#[test]
fn an_action_tells_its_whole_life() {
    let document = document(&incident());
    let action = &document.actions[0];
    let operation = action.operation.as_ref().unwrap();
    assert_eq!(
        operation.display,
        "UPDATE ir_cron SET active = false WHERE id = $1 AND active -- $1 = 42"
    );
    assert_eq!(action.approvals[0].by, "Chloé Martin");
    assert!(action.approvals[0].same_digest);
    assert_eq!(action.policy, "1 approval (role approver), open for 1 h");
    let check = action.before_after.as_ref().unwrap();
    assert_eq!((check.before, check.after), (Verdict::Failing, Verdict::Ok));
    insta::assert_snapshot!(check.diff, @r"
    - Post entries | active | 10 min
    + Post entries | off    | 10 min
      Mail queue   | active | 1 min
    ");
    assert_eq!(action.undone_by, ["A2 (verified)"]);
    assert_eq!(document.containment[0].state, "lifted");
    assert_eq!(document.containment[0].length.as_deref(), Some("2 h 52 min"));
}

#[test]
fn an_approval_of_an_earlier_version_is_shown_as_not_counting() {
    let mut journal = opened(|_| {});
    let proposal = ProposalId(1);
    let reason = "it books wrong entries".to_owned();
    let drafted = Event::ProposalDrafted {
        proposal,
        terms: Box::new(terms(true)),
        reason,
        break_glass: false,
    };
    let approved = Event::Approved {
        proposal,
        digest: "old".to_owned(),
        reason: None,
        through: None,
    };
    let operation = Operation {
        driver: "postgres".to_owned(),
        display: "UPDATE".to_owned(),
        call: serde_json::Value::Null,
        guards: serde_json::Map::new(),
    };
    let preview = Box::new(Preview {
        operation,
        effect: String::new(),
        dry_run: false,
    });
    let shown = Event::Proposed {
        proposal,
        preview,
        digest: "new".to_owned(),
        expires: at("10-31T16:00"),
    };
    journal.by("ben", drafted).bot(shown).by("chloe", approved);
    let document = document(&journal.events);
    assert!(!document.actions[0].approvals[0].same_digest);
    assert!(
        markdown(&document)
            .unwrap()
            .contains("(for an earlier version; does not count)")
    );
}

#[test]
fn break_glass_stands_out_until_somebody_reviewed_it() {
    let mut journal = opened(|_| {});
    let proposal = ProposalId(1);
    let reason = || "the shop is down and nobody answers".to_owned();
    let drafted = Event::ProposalDrafted {
        proposal,
        terms: Box::new(terms(true)),
        reason: reason(),
        break_glass: true,
    };
    let broken = Event::GlassBroken {
        proposal,
        typed_target: "odoo-prod".to_owned(),
        reason: reason(),
    };
    journal.by("ana", drafted).by("ana", broken);
    assert!(
        markdown(&document(&journal.events))
            .unwrap()
            .contains("**Not reviewed yet.**")
    );
    journal.by(
        "eva",
        Event::GlassReviewed {
            proposal,
            note: "right call".to_owned(),
        },
    );
    let text = markdown(&document(&journal.events)).unwrap();
    assert!(text.contains("Reviewed by Eva Lind: right call"), "{text}");
}

#[test]
fn the_room_log_is_an_appendix_only_where_it_is_given() {
    let events = incident();
    let line = LogLine {
        at: at("10-31T14:30"),
        room: "local/demo/inc-7".to_owned(),
        author: "Eva Lind".to_owned(),
        text: "is anybody there?".to_owned(),
        earlier: vec!["is anybdy there?".to_owned()],
        deleted: false,
        files: vec![],
    };
    let lines = [line];
    let with = assemble(Source {
        room_log: Some(&lines),
        ..source(&events)
    })
    .unwrap();
    let text = markdown(&with).unwrap();
    assert!(
        text.contains("is anybody there? (before: “is anybdy there?”)"),
        "{text}"
    );
    assert!(!markdown(&document(&events)).unwrap().contains("Appendix"));
}

#[test]
fn an_export_right_after_an_export_gives_the_same_bytes() {
    let mut journal = Journal::new();
    journal.events = incident();
    let before = document(&journal.events);
    let texts = (markdown(&before).unwrap(), html(&before).unwrap(), json(&before));
    let last = as_of(&journal.events);
    journal
        .at("11-05T09:00")
        .by("ana", exported(last))
        .by("dev", exported(last));
    let after = document(&journal.events);
    assert_eq!(as_of(&journal.events), last);
    assert_eq!(
        (markdown(&after).unwrap(), html(&after).unwrap(), json(&after)),
        texts
    );
}

#[test]
fn an_export_between_other_events_leaves_no_trace_but_its_number() {
    let mut journal = opened(|_| {});
    journal.by("ana", exported(1)).by(
        "ana",
        Event::Noted {
            text: "on we go".to_owned(),
        },
    );
    let document = document(&journal.events);
    assert_eq!(document.header.as_of, 3);
    assert_eq!(
        document
            .timeline
            .iter()
            .map(|line| line.event)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert!(!json(&document).contains("exported"));
}

#[test]
fn a_journal_without_an_opening_has_no_post_mortem() {
    let mut journal = Journal::new();
    journal.redacted("ana");
    assert!(assemble(source(&journal.events)).is_none());
    assert_eq!(as_of(&[]), 0);
}

#[test]
fn what_was_taken_back_in_the_room_is_told_only_by_its_number() {
    let mut journal = opened(|_| {});
    let marked = Marked {
        message: message("1"),
        author: "Eva".to_owned(),
        text: "a secret thought".to_owned(),
        files: vec![FileRef {
            id: "F1".to_owned(),
            name: "thought.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 3,
        }],
    };
    journal.by(
        "ben",
        Event::MessageMarked {
            marked,
            reacted: true,
        },
    );
    journal.bot(Event::MessageUnmarked {
        message: message("1"),
        why: "the message was deleted".to_owned(),
    });
    let document = document(&journal.events);
    assert_eq!(document.gaps.taken_back[0].events, [2, 3]);
    assert!(!json(&document).contains("a secret thought"));
    assert!(document.evidence.is_empty());
}

/// Every list of event numbers in the document, with where it stands.
fn cited(value: &serde_json::Value, path: &str, found: &mut Vec<(String, u64)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let here = format!("{path}/{name}");
                match (name.as_str(), value) {
                    ("event" | "first", serde_json::Value::Number(number)) => {
                        found.extend(number.as_u64().map(|event| (here, event)));
                    }
                    ("events" | "also", serde_json::Value::Array(events)) => {
                        found.extend(
                            events
                                .iter()
                                .filter_map(|event| Some((here.clone(), event.as_u64()?))),
                        );
                    }
                    _ => cited(value, &here, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| cited(item, path, found)),
        _ => {}
    }
}

/// What stands without an event: what explains the document.
const WITHOUT: &[&str] = &[
    "Times are UTC.",
    "Each line:",
    "Each of the ",
    "What the probes said",
    "Accepted cause,",
    "- Orderly `",
];

/// Lines of Markdown that Orderly composed and that name no event.
fn uncited(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut lines = text.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let fence = line.starts_with("```");
        fenced ^= fence;
        let table = |line: &str| line.starts_with("|---");
        let head = table(line) || lines.peek().copied().is_some_and(table);
        // People's own words are quoted, and somebody's name with its event stands below them. That something is not there
        // rests on the last event looked at.
        let quiet = fence || fenced || head || line.is_empty() || line.starts_with(['#', '>']);
        if !quiet && !line.contains("`#") && !WITHOUT.iter().any(|without| line.contains(without)) {
            found.push(line);
        }
    }
    found
}

fn holds_together(events: &[Recorded]) {
    let document = document(events);
    let last = as_of(events);
    assert_eq!(document.header.as_of, last);
    let page = html(&document).unwrap();
    let mut found = Vec::new();
    cited(&serde_json::to_value(&document).unwrap(), "", &mut found);
    for (path, event) in found {
        assert!(event <= last, "{path} cites #{event}, beyond #{last}");
        assert!(
            page.contains(&format!("id=\"e{event}\"")),
            "{path} cites #{event}, which has no line"
        );
    }
    let facts = [
        &document.summary.composed,
        &document.resolution.composed,
        &document.impact.business,
        &document.recovery,
    ];
    for fact in facts.into_iter().flatten() {
        assert!(
            !fact.events.is_empty(),
            "“{}” says nothing of where it is from",
            fact.text
        );
    }
    assert!(document.timeline.is_sorted_by_key(|line| (line.at, line.event)));
    assert_eq!(html(&super::document(events)).unwrap(), page);
    let text = markdown(&document).unwrap();
    assert_eq!(uncited(&text), Vec::<&str>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn at_any_event_the_document_holds_together(length in 1..88_usize) {
        holds_together(&incident()[..length]);
    }

    #[test]
    fn events_in_any_order_are_told_without_a_stumble(order in proptest::collection::vec(0..37_usize, 0..40), start in 1..88_usize) {
        let mut journal = Journal::new();
        journal.events = incident()[..start].to_vec();
        journal.at("11-03T10:00");
        let others = the_other_kinds();
        for place in order {
            journal.by("ana", others[place].clone());
        }
        holds_together(&journal.events);
    }
}
