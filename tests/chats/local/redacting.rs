//! Words that are taken back, also where nobody put them on the timeline.

use crate::kept::said;
use crate::one::hands::Platform;
use crate::one::house::House;

#[tokio::test]
async fn a_message_is_redacted_by_its_link() {
    let house = House::on(Platform::Local).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.types("ana", "take commander").await;
    let room = house.place().await;
    let stays = house.hands.says("ben", &room, None, "the printer is fine").await;
    let pasted = house
        .hands
        .says("ben", &room, Some(&stays), "its password is tiger")
        .await;
    house.settled().await;
    // As the page copies it, whatever address leads there.
    let link = |message: &str| format!("https://orderly.example/rooms/{room}#m{message}");
    for elsewhere in [link("999999"), link(&pasted).replace(&room, "lobby")] {
        house
            .types("ana", &format!("redact {elsewhere} a password"))
            .await;
        assert_eq!(
            said(&house.app, &pasted).await,
            [Some("its password is tiger".to_owned())]
        );
    }
    house
        .types("ana", &format!("redact {} a password", link(&pasted)))
        .await;
    assert_eq!(said(&house.app, &pasted).await, [Some("[redacted]".to_owned())]);
    assert_eq!(
        said(&house.app, &stays).await,
        [Some("the printer is fine".to_owned())]
    );
    let told = house.room("ben").await;
    assert!(
        told.iter().any(|seen| seen
            .text
            .contains("redacted a message that is on no timeline: a password")),
        "{told:#?}"
    );
    house.close().await;
}
