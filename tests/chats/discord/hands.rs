//! What people do with their hands: forms, menus, buttons, reactions, the menu of a message, threads, files.

use std::time::Duration;

use orderly::incident::{Role, Stage, State};
use serde_json::json;

use super::kit::{House, INCIDENT};
use super::story::lived_until;

const OPEN: &str = "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop";

async fn opened() -> (House, String) {
    let house = House::open().await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    (house, room)
}

/// A button or a menu of what only this person was shown last.
async fn on_form(house: &House, who: &str, channel: &str, part: &str) -> String {
    house.person(who).is_told(channel, part).await
}

#[tokio::test]
async fn open_without_options_asks_for_choices_and_then_for_words() {
    let house = House::open().await;
    let ana = house.person("ana");
    let ops = house.ops.clone();
    let sent = ana.types("/incident open", &ops);
    house.answered(&sent).await;
    let form = on_form(&house, "ana", &ops, "Open an incident").await;
    let chosen = ana.chooses(&ops, &form, "SEV1 is worst", &["SEV1"]);
    house.answered(&chosen).await;
    let turned = ana.presses(&ops, &form, "☐ Only for those invited");
    house.answered(&turned).await;
    let on = ana.presses(&ops, &form, "Go on");
    house.answered(&on).await;
    let words = ana.form().await;
    let sent = ana.submits(&words, &json!({ "What is wrong": "Labels do not print" }));
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.title, "Labels do not print");
    assert_eq!(state.severity.to_string(), "SEV1");
    assert!(state.opening.private);
    house.close().await;
}

#[tokio::test]
async fn a_command_that_the_room_shows_leaves_nothing_to_be_dismissed() {
    let (house, room) = opened().await;
    house.types("ana", "note the import hangs").await;
    house.message(&room, "the import hangs");
    let ana = house.person_id("ana");
    house
        .discord
        .wait_for("nothing left to be read", |state| {
            state.whispers(&ana, &room).is_empty().then_some(())
        })
        .await;
    house.close().await;
}

#[tokio::test]
async fn whoever_is_not_in_the_room_is_told_what_was_done_there() {
    let (house, _) = opened().await;
    let ops = house.ops.clone();
    house.types_in("ana", "INC-1 frame what=slow", &ops).await;
    house.person("ana").is_told(&ops, "INC-1: So far").await;
    house.close().await;
}

#[tokio::test]
async fn help_and_answers_name_commands_as_they_are_picked() {
    let (house, room) = opened().await;
    house.types("ana", "help approve").await;
    house.types("ana", "back confirm not yet").await;
    let told = house.person("ana").whispers(&room).join("\n");
    assert!(told.contains("/incident action approve"), "{told}");
    assert!(!told.contains("/incident approve"), "{told}");
    house.close().await;
}

