//! Requests over HTTP: Slack's, young, and for the first time.

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::http::{Signed, Unsigned, sign};

const SECRET: &str = "fa2c05deeef5a4077494e89f54394de0";

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_531_420_618, 0).expect("a time")
}

fn headers(stamp: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", stamp.parse().expect("a header"));
    headers.insert("x-slack-signature", signature.parse().expect("a header"));
    headers
}

fn checked(signed: &Signed, headers: &HeaderMap, body: &str, late: TimeDelta) -> Result<(), Unsigned> {
    signed.check(SECRET, headers, body.as_bytes(), at() + late)
}

#[test]
fn a_signature_made_elsewhere_counts() {
    let known = "v0=baa91ef62d346e56607bbdd278a8acd570b91226854f15a382f43d33be42f666";
    assert_eq!(sign(SECRET, "1531420618", b"test-body"), known);
    let headers = headers("1531420618", known);
    assert_eq!(
        checked(&Signed::default(), &headers, "test-body", TimeDelta::zero()),
        Ok(())
    );
}

#[test]
fn what_is_forged_old_or_replayed_does_not_count() {
    let signed = Signed::default();
    let signature = sign(SECRET, "1531420618", b"body");
    let good = headers("1531420618", &signature);
    let minutes = TimeDelta::minutes;
    assert_eq!(
        checked(&signed, &HeaderMap::new(), "body", minutes(0)),
        Err(Unsigned::Missing)
    );
    assert_eq!(
        checked(&signed, &good, "another body", minutes(0)),
        Err(Unsigned::Wrong)
    );
    assert_eq!(
        checked(&signed, &headers("1531420619", &signature), "body", minutes(0)),
        Err(Unsigned::Wrong)
    );
    assert_eq!(checked(&signed, &good, "body", minutes(6)), Err(Unsigned::Old));
    assert_eq!(checked(&signed, &good, "body", minutes(-6)), Err(Unsigned::Old));
    assert_eq!(checked(&signed, &good, "body", minutes(4)), Ok(()));
    assert_eq!(
        checked(&signed, &good, "body", minutes(4)),
        Err(Unsigned::Replayed)
    );
}

#[test]
fn a_replay_is_known_as_long_as_its_stamp_counts() {
    let signed = Signed::default();
    // Stamped by a clock that is ahead: it counts for ten minutes.
    let early = at() - TimeDelta::minutes(5);
    let stamp = at().timestamp().to_string();
    let body = |minute: i64| format!("body of minute {minute}");
    for minute in 0..=10 {
        let now = early + TimeDelta::minutes(minute);
        let checked = |body: &str| {
            let headers = headers(&stamp, &sign(SECRET, &stamp, body.as_bytes()));
            signed.check(SECRET, &headers, body.as_bytes(), now)
        };
        assert_eq!(checked(&body(minute)), Ok(()));
        for before in 0..=minute {
            assert_eq!(
                checked(&body(before)),
                Err(Unsigned::Replayed),
                "{minute} {before}"
            );
        }
    }
}

#[test]
fn what_was_not_taken_may_come_again_to_the_letter() {
    let signed = Signed::default();
    let stamp = at().timestamp().to_string();
    let headers = headers(&stamp, &sign(SECRET, &stamp, b"body"));
    let checked = || signed.check(SECRET, &headers, b"body", at());
    assert_eq!(checked(), Ok(()));
    signed.forget(&headers);
    assert_eq!(checked(), Ok(()));
    assert_eq!(checked(), Err(Unsigned::Replayed));
}

#[test]
fn an_empty_secret_signs_for_nobody() {
    let headers = headers("1531420618", &sign("x", "1531420618", b"body"));
    assert_eq!(
        Signed::default().check("", &headers, b"body", at()),
        Err(Unsigned::Wrong)
    );
}
