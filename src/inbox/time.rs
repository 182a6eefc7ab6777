//! Times as people type them, made UTC.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use orderly_commands::{Date, Day, TimeOfDay, When};

/// A moment, in UTC. A clock time is today's in the zone, or yesterday's where today's has not come yet. `None`: a
/// time that did not exist there, such as in the hour that summer time leaves out.
pub fn moment(when: When, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    match when {
        When::Now => Some(now),
        When::Ago(seconds) => now.checked_sub_signed(TimeDelta::try_seconds(i64::try_from(seconds).ok()?)?),
        When::Clock(time) => {
            let today = now.with_timezone(&zone).date_naive();
            let at = local(today, time, zone)?;
            if at <= now {
                Some(at)
            } else {
                local(today.checked_sub_days(Days::new(1))?, time, zone)
            }
        }
        When::Local { date: on, time } => local(date(on)?, time, zone),
        When::Fixed {
            date: on,
            time,
            offset,
        } => {
            let offset = FixedOffset::east_opt(i32::from(offset) * 60)?;
            let at = offset
                .from_local_datetime(&date(on)?.and_time(clock(time)?))
                .single()?;
            Some(at.with_timezone(&Utc))
        }
    }
}

/// A day by which something is due.
pub fn day(day: Day, now: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
    let today = now.with_timezone(&zone).date_naive();
    match day {
        Day::On(on) => date(on),
        Day::In(days) => today.checked_add_days(Days::new(u64::from(days))),
        Day::Weekday(wanted) => {
            let ahead = (i64::from(wanted) - i64::from(today.weekday().num_days_from_monday())).rem_euclid(7);
            let ahead = if ahead == 0 { 7 } else { ahead };
            today.checked_add_days(Days::new(ahead.unsigned_abs()))
        }
    }
}

fn local(on: NaiveDate, time: TimeOfDay, zone: Tz) -> Option<DateTime<Utc>> {
    // In the hour that comes twice, the first is meant: what is reported began earlier rather than later.
    let at = zone.from_local_datetime(&on.and_time(clock(time)?)).earliest()?;
    Some(at.with_timezone(&Utc))
}

fn date(date: Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}

fn clock(time: TimeOfDay) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(
        u32::from(time.hour),
        u32::from(time.minute),
        u32::from(time.second),
    )
}