#[tokio::test]
async fn open_in_a_room_shows_where_it_stands() {
    let (house, room) = opened().await;
    house.types("ana", "").await;
    house.person("ana").is_told(&room, "What is open now").await;
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_in_a_form_is_said_and_the_form_comes_back_filled_in() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let sent = ana.types("/incident frame", &room);
    house.answered(&sent).await;
    let form = on_form(&house, "ana", &room, "Go on").await;
    for (menu, value) in [("Down, slow, or one function", "function")] {
        let chosen = ana.chooses(&room, &form, menu, &[value]);
        house.answered(&chosen).await;
    }
    let on = ana.presses(&room, &form, "Go on");
    house.answered(&on).await;
    let words = ana.form().await;
    let tomorrow = (house.discord.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let filled = json!({ "detail": "the price import", "since": tomorrow });
    let sent = ana.submits(&words, &filled);
    house.answered(&sent).await;
    let wrong = on_form(&house, "ana", &room, "When it began").await;
    let again = ana.presses(&room, &wrong, "Mend it");
    house.answered(&again).await;
    let words = ana.form().await;
    assert!(
        house
            .discord
            .read(|state| state.form_text(&words))
            .contains("the price import")
    );
    let filled = json!({ "detail": "the price import", "since": "10m ago", "works": "orders", "who": "every customer", "impact": "we pay them" });
    let sent = ana.submits(&words, &filled);
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    house.close().await;
}

fn stage(state: &State) -> Stage {
    let proposal = state.proposals.values().next().expect("a proposal");
    proposal.stage.clone()
}

#[tokio::test]
async fn an_approval_is_a_press_of_somebody_else() {
    let (house, room) = opened().await;
    lived_until(&house, "approve-pause").await;
    let state = house.presses("ana", &room, "A1", "Approve").await.expect("one");
    assert!(
        matches!(stage(&state), Stage::Waiting { .. }),
        "their own does not count"
    );
    house.person("ana").is_told(&room, "own").await;
    let state = house.presses("ben", &room, "A1", "Approve").await.expect("one");
    assert!(
        matches!(stage(&state), Stage::Verified { worked: true, .. }),
        "{:?}",
        stage(&state)
    );
    house.close().await;
}

#[tokio::test]
async fn a_button_that_needs_words_opens_a_form_at_once() {
    let (house, room) = opened().await;
    lived_until(&house, "approve-pause").await;
    house.presses("ben", &room, "A1", "Refuse").await;
    let ben = house.person("ben");
    let form = ben.form().await;
    let sent = ben.submits(&form, &json!({ "reason": "not now" }));
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    assert!(
        matches!(stage(&state), Stage::Refused { .. }),
        "{:?}",
        stage(&state)
    );
    house.close().await;
}

#[tokio::test]
async fn what_was_typed_into_a_form_survives_a_restart() {
    let (house, room) = opened().await;
    lived_until(&house, "approve-pause").await;
    house.presses("ben", &room, "A1", "Refuse").await;
    let form = house.person("ben").form().await;
    let house = house.restarted().await;
    let sent = house
        .person("ben")
        .submits(&form, &json!({ "reason": "not now" }));
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    let told = house.person("ben").whispers(&room);
    assert!(matches!(stage(&state), Stage::Refused { .. }), "{told:?}");
    house.close().await;
}

fn standing(state: &State) -> Vec<String> {
    let marks = state.marks.values().filter(|mark| mark.removed.is_none());
    marks.map(|mark| mark.marked.text.clone()).collect()
}

#[tokio::test]
async fn messages_are_marked_by_reaction_and_by_menu_also_in_threads() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let said = ben.says(&room, "I restarted the import at 14:00");
    let thread = ben.opens_thread(&room, &said, "import");
    let reply = ben.says(&thread, "it was the wrong one");
    let task = ben.says(&room, "check the other shop");
    house.settled().await;
    ana.reacts(&room, &said, "📌");
    ana.reacts(&thread, &reply, "📌");
    let picked = ana.uses("Make a task", &room, &task);
    house.answered(&picked).await;
    let state = house.settled().await.expect("an incident");
    let mut marked = standing(&state);
    marked.sort();
    assert!(
        marked.contains(&"I restarted the import at 14:00".to_owned()),
        "{marked:?}"
    );
    assert!(marked.contains(&"it was the wrong one".to_owned()), "{marked:?}");
    assert!(
        state
            .tasks
            .values()
            .any(|task| task.text == "check the other shop")
    );
    ana.unreacts(&room, &said, "📌");
    ben.edits(&thread, &reply, "it was the wrong import");
    ben.link_is_unfurled(&thread, &reply, "https://shop.example");
    let state = house.settled().await.expect("an incident");
    assert!(
        standing(&state).contains(&"it was the wrong import".to_owned()),
        "{:?}",
        standing(&state)
    );
    assert!(!standing(&state).contains(&"I restarted the import at 14:00".to_owned()));
    house.close().await;
}

#[tokio::test]
async fn a_file_that_is_put_on_the_timeline_is_kept_as_evidence() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let bytes = b"ERROR: could not serialize access";
    let said = ben.uploads(&room, "the log", "odoo.log", "text/plain", bytes);
    house.settled().await;
    ana.reacts(&room, &said, "📌");
    let state = house.settled().await.expect("an incident");
    let mark = state.marks.values().next().expect("a mark");
    let kept = format!("{:?}", mark.files);
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(bytes));
    assert!(kept.contains(&sha256), "{kept}");
    house.close().await;
}

#[tokio::test]
async fn a_command_in_a_thread_is_one_in_its_room() {
    let (house, room) = opened().await;
    let said = house.person("ana").says(&room, "Let us write that down");
    let thread = house.person("ana").opens_thread(&room, &said, "notes");
    house
        .types_in("ana", "note the 14:00 run was started by hand", &thread)
        .await;
    let brief = house.app.engine.document(INCIDENT, "markdown", u64::MAX).await;
    let text = String::from_utf8(brief.expect("a document").bytes).expect("text");
    assert!(text.contains("the 14:00 run was started by hand"), "{text}");
    house.close().await;
}

