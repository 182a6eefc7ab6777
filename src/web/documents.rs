//! Files, post-mortems, probe outputs, the page's own assets, and what a monitoring system asks for.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::guard::Visitor;
use super::problem::{Problem, Result};
use super::render::{ASSETS, assets_version, encoded};
use super::{App, Format};

/// A post-mortem brings its styles along in one file, and may do nothing else.
const DOCUMENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; sandbox",
);
/// What came from people and systems is never run, wherever it is opened.
const INERT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// A file of a room, always as a download.
pub(super) async fn file(
    State(app): State<App>,
    visitor: Visitor,
    Path(file): Path<String>,
) -> Result<Response> {
    let missing = || Problem::not_found().page();
    let found = app
        .deps
        .chat
        .file(&file)
        .await
        .map_err(|error| Problem::from(error).page())?;
    let file = found
        .filter(|file| app.deps.chat.shows(&visitor.person.identity.user, &file.room))
        .ok_or_else(missing)?;
    // The uploader's media type is kept with the file and told to nobody's browser.
    Ok(download(&file.name, "application/octet-stream", file.bytes))
}

/// The full output of a probe, as plain text to be downloaded.
pub(super) async fn output(
    State(app): State<App>,
    visitor: Visitor,
    Path(sha256): Path<String>,
) -> Result<Response> {
    let found = match is_digest(&sha256) {
        true => app.deps.documents.output(&sha256, &visitor.person).await,
        false => None,
    };
    let bytes = found.ok_or_else(|| Problem::not_found().page())?;
    Ok(download(
        &format!("{}.txt", &sha256[..12]),
        "text/plain; charset=utf-8",
        bytes,
    ))
}

/// A file kept as evidence, for those who hold a role; always as a download.
pub(super) async fn evidence(
    State(app): State<App>,
    visitor: Visitor,
    Path((number, sha256)): Path<(u64, String)>,
) -> Result<Response> {
    let found = match is_digest(&sha256) {
        true => app.deps.documents.file(number, &sha256, &visitor.person).await,
        false => None,
    };
    let (name, bytes) = found.ok_or_else(|| Problem::not_found().page())?;
    Ok(download(&name, "application/octet-stream", bytes))
}

fn is_digest(sha256: &str) -> bool {
    sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn download(name: &str, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename*=UTF-8''{}", encoded(name));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_SECURITY_POLICY, INERT_POLICY),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, bytes).into_response()
}

/// `/incidents/7/postmortem.html`, and the same as Markdown and JSON.
pub(super) async fn postmortem(
    State(app): State<App>,
    visitor: Visitor,
    Path((number, document)): Path<(u64, String)>,
) -> Result<Response> {
    let format = match document.as_str() {
        "postmortem.md" => Some(Format::Markdown),
        "postmortem.html" => Some(Format::Html),
        "postmortem.json" => Some(Format::Json),
        _ => None,
    };
    let found = match format {
        Some(format) => {
            app.deps
                .documents
                .postmortem(number, format, &visitor.person)
                .await
        }
        None => None,
    };
    let (bytes, media_type) = found.ok_or_else(|| Problem::not_found().page())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&media_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CONTENT_SECURITY_POLICY, DOCUMENT_POLICY),
    ];
    Ok((headers, bytes).into_response())
}

/// Styles, scripts, icon: out of the program itself. The build is part of the path, so that a script that imports
/// another gets the one of its own build.
pub(super) async fn asset(Path((build, name)): Path<(String, String)>) -> Result<Response> {
    let (_, media_type, bytes) = ASSETS
        .iter()
        .find(|(known, _, _)| *known == name)
        .ok_or_else(Problem::not_found)?;
    let keep = match build == assets_version() {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    Ok((
        [(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, keep)],
        *bytes,
    )
        .into_response())
}

pub(super) async fn metrics(State(app): State<App>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        (app.deps.metrics)().await,
    )
        .into_response()
}

pub(super) async fn ready(State(app): State<App>) -> Response {
    match (app.deps.ready)().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
