//! What people write to break things: mentions that must not fire, markup that must stay text, and far too much of it.

use orderly::chat::{Block, Chat, Message};
use orderly_testbed::slack::SlackServer;
use serde_json::{Value, json};

use super::kit::{House, Transport};
use super::story::lived_until;

/// Each as a person can type it; Slack sends `&`, `<` and `>` escaped, as it does for everybody.
const HOSTILE: [&str; 8] = [
    "&lt;!channel&gt; wake up",
    "&lt;@U0BEN&gt; did it",
    "&lt;!subteam^S123|@oncall&gt; look",
    "&amp;lt;!here&amp;gt; twice escaped",
    "`code` ```fence *bold _it ~gone &gt; quote",
    "\u{202e}txet desrever\u{202c} \u{2066}and isolated",
    "&lt;https://evil.example|https://status.example.com&gt;",
    "a | b || c \\ \" ' % {0} ${x} $(rm)",
];

/// Whether a text that Slack reads as its markup would fire a mention or hide an address behind another.
fn fires(markup: &str) -> bool {
    [
        "<!channel",
        "<!here",
        "<!everyone",
        "<!subteam",
        "<@U0BEN>",
        "<https://evil",
    ]
    .iter()
    .any(|mention| markup.contains(mention))
}

/// Every text of a call that Slack reads as markup.
fn markup<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            let plain = fields
                .get("type")
                .is_some_and(|kind| kind == "plain_text" || kind == "text");
            for (name, inner) in fields {
                match inner {
                    Value::String(text) => {
                        let read = matches!(name.as_str(), "text" | "topic" | "purpose" | "initial_comment");
                        if read && !plain {
                            found.push(text);
                        }
                    }
                    _ => markup(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| markup(item, found)),
        _ => {}
    }
}

fn nothing_fires(slack: &SlackServer) {
    slack.read(|slack| {
        for call in slack.calls() {
            let args = Value::Object(call.args.clone());
            let mut found = Vec::new();
            markup(&args, &mut found);
            for text in found {
                assert!(!fires(text), "{} would fire: {text}", call.method);
            }
        }
    });
}

#[tokio::test]
async fn nothing_that_people_write_fires_a_mention_or_becomes_markup() {
    for transport in [Transport::Socket, Transport::Http] {
        let house = House::open(transport).await;
        house
            .types("ana", &format!("open {} severity=SEV2", HOSTILE[0]))
            .await;
        let room = house.room().await;
        let (ana, ben) = (house.person("ana"), house.person("ben"));
        ben.joins(&room);
        for hostile in HOSTILE {
            for line in ["title", "note", "task add", "followup add", "update send"] {
                house.types("ana", &format!("{line} {hostile}")).await;
            }
            let said = ben.says(&room, hostile);
            let (file, _) = ben.uploads(&room, hostile, "text/plain", b"x");
            ana.reacts(&room, &said, "pushpin");
            ana.reacts(&room, &file, "pushpin");
            house.settled().await;
        }
        for line in ["status", "brief", "timeline", "list", "postmortem export html"] {
            house.types("ana", line).await;
        }
        ana.opens_home();
        ana.home().await;
        nothing_fires(&house.slack);
        house.close().await;
    }
}

#[tokio::test]
async fn hostile_words_in_a_form_come_back_as_words() {
    let house = House::open(Transport::Http).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let ana = house.person("ana");
    for hostile in HOSTILE {
        ana.types("/incident frame", &room).await;
        let form = house.form(&ana).await.id;
        let values = json!({
            "what": "function", "detail": hostile, "works": hostile, "who": hostile, "impact": hostile,
            "since": house.slack.now().timestamp() - 120,
        });
        ana.submits(&form, values).await;
        house.settled().await;
    }
    nothing_fires(&house.slack);
    house.close().await;
}

