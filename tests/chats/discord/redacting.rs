//! Words that are taken back, also where nobody put them on the timeline.

use super::kit::House;
use crate::kept::said;

#[tokio::test]
async fn a_message_of_a_channel_or_of_a_thread_is_redacted_by_its_link() {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.types("ana", "take commander").await;
    let room = house.room().await;
    let ben = house.person("ben");
    let pasted = ben.says(&room, "its password is tiger");
    let thread = ben.opens_thread(&room, &pasted, "why");
    let reply = ben.says(&thread, "or lion");
    house.settled().await;
    let guild = house.discord.guild_id();
    for (channel, message, known) in [
        (&room, &pasted, pasted.clone()),
        (&thread, &reply, format!("{thread}/{reply}")),
    ] {
        let link = format!("https://discord.com/channels/{guild}/{channel}/{message}");
        house.types("ana", &format!("redact {link} a password")).await;
        assert_eq!(said(&house.app, &known).await, [Some("[redacted]".to_owned())]);
    }
    house.close().await;
}
