//! The HTTP side: the API, files, and the door to the gateway.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, FromRequestParts, Request, State as Given, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::asked::{self, Asked};
use super::call::{self, Done};
use super::faults::Fault;
use super::limits::Early;
use super::routes;
use super::state::{Call, Outcome};
use super::{Shared, headers, socket};
use crate::calls::Hanging;

/// Largest body taken: a message's files and what is around them.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The version of the API that is spoken here.
const BASE: &str = "/api/v10";

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
    let router = Router::new().fallback(any(request)).with_state(shared.clone());
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

async fn request(
    Given(shared): Given<Arc<Shared>>,
    Extension(cut): Extension<Cut>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if path == "/" || path.is_empty() {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => gateway(&shared, parts.uri.query().unwrap_or_default(), upgrade),
            Err(why) => why.into_response(),
        };
    }
    if let Some(file) = path.strip_prefix("/attachments/") {
        return download(&shared, file);
    }
    let Ok(body) = axum::body::to_bytes(axum::body::Body::new(body), LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let method = parts.method.as_str();
    let Some(path) = path.strip_prefix(BASE) else {
        shared.with(|state| state.violation(format!("there is nothing at {method} {path}")));
        return StatusCode::NOT_FOUND.into_response();
    };
    let query = parts.uri.query().unwrap_or_default();
    api(&shared, &cut, method, path, query, &parts.headers, &body).await
}

fn gateway(shared: &Arc<Shared>, query: &str, upgrade: WebSocketUpgrade) -> Response {
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = matches!((&*name, &*value), ("v", "10") | ("encoding", "json"));
        if !known {
            shared.with(|state| state.violation(format!("the gateway here does not speak {name}={value}")));
        }
    }
    let weak = Arc::downgrade(shared);
    upgrade.on_upgrade(move |socket| socket::serve(weak, socket))
}

/// A file, by the address that its attachment has. Whoever knows that may have it.
fn download(shared: &Shared, path: &str) -> Response {
    let id = path.split('/').next().unwrap_or_default();
    let found = shared.read(|state| state.attachments.get(id).cloned());
    match found {
        Some(file) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        None => (StatusCode::NOT_FOUND, "This content is no longer available.").into_response(),
    }
}

/// One call, from its headers to its answer.
async fn api(
    shared: &Shared,
    cut: &Cut,
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    if let Some(refused) = headers::unknown_client(shared, headers) {
        return refused;
    }
    let Some((route, places)) = routes::find(method, path) else {
        shared.with(|state| state.violation(format!("there is no {method} {path} here")));
        return headers::refused(&super::fail::NOT_FOUND.into());
    };
    let content_type = headers::text(headers, "content-type");
    let read = asked::read(content_type, body);
    let (body, files) = match read {
        Ok(read) => read,
        Err(why) => {
            shared.with(|state| state.violation(format!("{}: {}", route.operation, why.message)));
            return headers::refused(&why);
        }
    };
    let asked = Asked {
        places: places.into_iter().collect(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        body,
        files,
        reason: Some(headers::text(headers, "x-audit-log-reason").to_owned())
            .filter(|reason| !reason.is_empty()),
    };
    carried_out(
        shared,
        cut,
        route,
        path,
        &asked,
        headers::text(headers, "authorization"),
    )
    .await
}

/// A call, or what goes wrong with it.
async fn carried_out(
    shared: &Shared,
    cut: &Cut,
    route: &'static routes::Route,
    path: &str,
    asked: &Asked,
    token: &str,
) -> Response {
    let mut gate = shared.gate.subscribe();
    let (at, fault) = shared.with(|state| {
        state.calls.push(Call {
            operation: route.operation.to_owned(),
            path: path.to_owned(),
            query: asked.query.clone(),
            body: asked.body.clone(),
            files: asked.files.iter().map(|file| file.filename.clone()).collect(),
            reason: asked.reason.clone(),
            at: state.now,
            answer: Outcome::Open,
        });
        let whole = format!("{} {path} {}", route.method, asked.body);
        (
            state.calls.len() - 1,
            state.faults.calls.next(route.operation, whole),
        )
    });
    let settle = |answer: Outcome| shared.with(|state| state.calls[at].answer = answer);
    let hanging = || Hanging::on(|change| shared.with(|state| change(&mut state.hanging)));
    match &fault {
        Some(Fault::DropBefore) => {
            settle(Outcome::Dropped { done: false });
            return cut.now().await;
        }
        Some(Fault::Hang) => hanging().until(&mut gate).await,
        Some(Fault::HangAfter | Fault::DropAfter) | None => {}
        Some(fault) => return instead(shared, at, fault),
    }
    let done = shared.with(|state| {
        let done = call::call(state, route, asked, token);
        state.calls[at].answer = match fault {
            Some(Fault::DropAfter) => Outcome::Dropped { done: true },
            Some(Fault::HangAfter) => Outcome::Open,
            _ => done.outcome(),
        };
        done
    });
    match fault {
        Some(Fault::DropAfter) => return cut.now().await,
        Some(Fault::HangAfter) => {
            hanging().until(&mut gate).await;
            settle(done.outcome());
        }
        _ => {}
    }
    headers::answer(shared, done)
}

/// What comes instead of an answer, with nothing done.
fn instead(shared: &Shared, at: usize, fault: &Fault) -> Response {
    let early = |after, global| {
        Done::Early(Early {
            after,
            global,
            bucket: None,
        })
    };
    let (outcome, response) = match fault {
        Fault::Limited(after) => (Outcome::Limited, headers::answer(shared, early(*after, false))),
        Fault::LimitedGlobally(after) => (Outcome::Limited, headers::answer(shared, early(*after, true))),
        Fault::ShutOut(after) => (Outcome::Limited, headers::shut_out(*after)),
        Fault::Error(status, code) => {
            let fail = super::fail::Fail {
                status: *status,
                code: *code,
                message: "As planned by the test".to_owned(),
                errors: Value::Null,
            };
            (Outcome::Refused(*status, *code), headers::refused(&fail))
        }
        Fault::Status(status) => {
            let code = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (
                Outcome::Status(*status),
                (code, "upstream connect error").into_response(),
            )
        }
        Fault::Hang | Fault::HangAfter | Fault::DropBefore | Fault::DropAfter => {
            (Outcome::Open, StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    };
    let status = response.status().as_u16();
    shared.with(|state| {
        state.calls[at].answer = outcome;
        if matches!(status, 401 | 403 | 429) {
            let now = state.now;
            state.limits.invalid(now);
        }
    });
    response
}
