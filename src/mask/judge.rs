//! Whether what stands beside a secret's name is a secret: not a placeholder, not prose, not code.

/// Words that fill the place of a secret.
const WORDS: &str = "none null nil undefined true false yes no unset empty redacted masked hidden removed \
    filtered [filtered] [redacted] placeholder n/a tbd file env string str text required \
    optional";

/// Signs that do so, in format strings, SQL and YAML.
const FORMS: &str = "%s %r {} ? $1 $2 ... | > |- >- !vault \\ = ( )";

/// Words that begin a sentence.
const STARTS: &str = "a an and any are ask at bad by can cannot changed check do does each every expired \
    failed for from has have how if in incorrect invalid is it its missing must my never not \
    ok on only or our please reset rotate rotated revoked same see should that the these \
    this to too unknown use via wait was we what when where who why will with wrong you your";

/// Of those, the ones that tell a state even when they stand alone.
const STATES: &str = "expired failed changed missing invalid incorrect wrong reset revoked rotated unknown ok \
    bad";

fn one_of(words: &str, value: &str) -> bool {
    words.split(' ').any(|word| value.eq_ignore_ascii_case(word))
}

/// Values that stand for a secret without being one: empty, starred out, `<password>`, `$DB_PASSWORD`,
/// `{{ password }}`, a reference of our own config. Markers of ours are left alone elsewhere, by their exact text.
pub(super) fn is_placeholder(value: &str) -> bool {
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
        || value.starts_with("${{");
    let is_structure =
        value.starts_with(['{', '[']) && !value[1..].contains(|c: char| c.is_ascii_alphanumeric());
    value.is_empty()
        || one_repeated
        || is_variable
        || is_bracketed
        || is_structure
        || one_of(FORMS, value)
        || one_of(WORDS, value)
}

/// `password: it was reset`, `token: expired, sign in again`: a sentence, after a colon.
pub(super) fn reads_on(kind: &str, value: &str, after: &str) -> bool {
    let is_word = value.chars().all(|c| c.is_alphabetic() || c == '\'');
    let opens = one_of(STARTS, value) && continues_as_prose(value, after);
    // People use words as passwords; nobody uses one as a token.
    let is_sentence = kind != "password"
        && value.chars().all(char::is_lowercase)
        && after
            .strip_prefix(' ')
            .is_some_and(|after| after.starts_with(char::is_alphabetic));
    is_word && (opens || is_sentence)
}

/// The words that open a sentence are no passwords even alone, if they tell a state; the others need a next word.
fn continues_as_prose(value: &str, after: &str) -> bool {
    one_of(STATES, value)
        || after
            .trim_start_matches([' ', ',', '\t'])
            .starts_with(|c: char| c.is_alphanumeric() || "'\"`(".contains(c))
}

/// `getpass()`, `os.environ["PASSWORD"]`, `self.password`, `config.get(...)`: the program's, not the secret itself.
pub(super) fn is_code(value: &str) -> bool {
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

pub(super) fn has_digit_and_letter(value: &str) -> bool {
    value.chars().any(|c| c.is_ascii_digit()) && value.chars().any(char::is_alphabetic)
}