#[tokio::test]
async fn a_hundred_kilobytes_are_cut_where_it_makes_sense_or_refused_with_words() {
    let house = House::open(Transport::Http).await;
    let much = "Labels do not print. ".repeat(5_000);
    let ana = house.person("ana");
    ana.types(&format!("/incident open {much} severity=SEV2"), &house.ops)
        .await;
    if house.settled().await.is_none() {
        assert!(
            !ana.whispers(&house.ops).is_empty(),
            "refused, and nobody is told"
        );
        house.types("ana", "open Labels do not print severity=SEV2").await;
    }
    let room = house.room().await;
    let ben = house.person("ben");
    ben.joins(&room);
    for line in [
        "title",
        "note",
        "task add",
        "followup add",
        "update send",
        "nonsense",
        "role take",
        "task assign T1",
        "runbook use",
        "redact",
        "room",
    ] {
        let told = ana.whispers(&room).len();
        let shown = house.slack.texts(&room).len();
        ana.types(&format!("/incident {line} {much}"), &room).await;
        house.settled().await;
        let answered = ana.whispers(&room).len() > told || house.slack.texts(&room).len() > shown;
        assert!(answered, "{line} is met with silence");
    }
    let said = ben.says(&room, &much);
    ana.reacts(&room, &said, "pushpin");
    house.settled().await;
    for line in ["status", "brief", "timeline", "postmortem export html"] {
        house.types("ana", line).await;
    }
    house.close().await;
}

#[tokio::test]
async fn an_answer_too_long_for_one_message_comes_in_several() {
    let house = House::open(Transport::Http).await;
    let ana = house.person("ana");
    let words: Vec<String> = (0..1_500).map(|at| format!("word{at:04} and so on")).collect();
    let answer = Message {
        fallback: "much".to_owned(),
        blocks: words
            .chunks(100)
            .map(|part| Block::Text {
                text: part.join(" ").into(),
            })
            .collect(),
    };
    let (room, to) = (house.lobby(), house.identity(&ana));
    let slack = house.app.slack.clone().expect("a workspace");
    slack
        .whisper("answer", &room, &to, &answer)
        .await
        .expect("an answer");
    let told = ana.whispers(&house.ops);
    assert!(told.len() > 1, "{} messages", told.len());
    let all = told.join("\n");
    let missing = words.iter().filter(|word| !all.contains(word.as_str()));
    assert_eq!(missing.count(), 0, "nothing of it is lost");
    house.close().await;
}

#[tokio::test]
async fn however_long_the_reason_is_the_card_shows_what_will_run_and_who_refused_it_when() {
    let house = House::open(Transport::Http).await;
    lived_until(&house, "pause").await;
    let reason = "🙂".repeat(3_000);
    let line = format!("propose http.job.pause shop job=import-prices reason=\"{reason}\"");
    let state = house.types("ana", &line).await.expect("an incident");
    let (id, proposal) = state.proposals.first_key_value().expect("a proposal");
    assert_eq!(proposal.reason, reason);
    let room = house.room().await;
    let card = || {
        let mut texts = house.slack.texts(&room).into_iter();
        texts
            .rfind(|text| text.contains("Approvals needed:"))
            .expect("its card")
    };
    let shown = proposal.stage.shown().expect("it can be approved");
    for line in shown.preview.operation.display.lines() {
        assert!(card().contains(line), "{line}\n{}", card());
    }
    assert!(card().contains("Approve"), "{}", card());
    let refusal = format!("action refuse {id} the wrong job");
    let state = house.types("ben", &refusal).await.expect("an incident");
    let when = state.proposals[id].since.format("%H:%M");
    assert!(card().contains("the wrong job"), "{}", card());
    assert!(card().contains(&format!("{when}")), "{when}: {}", card());
    house.close().await;
}

#[tokio::test]
async fn buttons_posted_by_the_first_version_are_answered() {
    let golden: Vec<Value> =
        serde_json::from_str(include_str!("buttons-v1.json")).expect("a list of buttons");
    let house = House::open(Transport::Http).await;
    lived_until(&house, "approve-pause").await;
    let room = house.room().await;
    let card = house.slack.read(|slack| slack.channel(&room).pins[0].ts.clone());
    let ben = house.person("ben");
    ben.joins(&room);
    for button in golden {
        let answers = || {
            let told = ben.whispers(&room).len();
            let calls = ["views.open", "chat.postMessage", "chat.update"];
            let calls: Vec<usize> = calls
                .iter()
                .map(|method| house.slack.calls_of(method).len())
                .collect();
            (told, calls)
        };
        let before = answers();
        let element = json!({
            "type": "button", "action_id": "o1:0", "value": button["value"],
            "text": { "type": "plain_text", "text": button["label"] },
        });
        ben.presses_old(&room, &card, "b1", element).await;
        house.settled().await;
        assert_ne!(answers(), before, "{} is met with silence", button["label"]);
    }
    house.close().await;
}
