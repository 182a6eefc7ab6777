//! One call of Slack's Web API, and what its answer means: again, or never.
//!
//! Bodies are JSON made by the pure modules, which the tests hold against Slack's own types; the library carries them.
//! Its typed requests lose some of what we need (numbers in metadata, the stamp of an ephemeral message), and its retry
//! is off: the outbox tries again, with the key of the call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::{SlackClientHyperConnector, SlackClientHyperHttpsConnector};
use slack_morphism::{
    SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector,
};

use super::pace::{Pace, Place};
use crate::chat;
use crate::clock::Clock;

/// Longest wait for an answer: Slack answers within a second or is in trouble.
const CALL_MAX: Duration = Duration::from_secs(10);

/// When Slack limits us without saying for how long.
const LIMITED: Duration = Duration::from_secs(5);

/// Codes that pass by themselves.
const PASSING: &[&str] = &[
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
    "ratelimited",
    "rate_limited",
    "accesslimited",
];

/// Codes that pass once somebody gave the bot a token that works: until then it is as if Slack were away, and nothing is
/// lost.
const LOCKED_OUT: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
];

/// Why a call did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Slack understood, and did not do it.
    #[error("{method}: {code}")]
    Code {
        method: String,
        code: String,
        /// The scope that is missing, or the part of a payload that is wrong.
        detail: Option<String>,
    },
    /// Not now: nothing was done.
    #[error("{method}: Slack allows no more of these for {} s", .after.as_secs())]
    Limited { method: String, after: Duration },
    /// No answer that says so: it may have been done.
    #[error("{method}: {why}")]
    Unclear {
        method: String,
        why: String,
        /// It was on its way, and nothing came back: it probably was done.
        lost: bool,
    },
}

impl Failure {
    pub fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Code { code, .. } if codes.contains(&code.as_str()))
    }

    /// Whether the same call may do it in a while, without anybody's doing.
    pub fn passes(&self) -> bool {
        match self {
            Self::Limited { .. } | Self::Unclear { .. } => true,
            Self::Code { .. } => self.is(PASSING),
        }
    }

    /// Whether the call was on its way and only its answer is missing.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Unclear { lost: true, .. })
    }
}

impl From<Failure> for chat::Error {
    fn from(failure: Failure) -> Self {
        let why = failure.to_string();
        match failure {
            Failure::Limited { after, .. } => Self::Retry {
                why,
                after: Some(after),
            },
            Failure::Unclear { .. } => Self::Retry { why, after: None },
            Failure::Code { ref code, .. } if PASSING.contains(&code.as_str()) => {
                Self::Retry { why, after: None }
            }
            Failure::Code { ref code, .. } if LOCKED_OUT.contains(&code.as_str()) => Self::Retry {
                why: format!("{why}{}", advice(code)),
                after: None,
            },
            Failure::Code { code, detail, .. } => Self::Gone {
                why: format!(
                    "{why}{}{}",
                    detail.map(|detail| format!(" ({detail})")).unwrap_or_default(),
                    advice(&code)
                ),
            },
        }
    }
}

/// What the operator does about it.
fn advice(code: &str) -> &'static str {
    match code {
        code if LOCKED_OUT.contains(&code) => {
            ". Reinstall the app, put its new token where [slack] bot_token points, and run `orderly doctor`"
        }
        "missing_scope" => {
            ". The app's manifest is older than this bot: paste what `orderly manifest slack` prints, and reinstall it"
        }
        "not_in_channel" | "channel_not_found" => {
            ". Invite the bot to that channel, or name another one in [slack]"
        }
        "is_archived" => ". Somebody archived the channel; unarchive it to go on there",
        _ => "",
    }
}

/// The Web API with the tokens of one workspace.
pub struct Api {
    client: SlackClient<SlackClientHyperHttpsConnector>,
    bot: SlackApiToken,
    app: Option<SlackApiToken>,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

fn token(text: &str) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(text.to_owned()))
}

impl Api {
    /// `url` is the address of the API without a slash at its end; only a loopback one may be plain HTTP.
    pub fn new(
        url: &str,
        bot_token: &str,
        app_token: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_all_versions()
            .build();
        let connector =
            SlackClientHyperConnector::with_connector(https).with_slack_api_url(url.trim_end_matches('/'));
        Ok(Self {
            client: SlackClient::new(connector),
            bot: token(bot_token),
            app: app_token.map(token),
            pace: Pace::default(),
            clock,
        })
    }

    /// A method that takes JSON.
    pub async fn call(&self, method: &str, body: &Value) -> Result<Value, Failure> {
        let place = Place {
            channel: body["channel"].as_str(),
            message: body["ts"].as_str(),
            urgent: chat::is_urgent(),
        };
        self.paced(method, &place)?;
        let session = self.client.open_session(&self.bot);
        let sent = session.http_session_api.http_post(method, body, None);
        self.answered(method, sent).await
    }

