//! Durations and sizes, as people write and read them.

use chrono::TimeDelta;

const MILLIS: i64 = 1;
const SECOND: i64 = 1_000 * MILLIS;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Longest duration that can be written: a hundred years, far beyond anything meant, and far from overflowing.
const LONGEST: i64 = 36_525 * DAY;

/// `2 d 3 h`, `4 min 10 s`, `45 s`, `340 ms`: the two largest units, rounded down, days included.
pub fn human_duration(duration: TimeDelta) -> String {
    let total = duration.num_milliseconds();
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    const UNITS: [(u64, &str); 4] = [
        (DAY as u64, "d"),
        (HOUR as u64, "h"),
        (MINUTE as u64, "min"),
        (SECOND as u64, "s"),
    ];
    let Some(first) = UNITS.iter().position(|(unit, _)| total >= *unit) else {
        return match total {
            0 => "0 s".to_owned(),
            _ => format!("{sign}{total} ms"),
        };
    };
    let (unit, name) = UNITS[first];
    let large = format!("{sign}{} {name}", total / unit);
    match UNITS
        .get(first + 1)
        .map(|(small, name)| (total % unit / small, name))
    {
        Some((count, name)) if count > 0 => format!("{large} {count} {name}"),
        _ => large,
    }
}

/// `512 B`, `12.8 MiB`: powers of 1024, one decimal.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be written as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Why a quantity was not understood. The text says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadQuantity(String);

/// Reads `15m`, `2h`, `1h30m`, `90 s`, `2 d`, `500ms`. A number without a unit is refused, except zero.
pub fn parse_duration(text: &str) -> Result<TimeDelta, BadQuantity> {
    let bad = || {
        BadQuantity(
            "a duration is a number and a unit: ms, s, m, h, d or w, such as 15m, 2h or 1h30m".to_owned(),
        )
    };
    let long = || BadQuantity("this duration is longer than a hundred years".to_owned());
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(TimeDelta::zero());
    }
    let mut total: i64 = 0;
    let mut last_unit = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let count: &str = &rest[..digits];
        if count.is_empty() {
            return Err(bad());
        }
        let count: i64 = count.parse().map_err(|_| long())?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => MILLIS,
            "s" | "sec" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            _ => return Err(bad()),
        };
        // 30m1h is more often a slip than meant.
        if unit >= last_unit {
            return Err(bad());
        }
        last_unit = unit;
        rest = rest[letters..].trim_start();
        total = count
            .checked_mul(unit)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(long)?;
        if total > LONGEST {
            return Err(long());
        }
    }
    match last_unit {
        i64::MAX => Err(bad()),
        _ => Ok(TimeDelta::milliseconds(total)),
    }
}

/// The shortest form that [`parse_duration`] reads back: `1h30m`.
pub fn write_duration(duration: TimeDelta) -> String {
    let mut left = duration.num_milliseconds().max(0);
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, name) in [
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
        (MILLIS, "ms"),
    ] {
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    text
}

/// Reads `512`, `64KiB`, `10 MB`. KB, MB and GB count in thousands, KiB, MiB and GiB in 1024.
pub fn parse_bytes(text: &str) -> Result<u64, BadQuantity> {
    let bad = || {
        BadQuantity("a size is a number and a unit: B, KiB, MiB, GiB, KB, MB or GB, such as 64KiB".to_owned())
    };
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 0 {
        return Err(bad());
    }
    let too_large = || BadQuantity("this size is too large".to_owned());
    let count: u64 = text[..digits].parse().map_err(|_| too_large())?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(bad()),
    };
    count.checked_mul(unit).ok_or_else(too_large)
}

/// The shortest exact form that [`parse_bytes`] reads back: `64KiB`.
pub fn write_bytes(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    format!("{bytes}B")
}
