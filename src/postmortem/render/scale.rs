//! From time to place on the figure. Long quiet stretches are drawn short, with a visible break, so that an onset nine
//! days earlier does not press the response into one pixel.

use chrono::{DateTime, TimeDelta, Utc};

/// A stretch shorter than this is never taken for quiet.
const LEAST_QUIET: TimeDelta = TimeDelta::minutes(60);
/// A stretch is quiet if it is longer than this part of all that is drawn in full.
const QUIET_PART: i32 = 3;
/// Part of the width that a break takes.
const BREAK: f64 = 0.04;

/// A stretch of time and where it lies, in parts of the width.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub left: f64,
    pub right: f64,
    pub quiet: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    pub segments: Vec<Segment>,
}

impl Scale {
    /// Holds all these times.
    pub fn over(mut times: Vec<DateTime<Utc>>) -> Self {
        times.sort_unstable();
        times.dedup();
        let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
            return Self { segments: Vec::new() };
        };
        let gaps: Vec<(DateTime<Utc>, DateTime<Utc>)> =
            times.iter().copied().zip(times.iter().skip(1).copied()).collect();
        let quiet = quiet(&gaps, last - first);
        // Without any length there is one segment that takes all.
        if quiet.is_empty() {
            let to = last.max(first + TimeDelta::minutes(1));
            return Self {
                segments: vec![Segment {
                    from: first,
                    to,
                    left: 0.0,
                    right: 1.0,
                    quiet: false,
                }],
            };
        }
        Self {
            segments: laid_out(first, last, &quiet),
        }
    }

    /// Place of a time, 0 to 1. What lies outside is drawn at the edge.
    pub fn place(&self, at: DateTime<Utc>) -> f64 {
        let Some(segment) = self
            .segments
            .iter()
            .find(|segment| at <= segment.to)
            .or(self.segments.last())
        else {
            return 0.0;
        };
        let whole = (segment.to - segment.from).num_milliseconds().max(1) as f64;
        let part = (at - segment.from).num_milliseconds() as f64 / whole;
        segment.left + (segment.right - segment.left) * part.clamp(0.0, 1.0)
    }
}

/// The quiet gaps. Taking one out makes the rest count for more, so look again until nothing changes.
fn quiet(gaps: &[(DateTime<Utc>, DateTime<Utc>)], total: TimeDelta) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut left = total;
    loop {
        let least = (left / QUIET_PART).max(LEAST_QUIET);
        let quiet: Vec<_> = gaps
            .iter()
            .copied()
            .filter(|(from, to)| *to - *from > least)
            .collect();
        let now = total - quiet.iter().map(|(from, to)| *to - *from).sum::<TimeDelta>();
        if now == left {
            return quiet;
        }
        left = now;
    }
}

fn laid_out(
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    quiet: &[(DateTime<Utc>, DateTime<Utc>)],
) -> Vec<Segment> {
    let silent: TimeDelta = quiet.iter().map(|(from, to)| *to - *from).sum();
    let busy = (last - first - silent).num_milliseconds().max(1) as f64;
    let breaks = (BREAK * quiet.len() as f64).min(0.5);
    let each = breaks / quiet.len() as f64;
    let mut segments = Vec::new();
    let (mut from, mut left) = (first, 0.0);
    let ends = quiet
        .iter()
        .map(|(from, to)| (*from, Some(*to)))
        .chain([(last, None)]);
    for (to, resumes) in ends {
        if to > from {
            let right = left + (1.0 - breaks) * (to - from).num_milliseconds() as f64 / busy;
            segments.push(Segment {
                from,
                to,
                left,
                right,
                quiet: false,
            });
            left = right;
        }
        if let Some(resumes) = resumes {
            segments.push(Segment {
                from: to,
                to: resumes,
                left,
                right: left + each,
                quiet: true,
            });
            (from, left) = (resumes, left + each);
        }
    }
    segments
}
