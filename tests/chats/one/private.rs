//! A private incident: who is not in it learns nothing of it, anywhere.

use super::hands::{Platform, Seen};
use super::house::House;
use super::life::directly;

/// Words that stand in the private incident and nowhere else.
const SECRETS: [&str; 4] = ["Payroll", "payroll", "4711", "PRIVATE"];

/// Everything that somebody can find, read or be told, as one text.
async fn all_that_reaches(house: &House, who: &str, room: &str) -> String {
    let mut found = house.hands.rooms(who).await;
    let mut texts = |seen: Vec<Seen>| {
        for seen in seen {
            found.push(format!("{} {:?} {:?}", seen.text, seen.buttons, seen.files));
        }
    };
    let ops = house.hands.ops();
    let lobby = house.hands.lobby();
    for line in [
        "list all",
        "list mine",
        "INC-1 status",
        "INC-1 brief",
        "INC-1 timeline",
        "related INC-1",
        "INC-1 note seen",
    ] {
        if house.hands.refuses(who, line).is_some() {
            continue;
        }
        texts(house.types_in(who, &ops, line).await);
    }
    for place in [ops.as_str(), &lobby, room] {
        texts(house.hands.room(who, place).await.unwrap_or_default());
        texts(house.hands.told(who, place).await);
    }
    texts(directly(house, who).await);
    texts(house.hands.home(who).await.into_iter().collect());
    for typed in ["INC", "duplicate ", "INC-1 "] {
        found.extend(
            house
                .hands
                .completions(who, &ops, typed)
                .await
                .unwrap_or_default(),
        );
    }
    found.join("\n")
}

#[tokio::test]
async fn outsiders_find_a_private_incident_nowhere() {
    for platform in Platform::ALL {
        let house = House::on(platform).await;
        let ops = house.hands.ops();
        house
            .types_in(
                "ana",
                &ops,
                "open Payroll sends wrong amounts private=yes severity=SEV1",
            )
            .await;
        for line in [
            "take commander",
            "invite @ben",
            "set title Payroll 4711 sends wrong amounts",
            "update send Payroll is stopped next=30m",
            "note account 4711 is the first",
        ] {
            house.types("ana", line).await;
        }
        let room = house.place().await;
        assert!(
            house.hands.room("ben", &room).await.is_some(),
            "who is invited is in"
        );
        let invited = directly(&house, "ben").await;
        assert!(
            invited.iter().any(|seen| seen.text.contains("Payroll")),
            "{invited:#?}"
        );
        for who in ["dan", "cleo"] {
            assert_eq!(house.hands.room(who, &room).await, None, "{who} on {platform:?}");
            let all = all_that_reaches(&house, who, &room).await;
            for secret in SECRETS {
                assert!(
                    !all.contains(secret),
                    "{who} finds {secret} on {platform:?} in:\n{all}"
                );
            }
        }
        house.close().await;
    }
}

#[tokio::test]
async fn an_outsider_cannot_tell_a_private_incident_from_one_that_is_not_there() {
    for platform in Platform::ALL {
        let house = House::on(platform).await;
        let ops = house.hands.ops();
        house
            .types_in("ana", &ops, "open Payroll sends wrong amounts private=yes")
            .await;
        let told = async |line: &str| {
            let told = house.types_in("dan", &ops, line).await;
            let words: Vec<String> = told.into_iter().map(|seen| seen.text).collect();
            words.join("\n")
        };
        for command in ["status", "note x", "approve A1", "export html"] {
            // Some platforms' own clients offer no way to say this of another room's incident.
            if let Some(why) = house.hands.refuses("dan", &format!("INC-1 {command}")) {
                assert!(
                    why.contains("incident") && command != "status",
                    "{command}: {why}"
                );
                continue;
            }
            let there = told(&format!("INC-1 {command}")).await;
            let not_there = told(&format!("INC-2 {command}")).await;
            assert_eq!(
                there.replace("INC-1", "INC-2"),
                not_there,
                "{command} on {platform:?}"
            );
        }
        house.close().await;
    }
}
