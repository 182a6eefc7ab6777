//! Who is asking, and whether the question may come from where it comes from.
//!
//! * A browser holds a cookie: random, HttpOnly, SameSite=Strict. Here lies only its SHA-256.
//! * A script sends its person's token as a bearer.
//! * What changes something needs, from a browser, a token only our own pages know, and an Origin that is ours.
//! * The Host must be an address literal, `localhost`, or the configured name: a page of another site that has its
//!   own name point at this machine (DNS rebinding) is turned away before anything else.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::problem::{Problem, Result};
use super::{App, Error, Person};
use crate::chat::local;
use crate::incident::PersonId;

/// How long a sign-in holds: an incident may last days, and signing in again at night costs time.
const SESSION_LIFE: TimeDelta = TimeDelta::days(7);
/// Sign-ins kept in memory; beyond it the ones that end first go.
const SESSIONS_MAX: usize = 10_000;
/// The header that carries the page's token.
pub(super) const PAGE_TOKEN: HeaderName = HeaderName::from_static("x-orderly-token");
/// The header that names the tab, so that a form opens where it was asked for.
const TAB: HeaderName = HeaderName::from_static("x-orderly-tab");
/// A tab's name, as our script makes it.
const TAB_MAX: usize = 32;

/// Pages load what this server serves, and nothing else; they cannot be framed.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// A sign-in, found by the digest of its cookie.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub person: PersonId,
    pub until: DateTime<Utc>,
}

/// Sign-ins from before the restart.
pub(super) fn remembered(sessions: Vec<local::Session>) -> HashMap<[u8; 32], Session> {
    let of = |session: local::Session| {
        let digest = hex::decode(&session.digest).ok()?.try_into().ok()?;
        Some((
            digest,
            Session {
                person: PersonId(session.person),
                until: session.until,
            },
        ))
    };
    sessions.into_iter().filter_map(of).collect()
}

/// Which hosts this server answers to.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Host of the public address, lower case, without the port.
    public: Option<String>,
}

impl Hosts {
    pub fn new(public_url: Option<&str>) -> std::result::Result<Self, Error> {
        let Some(url) = public_url else {
            return Ok(Self { public: None });
        };
        let host = url
            .parse::<Uri>()
            .ok()
            .filter(|uri| matches!(uri.scheme_str(), Some("https" | "http")))
            .and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        host.map(|host| Self { public: Some(host) })
            .ok_or_else(|| Error::PublicUrl(url.to_owned()))
    }

