//! What people do with their hands: forms, buttons, reactions, menus, threads.

use orderly::chat::local;
use orderly::incident::Stage;
use orderly_testbed::slack::{Answer, Fault, Kind, State};
use serde_json::json;

use super::kit::{House, Transport};
use super::story::lived_until;

const OPEN: &str = "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop";

/// The ts of the newest message that shows this.
fn ts_of(house: &House, channel: &str, part: &str) -> String {
    house.slack.read(|slack| {
        let found = slack.find(channel, part);
        found
            .unwrap_or_else(|| panic!("nothing shows {part:?}:\n{}", slack.transcript(channel)))
            .ts
            .clone()
    })
}

async fn opened(transport: Transport) -> (House, String) {
    let house = House::open(transport).await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    (house, room)
}

#[tokio::test]
async fn the_bare_command_opens_the_form_and_the_form_opens_the_incident() {
    for transport in [Transport::Socket, Transport::Http] {
        let house = House::open(transport).await;
        let ana = house.person("ana");
        ana.types("/incident", &house.ops).await;
        let form = house.form(&ana).await;
        let sent = ana
            .submits(&form.id, json!({ "title": "Labels do not print" }))
            .await;
        assert!(sent.payload.is_null(), "{:?}", sent.payload);
        let state = house.settled().await.expect("an incident");
        assert_eq!(state.title, "Labels do not print");
        // In its room, the same command tells where it stands.
        let room = house.room().await;
        ana.types("/incident", &room).await;
        ana.is_told(&room, "What is open now").await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_form_frames_the_incident() {
    let (house, room) = opened(Transport::Socket).await;
    let ana = house.person("ana");
    ana.types("/incident frame", &room).await;
    let form = house.form(&ana).await;
    ana.submits(
        &form.id,
        json!({
            "what": "function", "detail": "the price import", "works": "orders", "who": "every customer",
            "impact": "we pay customers", "since": house.slack.now().timestamp() - 120,
        }),
    )
    .await;
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_in_a_form_is_said_at_its_field() {
    let (house, room) = opened(Transport::Socket).await;
    let ana = house.person("ana");
    ana.types("/incident frame", &room).await;
    let form = house.form(&ana).await;
    let tomorrow = house.slack.now().timestamp() + 86_400;
    let answer = ana
        .submits(
            &form.id,
            json!({ "what": "function", "detail": "the price import", "since": tomorrow }),
        )
        .await;
    assert_eq!(
        answer.payload["response_action"], "errors",
        "{:?}",
        answer.payload
    );
    assert!(
        answer.payload["errors"]["since"].is_string(),
        "{:?}",
        answer.payload
    );
    house.close().await;
}

#[tokio::test]
async fn an_approval_is_a_press_of_somebody_else() {
    let (house, room) = opened(Transport::Http).await;
    lived_until(&house, "approve-pause").await;
    let card = ts_of(&house, &room, "A1");
    // Slack tells people of a mention in what is posted, and not of one that an edit brings.
    let posted = house.slack.calls_of("chat.postMessage").into_iter().find(|call| {
        let key = &call.args["metadata"]["event_payload"]["key"];
        key.as_str().is_some_and(|key| key.contains("/proposal:A1@"))
    });
    let posted = json!(posted.expect("the card of the proposal").args["blocks"]).to_string();
    assert!(posted.contains(r#""user_id":"U0BEN""#), "{posted}");
    assert!(
        !posted.contains(r#""user_id":"U0ANA""#),
        "who proposes does not approve: {posted}"
    );
    house.person("ana").presses(&room, &card, "Approve").await;
    house.settled().await;
    let stage = |state: &orderly::incident::State| {
        let proposal = state.proposals.values().next().expect("a proposal");
        proposal.stage.clone()
    };
    assert!(
        matches!(stage(&house.state().await.expect("one")), Stage::Waiting { .. }),
        "their own does not count"
    );
    house.person("ana").is_told(&room, "own").await;
    house.person("ben").presses(&room, &card, "Approve").await;
    let state = house.settled().await.expect("an incident");
    assert!(
        matches!(stage(&state), Stage::Verified { worked: true, .. }),
        "{:?}",
        stage(&state)
    );
    let shown = house.slack.read(|slack| {
        slack
            .find(&room, "A1")
            .map(|message| slack.plain(message))
            .unwrap_or_default()
    });
    assert!(shown.contains("verified"), "{shown}");
    house.close().await;
}

#[tokio::test]
async fn a_button_that_opens_a_form_shows_it_at_once_and_a_refusal_in_it() {
    let (house, room) = opened(Transport::Socket).await;
    lived_until(&house, "approve-pause").await;
    let card = ts_of(&house, &room, "A1");
    let ben = house.person("ben");
    ben.presses(&room, &card, "Refuse").await;
    house
        .slack
        .until("the form of the refusal", |slack| {
            slack
                .form(ben.id())
                .is_some_and(|view| view.body["callback_id"] == "orderly:form")
        })
        .await;
    let form = ben.form().await;
    ben.submits(&form.id, json!({ "reason": "not now" })).await;
    let state = house.settled().await.expect("an incident");
    let proposal = state.proposals.values().next().expect("a proposal");
    assert!(
        matches!(proposal.stage, Stage::Refused { .. }),
        "{:?}",
        proposal.stage
    );
    house.close().await;
}

#[tokio::test]
async fn messages_are_marked_by_reaction_and_by_menu_also_in_threads() {
    let (house, room) = opened(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    ben.joins(&room);
    let said = ben.says(&room, "I restarted the import at 14:00");
    let reply = ben.replies(&room, &said, "it was the wrong one");
    let task = ben.says(&room, "check the other shop");
    house.settled().await;
    ana.reacts(&room, &said, "pushpin");
    ana.reacts(&room, &reply, "pushpin");
    ana.shortcut_on("orderly:task", &room, &task).await;
    let state = house.settled().await.expect("an incident");
    let marked: Vec<&str> = state
        .marks
        .values()
        .map(|mark| mark.marked.text.as_str())
        .collect();
    assert!(marked.contains(&"I restarted the import at 14:00"), "{marked:?}");
    assert!(marked.contains(&"it was the wrong one"), "{marked:?}");
    assert!(
        state
            .tasks
            .values()
            .any(|task| task.text == "check the other shop")
    );
    ana.unreacts(&room, &said, "pushpin");
    ben.edits(&room, &reply, "it was the wrong import");
    let state = house.settled().await.expect("an incident");
    let standing: Vec<&str> = state
        .marks
        .values()
        .filter(|mark| mark.removed.is_none())
        .map(|mark| mark.marked.text.as_str())
        .collect();
    assert_eq!(standing, ["it was the wrong import"]);
    house.close().await;
}

#[tokio::test]
async fn a_file_that_is_put_on_the_timeline_is_kept_as_evidence() {
    let (house, room) = opened(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    ben.joins(&room);
    let (said, _) = ben.uploads(
        &room,
        "odoo.log",
        "text/plain",
        b"ERROR: could not serialize access",
    );
    house.settled().await;
    ana.reacts(&room, &said, "pushpin");
    let state = house.settled().await.expect("an incident");
    let mark = state.marks.values().next().expect("a mark");
    assert_eq!(mark.marked.files.len(), 1);
    assert_eq!(mark.files.len(), 1, "{:?}", mark.files);
    let kept = format!("{:?}", mark.files);
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
        b"ERROR: could not serialize access",
    ));
    assert!(kept.contains(&sha256), "{kept}");
    house.close().await;
}

#[tokio::test]
async fn a_mention_in_a_thread_is_a_command() {
    let (house, room) = opened(Transport::Socket).await;
    let ana = house.person("ana");
    let said = ana.says(&room, "Let us write that down");
    let bot = house.slack.bot_user();
    ana.replies(
        &room,
        &said,
        &format!("<@{bot}> note the 14:00 run was started by hand"),
    );
    house.settled().await;
    let brief = house
        .app
        .engine
        .document(super::kit::INCIDENT, "markdown", u64::MAX)
        .await;
    let text = String::from_utf8(brief.expect("a document").bytes).expect("text");
    assert!(text.contains("the 14:00 run was started by hand"), "{text}");
    house.close().await;
}

#[tokio::test]
async fn guests_strangers_bots_and_deactivated_accounts_may_read_and_not_command() {
    type Change = fn(&mut orderly_testbed::slack::User);
    let less: [(&str, Change); 5] = [
        ("a guest", |account| account.kind = Kind::Guest),
        ("a guest of one channel", |account| {
            account.kind = Kind::SingleChannelGuest
        }),
        ("a stranger", |account| account.kind = Kind::Stranger),
        ("a bot", |account| account.kind = Kind::Bot),
        ("deactivated", |account| account.deleted = true),
    ];
    let (house, room) = opened(Transport::Socket).await;
    let cleo = house.person("cleo");
    cleo.joins(&room);
    for (what, change) in less {
        house.slack.change_account(&cleo, |account| {
            (account.kind, account.deleted) = (Kind::Person, false);
            change(account);
        });
        house.settled().await;
        let refused = || {
            let told = cleo.whispers(&room);
            told.iter()
                .filter(|told| told.contains("may read here, not command"))
                .count()
        };
        let before = refused();
        cleo.types("/incident status", &room).await;
        cleo.is_told(&room, "INC-1").await;
        cleo.types("/incident take commander", &room).await;
        let state = house.settled().await.expect("an incident");
        assert_eq!(refused(), before + 1, "{what} is told why");
        assert_eq!(state.commander(), None, "{what} commands");
    }
    house.close().await;
}

#[tokio::test]
async fn somebody_unknown_is_told_who_can_let_them_in() {
    let house = House::open(Transport::Socket).await;
    let dan = house.person("dan");
    dan.joins(&house.ops);
    dan.types("/incident open Nothing works", &house.ops).await;
    dan.is_told(&house.ops, "does not know you yet").await;
    assert!(house.settled().await.is_none());
    house.close().await;
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_filed_once_at_its_own_time() {
    let (house, room) = opened(Transport::Socket).await;
    let ben = house.person("ben");
    ben.joins(&room);
    let before = ben.says(&room, "heard live");
    house.settled().await;
    // Slack's own copies of these never arrive.
    house.slack.hold_events();
    let lost = ben.says(&room, "said into the gap");
    let reply = ben.replies(&room, &before, "answered into the gap");
    ben.reacts(&room, &lost, "pushpin");
    house.slack.drop_sockets();
    house.slack.connected(2).await;
    let found = |texts: Vec<String>| texts.iter().filter(|text| *text == "said into the gap").count();
    house
        .slack
        .until("history to be read", |slack| {
            slack
                .calls_of("conversations.replies")
                .iter()
                .any(|call| call.args["ts"] == before.as_str())
        })
        .await;
    house.app.engine.quiet().await;
    house.slack.let_events_go(false);
    let state = house.settled().await.expect("an incident");
    let marked: Vec<&str> = state
        .marks
        .values()
        .map(|mark| mark.marked.text.as_str())
        .collect();
    assert_eq!(marked, ["said into the gap"]);
    let log = house.log(&room).await;
    assert_eq!(found(log.clone()), 1, "{log:?}");
    assert_eq!(
        log.iter().filter(|text| *text == "answered into the gap").count(),
        1,
        "{log:?} {reply}"
    );
    house.close().await;
}

#[tokio::test]
async fn slack_and_the_page_are_one_incident() {
    let (house, _) = opened(Transport::Socket).await;
    let verdict = house
        .typed_elsewhere(local::identity("ben"), "INC-1 note seen on the page")
        .await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
    house.settled().await;
    house.close().await;
}

#[tokio::test]
async fn the_home_tab_shows_what_is_open_and_what_waits() {
    let (house, _) = opened(Transport::Socket).await;
    lived_until(&house, "approve-pause").await;
    house
        .types("ana", "task add check the other shop owner=@ben")
        .await;
    let ben = house.person("ben");
    ben.opens_home();
    let home = ben.home().await;
    let shown = home.body.to_string();
    for part in ["INC-1", "Pause", "check the other shop", "Open an incident"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    ben.presses_in(&home.id, "Open an incident").await;
    let form = ben.form().await;
    house
        .slack
        .until("the form", |slack| {
            slack
                .form(ben.id())
                .is_some_and(|view| view.body["callback_id"] == "orderly:form")
        })
        .await;
    let sent = ben.submits(&form.id, json!({ "title": "Another one" })).await;
    assert!(sent.payload.is_null(), "{:?}", sent.payload);
    house.settled().await;
    assert!(
        house
            .slack
            .read(|slack| slack.find_channel("inc-2-another-one").is_some())
    );
    house.close().await;
}

/// What the home tab shows somebody who looks at it now.
async fn at_home(house: &House, who: &str) -> String {
    let person = house.person(who);
    let before = house.slack.calls_of("views.publish").len();
    person.opens_home();
    let shown = |slack: &State| {
        slack.calls_of("views.publish").len() > before && slack.calls_open("views.publish") == 0
    };
    house.slack.until("a home tab", shown).await;
    person.home().await.body.to_string()
}

#[tokio::test]
async fn the_home_tab_asks_only_those_who_can_approve_and_have_not() {
    let (house, _) = opened(Transport::Socket).await;
    lived_until(&house, "approve-pause").await;
    assert!(at_home(&house, "ben").await.contains("to approve"));
    for who in ["ana", "cleo"] {
        let shown = at_home(&house, who).await;
        assert!(!shown.contains("to approve"), "{who}: {shown}");
    }
    house.types("ben", "approve A1").await;
    assert!(!at_home(&house, "ben").await.contains("to approve"));
    house.close().await;
}

#[tokio::test]
async fn a_home_tab_that_slack_lets_wait_is_shown_as_things_stand_then() {
    let (house, _) = opened(Transport::Http).await;
    let ben = house.person("ben");
    house.slack.fault("views.publish", 1, Fault::Limited(30));
    ben.opens_home();
    let limited = |slack: &State| {
        let calls = slack.calls_of("views.publish");
        calls.iter().any(|call| call.answer == Answer::Limited)
    };
    house.slack.until("a limit", limited).await;
    house
        .types("ana", "task add check the other shop owner=@ben")
        .await;
    house
        .passes_until(async || house.slack.read(|slack| slack.home(ben.id()).is_some()))
        .await;
    let shown = ben.home().await.body.to_string();
    assert!(shown.contains("check the other shop"), "{shown}");
    house.settled().await;
    house.close().await;
}
