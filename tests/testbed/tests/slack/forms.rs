//! Buttons, forms and the home tab.

use std::time::Duration;

use orderly_testbed::slack::{SlackServer, View};
use serde_json::{Value, json};

use crate::bot::Api;

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn form() -> Value {
    let option = |value: &str| json!({ "text": plain(&value.to_uppercase()), "value": value });
    json!({
        "type": "modal", "callback_id": "open", "title": plain("Open"), "submit": plain("Go"),
        "blocks": [
            { "type": "input", "block_id": "what", "label": plain("Summary"),
              "element": { "type": "plain_text_input", "action_id": "text" } },
            { "type": "input", "block_id": "how", "label": plain("Severity"),
              "element": { "type": "static_select", "action_id": "severity",
                           "initial_option": option("sev2"), "options": [option("sev1"), option("sev2")] } },
            { "type": "input", "block_id": "who", "label": plain("Commander"), "optional": true,
              "element": { "type": "users_select", "action_id": "user" } },
        ],
    })
}

async fn opened(slack: &SlackServer, api: &Api) -> View {
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let sent = ana.types("/incident", &ops);
    api.done(
        "views.open",
        json!({ "trigger_id": sent.trigger_id(), "view": form() }),
    )
    .await;
    let used = json!({ "trigger_id": sent.trigger_id(), "view": form() });
    assert_eq!(api.refused("views.open", used).await, "exchanged_trigger_id");
    ana.form().await
}

#[tokio::test]
async fn a_form_is_filled_refused_corrected_and_taken() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    let view = opened(&slack, &api).await;
    let ana = slack.person("ana");
    let command = socket.next().await;
    socket.ack(&command, Value::Null).await;

    let sent = ana.submits(&view.id, json!({ "Summary": "Orders hang", "severity": "sev1" }));
    let envelope = socket.next().await;
    let values = &envelope["payload"]["view"]["state"]["values"];
    assert_eq!(values["what"]["text"]["value"], "Orders hang");
    assert_eq!(values["how"]["severity"]["selected_option"]["value"], "sev1");
    assert_eq!(values["who"]["user"]["selected_user"], Value::Null);
    let errors = json!({ "response_action": "errors", "errors": { "what": "Which orders?" } });
    socket.ack(&envelope, errors).await;
    sent.await;
    let text = slack.read(|state| state.view_text(&state.form(ana.id()).unwrap()));
    assert_eq!(
        text,
        "== Open ==\nSummary: []\n  ! Which orders?\nSeverity: [SEV2 ▾]\nCommander (optional): []\n[Go]"
    );
    let sent = ana.submits(&view.id, json!({ "Summary": "Sales orders hang" }));
    let envelope = socket.next().await;
    socket.ack(&envelope, Value::Null).await;
    sent.await;
    assert_eq!(slack.read(|state| state.forms_open(ana.id())), 0);
}

#[tokio::test]
async fn a_trigger_opens_nothing_after_three_seconds() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let sent = ana.types("/incident", &ops);
    let envelope = socket.next().await;
    socket.ack(&envelope, Value::Null).await;
    let trigger = sent.trigger_id();
    sent.await;
    slack.advance(Duration::from_millis(3001));
    let open = json!({ "trigger_id": trigger, "view": form() });
    assert_eq!(api.refused("views.open", open).await, "expired_trigger_id");
}

#[tokio::test]
async fn an_update_keeps_what_was_typed_and_minds_the_hash() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let _socket = api.socket().await;
    let view = opened(&slack, &api).await;
    let ana = slack.person("ana");
    ana.fills(&view.id, "Summary", "half a sent");
    let mut update = json!({ "view_id": view.id, "hash": view.hash, "view": form() });
    api.done("views.update", update.clone()).await;
    assert_eq!(ana.form().await.field("Summary")["value"], "half a sent");
    assert_eq!(api.refused("views.update", update.clone()).await, "hash_conflict");
    ana.closes(&view.id);
    update["hash"] = Value::Null;
    assert_eq!(api.refused("views.update", update).await, "not_found");
}