#[tokio::test]
async fn what_is_being_typed_is_completed_in_time() {
    let (house, room) = opened().await;
    lived_until(&house, "approve-pause").await;
    let ana = house.person("ana");
    for (line, expected) in [
        ("/incident probe run probe:", "demo."),
        ("/incident action approve proposal:", "A1"),
        ("/incident set target target:s", "shop"),
        ("/incident runbook show runbook:demo", "demo-shop"),
        ("/incident role take role:com", "commander"),
        ("/incident page send who:b", "ben"),
        ("/incident mark related other:INC", "INC-1"),
        ("/incident status incident:INC", "INC-1"),
        ("/incident action propose action:http", "http.job.pause"),
        ("/incident set process process:fin", "finance-posting"),
    ] {
        let answer = ana.completes(line, &room).await;
        assert!(
            answer.choices().iter().any(|choice| choice.contains(expected)),
            "{line}: {:?}",
            answer.choices()
        );
    }
    house.close().await;
}

#[tokio::test]
async fn somebody_unknown_is_told_who_can_let_them_in() {
    let house = House::open().await;
    house.person("dan");
    house.types("dan", "open Nothing works").await;
    house
        .person("dan")
        .is_told(&house.ops, "does not know you yet")
        .await;
    assert!(house.settled().await.is_none());
    house.close().await;
}

#[tokio::test]
async fn somebody_who_is_silenced_may_read_and_not_command() {
    let (house, room) = opened().await;
    house.person("cleo").leaves_guild();
    let identity = orderly::incident::Identity {
        platform: "discord".to_owned(),
        workspace: house.discord.guild_id(),
        user: house.person_id("cleo"),
    };
    let chat = house.app.discord.clone().expect("an adapter");
    let standing = orderly::chat::Chat::standing(&*chat, &identity).await;
    assert_eq!(standing, Ok(orderly::chat::Standing::Reader), "{room}");
    house.close().await;
}

#[tokio::test]
async fn roles_of_the_server_are_roles_here_and_end_with_them() {
    let discord = orderly_testbed::discord::DiscordServer::start().await;
    let dan = discord.person("dan");
    let sre = discord.role("sre", &[&dan]);
    let house = House::on(discord, &format!("roles = {{ commander = [\"{sre}\"] }}")).await;
    house.types("dan", "open Labels do not print").await;
    let known = |house: &House| {
        let desk = house.app.engine.desk();
        let dan = desk.people.iter().find(|(id, _)| id.0 == "dan");
        dan.map(|(_, person)| person.roles.contains(&Role::Commander))
    };
    assert_eq!(known(&house), Some(true));
    house.discord.set_role(&dan, &sre, false);
    house.types("dan", "status").await;
    assert_eq!(known(&house), Some(false));
    house.close().await;
}

#[tokio::test]
async fn an_answer_that_comes_after_a_quarter_of_an_hour_is_a_direct_message() {
    let (house, room) = opened().await;
    house.types("ana", "status").await;
    house.advance(Duration::from_secs(16 * 60));
    house.settled().await;
    let ana = house.person("ana");
    let identity = orderly::incident::Identity {
        platform: "discord".to_owned(),
        workspace: house.discord.guild_id(),
        user: ana.id().to_owned(),
    };
    let room = orderly::incident::RoomRef {
        platform: "discord".to_owned(),
        workspace: house.discord.guild_id(),
        room,
    };
    let message = orderly::chat::Message {
        fallback: "late".to_owned(),
        blocks: vec![orderly::chat::Block::Text {
            text: "this took its time".into(),
        }],
    };
    let chat = house.app.discord.clone().expect("an adapter");
    for _ in 0..2 {
        let said = orderly::chat::Chat::whisper(&*chat, "late/1", &room, &identity, &message).await;
        assert_eq!(said, Ok(()));
    }
    let direct = house.discord.texts(&ana.direct());
    assert_eq!(
        direct
            .iter()
            .filter(|text| text.contains("this took its time"))
            .count(),
        1,
        "{direct:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_filed_once_at_its_own_time() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let before = ben.says(&room, "heard live");
    let thread = ben.opens_thread(&room, &before, "more");
    house.settled().await;
    // These never arrive, and no resume brings them.
    house.discord.lose_events(3);
    let lost = ben.says(&room, "said into the gap");
    ben.says(&thread, "answered into the gap");
    ana.reacts(&room, &lost, "📌");
    let house = house.restarted().await;
    // After the reading that follows a start; of what that has found, nothing is filed again.
    let discord = house.app.discord.clone().expect("a server");
    discord.catch_up().await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(standing(&state), ["said into the gap"]);
    let log = house.log().await;
    for part in ["heard live", "said into the gap", "answered into the gap"] {
        assert_eq!(
            log.iter().filter(|text| *text == part).count(),
            1,
            "{part}: {log:?}"
        );
    }
    house.close().await;
}
