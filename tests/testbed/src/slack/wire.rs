//! The HTTP side: the Web API, files, response_urls and the door to the sockets.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State as Given, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use chrono::DateTime;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::args::{Args, Encoding};
use super::fail::{Fail, Result, fail};
use super::faults::Fault;
use super::methods::{self, Token};
use super::state::{Answer, Call, State, needed};
use super::{Shared, contract, socket};
use crate::calls::Hanging;

/// Largest body taken: Slack's files go up to gigabytes, a test's do not.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Closes the connection a request came on.
#[derive(Clone)]
struct Cut(Arc<Notify>);

impl Cut {
    /// Closes it; the request is never answered.
    async fn now(&self) -> Response {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Takes connections until the listener's task is ended.
pub async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    let router = router(shared.clone());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        if shared.read(|state| state.faults.away) {
            // Closed at once, so that the port stays ours while nobody is at home.
            continue;
        }
        tokio::spawn(connection(shared.clone(), router.clone(), stream));
    }
}

async fn connection(shared: Arc<Shared>, router: Router, stream: TcpStream) {
    let cut = Cut(Arc::new(Notify::new()));
    let service = TowerToHyperService::new(router.layer(Extension(cut.clone())));
    // Answers are small and latency is what tests wait for.
    let _ = stream.set_nodelay(true);
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut all_cut = shared.cut.subscribe();
    tokio::select! {
        // A client that goes away in the middle is no news.
        _ = serving => {}
        () = cut.0.notified() => {}
        _ = all_cut.changed() => {}
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/{method}", any(api))
        .route("/link/", get(link))
        .route("/upload/v1/{id}", post(upload))
        .route("/files-pri/{*path}", get(download))
        .route("/commands/{*path}", post(response_url))
        .route("/actions/{*path}", post(response_url))
        .route("/app/{*path}", post(response_url))
        .fallback(unknown)
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(shared)
}

fn answer(body: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body.to_string(),
    )
        .into_response()
}