#[tokio::test]
async fn buttons_and_menus_of_a_message_tell_where_they_stand() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let blocks = json!([
        { "type": "section", "text": { "type": "mrkdwn", "text": "Restart <#C1|it>?" } },
        { "type": "actions", "elements": [
            { "type": "button", "action_id": "approve", "text": plain("Approve"), "value": "p1" },
            { "type": "users_select", "action_id": "lead", "placeholder": plain("Lead") },
        ] },
    ]);
    let posted = api
        .done(
            "chat.postMessage",
            json!({ "channel": ops, "text": "Restart?", "blocks": blocks }),
        )
        .await;
    let ts = posted["ts"].as_str().unwrap();
    assert_eq!(slack.texts("ops"), ["Restart #C1?\n[Approve] [Lead]"]);
    socket.event().await;

    let sent = ana.presses(&ops, ts, "Approve");
    let envelope = socket.next().await;
    let payload = &envelope["payload"];
    assert_eq!(
        (&payload["type"], &payload["actions"][0]["value"]),
        (&json!("block_actions"), &json!("p1"))
    );
    assert_eq!(payload["message"]["ts"], json!(ts));
    assert!(!payload["actions"][0]["block_id"].is_null());
    let url = payload["response_url"].as_str().unwrap();
    let replacement = json!({ "replace_original": true, "text": "Restarted" });
    assert_eq!(api.post(url, &replacement).await.status(), 200);
    socket.ack(&envelope, Value::Null).await;
    sent.await;
    assert_eq!(slack.texts("ops"), ["Restarted"]);
}

#[tokio::test]
async fn the_home_tab_is_published_and_used() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    let ana = slack.person("ana");
    ana.opens_home();
    assert_eq!(socket.event().await["type"], "app_home_opened");
    let button = json!({ "type": "button", "action_id": "new", "text": plain("Open an incident") });
    let home = json!({ "type": "home", "blocks": [{ "type": "actions", "elements": [button] }] });
    api.done("views.publish", json!({ "user_id": ana.id(), "view": home }))
        .await;
    let view = ana.home().await;
    assert_eq!(slack.read(|state| state.view_text(&view)), "[Open an incident]");
    let _sent = ana.presses_in(&view.id, "new");
    let envelope = socket.next().await;
    assert_eq!(envelope["payload"]["container"]["type"], "view");
    assert_eq!(envelope["payload"]["view"]["id"], json!(view.id));
}

#[tokio::test]
async fn fields_of_a_message_travel_with_the_button_and_old_buttons_still_arrive() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let button = json!({ "type": "button", "action_id": "answer", "text": plain("Answer"), "value": "q1" });
    let field = json!({ "type": "plain_text_input", "action_id": "text" });
    let blocks = json!([
        { "type": "input", "block_id": "since", "label": plain("Since when?"), "element": field },
        { "type": "actions", "block_id": "go", "elements": [button] },
    ]);
    let posted = api
        .done(
            "chat.postMessage",
            json!({ "channel": ops, "text": "?", "blocks": blocks }),
        )
        .await;
    let ts = posted["ts"].as_str().unwrap();
    socket.event().await;
    let _first = ana.presses_with(&ops, ts, "Answer", &json!({ "Since when?": "nine" }));
    let payload = socket.next().await["payload"].take();
    assert_eq!(payload["state"]["values"]["since"]["text"]["value"], "nine");
    api.done(
        "chat.update",
        json!({ "channel": ops, "ts": ts, "text": "answered" }),
    )
    .await;
    socket.next().await;
    let _second = ana.presses_old(&ops, ts, "go", button);
    let payload = socket.next().await["payload"].take();
    assert_eq!(
        (&payload["actions"][0]["value"], &payload["message"]["text"]),
        (&json!("q1"), &json!("answered"))
    );
}
