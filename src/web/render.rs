//! The templates, and what they may do with values.
//!
//! Every string that is not a finished fragment passes the formatter below on its way out: what could hide or reorder
//! text is made visible, then everything is escaped. No template can forget it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, escape_formatter};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A script of the page.
macro_rules! script {
    ($name:literal) => {
        (
            $name,
            "text/javascript; charset=utf-8",
            include_bytes!(concat!("assets/", $name)) as &[u8],
        )
    };
}

/// The files a page needs, with their media types. The scripts are modules; `app.js` comes first and imports the rest.
pub(super) const ASSETS: &[(&str, &str, &[u8])] = &[
    (
        "app.css",
        "text/css; charset=utf-8",
        include_bytes!("assets/app.css"),
    ),
    (
        "favicon.svg",
        "image/svg+xml",
        include_bytes!("assets/favicon.svg"),
    ),
    script!("app.js"),
    script!("acts.js"),
    script!("card.js"),
    script!("complete.js"),
    script!("compose.js"),
    script!("dom.js"),
    script!("forms.js"),
    script!("guide.js"),
    script!("keys.js"),
    script!("live.js"),
    script!("messages.js"),
    script!("rooms.js"),
    script!("server.js"),
    script!("threads.js"),
    script!("toast.js"),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = ASSETS
        .iter()
        .fold(Sha256::new(), |digest, (_, _, bytes)| digest.chain_update(bytes));
    hex::encode(&digest.finalize()[..6])
});

/// Names the assets of this build, so that browsers may keep them for as long as they like.
pub(super) fn assets_version() -> &'static str {
    &VERSION
}

/// The names of all scripts, so that a browser fetches them side by side and not one import after the other.
pub(super) fn scripts() -> Vec<&'static str> {
    let names = ASSETS.iter().map(|(name, _, _)| *name);
    names.filter(|name| name.ends_with(".js")).collect()
}

/// Renders a template. The templates are part of the program and each is rendered in the tests; should one fail all
/// the same, the reader gets words instead of half a page.
pub(super) fn template(name: &str, context: Value) -> String {
    let rendered = ENVIRONMENT
        .get_template(name)
        .and_then(|template| template.render(context));
    rendered.unwrap_or_else(|error| {
        tracing::error!(template = name, %error, "a template could not be rendered");
        "<p>This part could not be shown. The program's log says why.</p>".into()
    })
}

/// Anything that has a JSON form, for a template.
pub(super) fn value(of: impl Serialize) -> Value {
    serde_json::to_value(of).map_or(Value::UNDEFINED, from_json)
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(yes) => Value::from(yes),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => items.into_iter().map(from_json).collect(),
        serde_json::Value::Object(pairs) => {
            Value::from_pairs(pairs.into_iter().map(|(name, json)| (name, from_json(json))))
        }
    }
}

/// A fragment that was rendered already.
pub(super) fn fragment(html: impl Into<String>) -> Value {
    Value::from_safe_string(html.into())
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    for (name, source) in [
        ("base.html", include_str!("templates/base.html")),
        ("guide.html", include_str!("templates/guide.html")),
        ("form.html", include_str!("templates/form.html")),
        ("message.html", include_str!("templates/message.html")),
        ("messages.html", include_str!("templates/messages.html")),
        ("notice.html", include_str!("templates/notice.html")),
        ("parts.html", include_str!("templates/parts.html")),
        ("pinned.html", include_str!("templates/pinned.html")),
        ("room.html", include_str!("templates/room.html")),
        ("sidebar.html", include_str!("templates/sidebar.html")),
        ("thread.html", include_str!("templates/thread.html")),
    ] {
        if let Err(error) = env.add_template(name, source) {
            tracing::error!(template = name, %error, "a template could not be read");
        }
    }
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    // A misspelt field is an error in the tests, not an empty place on the page.
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_formatter(cleaned);
    env.add_filter("utc", |at: &str| moment(at, "%Y-%m-%d %H:%M:%S UTC"));
    env.add_filter("hm", |at: &str| moment(at, "%H:%M"));
    env.add_filter("bytes", bytes);
    env.add_filter("urlencode", |text: &str| encoded(text));
    env.add_test("address", is_address);
    env
}

fn cleaned(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => match visible(text) {
            Cow::Borrowed(_) => escape_formatter(out, state, value),
            Cow::Owned(text) => escape_formatter(out, state, &Value::from(text)),
        },
        _ => escape_formatter(out, state, value),
    }
}

/// Shows control characters and those that reorder text by name; line feeds and tabs stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let hides = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}' | '\u{e0000}'..='\u{e007f}'
            )
    };
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => shown.push('\n'),
            c if hides(c) => {
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn moment(at: &str, format: &str) -> String {
    match DateTime::parse_from_rfc3339(at) {
        Ok(at) => at.with_timezone(&Utc).format(format).to_string(),
        Err(_) => at.to_owned(),
    }
}

fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{:.1} kB", size as f64 / 1e3),
        _ => format!("{:.1} MB", size as f64 / 1e6),
    }
}

/// For one segment of a path or one value of a query.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Whether a link may be followed: to the web, or within the page. `javascript:` and friends stay text.
pub(super) fn is_address(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let local = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    (lower.starts_with("https://") || lower.starts_with("http://") || local)
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}
