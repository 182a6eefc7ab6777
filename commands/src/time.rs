//! Times as people type them. Read here, resolved elsewhere: what `14:00` means depends on the clock and on the
//! person's zone, and this crate knows neither.

use std::fmt;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The longest time span taken: ten years. Longer is a slip of the finger, and sums of it stay far from overflow.
pub const LONGEST_SPAN: u64 = 3_650 * DAY;

/// A day of the calendar that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// A time of day, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Now,
    /// So many seconds ago.
    Ago(u64),
    /// Today in the person's zone, or yesterday where today's has not come yet.
    Clock(TimeOfDay),
    /// In the person's zone.
    Local {
        date: Date,
        time: TimeOfDay,
    },
    /// With its offset from UTC in minutes.
    Fixed {
        date: Date,
        time: TimeOfDay,
        offset: i16,
    },
}

/// A day by which something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    On(Date),
    /// The next one from tomorrow on; days from Monday, 0 to 6.
    Weekday(u8),
    /// In so many days; today is 0.
    In(u32),
}

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

impl Date {
    /// `None` for a day that no calendar has.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Self { year, month, day })
    }

    fn read(typed: &str) -> Option<Self> {
        let mut parts = typed.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || year.len() != 4 {
            return None;
        }
        Self::new(number(year, 4)?, number(month, 2)?, number(day, 2)?)
    }
}

impl TimeOfDay {
    /// `None` for a time that no clock shows.
    pub fn new(hour: u8, minute: u8, second: u8) -> Option<Self> {
        (hour < 24 && minute < 60 && second < 60).then_some(Self { hour, minute, second })
    }

    fn read(typed: &str) -> Option<Self> {
        let mut parts = typed.split(':');
        let (hour, minute) = (parts.next()?, parts.next()?);
        let second = match parts.next() {
            Some(second) => number(second, 2)?,
            None => 0,
        };
        if parts.next().is_some() || minute.len() != 2 {
            return None;
        }
        Self::new(number(hour, 2)?, number(minute, 2)?, second)
    }
}

impl When {
    /// Reads what was typed; `None` if it is no moment.
    pub fn read(typed: &str) -> Option<Self> {
        let typed = typed.trim().to_ascii_lowercase();
        if typed == "now" {
            return Some(When::Now);
        }
        if let Some(span) = read_span(typed.strip_suffix("ago").unwrap_or(&typed).trim_end()) {
            return Some(When::Ago(span));
        }
        if let Some(time) = TimeOfDay::read(&typed) {
            return Some(When::Clock(time));
        }
        let (date, rest) = typed.split_once(['t', ' '])?;
        let date = Date::read(date)?;
        let rest = rest.trim_start();
        let (time, offset) = match rest.find(['z', '+', '-']) {
            Some(at) => (rest[..at].trim_end(), Some(read_offset(&rest[at..])?)),
            None => (rest, None),
        };
        // A fraction of a second is more than a person can know.
        let time = TimeOfDay::read(time.split_once('.').map_or(time, |(whole, _)| whole))?;
        Some(match offset {
            Some(offset) => When::Fixed { date, time, offset },
            None => When::Local { date, time },
        })
    }
}

impl Day {
    /// Reads what was typed; `None` if it is no day.
    pub fn read(typed: &str) -> Option<Self> {
        let typed = typed.trim().to_ascii_lowercase();
        match typed.as_str() {
            "today" => return Some(Day::In(0)),
            "tomorrow" => return Some(Day::In(1)),
            _ => {}
        }
        if typed.len() >= 3
            && let Some(weekday) = WEEKDAYS.iter().position(|name| name.starts_with(&typed))
        {
            return Some(Day::Weekday(weekday as u8));
        }
        match read_span(&typed) {
            Some(span) if span.is_multiple_of(DAY) => u32::try_from(span / DAY).ok().map(Day::In),
            Some(_) => None,
            None => Date::read(&typed).map(Day::On),
        }
    }
}

/// Reads a time span such as `1h30m` into seconds: at least one, at most [`LONGEST_SPAN`], each unit once and the
/// larger first.
pub(crate) fn read_span(typed: &str) -> Option<u64> {
    let mut rest = typed;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit.to_ascii_lowercase().as_str() {
            "s" | "sec" => 1,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            _ => return None,
        };
        if unit >= last {
            return None;
        }
        total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(unit)?)?;
        (rest, last) = (after, unit);
    }
    (1..=LONGEST_SPAN).contains(&total).then_some(total)
}

/// Writes a time span as it is typed: `1h30m`.
pub(crate) fn write_span(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (1, 's')] {
        if rest >= unit {
            text.push_str(&format!("{}{letter}", rest / unit));
            rest %= unit;
        }
    }
    text
}

/// `z`, `+01:00` or `-0530`, in minutes.
fn read_offset(typed: &str) -> Option<i16> {
    if typed == "z" {
        return Some(0);
    }
    let sign = match typed.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = typed[1..].replace(':', "");
    if digits.len() != 4 {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let time = TimeOfDay::new(number(hours, 2)?, number(minutes, 2)?, 0)?;
    Some(sign * (i16::from(time.hour) * 60 + i16::from(time.minute)))
}

/// ASCII digits only: `parse` alone would take a sign too.
fn number<N: std::str::FromStr>(typed: &str, longest: usize) -> Option<N> {
    let fits = !typed.is_empty() && typed.len() <= longest && typed.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| typed.parse().ok()).flatten()
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)?;
        if self.second > 0 {
            write!(f, ":{:02}", self.second)
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Now => f.write_str("now"),
            When::Ago(span) => write!(f, "{} ago", write_span(*span)),
            When::Clock(time) => write!(f, "{time}"),
            When::Local { date, time } => write!(f, "{date} {time}"),
            When::Fixed {
                date,
                time,
                offset: 0,
            } => write!(f, "{date}T{time}Z"),
            When::Fixed { date, time, offset } => {
                let sign = if *offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                write!(f, "{date}T{time}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Day::On(date) => write!(f, "{date}"),
            Day::Weekday(day) => f.write_str(WEEKDAYS[usize::from(*day) % WEEKDAYS.len()]),
            Day::In(0) => f.write_str("today"),
            Day::In(days) => write!(f, "{days}d"),
        }
    }
}
