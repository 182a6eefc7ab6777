//! Secrets that show by the name beside them: `db_password = …`, `"api_key": "…"`, `--token …`, `PASSWORD '…'`.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::Found;
use super::rules::Holds;

/// Names that make what follows a secret, each with its kind. What stands before the name does not matter
/// (`PGPASSWORD`, `admin_passwd`), what stands after it does: `password_hash_rounds` and `token_type` are no secrets.
const NAMES: &[(&str, &str)] = &[
    (
        "password",
        r"pass[_-]?words?|passwd|passphrase|pass[_-]?phrase|contraseña|mot[_-]de[_-]passe|passwort|kennwort",
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
    super::rules::built_in(&format!(
        // `:=` and `=>` before `:` and `=`; `%3D` and `&quot;` are how they look when encoded once.
        r#"(?i)(?:{})[0-9]?(?:\\?["'`]|&quot;)?[\])]?[ \t]{{0,10}}(?P<sep>:=|=>|==?|:|%3D)[ \t]{{0,40}}"#,
        names.join("|")
    ))
});

/// Names whose value follows without a separator: SQL, command lines, Redis, `.netrc`, and a sentence.
static SPACED: LazyLock<Vec<(Regex, Holds)>> = LazyLock::new(|| {
    let any: Holds = |value| !is_placeholder(value);
    let mixed: Holds = |value| !is_placeholder(value) && has_digit_and_letter(value);
    [
        (r"(?i)(?:password|identified by)[ \t]+'([^'\n]+)'", any),
        (
            r#"(?i)--?[a-z0-9-]*(?:password|passwd|passphrase|token|secret|api-?key)[ \t]+["']?([^\s"'-][^\s"']*)"#,
            any,
        ),
        (r#"(?im)^[ \t]*(?:requirepass|masterauth)[ \t]+["']?([^\s"']+)"#, any),
        (r#"(?i)redis-cli(?:[ \t]+[^\s|;&]+){0,12}?[ \t]+-a[ \t]+["']?([^\s"']+)"#, any),
        (r#"(?i)curl[^\n]*?[ \t](?:-u|--user)[ \t]*["']?[^\s:"']+:([^\s"']+)"#, any),
        (r#"(?i)sshpass[ \t]+-p[ \t]*["']?([^\s"']+)"#, any),
        (r"(?i)(?-u:\b)login[ \t]+\S+[ \t]+password[ \t]+(\S+)", any),
        (
            r#"(?i)(?-u:\b)(?:password|passphrase|passcode|pw|pwd|token|secret|api key)[ \t]+(?:is|was|ist|es|est)(?:[ \t]+now)?:?[ \t]+["'`]?([^\s"'`]{6,})"#,
            mixed,
        ),
    ]
    .map(|(regex, holds)| (super::rules::built_in(regex), holds))
    .into_iter()
    .collect()
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
        if let Some(range) = value_at(text, at, separator.as_str())
            .filter(|range| fits(kind, whole.as_str(), &text[range.clone()]))
        {
            at = range.end;
            spans.push(Found {
                kind: Arc::from(kind),
                range,
            });
        }
    }
    for (regex, holds) in SPACED.iter() {
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
fn value_at(text: &str, start: usize, separator: &str) -> Option<Range<usize>> {
    let rest = &text[start..];
    let (opening, quote) = ["\\\"", "&quot;", "\"", "'", "`"]
        .iter()
        .find_map(|quote| rest.starts_with(quote).then_some((quote.len(), Some(*quote))))
        .unwrap_or((0, None));
    let inner = &rest[opening..];
    let length = match quote {
        Some(quote) => quoted_length(inner, quote),
        None => bare_length(inner),
    };
    let value = &inner[..length];
    let is_prose = quote.is_none() && reads_on(value, &inner[length..], separator);
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

/// Values that stand for a secret without being one: empty, starred out, `<password>`, `$DB_PASSWORD`,
/// `{{ password }}`, a reference of our own config, a marker of ours.
pub(super) fn is_placeholder(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "none",
        "null",
        "nil",
        "undefined",
        "true",
        "false",
        "yes",
        "no",
        "unset",
        "empty",
        "redacted",
        "masked",
        "hidden",
        "removed",
        "filtered",
        "[filtered]",
        "[redacted]",
        "placeholder",
        "n/a",
        "tbd",
        "file",
        "env",
        "string",
        "str",
        "text",
        "required",
        "optional",
    ];
    let value = value.trim();
    let first = value.chars().next();
    let one_repeated =
        first.is_some_and(|first| "*x.•-_?#X…●".contains(first) && value.chars().all(|c| c == first));
    let is_variable = value.strip_prefix('$').is_some_and(|name| {
        let name = name.trim_start_matches('{').trim_start_matches('(');
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_{}():-?".contains(c))
    });
    let is_bracketed = (value.starts_with('<') && (value.ends_with('>') || value.len() == 1))
        || value.starts_with("&lt;")
        || value.starts_with("{{")
        || value.starts_with("${{")
        || value.starts_with("[masked: ")
        || value == "[masked:";
    let is_structure =
        value.starts_with(['{', '[']) && !value[1..].contains(|c: char| c.is_ascii_alphanumeric());
    let is_format = matches!(
        value,
        "%s" | "%r"
            | "{}"
            | "?"
            | "$1"
            | "$2"
            | "..."
            | "|"
            | ">"
            | "|-"
            | ">-"
            | "!vault"
            | "\\"
            | "="
            | "("
            | ")"
    );
    value.is_empty()
        || one_repeated
        || is_variable
        || is_bracketed
        || is_structure
        || is_format
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// `password: it was reset`, `token: expired, sign in again`: a sentence, after a colon.
fn reads_on(value: &str, after: &str, separator: &str) -> bool {
    const STARTS: &[&str] = &[
        "a",
        "an",
        "and",
        "any",
        "are",
        "ask",
        "at",
        "bad",
        "by",
        "can",
        "cannot",
        "changed",
        "check",
        "do",
        "does",
        "each",
        "every",
        "expired",
        "failed",
        "for",
        "from",
        "has",
        "have",
        "how",
        "if",
        "in",
        "incorrect",
        "invalid",
        "is",
        "it",
        "its",
        "missing",
        "must",
        "my",
        "never",
        "not",
        "ok",
        "on",
        "only",
        "or",
        "our",
        "please",
        "reset",
        "rotate",
        "rotated",
        "revoked",
        "same",
        "see",
        "should",
        "that",
        "the",
        "these",
        "this",
        "to",
        "too",
        "unknown",
        "use",
        "via",
        "wait",
        "was",
        "we",
        "what",
        "when",
        "where",
        "who",
        "why",
        "will",
        "with",
        "wrong",
        "you",
        "your",
    ];
    separator == ":"
        && value.chars().all(|c| c.is_alphabetic() || c == '\'')
        && (STARTS.iter().any(|word| value.eq_ignore_ascii_case(word)) && continues_as_prose(value, after))
}

/// The words that open a sentence are no passwords even alone, if they tell a state; the others need a next word.
fn continues_as_prose(value: &str, after: &str) -> bool {
    const STATES: &[&str] = &[
        "expired",
        "failed",
        "changed",
        "missing",
        "invalid",
        "incorrect",
        "wrong",
        "reset",
        "revoked",
        "rotated",
        "unknown",
        "ok",
        "bad",
    ];
    STATES.iter().any(|state| value.eq_ignore_ascii_case(state))
        || after
            .trim_start_matches([' ', ',', '\t'])
            .starts_with(|c: char| c.is_alphanumeric() || "'\"`(".contains(c))
}

/// `getpass()`, `os.environ["PASSWORD"]`, `self.password`, `config.get(...)`: the program's, not the secret itself.
fn is_code(value: &str) -> bool {
    let name = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)))
        .unwrap_or(value.len());
    let starts_as_name = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = &value[name..];
    let is_call = name > 0
        && (matches!(rest, "(" | "[") || (rest.starts_with(['(', '[']) && rest.ends_with([')', ']'])));
    let is_attribute = rest.is_empty()
        && [
            "self.", "this.", "os.", "config.", "request.", "env.", "vault.", "secrets.", "var.",
        ]
        .iter()
        .any(|object| value.starts_with(object));
    starts_as_name && (is_call || is_attribute)
}

fn has_digit_and_letter(value: &str) -> bool {
    value.chars().any(|c| c.is_ascii_digit()) && value.chars().any(char::is_alphabetic)
}
