//! Secrets that show by the name beside them: `db_password = …`, `"api_key": "…"`, `--token …`, `PASSWORD '…'`.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::Found;
use super::judge::{has_digit_and_letter, is_code, is_placeholder, reads_on};
use super::rules::Holds;
use super::seek::{Sought, built_in};

/// Names that make what follows a secret, each with its kind. What stands before the name does not matter
/// (`PGPASSWORD`, `admin_passwd`), what stands after it does: `password_hash_rounds` and `token_type` are no secrets.
const NAMES: &[(&str, &str)] = &[
    (
        "password",
        r"pass[_-]?word|passwd|passphrase|pass[_-]?phrase|contraseña|mot[_-]de[_-]passe|passwort|kennwort",
    ),
    (
        "password",
        r"(?-u:\b)(?:pwd|psw)|[_?&-](?:pwd|pw|pass)|masterauth|requirepass|rediscli_auth",
    ),
    (
        "API key",
        r"api[_ -]?keys?|access[_-]?keys?|auth[_-]?keys?|encryption[_-]?keys?|signing[_-]?keys?|account[_-]?keys?|x-api-key",
    ),
    ("private key", r"private[_-]?keys?"),
    ("token", r"token|(?-u:\b)jwt|(?-u:\b)bearer"),
    ("secret", r"secret(?:[_-]?access)?[_-]?keys?|secret|credentials?"),
    ("session", r"session[_-]?id|sessionid|(?-u:\b)sid|sess[_-]?key"),
    ("card code", r"(?-u:\b)(?:cvv2?|cvc2?)"),
];

/// Kinds by the number of the group that matched the name.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(kind, _)| *kind)
}

/// A session's id is long; short numbers beside that name are rows and backends.
const SESSION_LENGTH: usize = 16;

/// Longest value that is read: a token of more than 4 kB is beyond all that is in use.
const VALUE_LIMIT: usize = 8 * 1024;

/// A name, quoted or not, then what separates it from its value.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let names: Vec<String> = NAMES.iter().map(|(_, names)| format!("({names})")).collect();
    built_in(&format!(
        // `:=` and `=>` before `:` and `=`; `%3D` and `&quot;` are how they look when encoded once.
        r#"(?i)(?:{})[0-9]?(?:\\?["'`]|&quot;)?[\])]?[ \t]{{0,10}}(?P<sep>:=|=>|==?|:|%3D)[ \t]{{0,40}}"#,
        names.join("|")
    ))
});

