use proptest::prelude::*;

use super::*;

/// A line of a corpus file: the marks that keep scanners quiet taken out, written line breaks made real.
fn corpus(file: &'static str) -> impl Iterator<Item = String> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            line.replace("{}", "")
                .replace("\\\\n", "\u{1}")
                .replace("\\n", "\n")
                .replace('\u{1}', "\\n")
        })
}

/// Kind, text, and the text as it must be shown.
fn secrets() -> Vec<(String, String, String)> {
    corpus(include_str!("corpus/secret.txt"))
        .map(|line| {
            let (kind, marked) = line.split_once(" | ").expect("kind | text");
            let (before, rest) = marked.split_once('«').expect("an opening mark");
            let (_, after) = rest.split_once('»').expect("a closing mark");
            (
                kind.to_owned(),
                marked.replace(['«', '»'], ""),
                format!("{before}[masked: {kind}]{after}"),
            )
        })
        .collect()
}

fn lookalikes() -> Vec<String> {
    corpus(include_str!("corpus/lookalike.txt")).collect()
}

fn own(name: &str, regex: &str) -> Result<Masker, BadPattern> {
    Masker::new(&[Pattern {
        name: name.to_owned(),
        regex: regex.to_owned(),
    }])
}

#[test]
fn every_secret_of_the_corpus_is_masked_and_nothing_around_it() {
    let masker = Masker::default();
    let wrong: Vec<_> = secrets()
        .into_iter()
        .filter_map(|(kind, text, wanted)| {
            let masked = masker.mask(&text);
            let kinds: Vec<_> = masked.found.iter().map(|found| found.kind.to_string()).collect();
            (masked.text != wanted || kinds != [kind])
                .then(|| format!("wanted {wanted}\n   got {}", masked.text))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(secrets().len() >= 60);
}

#[test]
fn a_secret_is_found_in_a_long_text_as_in_a_short_one() {
    let masker = Masker::default();
    let rest = format!("\n\n{}", "and so on ".repeat(seek::TOGETHER / 10 + 1));
    let texts = secrets().into_iter().map(|(_, text, _)| text).chain(lookalikes());
    for text in texts {
        let masked = format!("{}{rest}", masker.mask(&text).text);
        assert_eq!(masker.mask(&format!("{text}{rest}")).text, masked);
    }
}

#[test]
fn every_lookalike_of_the_corpus_passes() {
    let masker = Masker::default();
    let wrong: Vec<_> = lookalikes()
        .into_iter()
        .map(|line| (masker.mask(&line).text.into_owned(), line))
        .filter(|(masked, line)| masked != line)
        .map(|(masked, line)| format!("{line}\n   -> {masked}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(lookalikes().len() >= 60);
}

#[test]
fn the_whole_corpus_as_one_text_is_masked_line_by_line() {
    let masker = Masker::default();
    let (text, wanted): (Vec<_>, Vec<_>) = secrets()
        .into_iter()
        // A key whose end was cut off swallows what may still be key.
        .filter(|(_, text, _)| !text.contains("output was cut"))
        .map(|(_, text, wanted)| (text, wanted))
        .unzip();
    assert_eq!(masker.mask(&text.join("\n\n")).text, wanted.join("\n\n"));
}

#[test]
fn what_was_found_says_where_it_stood_in_the_original() {
    let text = "password=hunter2 then token=abcdef0123456.";
    let masked = Masker::default().mask(text);
    let stood: Vec<_> = masked
        .found
        .iter()
        .map(|found| (&*found.kind, &text[found.range.clone()]))
        .collect();
    assert_eq!(stood, [("password", "hunter2"), ("token", "abcdef0123456")]);
    assert_eq!(
        masked.text,
        "password=[masked: password] then token=[masked: token]."
    );
}

#[test]
fn clean_text_is_not_copied() {
    assert!(matches!(
        Masker::default().mask("the queue is stuck").text,
        Cow::Borrowed(_)
    ));
}

#[test]
fn an_argument_that_is_a_secret_is_named_by_kind() {
    let masker = Masker::default();
    assert_eq!(
        masker.looks_secret("postgres://odoo:hunter2@db/odoo").as_deref(),
        Some("password")
    );
    assert_eq!(masker.looks_secret("Post entries"), None);
}

#[test]
fn own_patterns_mask_too_by_their_group_if_they_have_one() {
    let masker = own("badge", r"badge (\d{6})").expect("a good pattern");
    assert_eq!(
        masker.mask("ana, badge 123456, left").text,
        "ana, badge [masked: badge], left"
    );
    assert_eq!(masker.looks_secret("badge 123456").as_deref(), Some("badge"));
}

#[test]
fn a_bad_own_pattern_is_a_clear_error() {
    let said = |name, regex| own(name, regex).map(|_| ()).map_err(|e| e.to_string());
    insta::assert_snapshot!(said("badge", "badge (").unwrap_err(), @r#"mask pattern "badge": its regex is not understood: unclosed group"#);
    insta::assert_snapshot!(said("badge", r"\d*").unwrap_err(), @r#"mask pattern "badge": its regex matches the empty text, so it would match everywhere: ask for at least one character"#);
    insta::assert_snapshot!(said("a]b", "x").unwrap_err(), @r#"mask pattern "a]b": its name stands in the marker: 1 to 40 characters, no brackets and no line breaks"#);
    insta::assert_snapshot!(said("badge", r"(?:\w{1000}){1000}").unwrap_err(), @r#"mask pattern "badge": its regex is too large: use fewer or smaller repetitions"#);
}

#[test]
fn a_typed_marker_hides_nothing() {
    let masked = Masker::default().mask("[masked: password=hunter2]");
    assert_eq!(masked.text, "[masked: password=[masked: password]]");
}

#[test]
fn a_hundred_kilobytes_of_trouble_come_through() {
    let masker = Masker::default();
    for piece in [
        "password=",
        "token=\"",
        "-----BEGIN PRIVATE KEY-----",
        "4111 1111 ",
        "eyJ",
        "http://a:",
        "aws secret ",
        "Bearer ",
        "\u{202e}é",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let once = masker.mask(&text).text.into_owned();
        assert_eq!(masker.mask(&once).text, once, "{piece}");
    }
}

/// Text with everything in it that rules look at.
fn noise() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "\\PC{0,12}",
        "[a-zA-Z0-9_+/=.-]{1,45}",
        "[0-9 -]{1,24}",
        Just("password".to_owned()),
        Just("token".to_owned()),
        Just("=".to_owned()),
        Just(": ".to_owned()),
        Just("\"".to_owned()),
        Just("\n".to_owned()),
        Just("Bearer ".to_owned()),
        Just("postgres://a:".to_owned()),
        Just("@".to_owned()),
        Just("[masked: password]".to_owned()),
        Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
        Just("-----END RSA PRIVATE KEY-----".to_owned()),
        Just("Cookie: a=".to_owned()),
        proptest::sample::select(secrets()).prop_map(|(_, text, _)| text),
    ];
    proptest::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn masking_masked_text_changes_nothing(text in noise()) {
        let masker = Masker::default();
        let once = masker.mask(&text);
        let twice = masker.mask(&once.text);
        prop_assert_eq!(&twice.text, &once.text);
        // The ranges are apart, in order, and rebuild the text.
        prop_assert_eq!(replaced(&text, &once.found), once.text.as_ref());
        prop_assert!(once.found.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    }

    #[test]
    fn an_own_pattern_keeps_masking_idempotent(text in noise(), regex in "[a-z.]{1,2}[+]?") {
        let masker = own("mine", &regex).expect("a good pattern");
        let once = masker.mask(&text).text.into_owned();
        prop_assert_eq!(&masker.mask(&once).text, &once);
    }

    #[test]
    fn a_planted_secret_is_found_in_any_prose(
        before in "([a-z]{1,9}[ ,.]{1,2}){0,20}", after in "([ ,.]{1,2}[a-z]{1,9}){0,20}", at in any::<prop::sample::Index>()
    ) {
        let all = secrets();
        let (_, secret, wanted) = at.get(&all);
        let masked = Masker::default().mask(&format!("{before}\n{secret}\n\n{after}")).text.into_owned();
        prop_assert_eq!(masked, format!("{before}\n{wanted}\n\n{after}"));
    }
}
