use super::*;
use crate::incident::*;
use crate::postmortem::assemble::pin;
use crate::postmortem::sample::{Journal, at, incident, opening};

/// The digests of the code change with every change to it; what is shown of them does not matter here.
fn settled(text: &str) -> String {
    let renderer = pin::renderer();
    let mut text = text
        .replace(renderer, "(renderer)")
        .replace(&renderer[..12], "(renderer)");
    for name in ["postmortem.md.j2` `", "postmortem.html.j2 <code>"] {
        if let Some(place) = text.find(name) {
            let start = place + name.len();
            text.replace_range(start..start + 12, "(template)");
        }
    }
    text
}

#[test]
fn the_month_end_incident_in_markdown() {
    insta::assert_snapshot!(settled(&markdown(&document(&incident())).unwrap()));
}

#[test]
fn the_month_end_incident_in_html() {
    let page = html(&document(&incident())).unwrap();
    let body = page.split("</style>").nth(1).unwrap();
    insta::assert_snapshot!(settled(body));
}

#[test]
fn the_json_keeps_to_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = json(&document(&incident()));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(value["schema"], SCHEMA);
}

#[test]
fn the_schema_is_the_one_checked_in() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/postmortem.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, schema()).expect("a writable folder");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        schema(),
        known,
        "schemas/postmortem.schema.json is old: run this test with UPDATE_SCHEMAS=1"
    );
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = html(&document(&incident())).unwrap();
    for outside in ["<script", "<link", "<img", " src=", "url(", "@import", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    let addresses: Vec<&str> = page
        .match_indices("http")
        .map(|(place, _)| &page[place..place + 26])
        .collect();
    let known = [
        "http://www.w3.org/2000/svg",
        "https://tracker.example/OD",
        "https://dash.example/posti",
        "http-equiv=",
    ];
    for address in addresses {
        assert!(known.iter().any(|known| address.starts_with(known)), "{address}");
    }
}

#[test]
fn the_figure_tells_those_who_cannot_see_it() {
    let page = html(&document(&incident())).unwrap();
    assert!(page.contains("role=\"img\" aria-labelledby=\"figure-title figure-desc\""));
    assert!(page.contains("<title id=\"figure-title\">Timeline of INC-7</title>"));
    assert!(page.contains("Phases: confirm for 6 min, then contain for 12 min"));
}

#[test]
fn the_figure_starts_at_the_onset_before_the_declaration() {
    let page = html(&document(&incident())).unwrap();
    assert!(page.contains("<title>onset: 2026-10-31 14:00 UTC</title>"));
}

#[test]
fn a_very_long_record_stays_a_readable_figure() {
    let mut journal = Journal::new();
    journal.events = incident();
    journal.at("11-02T10:00");
    for number in 0..4_000 {
        journal.by(
            "ben",
            Event::Noted {
                text: format!("note {number}"),
            },
        );
    }
    let page = html(&document(&journal.events)).unwrap();
    let figure = page.split("</svg>").next().unwrap();
    assert!(
        figure.matches("class=\"f-mark").count() < 120,
        "{}",
        figure.matches("class=\"f-mark").count()
    );
    assert!(figure.contains("f-count"));
}

#[test]
fn a_drill_a_private_and_a_retroactive_one_say_so_at_the_top_and_in_the_title() {
    let mut opening = opening("Posting is wrong");
    (opening.drill, opening.private, opening.retroactive) = (true, true, true);
    let mut journal = Journal::new();
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening),
        },
    );
    let document = document(&journal.events);
    let text = markdown(&document).unwrap();
    assert!(
        text.starts_with("# \\[DRILL\\] \\[PRIVATE\\] \\[RETROACTIVE\\] INC-7: Posting is wrong")
            || text.starts_with("# [DRILL] [PRIVATE] [RETROACTIVE] INC-7"),
        "{}",
        &text[..120]
    );
    for sentence in [
        "**This was a drill.**",
        "**Private.**",
        "**Written down afterwards.**",
    ] {
        assert!(text.contains(sentence));
    }
    let page = html(&document).unwrap();
    assert!(page.contains("<title>[DRILL] [PRIVATE] [RETROACTIVE] INC-7: Posting is wrong</title>"));
    // At the foot of every printed page.
    assert!(page.contains("content:\"INC-7 as of #1 · DRILL · PRIVATE · RETROACTIVE\""));
}

#[test]
fn a_part_nobody_wrote_says_so_and_how_to_write_it() {
    let mut journal = Journal::new();
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening("Posting is wrong")),
        },
    );
    let text = markdown(&document(&journal.events)).unwrap();
    assert!(text.contains(
        "*Nobody has written this part yet.* `#1` Write it with `/incident postmortem edit lucky <text>`."
    ));
    journal.by(
        "ana",
        Event::ReviewChanged {
            to: Review::Closed,
            note: None,
        },
    );
    let text = markdown(&document(&journal.events)).unwrap();
    assert!(text.contains("*Nobody wrote this part.*") && !text.contains("postmortem edit"));
}

#[test]
fn an_incident_that_just_opened_has_a_whole_document() {
    let mut journal = Journal::new();
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening("Posting is wrong")),
        },
    );
    insta::assert_snapshot!(settled(&markdown(&document(&journal.events)).unwrap()));
}

#[test]
fn the_digest_covers_every_file_that_has_a_say() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut there = Vec::new();
    for folder in [
        "postmortem",
        "postmortem/assemble",
        "postmortem/render",
        "timeline",
    ] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            there.push(path);
        }
    }
    // These decide nothing of what an export says.
    const SILENT: &[&str] = &[
        "postmortem/mod.rs",
        "postmortem/sample.rs",
        "postmortem/assemble/pin.rs",
        "timeline/filter.rs",
    ];
    there.retain(|path| {
        path.ends_with(".rs") && !path.ends_with("tests.rs") && !SILENT.contains(&path.as_str())
    });
    there.sort();
    let mut known: Vec<&str> = pin::SOURCES.iter().map(|(path, _)| *path).collect();
    known.sort_unstable();
    assert_eq!(there, known);
}

#[test]
fn a_quiet_week_before_the_declaration_is_drawn_short() {
    let mut journal = Journal::new();
    journal.by(
        "ana",
        Event::Opened {
            opening: Box::new(opening("Posting is wrong")),
        },
    );
    let onset = Event::MomentSet {
        moment: Moment::Onset,
        at: at("10-22T14:26"),
        provenance: "said by ana".to_owned(),
    };
    journal.by("ana", onset).at("10-31T15:00").by(
        "ana",
        Event::Noted {
            text: "still here".to_owned(),
        },
    );
    let page = html(&document(&journal.events)).unwrap();
    assert!(page.contains("⋯ 9 d"), "the break is labelled");
}
