//! What the page's script and other scripts post to. JSON in, JSON out; a refusal is `{"error": words}`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::guard::Caller;
use super::problem::{Problem, Result};
use super::render;
use super::{App, BODY_MAX};
use crate::chat::local::{PAGE_MAX, Stored, Typed};
use crate::chat::{Message, Upload, Verdict};
use crate::incident::MessageRef;

/// How long `?wait=decided` waits. What is not decided by then is still durable, and the answer says so (202).
const WAIT_MAX: Duration = Duration::from_secs(20);
/// A file's name: what file systems take.
const FILE_NAME_MAX: usize = 200;

/// A JSON body, refused with words.
pub(super) struct Body<T>(T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let bytes = Bytes::from_request(request, app).await.map_err(unread)?;
        let wrong = |error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("The body is not the JSON expected: {error}."),
            )
        };
        serde_json::from_slice(&bytes).map(Body).map_err(wrong)
    }
}

fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let words =
                format!("That is too long: {BODY_MAX} bytes are the most. Attach it as a file instead.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words)
        }
        status => Problem::new(
            status,
            "The request broke off before it was complete. Send it again.",
        ),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wait {
    wait: Option<String>,
}

#[derive(Debug, Serialize)]
struct Taken {
    id: Option<u64>,
    /// Why there is no decision yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

/// Answers for what is durable in the inbox: its number, or, if asked for, what was decided.
async fn answer(app: &App, id: Option<u64>, wait: &Wait) -> Result<Response> {
    let taken = |message| (StatusCode::ACCEPTED, Json(Taken { id, message })).into_response();
    let (Some(id), Some("decided")) = (id, wait.wait.as_deref()) else {
        return Ok(taken(None));
    };
    match tokio::time::timeout(WAIT_MAX, app.deps.chat.verdict(id)).await {
        Err(_) => Ok(taken(None)),
        Ok(verdict) => match verdict? {
            // Stored, and to be decided: no refusal, after which one tries again.
            verdict if !verdict.is_confirmed() => Ok(taken(Some(verdict.message))),
            verdict => Ok(decided(verdict)),
        },
    }
}

fn decided(verdict: Verdict) -> Response {
    let status = if verdict.accepted {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    (status, Json(verdict)).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Text {
    text: String,
    /// A script's own name for this, so that it can send it again safely.
    key: Option<String>,
    thread: Option<i64>,
}

/// A command, with or without `/incident` in front.
pub(super) async fn command(
    State(app): State<App>,
    caller: Caller,
    Path(room): Path<String>,
    Query(wait): Query<Wait>,
    Body(body): Body<Text>,
) -> Result<Response> {
    let chat = &app.deps.chat;
    let text = match chat.typed(&body.text) {
        Typed::Command(text) | Typed::Message(text) => text,
        Typed::Unknown(word) => return Err(chat.no_command(word).into()),
    };
    let (tab, key) = (caller.tab.as_deref(), body.key.as_deref());
    let id = chat
        .command(&caller.person.identity, &room, text, tab, key)
        .await?;
    answer(&app, id, &wait).await
}

/// What somebody typed in the message box: a message (201), or a command (202).
pub(super) async fn say(
    State(app): State<App>,
    caller: Caller,
    Path(room): Path<String>,
    Query(wait): Query<Wait>,
    Body(body): Body<Text>,
) -> Result<Response> {
    let (chat, who, key) = (&app.deps.chat, &caller.person.identity, body.key.as_deref());
    match chat.typed(&body.text) {
        Typed::Command(text) => {
            let id = chat.command(who, &room, text, caller.tab.as_deref(), key).await?;
            answer(&app, id, &wait).await
        }
        Typed::Message(text) => Ok(created(&chat.say(who, &room, body.thread, text, key).await?)),
        Typed::Unknown(word) => Err(chat.no_command(word).into()),
    }
}

fn created(message: &MessageRef) -> Response {
    (StatusCode::CREATED, Json(json!({ "message": message.message }))).into_response()
}

pub(super) async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path((room, message)): Path<(String, i64)>,
    Body(body): Body<Text>,
) -> Result<StatusCode> {
    app.deps
        .chat
        .edit(&caller.person.identity, &room, message, &body.text)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((room, message)): Path<(String, i64)>,
) -> Result<StatusCode> {
    app.deps
        .chat
        .delete(&caller.person.identity, &room, message)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn react(
    State(app): State<App>,
    caller: Caller,
    Path((room, message, emoji)): Path<(String, i64, String)>,
) -> Result<StatusCode> {
    app.deps
        .chat
        .react(&caller.person.identity, &room, message, &emoji, true)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unreact(
    State(app): State<App>,
    caller: Caller,
    Path((room, message, emoji)): Path<(String, i64, String)>,
) -> Result<StatusCode> {
    app.deps
        .chat
        .react(&caller.person.identity, &room, message, &emoji, false)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One of the two: a button of the message, or an entry of the menu every message has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pressed {
    Button(String),
    Menu(String),
}

pub(super) async fn press(
    State(app): State<App>,
    caller: Caller,
    Path((room, message)): Path<(String, String)>,
    Query(wait): Query<Wait>,
    Body(body): Body<Pressed>,
) -> Result<Response> {
    let (chat, who, tab) = (&app.deps.chat, &caller.person.identity, caller.tab.as_deref());
    let id = match body {
        Pressed::Button(mark) => chat.press(who, &room, &message, &mark, tab).await?,
        Pressed::Menu(id) => {
            let item = app
                .settings
                .menu
                .iter()
                .find(|item| item.id == id)
                .ok_or_else(Problem::not_found)?;
            let message = message.parse().map_err(|_| Problem::not_found())?;
            chat.pick(who, &room, message, &item.press, tab).await?
        }
    };
    answer(&app, id, &wait).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Filled {
    path: String,
    #[serde(default)]
    fixed: BTreeMap<String, String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    key: Option<String>,
}

/// A form, filled in. With `?wait=decided` a refusal names the field it is about.
pub(super) async fn submit(
    State(app): State<App>,
    caller: Caller,
    Path(room): Path<String>,
    Query(wait): Query<Wait>,
    Body(body): Body<Filled>,
) -> Result<Response> {
    let (chat, who) = (&app.deps.chat, &caller.person.identity);
    let (path, fixed, key) = (body.path, body.fixed, body.key);
    let id = chat
        .submit(who, &room, &path, fixed.clone(), body.values, key.as_deref())
        .await?;
    let answer = answer(&app, id, &wait).await?;
    if answer.status().is_success() {
        chat.submitted(who, &path, &fixed);
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
pub(super) struct Attached {
    name: String,
    #[serde(default)]
    comment: String,
    thread: Option<i64>,
}

/// A file: its bytes are the body, its name and comment are in the query.
pub(super) async fn attach(
    State(app): State<App>,
    caller: Caller,
    Path(room): Path<String>,
    Query(about): Query<Attached>,
    headers: HeaderMap,
    bytes: std::result::Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let bytes = bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let most = crate::chat::local::FILE_MAX;
            let words = format!(
                "That file is too large: {most} bytes are the most. Cut it to the lines that matter."
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words)
        }
        _ => unread(rejection),
    })?;
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let file = Upload {
        name: about.name.chars().take(FILE_NAME_MAX).collect(),
        media_type: media_type.unwrap_or("application/octet-stream").to_owned(),
        bytes: bytes.into(),
        comment: about.comment,
    };
    Ok(created(
        &app.deps
            .chat
            .attach(&caller.person.identity, &room, about.thread, file)
            .await?,
    ))
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    before: Option<i64>,
    thread: Option<i64>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct Messages {
    messages: Vec<Stored>,
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(room): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Messages>> {
    let chat = &app.deps.chat;
    let room = chat.room(&caller.person.identity, &room)?;
    let messages = match which.thread {
        Some(root) => chat.thread(&room.id, root).await?,
        None => {
            chat.messages(&room.id, which.before, which.limit.unwrap_or(PAGE_MAX))
                .await?
        }
    };
    Ok(Json(Messages { messages }))
}

pub(super) async fn message(
    State(app): State<App>,
    caller: Caller,
    Path((room, message)): Path<(String, i64)>,
) -> Result<Json<Stored>> {
    let room = app.deps.chat.room(&caller.person.identity, &room)?;
    let message = app.deps.chat.message(&room.id, message).await?;
    message.map(Json).ok_or_else(Problem::not_found)
}

pub(super) async fn rooms(State(app): State<App>, caller: Caller) -> Response {
    let rooms = app.deps.chat.rooms(&caller.person.identity);
    let rooms: Vec<&_> = rooms.iter().map(|room| &**room).collect();
    Json(json!({ "rooms": rooms })).into_response()
}

/// The forms that wait for this person, for scripts.
pub(super) async fn forms(State(app): State<App>, caller: Caller) -> Response {
    let forms = app.deps.chat.forms(&caller.person.identity.user);
    let forms: Vec<&_> = forms.iter().map(|form| &**form).collect();
    Json(json!({ "forms": forms })).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Half {
    room: String,
    typed: String,
}

pub(super) async fn complete(
    State(app): State<App>,
    caller: Caller,
    Query(half): Query<Half>,
) -> Result<Response> {
    let found = app
        .deps
        .chat
        .complete(&caller.person.identity, &half.room, &half.typed)
        .await?;
    let shown: Vec<_> = found
        .iter()
        .map(|(text, about)| json!({ "text": text, "about": render::visible(about) }))
        .collect();
    Ok(Json(json!({ "completions": shown })).into_response())
}

pub(super) async fn dismiss(State(app): State<App>, caller: Caller, Path(id): Path<u64>) -> StatusCode {
    app.deps.chat.dismiss(&caller.person.identity.user, id);
    StatusCode::NO_CONTENT
}
