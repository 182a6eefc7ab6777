use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

const PLENTY: usize = 10_000;

#[test]
fn control_characters_become_visible_and_newlines_one_kind() {
    assert_eq!(clean("red \u{1b}[31malert\u{7}\0!", PLENTY), "red ␛[31malert␇!");
    assert_eq!(clean("a\r\nb\rc\u{2028}d\u{85}e\tf", PLENTY), "a\nb\nc\nd\ne\tf");
    assert_eq!(clean("c1 \u{9b}31m del \u{7f}", PLENTY), "c1 \u{fffd}31m del ␡");
}

#[test]
fn text_cannot_be_reordered_or_hidden() {
    assert_eq!(clean("invoice\u{202e}fdp.exe", PLENTY), "invoicefdp.exe");
    assert_eq!(
        clean("\u{2066}a\u{2069}\u{200b}b\u{feff}c\u{e0041}", PLENTY),
        "abc"
    );
}

#[test]
fn right_to_left_writing_and_emoji_sequences_pass() {
    for text in ["السيرفر متوقف", "השרת נפל\u{200f}", "👩‍🚒 on it", "café"] {
        assert_eq!(clean(text, PLENTY), text);
    }
}

#[test]
fn a_long_text_is_cut_and_says_so() {
    let long = "word ".repeat(100_000);
    let shown = clean(&long, 100);
    assert!(shown.chars().count() <= 100);
    assert!(shown.ends_with("word… [cut]"), "{shown}");
}

#[test]
fn a_cut_falls_where_a_reader_pauses() {
    let text = "First line is here.\n\nSecond paragraph. It goes on and on.";
    assert_eq!(cut(text, 30, "…").shown, "First line is here.…");
    assert_eq!(cut(text, 30, "…").rest, "Second paragraph. It goes on and on.");
    assert_eq!(
        cut("Jobs are stuck. Workers are idle", 24, "…").shown,
        "Jobs are stuck.…"
    );
    assert_eq!(cut("one two three four", 12, "…").shown, "one two…");
    assert_eq!(cut("nowhereatalltostop", 10, "…").shown, "nowhereat…");
    assert_eq!(cut("short", 10, "…").shown, "short");
    assert_eq!(cut("exactly it", 10, "…").rest, "");
}

#[test]
fn an_emoji_sequence_is_never_torn() {
    let family = "👨‍👩‍👧‍👦";
    let text = format!("ab{family}cd");
    let half = cut(&text, 6, "…");
    assert_eq!(half.shown, "ab…");
    assert_eq!(half.rest, format!("{family}cd"));
    assert_eq!(cut("🇩🇪🇫🇷🇪🇸", 4, "…").shown, "🇩🇪…");
}

#[test]
fn a_grapheme_longer_than_the_room_is_cut_through_rather_than_nothing_shown() {
    let tower = format!("e{}", "\u{301}".repeat(500));
    let piece = cut(&tower, 10, "…");
    assert_eq!(piece.shown.chars().count(), 10);
    assert!(piece.rest.len() < tower.len());
}

#[test]
fn durations_read_well() {
    let say = |seconds| human_duration(TimeDelta::seconds(seconds));
    assert_eq!(say(0), "0 s");
    assert_eq!(say(45), "45 s");
    assert_eq!(say(250), "4 min 10 s");
    assert_eq!(say(3600), "1 h");
    assert_eq!(say(3_600 * 51 + 59), "2 d 3 h");
    assert_eq!(say(-90), "-1 min 30 s");
    assert_eq!(human_duration(TimeDelta::milliseconds(340)), "340 ms");
    assert_eq!(human_duration(TimeDelta::days(400)), "400 d");
}

#[test]
fn sizes_read_well() {
    assert_eq!(human_bytes(0), "0 B");
    assert_eq!(human_bytes(1023), "1023 B");
    assert_eq!(human_bytes(13_421_773), "12.8 MiB");
    assert_eq!(human_bytes(1_048_575), "1.0 MiB");
    assert_eq!(human_bytes(u64::MAX), "16.0 EiB");
}

#[test]
fn durations_are_read_as_people_write_them() {
    for (text, seconds) in [
        ("15m", 900),
        ("2h", 7_200),
        ("1h30m", 5_400),
        ("90 s", 90),
        ("2 d", 172_800),
        ("1w", 604_800),
        ("4 min", 240),
        ("0", 0),
        ("0s", 0),
        (" 1h 5m ", 3_900),
    ] {
        assert_eq!(parse_duration(text), Ok(TimeDelta::seconds(seconds)), "{text}");
    }
    assert_eq!(parse_duration("500ms"), Ok(TimeDelta::milliseconds(500)));
}

#[test]
fn a_wrong_duration_says_what_would_be_right() {
    for text in [
        "",
        "15",
        "m",
        "15 parsecs",
        "-5m",
        "1.5h",
        "30m1h",
        "5m5m",
        "soon",
    ] {
        let said = parse_duration(text).map_err(|e| e.to_string());
        assert_eq!(
            said,
            Err(
                "a duration is a number and a unit: ms, s, m, h, d or w, such as 15m, 2h or 1h30m".to_owned()
            ),
            "{text}"
        );
    }
    for text in ["99999999999999999999s", "9999999w", "9223372036854775807w"] {
        let said = parse_duration(text).map_err(|e| e.to_string());
        assert_eq!(
            said,
            Err("this duration is longer than a hundred years".to_owned()),
            "{text}"
        );
    }
}

#[test]
fn sizes_are_read_as_people_write_them() {
    for (text, bytes) in [
        ("512", 512),
        ("64KiB", 65_536),
        ("10 MB", 10_000_000),
        ("1gib", 1 << 30),
        ("7 B", 7),
    ] {
        assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
    }
    for text in [
        "",
        "KiB",
        "1.5MB",
        "64 bits",
        "-1",
        "99999999999999999999",
        "99999999999GiB",
    ] {
        assert!(parse_bytes(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(text in any::<String>(), limit in 0usize..60) {
        let once = clean(&text, limit);
        prop_assert!(once.chars().count() <= limit);
        prop_assert_eq!(clean(&once, limit), once);
    }

    #[test]
    fn a_cut_keeps_its_limit_and_loses_only_white_space(text in "(\\PC|[ \n.👍🏽‍]){0,80}", chars in 0usize..60) {
        let piece = cut(&text, chars, "");
        prop_assert!(piece.shown.chars().count() <= chars);
        let tight = |s: &str| s.split_whitespace().collect::<String>();
        prop_assert_eq!([tight(&piece.shown), tight(piece.rest)].concat(), tight(&text));
        prop_assert!(chars == 0 || text.is_empty() || piece.rest.len() < text.len());
    }

    #[test]
    fn a_written_duration_is_read_back(millis in 0i64..10_000_000_000) {
        let duration = TimeDelta::milliseconds(millis);
        prop_assert_eq!(parse_duration(&write_duration(duration)), Ok(duration));
    }

    #[test]
    fn a_written_size_is_read_back(bytes in any::<u64>()) {
        prop_assert_eq!(parse_bytes(&write_bytes(bytes)), Ok(bytes));
    }
}