/// Names whose value follows without a separator: SQL, command lines, Redis, `.netrc`, and a sentence.
static SPACED: LazyLock<Sought<Holds>> = LazyLock::new(|| {
    let any: Holds = |value| !is_placeholder(value);
    let mixed: Holds = |value| !is_placeholder(value) && has_digit_and_letter(value);
    Sought::new([
        (r"(?i)(?:password|identified by)[ \t]+'([^'\n]+)'", any),
        (
            r#"(?i)--?[a-z0-9-]*(?:password|passwd|passphrase|token|secret|api-?key)[ \t]+["']?([^\s"'-][^\s"']*)"#,
            any,
        ),
        (
            r#"(?im)^[ \t]*(?:requirepass|masterauth)[ \t]+["']?([^\s"']+)"#,
            any,
        ),
        (
            r#"(?i)redis-cli(?:[ \t]+[^\s|;&]+){0,12}?[ \t]+-a[ \t]+["']?([^\s"']+)"#,
            any,
        ),
        (
            r#"(?i)curl[^\n]*?[ \t](?:-u|--user)[ \t]*["']?[^\s:"']+:([^\s"']+)"#,
            any,
        ),
        (
            // `odoo-bin -w` is its database password.
            r#"(?i)odoo(?:-bin)?(?:[ \t]+[^\s|;&]+){0,12}?[ \t]+-w[ \t]+["']?([^\s"']+)"#,
            any,
        ),
        (
            // SOAP and EDI, as carriers speak them.
            r#"(?i)<(?:[a-z0-9]+:)?[a-z0-9_-]*(?:password|passwd|passphrase|token|secret|api-?_?key|accesskey)(?:[ \t][^<>]*)?>([^<>\n]+)</"#,
            any,
        ),
        (
            // The environment of a container, where name and value are lines apart.
            r#"(?i)name["']?:[ \t]*["']?[a-z0-9_]*(?:password|passwd|token|secret|api_?key)["']?,?\s{0,40}["']?value["']?:[ \t]*["']?([^\s"']+)"#,
            any,
        ),
        (
            // `-P` is the port.
            r#"(?-u:\b)(?i:mysql|mysqldump|mariadb)(?:[ \t]+[^\s|;&]+){0,12}?[ \t]+-p["']?([^\s"']+)"#,
            any,
        ),
        (r#"(?i)sshpass[ \t]+-p[ \t]*["']?([^\s"']+)"#, any),
        (r"(?i)(?-u:\b)login[ \t]+\S+[ \t]+password[ \t]+(\S+)", any),
        (
            r#"(?i)(?-u:\b)(?:password|passwd|passphrase|passcode|pw|pwd|token|secret|api key)(?:[ \t]+(?:for|of|on)[ \t]+\S{1,40})?[ \t]+(?:is|was|ist|es|est)(?:[ \t]+now)?:?[ \t]+["'`]?([^\s"'`]{6,})"#,
            mixed,
        ),
    ])
});

pub(super) fn find(text: &str, spans: &mut Vec<Found>) {
    let mut at = 0;
    while let Some(groups) = NAMED.captures_at(text, at) {
        let Some(whole) = groups.get(0) else { break };
        at = whole.end();
        let kind = (1..=NAMES.len()).find(|group| groups.get(*group).is_some());
        let (Some(kind), Some(separator)) = (kind.map(|group| NAMES[group - 1].0), groups.name("sep")) else {
            continue;
        };
        // What a parser says of its input: `unexpected token: }`.
        if kind == "token"
            && ["unexpected ", "illegal ", "unknown "]
                .iter()
                .any(|word| text[..whole.start()].ends_with(word))
        {
            continue;
        }
        if let Some(range) = value_at(kind, text, at, separator.as_str())
            .filter(|range| fits(kind, whole.as_str(), &text[range.clone()]))
        {
            at = range.end;
            spans.push(Found {
                kind: Arc::from(kind),
                range,
            });
        }
    }
    for (regex, holds) in SPACED.matching(text) {
        for secret in regex.captures_iter(text).filter_map(|groups| groups.get(1)) {
            let value = secret.as_str().trim_end_matches([',', '.', ';', ':', ')']);
            if holds(value) {
                spans.push(Found {
                    kind: Arc::from("password"),
                    range: secret.start()..secret.start() + value.len(),
                });
            }
        }
    }
}

/// Whether what stands beside a name can be that kind of secret.
fn fits(kind: &str, name: &str, value: &str) -> bool {
    let is_number = value.bytes().all(|b| b.is_ascii_digit());
    match kind {
        "session" => value.len() >= SESSION_LENGTH,
        "card code" => matches!(value.len(), 3 | 4) && is_number,
        // A count. Six digits and more may be a one-time code.
        "token" | "secret" | "API key" => value.len() > 5 || !is_number,
        "private key" => !value.starts_with(['/', '~', '.']),
        // The working folder, in a dump of the environment.
        _ => !(value.starts_with('/') && name.to_ascii_lowercase().starts_with("pwd")),
    }
}

/// The value that begins at `start`, without its quotes; `None` if what stands there is no secret.
fn value_at(kind: &str, text: &str, start: usize, separator: &str) -> Option<Range<usize>> {
    let rest = &text[start..];
    // Python writes u'…' and b'…'.
    let literal = rest
        .strip_prefix(['u', 'b', 'r'])
        .filter(|rest| rest.starts_with(['\'', '"']));
    let quoted = literal.unwrap_or(rest);
    let (opening, quote) = ["\\\"", "&quot;", "\"", "'", "`"]
        .iter()
        .find_map(|quote| quoted.starts_with(quote).then_some((quote.len(), Some(*quote))))
        .unwrap_or((0, None));
    let opening = opening + rest.len() - quoted.len();
    let inner = &rest[opening..];
    let length = match quote {
        Some(quote) => quoted_length(inner, quote),
        None => bare_length(inner),
    };
    let value = &inner[..length];
    let is_prose = quote.is_none() && separator == ":" && reads_on(kind, value, &inner[length..]);
    let is_code = quote.is_none() && is_code(value);
    if is_placeholder(value) || is_prose || is_code {
        return None;
    }
    let from = start + opening;
    Some(from..from + length)
}

fn quoted_length(inner: &str, quote: &str) -> usize {
    let mut escaped = false;
    for (at, char) in inner.char_indices() {
        if char == '\n' || at > VALUE_LIMIT {
            return bare_length(inner); // never closed: no quote then
        }
        if !escaped && inner[at..].starts_with(quote) {
            return at;
        }
        escaped = char == '\\' && !escaped && quote.len() == 1;
    }
    inner.len()
}

fn bare_length(inner: &str) -> usize {
    let ends = |(at, char): (usize, char)| {
        let stops = match char {
            '&' | ';' | ',' => separates(&inner[at + 1..]),
            _ => char.is_whitespace() || "\"'`<>".contains(char) || at > VALUE_LIMIT,
        };
        stops.then_some(at)
    };
    let length = inner.char_indices().find_map(ends).unwrap_or(inner.len());
    // Closing punctuation belongs to the sentence around it, unless it was opened inside.
    let value = &inner[..length];
    let closing = |open: char, close: char| value.ends_with(close) && !value.contains(open);
    if closing('(', ')')
        || closing('[', ']')
        || closing('{', '}')
        || (value.ends_with('.') && value.len() > 1)
    {
        length - 1
    } else {
        length
    }
}

/// Whether a `&`, `;` or `,` before this text ends a value, or is a character of the password: it ends one if nothing
/// follows, or the next `name=` does.
fn separates(after: &str) -> bool {
    const NAME_LIMIT: usize = 40;
    let name = after
        .bytes()
        .take(NAME_LIMIT)
        .take_while(|b| b.is_ascii_alphanumeric() || b"_.-[]\"'".contains(b))
        .count();
    match after.as_bytes().get(name) {
        None => name == 0,
        Some(b'=' | b':') => true,
        Some(next) => name == 0 && (next.is_ascii_whitespace() || b")}&;,".contains(next)),
    }
}