    /// A method that only reads, and takes its arguments in the address.
    pub async fn get(&self, method: &str, arguments: &[(&str, String)]) -> Result<Value, Failure> {
        let place = Place {
            urgent: chat::is_urgent(),
            ..Place::default()
        };
        self.paced(method, &place)?;
        let session = self.client.open_session(&self.bot);
        let arguments: Vec<(&str, Option<&String>)> = arguments
            .iter()
            .map(|(name, value)| (*name, Some(value)))
            .collect();
        let sent = session.http_session_api.http_get(method, &arguments, None);
        self.answered(method, sent).await
    }

    /// Where a socket may be opened.
    pub async fn socket_address(&self) -> Result<String, Failure> {
        const METHOD: &str = "apps.connections.open";
        let Some(app) = &self.app else {
            return Err(Failure::Code {
                method: METHOD.to_owned(),
                code: "no_app_token".to_owned(),
                detail: None,
            });
        };
        self.paced(METHOD, &Place::default())?;
        let session = self.client.open_session(app);
        let nothing = json!({});
        let sent = session.http_session_api.http_post(METHOD, &nothing, None);
        let answer = self.answered(METHOD, sent).await?;
        let url = answer["url"].as_str().map(str::to_owned);
        url.ok_or_else(|| unreadable(METHOD, "an answer without an address"))
    }

    /// An address that Slack gave us for one answer; our token is none of its business.
    pub async fn reply(&self, url: &str, body: &Value) -> Result<(), Failure> {
        const METHOD: &str = "response_url";
        let url = url
            .parse()
            .map_err(|_| unreadable(METHOD, "an address that is none"))?;
        let span = tracing::Span::none();
        let sent = self
            .client
            .http_api
            .connector
            .http_post_uri::<Value, Value>(url, body, bare(&span));
        self.answered(METHOD, sent).await.map(drop)
    }

    /// The bytes of a file, to where Slack wants them.
    pub async fn put_file(&self, url: &str, media_type: &str, bytes: &[u8]) -> Result<(), Failure> {
        const METHOD: &str = "files upload";
        let url = url
            .parse()
            .map_err(|_| unreadable(METHOD, "an address that is none"))?;
        let span = tracing::Span::none();
        let sent = self.client.http_api.connector.http_post_uri_binary::<Value>(
            url,
            media_type.to_owned(),
            bytes,
            bare(&span),
        );
        self.answered(METHOD, sent).await.map(drop)
    }

    fn paced(&self, method: &str, place: &Place<'_>) -> Result<(), Failure> {
        let now = self.clock.now();
        self.pace
            .take(method, place, now)
            .map_err(|after| Failure::Limited {
                method: method.to_owned(),
                after,
            })
    }

    async fn answered(
        &self,
        method: &str,
        sent: impl Future<Output = Result<Value, SlackClientError>>,
    ) -> Result<Value, Failure> {
        let Ok(answer) = tokio::time::timeout(CALL_MAX, sent).await else {
            return Err(lost(
                method,
                &format!("no answer within {} s", CALL_MAX.as_secs()),
            ));
        };
        match answer {
            Ok(answer) => Ok(answer),
            // Bodies may hold what people wrote: none of them gets into a message of ours.
            Err(SlackClientError::ApiError(error)) => {
                let detail = error.errors.as_ref().and_then(|errors| errors.first().cloned());
                let needed = needed_scope(error.http_response_body.as_deref());
                Err(Failure::Code {
                    method: method.to_owned(),
                    code: error.code,
                    detail: needed.or(detail),
                })
            }
            Err(SlackClientError::RateLimitError(error)) => {
                let after = error.retry_after.unwrap_or(LIMITED);
                self.pace.told(method, after, self.clock.now());
                Err(Failure::Limited {
                    method: method.to_owned(),
                    after,
                })
            }
            Err(SlackClientError::HttpError(error)) => {
                Err(unreadable(method, &format!("HTTP {}", error.status_code)))
            }
            Err(SlackClientError::ProtocolError(_)) => Err(unreadable(method, "an answer that is not JSON")),
            Err(error) if never_connected(&error) => Err(unreadable(method, "no connection")),
            Err(_) => Err(lost(method, "the connection failed")),
        }
    }
}

fn never_connected(error: &SlackClientError) -> bool {
    let SlackClientError::HttpProtocolError(error) = error else {
        return false;
    };
    let cause = error.cause.as_ref();
    let cause = cause.and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>());
    cause.is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Where the page after this one begins; `None`: it is the last.
pub fn next_cursor(page: &Value) -> Option<String> {
    let next = page["response_metadata"]["next_cursor"].as_str();
    next.filter(|next| !next.is_empty()).map(str::to_owned)
}

fn bare(span: &tracing::Span) -> SlackClientApiCallContext<'_> {
    SlackClientApiCallContext {
        rate_control_params: None,
        token: None,
        tracing_span: span,
        is_sensitive_url: true,
    }
}

fn unreadable(method: &str, why: &str) -> Failure {
    Failure::Unclear {
        method: method.to_owned(),
        why: why.to_owned(),
        lost: false,
    }
}

fn lost(method: &str, why: &str) -> Failure {
    Failure::Unclear {
        method: method.to_owned(),
        why: why.to_owned(),
        lost: true,
    }
}

fn needed_scope(body: Option<&str>) -> Option<String> {
    let body: Value = serde_json::from_str(body?).ok()?;
    Some(format!("scope {}", body["needed"].as_str()?))
}