fn limited(after: u64) -> Response {
    let body = fail("ratelimited").body().to_string();
    let headers = [
        (header::RETRY_AFTER, after.to_string()),
        (header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned()),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
}

/// What stands in the head of every answer: the workspace's time, and what the token may do.
fn head(state: &State, method: &str, token: Option<&str>) -> Vec<(HeaderName, String)> {
    let now = DateTime::from_timestamp(i64::try_from(state.seconds()).unwrap_or(0), 0).unwrap_or_default();
    let mut head = vec![(header::DATE, now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())];
    let scopes = match token {
        Some(token) if token == state.app.bot_token => Some(&state.app.scopes),
        Some(token) if token == state.app.app_token => Some(&state.app.app_scopes),
        _ => None,
    };
    if let Some(scopes) = scopes {
        let has = scopes.iter().cloned().collect::<Vec<_>>().join(",");
        let wanted = methods::find(method).map_or(String::new(), |method| method.scopes.join(","));
        head.push((HeaderName::from_static("x-oauth-scopes"), has));
        head.push((HeaderName::from_static("x-accepted-oauth-scopes"), wanted));
    }
    head
}

async fn api(
    Given(shared): Given<Arc<Shared>>,
    Extension(cut): Extension<Cut>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let args = match Args::read(&headers, query.as_deref(), &body) {
        Ok(args) => args,
        Err(why) => {
            shared.with(|state| state.violation(format!("{method}: {}", why.code)));
            return answer(&why.body());
        }
    };
    let head = shared.read(|state| head(state, &method, args.token.as_deref()));
    let mut response = carried_out(&shared, &cut, &method, &args).await;
    for (name, value) in head {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A call, or what goes wrong with it.
async fn carried_out(shared: &Shared, cut: &Cut, method: &str, args: &Args) -> Response {
    let mut gate = shared.gate.subscribe();
    let whole = format!("{method} {}", Value::Object(args.map.clone()));
    let (at, fault) = shared.with(|state| {
        state.calls.push(Call {
            method: method.to_owned(),
            args: args.map.clone(),
            at: state.now,
            answer: Answer::Open,
        });
        (state.calls.len() - 1, state.faults.calls.next(method, whole))
    });
    let settle = |answer: Answer| {
        shared.with(|state| {
            if let Some(call) = state.calls.get_mut(at) {
                call.answer = answer;
            }
        });
    };
    let hanging = || Hanging::on(|change| shared.with(|state| change(&mut state.hanging)));
    match fault {
        Some(Fault::Limited(after)) => {
            settle(Answer::Limited);
            return limited(after);
        }
        Some(Fault::Status(status)) => {
            settle(Answer::Status(status));
            return failed(status);
        }
        Some(Fault::Error(code)) => {
            settle(Answer::Error(code.to_owned()));
            return answer(&fail(code).body());
        }
        Some(Fault::DropBefore) => {
            settle(Answer::Dropped { done: false });
            return cut.now().await;
        }
        // The sender lives in shared.
        Some(Fault::Hang) => hanging().until(&mut gate).await,
        Some(Fault::HangAfter | Fault::DropAfter) | None => {}
    }
    let (done, outcome) = shared.with(|state| {
        let done = call(state, method, args);
        let outcome = match &done {
            Done::Limited(_) => Answer::Limited,
            Done::Answered(Ok(_)) => Answer::Done,
            Done::Answered(Err(why)) => Answer::Error(why.code.clone()),
        };
        if let Some(call) = state.calls.get_mut(at) {
            call.answer = match fault {
                Some(Fault::DropAfter) => Answer::Dropped { done: true },
                Some(Fault::HangAfter) => Answer::Open,
                _ => outcome.clone(),
            };
        }
        (done, outcome)
    });
    match fault {
        Some(Fault::DropAfter) => return cut.now().await,
        Some(Fault::HangAfter) => {
            hanging().until(&mut gate).await;
            settle(outcome);
        }
        _ => {}
    }
    match done {
        Done::Limited(after) => limited(after),
        Done::Answered(Ok(mut body)) => {
            body["ok"] = json!(true);
            answer(&body)
        }
        Done::Answered(Err(why)) => answer(&why.body()),
    }
}

enum Done {
    Limited(u64),
    Answered(Result<Value>),
}

/// A call from token to answer.
fn call(state: &mut State, name: &str, args: &Args) -> Done {
    let Some(method) = methods::find(name) else {
        state.violation(format!("unknown method {name}"));
        let more = json!({ "req_method": name });
        return Done::Answered(Err(Fail::with("unknown_method", more)));
    };
    if let Err(why) = allowed(state, method.token, args) {
        return Done::Answered(Err(why));
    }
    let channel = args.text("channel").unwrap_or_default();
    if let Err(after) = state.limits.take(name, method.tier, channel, state.now) {
        return Done::Limited(after);
    }
    let known = |argument: &str| method.args.contains(&argument) || methods::ANYWHERE.contains(&argument);
    for argument in args.map.keys().filter(|argument| !known(argument)) {
        state.violation(format!("{name}: unknown argument {argument}"));
    }
    if args.encoding == Encoding::Json && methods::form_only(name) {
        state.violation(format!("{name} takes no JSON body"));
        return Done::Answered(Err(fail("invalid_arguments")));
    }
    let done = match method.token {
        Token::Bot => state.need(method.scopes),
        Token::App => needed(method.scopes, &state.app.app_scopes),
        Token::None => Ok(()),
    };
    Done::Answered(done.and_then(|()| (method.call)(state, args)))
}

fn allowed(state: &State, wanted: Token, args: &Args) -> Result<()> {
    let app = &state.app;
    let token = match (wanted, args.token.as_deref()) {
        (Token::None, _) => return Ok(()),
        (_, None) => return Err(fail("not_authed")),
        (_, Some(token)) => token,
    };
    match wanted {
        Token::Bot if token == app.bot_token => app.revoked.map_or(Ok(()), |code| Err(fail(code))),
        Token::App if token == app.app_token => Ok(()),
        _ if token == app.bot_token || token == app.app_token => Err(fail("not_allowed_token_type")),
        _ => Err(fail("invalid_auth")),
    }
}

async fn link(Given(shared): Given<Arc<Shared>>, uri: Uri, upgrade: WebSocketUpgrade) -> Response {
    let query = uri.query().unwrap_or_default();
    let ticket = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ticket");
    let valid = shared.with(|state| {
        let ticket = ticket.map(|(_, value)| value.into_owned()).unwrap_or_default();
        let until = state.tickets.remove(&ticket);
        until.is_some_and(|until| state.now <= until)
    });
    if !valid {
        return (StatusCode::UNAUTHORIZED, "ticket is used or too old").into_response();
    }
    let weak = Arc::downgrade(&shared);
    upgrade.on_upgrade(move |socket| socket::serve(weak, socket))
}

async fn upload(
    Given(shared): Given<Arc<Shared>>,
    Extension(cut): Extension<Cut>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let multipart = kind
        .starts_with("multipart/form-data")
        .then(|| super::args::parts(kind, &body));
    let bytes = match multipart {
        None => body.to_vec(),
        Some(parts) => match parts.and_then(|parts| parts.first().map(|(_, content)| content.to_vec())) {
            Some(bytes) => bytes,
            None => return (StatusCode::BAD_REQUEST, "no file in the form").into_response(),
        },
    };
    // Every try has an address of its own, so the same bytes are the same call.
    let call = String::from_utf8_lossy(&bytes);
    let done = || {
        let (status, said) = shared.with(|state| methods::upload(state, &id, &bytes));
        (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), said).into_response()
    };
    spoiled(&shared, &cut, "upload", &call, done).await
}

async fn download(
    Given(shared): Given<Arc<Shared>>,
    Extension(cut): Extension<Cut>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let done = || match shared.with(|state| methods::download(state, uri.path(), token)) {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        // Slack does not refuse: it leads to the page where people sign in, which answers 200.
        None => axum::response::Html("<!DOCTYPE html><title>Sign in | Slack</title>").into_response(),
    };
    spoiled(&shared, &cut, "download", uri.path(), done).await
}

async fn response_url(
    Given(shared): Given<Arc<Shared>>,
    Extension(cut): Extension<Cut>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path();
    let done = || {
        let done = Args::read(&headers, None, &body)
            .and_then(|args| shared.with(|state| methods::answer_url(state, path, &args)));
        match done {
            Ok(()) => "ok".into_response(),
            Err(why) => (StatusCode::NOT_FOUND, why.body().to_string()).into_response(),
        }
    };
    let call = format!("{path} {}", String::from_utf8_lossy(&body));
    spoiled(&shared, &cut, "response_url", &call, done).await
}

/// What comes of a request that calls no method, or what goes wrong with it.
async fn spoiled(
    shared: &Shared,
    cut: &Cut,
    name: &str,
    call: &str,
    done: impl FnOnce() -> Response,
) -> Response {
    let mut gate = shared.gate.subscribe();
    let fault = shared.with(|state| state.faults.calls.elsewhere(name, format!("{name} {call}")));
    let hanging = || Hanging::on(|change| shared.with(|state| change(&mut state.hanging)));
    match fault {
        Some(Fault::Limited(after)) => return limited(after),
        Some(Fault::Status(status)) => return failed(status),
        Some(Fault::Error(code)) => return (StatusCode::NOT_FOUND, code).into_response(),
        Some(Fault::DropBefore) => return cut.now().await,
        Some(Fault::Hang) => hanging().until(&mut gate).await,
        Some(Fault::HangAfter | Fault::DropAfter) | None => {}
    }
    let done = done();
    match fault {
        Some(Fault::DropAfter) => return cut.now().await,
        Some(Fault::HangAfter) => hanging().until(&mut gate).await,
        _ => {}
    }
    done
}

fn failed(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, "upstream connect error").into_response()
}

async fn unknown(Given(shared): Given<Arc<Shared>>, uri: Uri) -> Response {
    shared.with(|state| state.violation(format!("there is nothing at {uri}")));
    StatusCode::NOT_FOUND.into_response()
}

/// Whether payloads are held against Slack's types here.
pub fn contracts_checked() -> bool {
    contract::checked()
}
