//! Heads and streams as people write them, and the encoding that hashes cover.

use super::*;

#[test]
fn a_head_is_printed_so_that_it_can_be_pasted_back() {
    let head = Head {
        stream: stream(7),
        seq: 412,
        hash: Hash::of(b"x"),
    };
    let printed = head.to_string();
    assert_eq!(
        printed,
        "INC-7@412:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    );
    let mark: Mark = printed.parse().unwrap();
    assert_eq!(mark, Mark::from(head));
    let short: Mark = " inc-7@412:2D711642B726B044… ".parse().unwrap();
    assert!(short.fits(&head.hash) && short.seq == 412 && short.stream == stream(7));
    assert!(!short.fits(&Hash::of(b"y")));
    assert_eq!(
        "desk@1:2d711642b726b044".parse::<Mark>().unwrap().stream,
        Stream::Desk
    );
}

#[test]
fn what_is_no_head_is_told_how_one_looks() {
    for text in [
        "",
        "INC-7",
        "INC-7@412",
        "INC-7@412:2d71",
        "INC-7@x:2d711642b726b044",
        "7@1:2d711642b726b044",
        "INC-7@1:zzzzzzzzzzzzzzzz",
    ] {
        let error = text.parse::<Mark>().unwrap_err().to_string();
        assert!(
            error.contains("copy one as it was posted, like INC-7@412:9f3c…"),
            "{text}: {error}"
        );
    }
}

#[test]
fn streams_have_one_name_each() {
    for stream in [Stream::Desk, stream(1), stream(70_000)] {
        assert_eq!(stream.to_string().parse::<Stream>().unwrap(), stream);
    }
    assert_eq!("INC-7".parse::<Stream>().unwrap(), stream(7));
    for text in ["", "inc-0", "inc-", "incident", "inc--1"] {
        assert!(text.parse::<Stream>().is_err(), "{text}");
    }
}

#[test]
fn the_encoding_of_a_sealed_event_never_changes() {
    // A release wrote journals with this; a change here makes every one of them look tampered with.
    let seal = chain::seal(&Head::empty(stream(7)), &event("one"), [9; 16]).unwrap();
    assert_eq!(
        [seal.previous, seal.digest, seal.hash].map(|hash| hash.to_string()[..16].to_owned()),
        ["76bf9d8393af2e8c", "00926ba3ec5badbb", "7afae519b1f3282c"]
    );
}

#[test]
fn no_two_different_events_are_encoded_alike() {
    let head = Head::empty(stream(7));
    let one = NewEvent {
        source: "ab".into(),
        by: "c".into(),
        ..event("x")
    };
    let other = NewEvent {
        source: "a".into(),
        by: "bc".into(),
        ..event("x")
    };
    let hash = |event: &NewEvent| chain::seal(&head, event, [0; 16]).unwrap().hash;
    assert_ne!(hash(&one), hash(&other));
    let elsewhere = chain::seal(&Head::empty(stream(8)), &one, [0; 16]).unwrap();
    assert_ne!(hash(&one), elsewhere.hash);
}
