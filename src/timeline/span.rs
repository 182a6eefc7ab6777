//! Durations, times and ends of sentences in the form people read.

use chrono::{DateTime, TimeDelta, Utc};

/// A length of time to the minute, days included: `1 d 3 h 20 min`. Under a minute it is told in seconds. A negative
/// one keeps its sign, so that nobody takes it for a real one.
pub fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let sign = if seconds < 0 { "−" } else { "" };
    let seconds = seconds.unsigned_abs();
    if seconds < 60 {
        return format!("{sign}{seconds} s");
    }
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let told: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    format!("{sign}{}", told.join(" "))
}

/// `2026-10-31 14:02 UTC`.
pub fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A size as people read it: `512 B`, `12.3 kB`, `3.1 MB`. Powers of 1000, one decimal.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        // 999 950 B would be written as 1000.0 kB.
        1_000..999_950 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// First letter large.
pub fn titled(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Ends with one full stop, whatever the text ended with.
pub fn full_stop(text: &str) -> String {
    let text = text.trim();
    match text.ends_with(['.', '!', '?', '…']) {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}
