//! What went wrong, as a status and words for the person; JSON for scripts, a page for browsers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::context;
use serde_json::json;

use super::render;
use crate::chat::Refused;
use crate::chat::local::ActError;

/// Seconds after which a full inbox is worth another try.
const RETRY_AFTER: &str = "1";

#[derive(Debug)]
pub(super) struct Problem {
    pub status: StatusCode,
    pub words: String,
    /// Answer with a page instead of JSON.
    pub page: bool,
}

pub(super) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
            page: false,
        }
    }

    /// The same, as a page.
    pub fn page(mut self) -> Self {
        self.page = true;
        self
    }

    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is nothing here, or it is not for you to see.",
        )
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let status = match &error {
            ActError::NoRoom | ActError::NoMessage => StatusCode::NOT_FOUND,
            ActError::NotYours => StatusCode::FORBIDDEN,
            ActError::Archived | ActError::NoButton => StatusCode::CONFLICT,
            ActError::TooLong(_) | ActError::FileTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ActError::Empty | ActError::Emoji | ActError::Key | ActError::NoCommand { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            ActError::Starting | ActError::Refused(Refused::Full) => StatusCode::SERVICE_UNAVAILABLE,
            ActError::Refused(Refused::Storage { .. }) | ActError::Storage(_) => {
                StatusCode::INSUFFICIENT_STORAGE
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = if self.page {
            let sign_in = self.status == StatusCode::UNAUTHORIZED;
            let title = match self.status {
                StatusCode::UNAUTHORIZED => "Sign in",
                StatusCode::NOT_FOUND => "Not found",
                StatusCode::FORBIDDEN => "Refused",
                _ => "That did not work",
            };
            let context =
                context! { title, words => self.words, sign_in, assets => render::assets_version() };
            (self.status, Html(render::template("notice.html", context))).into_response()
        } else {
            (self.status, Json(json!({ "error": self.words }))).into_response()
        };
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
