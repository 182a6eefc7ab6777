//! How long a post-mortem takes on a long incident: `cargo bench --bench postmortem`.
//!
//! Wanted for 10,000 events: Markdown under 60 ms, HTML under 150 ms, each from the events to the text. The lower
//! bound in the same run is what the same events cost to be written as JSON.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use orderly::incident::*;
use orderly::postmortem::{Source, Templates, assemble, json};

/// As the program has it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: u64 = 10_000;
const RUNS: usize = 21;

fn main() {
    let events = journal(EVENTS);
    let names = |person: &PersonId| person.0.to_uppercase();
    let source = Source {
        events: &events,
        head: "INC-1@10000:9f3c1d2e",
        names: &names,
        command: "/incident",
        objectives: None,
        room_log: None,
    };
    let assembled = || assemble(source).expect("the journal opens an incident");
    let templates = Templates::shipped();
    let document = Arc::new(assembled());
    println!("post-mortem of {EVENTS} events, median of {RUNS} runs");
    measure("events as JSON (lower bound)", || {
        events
            .iter()
            .map(|recorded| serde_json::to_string(&recorded.event).map_or(0, |text| text.len()))
            .sum()
    });
    measure("fold into the state", || {
        State::replay(&events).map_or(0, |state| state.seq as usize)
    });
    measure("assemble", || assembled().timeline.len());
    measure("document to Markdown", || {
        templates.markdown(&document).map_or(0, |text| text.len())
    });
    measure("document to HTML", || {
        templates.html(&document).map_or(0, |text| text.len())
    });
    measure("document to JSON", || json(&document).len());
    measure("events to Markdown, in all", || {
        templates
            .markdown(&Arc::new(assembled()))
            .map_or(0, |text| text.len())
    });
    measure("events to HTML, in all", || {
        templates
            .html(&Arc::new(assembled()))
            .map_or(0, |text| text.len())
    });
}

fn measure(what: &str, mut run: impl FnMut() -> usize) {
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    let mut size = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        size = black_box(run());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let median = times[RUNS / 2].as_secs_f64() * 1_000.0;
    let worst = times[RUNS - 1].as_secs_f64() * 1_000.0;
    println!("{what:<32} {median:>8.2} ms   worst {worst:>8.2} ms   {size:>9} bytes or items");
}

/// An incident as long ones are: mostly probes asked again and again, notes, tasks, and now and then a finding.
fn journal(length: u64) -> Vec<Recorded> {
    let start: DateTime<Utc> = DateTime::from_timestamp(1_793_455_200, 0).expect("a time in 2026");
    let mut events = vec![Event::Opened {
        opening: Box::new(opening()),
    }];
    events.push(Event::PhaseEntered {
        phase: Phase::Confirm,
        from: None,
        passage: Passage::Start,
    });
    let mut number = 0;
    while (events.len() as u64) < length {
        number += 1;
        events.extend(round(number));
    }
    events.truncate(length as usize);
    let record = |(place, event): (usize, Event)| {
        let at = start + TimeDelta::seconds(place as i64 * 7);
        let by = match event {
            Event::ProbeAnswered { .. } | Event::Opened { .. } => By::Orderly,
            _ => By::Person {
                id: PersonId::new(["ana", "ben", "chloe", "dev"][place % 4]),
            },
        };
        Recorded {
            seq: place as u64 + 1,
            recorded: at,
            occurred: at,
            source: "clock".to_owned(),
            by,
            event: Some(event),
        }
    };
    events.into_iter().enumerate().map(record).collect()
}

fn round(number: u32) -> Vec<Event> {
    let run = ProbeRunId(number);
    let asked = Asked {
        run,
        round: number,
        probe: ["postgres.blocking", "odoo.queue", "redis.memory", "http.health"][number as usize % 4]
            .to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::new(),
        purpose: Purpose::Ask { step: None },
    };
    let answer = Answer {
        verdict: [Verdict::Ok, Verdict::Ok, Verdict::Suspect, Verdict::Failing][number as usize % 4],
        summary: format!("{number} sessions wait, the longest for {} s", number % 90),
        excerpt: "pid   | waits_for | since\n4711  | 4712      | 00:01:20\n".to_owned(),
        impact: None,
        duration_ms: 40,
        output: Some("5f".repeat(32)),
        caveats: vec![],
    };
    let mut events = vec![
        Event::ProbeAsked { asked },
        Event::ProbeAnswered { run, answer },
        Event::Noted {
            text: format!("The queue is at {number}; the import of order #{number} waits for the lock."),
        },
        Event::TaskAdded {
            task: TaskId(number),
            text: "Look at the importer".to_owned(),
            owner: None,
            source: None,
            marking: Marking::Asked,
        },
        Event::TaskDone {
            task: TaskId(number),
            note: None,
        },
    ];
    if number.is_multiple_of(10) {
        events.push(Event::FindingRecorded {
            finding: FindingId(number / 10),
            line: Line::Resources,
            conclusion: Conclusion::Suspect,
            text: "Sessions pile up behind one importer.".to_owned(),
            evidence: vec![run],
        });
    }
    events
}

fn opening() -> Opening {
    Opening {
        number: IncidentId(1),
        title: "Orders are not routed".to_owned(),
        severity: Severity::Sev2,
        process: Process::Orders,
        targets: vec!["odoo-prod".to_owned()],
        private: false,
        drill: false,
        retroactive: false,
        asked_in: None,
        here: None,
        history: false,
        plan: Plan {
            name: "general".to_owned(),
            title: "Production incident".to_owned(),
            digest: "ab".repeat(32),
            phases: vec![],
        },
        chosen_because: "nothing more special fits".to_owned(),
        catalog: "cd".repeat(32),
        settings: Settings::default(),
    }
}
