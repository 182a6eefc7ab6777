//! What stands on the figure, whatever it is drawn with.

use chrono::{DateTime, Utc};

use super::scale::Scale;
use crate::postmortem::document::Document;
use crate::timeline::{Entry, Lane, Tone, Weight};

/// Lanes with marks, from top to bottom.
const LANES: [Lane; 5] = [
    Lane::Probes,
    Lane::Findings,
    Lane::Actions,
    Lane::People,
    Lane::Messages,
];

pub struct Row<'a> {
    pub lane: Lane,
    pub marks: Vec<&'a Entry>,
}

/// The lanes that have anything to show.
pub fn rows(document: &Document) -> Vec<Row<'_>> {
    let drawn = |entry: &&Entry| entry.weight > Weight::Fine;
    LANES
        .iter()
        .map(|lane| Row {
            lane: *lane,
            marks: document
                .timeline
                .iter()
                .filter(drawn)
                .filter(|entry| entry.lane == *lane)
                .collect(),
        })
        .filter(|row| !row.marks.is_empty())
        .collect()
}

/// Moments that are set, by time.
pub fn flags(document: &Document) -> Vec<(DateTime<Utc>, &'static str, u64)> {
    let mut flags: Vec<_> = document
        .moments
        .iter()
        .filter_map(|record| Some((record.at?, record.moment.word(), record.event?)))
        .collect();
    flags.sort_by_key(|(at, word, _)| (*at, *word));
    flags
}

/// A scale that holds everything that is drawn.
pub fn scale(document: &Document, rows: &[Row<'_>]) -> Scale {
    let mut times: Vec<DateTime<Utc>> = rows
        .iter()
        .flat_map(|row| row.marks.iter().map(|entry| entry.at))
        .collect();
    let bands = document.impact.phases.iter().chain(&document.impact.severities);
    // The end of a band that is still open is the end of the record, not something that happened.
    times.extend(
        bands
            .flat_map(|band| [Some(band.from), (!band.open).then_some(band.to)])
            .flatten(),
    );
    times.extend(flags(document).into_iter().map(|(at, _, _)| at));
    times.extend(
        document
            .containment
            .iter()
            .flat_map(|contained| [contained.since, contained.until])
            .flatten(),
    );
    Scale::over(times)
}

/// The tone that speaks for several: bad news is never hidden by good news.
pub fn worst<'a>(marks: impl IntoIterator<Item = &'a &'a Entry>) -> Tone {
    let rank = |tone: &Tone| match tone {
        Tone::Good => 0,
        Tone::Plain => 1,
        Tone::Unknown => 2,
        Tone::Warn => 3,
        Tone::Bad => 4,
    };
    marks
        .into_iter()
        .map(|entry| entry.tone)
        .max_by_key(rank)
        .unwrap_or(Tone::Plain)
}

/// Marks that would lie on top of each other become one with a number. `near` is in parts of the width.
pub fn clustered<'a>(scale: &Scale, marks: &[&'a Entry], near: f64) -> Vec<(f64, Vec<&'a Entry>)> {
    let mut clusters: Vec<(f64, Vec<&Entry>)> = Vec::new();
    for mark in marks {
        let place = scale.place(mark.at);
        match clusters.last_mut() {
            Some((start, cluster)) if place - *start < near => cluster.push(mark),
            _ => clusters.push((place, vec![mark])),
        }
    }
    for (place, cluster) in &mut clusters {
        let sum: f64 = cluster.iter().map(|mark| scale.place(mark.at)).sum();
        *place = sum / cluster.len() as f64;
    }
    clusters
}

/// The figure in words, for those who cannot see it.
pub fn described(document: &Document, rows: &[Row<'_>]) -> String {
    let bands = |bands: &[crate::postmortem::document::Stretch]| -> String {
        let told: Vec<String> = bands
            .iter()
            .map(|band| format!("{} for {}", band.name, band.length))
            .collect();
        told.join(", then ")
    };
    let mut text = format!("Phases: {}. ", bands(&document.impact.phases));
    text.push_str(&format!("Severity: {}. ", bands(&document.impact.severities)));
    for row in rows {
        let bad = row
            .marks
            .iter()
            .filter(|entry| matches!(entry.tone, Tone::Bad | Tone::Warn))
            .count();
        let (word, all) = (row.lane.word(), row.marks.len());
        text.push_str(&format!(
            "{all} {word} on record, {bad} of them bad or doubtful. "
        ));
    }
    text.push_str("Every mark is a line of the timeline.");
    text
}