    fn knows(&self, authority: &str) -> bool {
        let host = without_port(authority);
        let literal = host.parse::<Ipv4Addr>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|h| h.strip_suffix(']'))
                .is_some_and(|h| h.parse::<Ipv6Addr>().is_ok());
        literal
            || host.eq_ignore_ascii_case("localhost")
            || self
                .public
                .as_deref()
                .is_some_and(|public| host.eq_ignore_ascii_case(public))
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Stands before every route but the health checks: the right host in, the strict headers out.
pub(super) async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let mut response = match host {
        Some(host) if app.hosts.knows(host) => next.run(request).await,
        _ => {
            let words = "This address is not one Orderly answers to. Use the address from the config (public_url) or \
                         http://localhost with its port.";
            Problem::new(StatusCode::MISDIRECTED_REQUEST, words).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Somebody who is signed in, by cookie or by bearer.
pub(super) struct Visitor {
    pub person: Arc<Person>,
    /// What our pages must send along; `None`: came with a bearer, which no other site can make a browser send.
    pub page_token: Option<String>,
    /// Digest of the cookie.
    pub session: Option<[u8; 32]>,
}

impl Visitor {
    /// Whether a form of ours sent this: it has the page's token in it.
    pub fn sent_by_page(&self, token: &str) -> Result<()> {
        match &self.page_token {
            Some(own) if !bool::from(own.as_bytes().ct_eq(token.as_bytes())) => Err(forged()),
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let page = !parts.uri.path().starts_with("/api/") && parts.uri.path() != "/events";
        let found = visitor(parts, app).await;
        found.map_err(|problem| if page { problem.page() } else { problem })
    }
}

/// A [`Visitor`] of the API: one who changes something proves to be on our page.
pub(super) struct Caller {
    pub person: Arc<Person>,
    pub tab: Option<String>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visitor = visitor(parts, app).await?;
        if visitor.page_token.is_some() && changes(&parts.method) {
            let token = parts
                .headers
                .get(PAGE_TOKEN)
                .and_then(|token| token.to_str().ok());
            visitor.sent_by_page(token.unwrap_or_default())?;
        }
        let tab = parts.headers.get(TAB).and_then(|tab| tab.to_str().ok());
        let named = |tab: &&str| {
            !tab.is_empty() && tab.len() <= TAB_MAX && tab.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        Ok(Self {
            person: visitor.person,
            tab: tab.filter(named).map(str::to_owned),
        })
    }
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

async fn visitor(parts: &Parts, app: &App) -> Result<Visitor> {
    if let Some(bearer) = parts.headers.get(header::AUTHORIZATION) {
        let token = bearer
            .to_str()
            .ok()
            .and_then(|bearer| bearer.strip_prefix("Bearer "));
        let person = match token {
            Some(token) => app.deps.people.by_token(token.trim()).await,
            None => None,
        };
        let words = "This token is not known. `orderly person add` prints one.";
        let person = person.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, words))?;
        return Ok(Visitor {
            person,
            page_token: None,
            session: None,
        });
    }
    let words = "You are not signed in, or it was too long ago. Open your sign-in link again.";
    let signed_out = || Problem::new(StatusCode::UNAUTHORIZED, words);
    let cookie = cookie(&parts.headers, app.cookie_name()).ok_or_else(signed_out)?;
    let digest = digest(cookie);
    let session = {
        let sessions = app.sessions.read().unwrap_or_else(|broken| broken.into_inner());
        sessions.get(&digest).cloned().ok_or_else(signed_out)?
    };
    if session.until <= app.deps.clock.now() {
        return Err(signed_out());
    }
    if changes(&parts.method) {
        same_site(&parts.headers)?;
    }
    let person = app
        .deps
        .people
        .by_id(&session.person)
        .await
        .ok_or_else(signed_out)?;
    Ok(Visitor {
        person,
        page_token: Some(page_token(cookie)),
        session: Some(digest),
    })
}

/// Refuses what the browser itself says comes from another site's page. Where it says that it comes from ours, that
/// settles it: the Origin of a plain form is `null` then, because our pages send no referrer.
fn same_site(headers: &HeaderMap) -> Result<()> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin") if headers.get(header::ORIGIN).is_none_or(|origin| origin == "null") => {
            return Ok(());
        }
        None | Some(b"same-origin" | b"none") => {}
        Some(_) => return Err(forged()),
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let from = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    if from.is_some() && from == host {
        Ok(())
    } else {
        Err(forged())
    }
}

fn forged() -> Problem {
    let words =
        "This did not come from Orderly's own page, so nothing was done. Reload the page and try again.";
    Problem::new(StatusCode::FORBIDDEN, words)
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|cookies| cookies.to_str().ok());
    all.flat_map(|cookies| cookies.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// The reader's choice of light or dark, kept by the page's script so that a page never flashes.
pub(super) fn theme(headers: &HeaderMap) -> Option<&'static str> {
    match cookie(headers, "theme") {
        Some("dark") => Some("dark"),
        Some("light") => Some("light"),
        _ => None,
    }
}

fn digest(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

/// Follows from the cookie, so nothing needs to be kept; does not lead back to it.
fn page_token(cookie: &str) -> String {
    hex::encode(
        Sha256::new()
            .chain_update("orderly page token:")
            .chain_update(cookie)
            .finalize(),
    )
}

impl App {
    fn cookie_name(&self) -> &'static str {
        // The prefix makes browsers insist on Secure, on the path, and on no other host setting it.
        if self.settings.behind_tls {
            "__Host-orderly"
        } else {
            "orderly"
        }
    }

    /// Signs a person in; the value of the Set-Cookie header.
    pub async fn sign_in(&self, person: &Person) -> Result<HeaderValue> {
        let mut random = [0u8; 32];
        let broken = |why: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why).page();
        getrandom::fill(&mut random)
            .map_err(|error| broken(format!("The machine gives no random numbers: {error}.")))?;
        let value = hex::encode(random);
        let digest = digest(&value);
        let until = self.deps.clock.now() + SESSION_LIFE;
        let session = local::Session {
            digest: hex::encode(digest),
            person: person.id.0.clone(),
            until,
        };
        self.deps
            .chat
            .sign_in(session)
            .await
            .map_err(|error| Problem::from(error).page())?;
        self.remember(
            digest,
            Session {
                person: person.id.clone(),
                until,
            },
        );
        let secure = if self.settings.behind_tls { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
            self.cookie_name(),
            SESSION_LIFE.num_seconds()
        );
        HeaderValue::from_str(&cookie).map_err(|error| broken(error.to_string()))
    }

    fn remember(&self, digest: [u8; 32], session: Session) {
        let now = self.deps.clock.now();
        let mut sessions = self.sessions.write().unwrap_or_else(|broken| broken.into_inner());
        if sessions.len() >= SESSIONS_MAX {
            sessions.retain(|_, session| session.until > now);
            let first = sessions
                .iter()
                .min_by_key(|(_, session)| session.until)
                .map(|(digest, _)| *digest);
            if let Some(first) = first.filter(|_| sessions.len() >= SESSIONS_MAX) {
                sessions.remove(&first);
            }
        }
        sessions.insert(digest, session);
    }

    /// Ends a sign-in; the value of the Set-Cookie header that takes the cookie away.
    pub async fn sign_out(&self, digest: &[u8; 32]) -> Result<String> {
        self.sessions
            .write()
            .unwrap_or_else(|broken| broken.into_inner())
            .remove(digest);
        self.deps
            .chat
            .sign_out(&hex::encode(digest))
            .await
            .map_err(|error| Problem::from(error).page())?;
        let secure = if self.settings.behind_tls { "; Secure" } else { "" };
        Ok(format!(
            "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}",
            self.cookie_name()
        ))
    }
}
