//! The pages: rendered whole on the server, usable without a script.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use minijinja::context;
use minijinja::value::Value;
use serde::Deserialize;

use super::App;
use super::guard::{Visitor, theme};
use super::problem::{Problem, Result};
use super::render::{self, encoded, fragment};
use super::view::{MessageView, person_view, room_view, whisper_view};
use crate::chat::local::{EMOJI, FILE_MAX, LOBBY, Room, Stored, Typed};
use crate::incident::PersonId;

/// Messages of a freshly opened room: a screen or three; more come on scrolling up.
const FIRST: u32 = 60;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Show {
    thread: Option<i64>,
    before: Option<i64>,
}

pub(super) async fn home(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Html<String>> {
    page(&app, &visitor, LOBBY, &Show::default(), &headers).await
}

pub(super) async fn room(
    State(app): State<App>,
    visitor: Visitor,
    Path(room): Path<String>,
    Query(show): Query<Show>,
    headers: HeaderMap,
) -> Result<Html<String>> {
    page(&app, &visitor, &room, &show, &headers).await
}

async fn page(
    app: &App,
    visitor: &Visitor,
    room: &str,
    show: &Show,
    headers: &HeaderMap,
) -> Result<Html<String>> {
    let on_page = |problem: Problem| problem.page();
    let (me, chat) = (&visitor.person, &app.deps.chat);
    // Taken first: what changes while the page is made is sent again as soon as it listens.
    let mark = chat.mark();
    let room = chat
        .room(&me.identity, room)
        .map_err(Problem::from)
        .map_err(on_page)?;
    let stored = chat
        .messages(&room.id, show.before, FIRST)
        .await
        .map_err(Problem::from)
        .map_err(on_page)?;
    let older = stored
        .first()
        .map(|first| first.id)
        .filter(|_| stored.len() as u32 == FIRST);
    let messages = with_whispers(app, visitor, &room, stored, show.before.is_none()).await;
    let thread = match show.thread {
        None => String::new(),
        Some(root) => thread_panel(app, visitor, &room.id, root)
            .await
            .map_err(on_page)?,
    };
    let lines = app.lines(me).await;
    let incident = lines
        .iter()
        .find(|line| line.room.as_ref().is_some_and(|of| of.room == room.id));
    let people: Vec<Value> = match app.settings.demo {
        true => app
            .deps
            .people
            .all()
            .await
            .iter()
            .map(|person| person_view(person))
            .collect(),
        false => Vec::new(),
    };
    let context = context! {
        room => room_view(&room), me => person_view(me), mark, older, people,
        messages => render::value(messages), newer => show.before.is_some(), thread => fragment(thread), guide => app.guide(me, &room.id).await.map(fragment),
        incident => incident.map(|line| context! { severity => line.severity.word(), drill => line.drill }),
        sidebar => fragment(app.sidebar(me, &room.id, &lines)),
        pinned => fragment(app.pinned(&room.id).await.map_err(on_page)?),
        token => visitor.page_token.as_deref().unwrap_or_default(),
        theme => theme(headers), assets => render::assets_version(), scripts => render::scripts(), demo => app.settings.demo,
        command => chat.command_name(), chat => chat.id(), file_max => FILE_MAX,
        emoji => render::value(EMOJI), menu => render::value(&app.settings.menu),
    };
    Ok(Html(render::template("room.html", context)))
}

/// The messages of a room, and what was whispered to this person since the first of them.
async fn with_whispers(
    app: &App,
    visitor: &Visitor,
    room: &Room,
    stored: Vec<Stored>,
    latest: bool,
) -> Vec<MessageView> {
    let times: Vec<_> = stored.iter().map(|message| message.at).collect();
    let mut views = app.views(stored).await;
    if latest {
        for whisper in app
            .deps
            .chat
            .whispers(&visitor.person.identity.user, &room.id)
            .iter()
            .rev()
        {
            let place = times.partition_point(|at| *at <= whisper.at);
            views.insert(place, whisper_view(whisper));
        }
    }
    views
}

async fn thread_panel(app: &App, visitor: &Visitor, room: &str, root: i64) -> Result<String> {
    let messages = app.views(app.deps.chat.thread(room, root).await?).await;
    let token = visitor.page_token.as_deref().unwrap_or_default();
    Ok(render::template(
        "thread.html",
        context! { room, root, messages => render::value(messages), token },
    ))
}

/// A thread's panel, for the page's script.
pub(super) async fn thread(
    State(app): State<App>,
    visitor: Visitor,
    Path((room, root)): Path<(String, i64)>,
) -> Result<Html<String>> {
    let room = app.deps.chat.room(&visitor.person.identity, &room)?;
    Ok(Html(thread_panel(&app, &visitor, &room.id, root).await?))
}

/// Messages before a given one, for the page's script; empty when there are none.
pub(super) async fn older(
    State(app): State<App>,
    visitor: Visitor,
    Path(room): Path<String>,
    Query(show): Query<Show>,
) -> Result<Html<String>> {
    let room = app.deps.chat.room(&visitor.person.identity, &room)?;
    let messages = app
        .views(app.deps.chat.messages(&room.id, show.before, FIRST).await?)
        .await;
    Ok(Html(render::template(
        "messages.html",
        context! { messages => render::value(messages) },
    )))
}

#[derive(Debug, Deserialize)]
pub(super) struct Say {
    token: String,
    text: String,
    thread: Option<i64>,
}

/// The message box without a script.
pub(super) async fn say(
    State(app): State<App>,
    visitor: Visitor,
    Path(room): Path<String>,
    Form(form): Form<Say>,
) -> Result<Redirect> {
    let on_page = |problem: Problem| problem.page();
    visitor.sent_by_page(&form.token).map_err(on_page)?;
    let (chat, who) = (&app.deps.chat, &visitor.person.identity);
    let done = match chat.typed(&form.text) {
        Typed::Command(text) => chat.command(who, &room, text, None, None).await.map(drop),
        Typed::Message(text) => chat.say(who, &room, form.thread, text, None).await.map(drop),
        Typed::Unknown(word) => Err(chat.no_command(word)),
    };
    done.map_err(Problem::from).map_err(on_page)?;
    let thread = form
        .thread
        .map(|thread| format!("?thread={thread}"))
        .unwrap_or_default();
    Ok(Redirect::to(&format!("/rooms/{}{thread}", encoded(&room))))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Token {
    token: Option<String>,
}

/// Signs in and leaves the address with the token behind.
pub(super) async fn sign_in(
    State(app): State<App>,
    Query(query): Query<Token>,
    headers: HeaderMap,
) -> Result<Response> {
    let token = query.token.unwrap_or_default();
    let person = app.deps.people.by_token(token.trim()).await.ok_or_else(|| {
        let words = match token.is_empty() {
            true => "Paste your token, or open your sign-in link.",
            false => "This token is not known: it may have been replaced. Ask for a new sign-in link.",
        };
        Problem::new(StatusCode::UNAUTHORIZED, words).page()
    })?;
    let cookie = app.sign_in(&person).await?;
    let mut response = match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"none" | b"same-origin") => Redirect::to("/").into_response(),
        // A browser sends a strict cookie on no redirect that began on another site (a link in web mail). So the
        // first step is a page of ours, and the second goes from there.
        Some(_) => {
            let context = context! {
                title => "You are in", words => "One moment…", go => "/", assets => render::assets_version(),
            };
            Html(render::template("notice.html", context)).into_response()
        }
    };
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

pub(super) async fn sign_out(
    State(app): State<App>,
    visitor: Visitor,
    Form(form): Form<Token>,
) -> Result<Response> {
    visitor
        .sent_by_page(form.token.as_deref().unwrap_or_default())
        .map_err(Problem::page)?;
    let Some(digest) = visitor.session else {
        return Ok(Redirect::to("/").into_response());
    };
    let cookie = app.sign_out(&digest).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    token: String,
    person: String,
    room: Option<String>,
}

/// Becomes somebody else; there is no such thing outside of the demo.
pub(super) async fn switch(
    State(app): State<App>,
    visitor: Visitor,
    Form(form): Form<Switch>,
) -> Result<Response> {
    if !app.settings.demo {
        return Err(Problem::not_found().page());
    }
    visitor.sent_by_page(&form.token).map_err(Problem::page)?;
    let person = app.deps.people.by_id(&PersonId(form.person)).await;
    let person = person.ok_or_else(|| Problem::not_found().page())?;
    if let Some(digest) = visitor.session {
        app.sign_out(&digest).await?;
    }
    let cookie = app.sign_in(&person).await?;
    let room = form
        .room
        .filter(|room| app.deps.chat.shows(&person.identity.user, room));
    let to = room.map_or_else(|| "/".to_owned(), |room| format!("/rooms/{}", encoded(&room)));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response())
}

pub(super) async fn nothing_here() -> Problem {
    Problem::not_found().page()
}
