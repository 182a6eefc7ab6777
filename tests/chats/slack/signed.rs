//! Requests to the addresses that Slack calls, by whoever is not Slack.

use orderly_testbed::slack::signature;
use reqwest::{Client, StatusCode};

use super::kit::{House, Transport};

const ADDRESSES: [&str; 3] = ["/slack/commands", "/slack/interactions", "/slack/events"];

/// More than any body of Slack's.
const TOO_LARGE: usize = (1 << 20) + 1;

/// A minute more than Slack's window.
const LATE_S: u64 = 6 * 60;

struct Stranger<'a> {
    house: &'a House,
    http: Client,
}

impl Stranger<'_> {
    async fn sends(&self, path: &str, stamp: u64, signature: &str, body: &str) -> StatusCode {
        let request = self
            .http
            .post(format!("{}{path}", self.house.address()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", stamp.to_string())
            .header("x-slack-signature", signature)
            .body(body.to_owned());
        request.send().await.expect("an answer").status()
    }
}

/// What Slack would send for `/incident open <title>`, typed by ana.
fn opening(house: &House, title: &str) -> String {
    format!(
        "team_id={}&channel_id={}&user_id=U0ANA&command=%2Fincident&text=open+{title}&trigger_id=1.2.{title}&response_url=\
         http%3A%2F%2F127.0.0.1%3A9",
        house.slack.team_id(),
        house.ops
    )
}

#[tokio::test]
async fn what_is_unsigned_forged_old_replayed_or_too_large_does_nothing() {
    let house = House::open(Transport::Http).await;
    let stranger = Stranger {
        house: &house,
        http: Client::new(),
    };
    let now = house.slack.now().timestamp().unsigned_abs();
    let secret = house.slack.signing_secret();
    let body = opening(&house, "Forged");
    let refused = StatusCode::UNAUTHORIZED;
    for path in ADDRESSES {
        let forged = signature("another secret", now, &body);
        let of_another_body = signature(&secret, now, &opening(&house, "Another"));
        for signed in ["", "v0=", forged.as_str(), of_another_body.as_str()] {
            assert_eq!(
                stranger.sends(path, now, signed, &body).await,
                refused,
                "{path} {signed}"
            );
        }
        for stamp in [now - LATE_S, now + LATE_S] {
            let signed = signature(&secret, stamp, &body);
            assert_eq!(
                stranger.sends(path, stamp, &signed, &body).await,
                refused,
                "{path} {stamp}"
            );
        }
        let large = format!("{body}&pad={}", "x".repeat(TOO_LARGE));
        let signed = signature(&secret, now, &large);
        let answer = stranger.sends(path, now, &signed, &large).await;
        assert_eq!(answer, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    assert!(house.settled().await.is_none(), "nothing was opened");

    let body = opening(&house, "Signed");
    let signed = signature(&secret, now, &body);
    let path = ADDRESSES[0];
    assert_eq!(stranger.sends(path, now, &signed, &body).await, StatusCode::OK);
    assert_eq!(
        stranger.sends(path, now, &signed, &body).await,
        refused,
        "the very same once more"
    );
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.title, "Signed");
    house.close().await;
}
