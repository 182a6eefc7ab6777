//! Words that are taken back, also where nobody put them on the timeline.

use super::kit::{House, Transport};
use crate::kept::said;

#[tokio::test]
async fn a_message_is_redacted_by_its_link() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.types("ana", "take commander").await;
    let room = house.room().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let stays = ben.says(&room, "the printer is fine");
    let pasted = ben.replies(&room, &stays, "its password is tiger");
    house.settled().await;
    let link = |ts: &str| {
        format!(
            "<https://acme.slack.com/archives/{room}/p{}>",
            ts.replace('.', "")
        )
    };
    house
        .types("ana", &format!("redact {} a password", link("1.000000")))
        .await;
    ana.is_told(&room, "Copy the link of the message").await;
    house
        .types("ana", &format!("redact {} a password", link(&pasted)))
        .await;
    assert_eq!(said(&house.app, &pasted).await, [Some("[redacted]".to_owned())]);
    assert_eq!(
        said(&house.app, &stays).await,
        [Some("the printer is fine".to_owned())]
    );
    let told = house.slack.texts(&room);
    assert!(
        told.iter()
            .any(|text| text.contains("redacted a message that is on no timeline: a password")),
        "{told:#?}"
    );
    house.close().await;
}
