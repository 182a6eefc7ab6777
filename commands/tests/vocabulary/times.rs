//! Times, time spans and days.

use orderly_commands::{Day, When, parse};

fn when(typed: &str) -> Option<String> {
    parse(&format!("moment onset \"{typed}\""))
        .ok()?
        .when("at")
        .map(|when| when.to_string())
}

fn day(typed: &str) -> Option<Day> {
    parse(&format!("followup change F1 due=\"{typed}\""))
        .ok()?
        .day("due")
}

fn seconds(typed: &str) -> Option<u64> {
    parse(&format!("snooze {typed}")).ok()?.duration_secs("for")
}

#[test]
fn moments_are_read_in_every_usual_form() {
    let read = [
        ("now", "now"),
        ("10m ago", "10m ago"),
        ("90m", "1h30m ago"),
        ("14:00", "14:00"),
        ("9:05:07", "09:05:07"),
        ("2026-11-21 14:00", "2026-11-21 14:00"),
        ("2026-11-21T14:00", "2026-11-21 14:00"),
        ("2026-11-21T14:00:05Z", "2026-11-21T14:00:05Z"),
        ("2026-11-21T14:00:05.123+01:00", "2026-11-21T14:00:05+01:00"),
        ("2026-11-21 14:00 -0530", "2026-11-21T14:00-05:30"),
    ];
    for (typed, kept) in read {
        assert_eq!(when(typed).as_deref(), Some(kept), "{typed}");
    }
    assert_eq!(
        parse("brief 10m ago").map(|parsed| parsed.when("since")),
        Ok(Some(When::Ago(600)))
    );
}

#[test]
fn moments_that_no_clock_shows_are_refused() {
    for typed in [
        "24:00",
        "14:60",
        "14",
        "2026-02-29 14:00",
        "2026-11-21",
        "21.11.2026",
        "2026-11-21T14:00X",
        "soon",
        "ago",
    ] {
        assert_eq!(when(typed), None, "{typed}");
    }
    assert_eq!(when("2028-02-29 14:00").as_deref(), Some("2028-02-29 14:00"));
}

#[test]
fn time_spans_have_units_the_larger_first() {
    assert_eq!(seconds("15m"), Some(900));
    assert_eq!(seconds("1h30m"), Some(5_400));
    assert_eq!(seconds("1H30MIN"), Some(5_400));
    assert_eq!(seconds("3d"), Some(259_200));
    assert_eq!(seconds("2w"), Some(1_209_600));
    for typed in [
        "15",
        "0m",
        "30m1h",
        "5m5m",
        "-5m",
        "99999999999999999999d",
        "1e3m",
        "100000d",
        "m",
    ] {
        assert_eq!(seconds(typed), None, "{typed}");
    }
}

#[test]
fn days_are_dates_names_or_distances() {
    assert_eq!(day("today"), Some(Day::In(0)));
    assert_eq!(day("tomorrow"), Some(Day::In(1)));
    assert_eq!(day("3d"), Some(Day::In(3)));
    assert_eq!(day("2w"), Some(Day::In(14)));
    assert_eq!(day("Friday"), Some(Day::Weekday(4)));
    assert_eq!(day("fri"), Some(Day::Weekday(4)));
    assert_eq!(
        day("2026-12-01").map(|day| day.to_string()).as_deref(),
        Some("2026-12-01")
    );
    for typed in ["5h", "2026-13-01", "t", "someday", "26-12-01"] {
        assert_eq!(day(typed), None, "{typed}");
    }
}
