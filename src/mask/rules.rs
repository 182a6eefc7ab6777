//! Secrets that show by their own form: a well-known prefix, or a place that only ever holds a secret.
//!
//! Each expression is searched for in linear time. Classes are ASCII, because word boundaries that know all of Unicode
//! leave the fast path of the regex crate.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;

use super::seek::{Sought, built_in};
use super::{Found, assign, card, judge, pem};

/// A second look at what an expression matched.
pub(super) type Holds = fn(&str) -> bool;

/// What is searched for. If the expression has a group, only what the group matches is masked.
struct Rule {
    kind: &'static str,
    regex: &'static str,
    holds: Holds,
}

const fn rule(kind: &'static str, regex: &'static str) -> Rule {
    Rule {
        kind,
        regex,
        holds: |_| true,
    }
}

const fn rule_if(kind: &'static str, regex: &'static str, holds: Holds) -> Rule {
    Rule { kind, regex, holds }
}

/// Kinds of one rule stand next to each other; an earlier rule wins where two begin at the same place.
const RULES: &[Rule] = &[
    rule(
        "AWS access key",
        r"(?-u:\b)(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?-u:\b)",
    ),
    rule(
        "AWS secret key",
        r#"(?i)aws[^\n]{0,20}?secret[^\n]{0,20}?[=:\s]["']?([A-Za-z0-9/+]{40})(?-u:\b)"#,
    ),
    rule("GitHub token", r"(?-u:\b)gh[opusr]_[A-Za-z0-9]{20,}"),
    rule("GitHub token", r"(?-u:\b)github_pat_[A-Za-z0-9_]{20,}"),
    rule(
        "GitLab token",
        r"(?-u:\b)gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas|ffct)-[A-Za-z0-9_.-]{16,}",
    ),
    rule(
        "Slack token",
        r"(?-u:\b)xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}",
    ),
    rule("Slack token", r"(?-u:\b)xapp-[0-9]-[A-Za-z0-9-]{10,}"),
    rule(
        "Slack webhook",
        r"(?i)hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{8,})",
    ),
    rule(
        "Discord webhook",
        r"(?i)discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{15,22}/([A-Za-z0-9_-]{20,})",
    ),
    rule(
        "Discord token",
        r"(?-u:\b)[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}",
    ),
    rule(
        "Discord token",
        r"(?-u:\b)aW50ZXJhY3Rpb246[A-Za-z0-9+/_-]{30,}={0,2}",
    ),
    rule("Stripe key", r"(?-u:\b)[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    rule("Stripe key", r"(?-u:\b)whsec_[A-Za-z0-9+/]{20,}={0,2}"),
    rule("Google API key", r"(?-u:\b)AIza[A-Za-z0-9_-]{35}"),
    rule("Google token", r"(?-u:\b)(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20,}"),
    rule(
        "Azure key",
        r#"(?i)(?:AccountKey|SharedAccessKey|SharedSecret)["']?\s{0,3}[=:]\s{0,3}["']?([A-Za-z0-9+/]{40,}={0,2})"#,
    ),
    rule(
        "Azure signature",
        r"[?&](?:amp;)?sig=([A-Za-z0-9%+/_-]{30,}={0,2})",
    ),
    rule(
        "Azure client secret",
        r"(?-u:\b)[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    ),
    rule(
        "AWS signature",
        r"(?i)X-Amz-(?:Signature|Security-Token)=([A-Za-z0-9%+/]{40,})",
    ),
    rule(
        "JWT",
        r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}",
    ),
    rule("npm token", r"(?-u:\b)npm_[A-Za-z0-9]{36}"),
    rule("PyPI token", r"(?-u:\b)pypi-[A-Za-z0-9_-]{50,}"),
    rule("Docker token", r"(?-u:\b)dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    rule_if(
        "API key",
        r"(?-u:\b)sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{30,}",
        |value| value.bytes().any(|b| b.is_ascii_digit()),
    ),
    rule(
        "SendGrid key",
        r"(?-u:\b)SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    ),
    rule("Telegram token", r"(?-u:\b)[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    rule("Vault token", r"(?-u:\b)hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    rule("Shopify token", r"(?-u:\b)shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    rule("DigitalOcean token", r"(?-u:\b)do[opr]_v1_[a-f0-9]{64}"),
    rule("Grafana token", r"(?-u:\b)gl(?:sa|c)_[A-Za-z0-9_+/=-]{32,}"),
    rule("age key", r"(?-u:\b)AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    rule(
        "password hash",
        r#"\$(?:pbkdf2-sha[0-9]{1,3}|2[abxy]|argon2id?|argon2i|apr1|[156y])\$[^\s"':,]{20,}"#,
    ),
    rule(
        "password hash",
        r#"SCRAM-SHA-(?:1|256)\$[0-9]{1,8}:[^\s"',]{20,}"#,
    ),
    rule_if(
        "authorization",
        r#"(?i)(?-u:\b)authorization["']?[ \t]{0,3}[:=][ \t]{0,3}["']?(?:[A-Za-z0-9-]{3,20}[ \t]+)?([A-Za-z0-9._~+/:-]{6,}={0,2})"#,
        is_no_word,
    ),
    rule_if(
        "bearer token",
        r"(?i)(?-u:\b)bearer[ \t]+([A-Za-z0-9._~+/-]{8,}={0,2})",
        is_no_word,
    ),
    rule_if(
        "basic credentials",
        r"(?i)(?-u:\b)basic[ \t]+([A-Za-z0-9+/]{8,}={0,2})",
        decodes_to_credentials,
    ),
    rule(
        "cookie",
        r#"(?i)(?-u:\b)(?:set-)?cookie["']?[ \t]*:[ \t]*["']?([^\s=;"']+=[^;\s"'][^\r\n"']*)"#,
    ),
    // The password of a URL runs up to the last @ before the path, since people forget to encode it.
    rule_if(
        "password",
        r#"(?i)(?-u:\b)[a-z][a-z0-9+.-]*://[^\s/?#:@"'<>]*:([^\s/?#"'<>]+)@"#,
        |value| !judge::is_placeholder(value),
    ),
    rule_if(
        "credential in a URL",
        r#"(?i)(?-u:\b)https?://([a-z0-9_-]{20,})@"#,
        |value| value.bytes().any(|b| b.is_ascii_digit()),
    ),
    rule(
        "sign-in link",
        r#"[?&](?:code|ticket|otp|oob_?code|invitation|signup_token|magic)=([A-Za-z0-9._~%+/-]{16,}={0,2})"#,
    ),
    rule(
        "API key",
        r"(?i)(?-u:\b)(?:odoo|api)[^\n]{0,40}?(?-u:\b)key[^\n]{0,20}?(?-u:\b)([0-9a-f]{40})(?-u:\b)",
    ),
    // Odoo's RPC carries the password or the API key as the third argument.
    rule_if(
        "password",
        r#"execute(?:_kw)?["']?\s{0,3}[,(][^\n]{0,40}?["'][^"'\n]*["'],\s{0,3}[0-9]{1,9},\s{0,3}["']([^"'\n]+)["']"#,
        |value| !judge::is_placeholder(value),
    ),
    rule_if(
        "password",
        r#"(?:authenticate|login)["']?\s{0,3}[,(](?:\s{0,3}["']args["']:)?\s{0,3}[\[(]?\s{0,3}["'][^"'\n]*["'],\s{0,3}["'][^"'\n]*["'],\s{0,3}["']([^"'\n]+)["']"#,
        |value| !judge::is_placeholder(value),
    ),
    rule_if(
        "password",
        r"(?m)^[^\s:]+:(?:54[0-9]{2}|6432|\*):[^\s:]+:[^\s:]+:(\S+)$",
        |value| !judge::is_placeholder(value) && !is_hex_group(value),
    ),
];

static SOUGHT: LazyLock<Sought<(Arc<str>, Holds)>> = LazyLock::new(|| {
    let rules = RULES.iter();
    Sought::new(rules.map(|rule| (rule.regex, (Arc::from(rule.kind), rule.holds))))
});

pub(super) fn find(text: &str, spans: &mut Vec<Found>) {
    for (regex, (kind, holds)) in SOUGHT.matching(text) {
        for groups in regex.captures_iter(text) {
            let secret = groups.get(1).or_else(|| groups.get(0));
            if let Some(secret) = secret.filter(|secret| holds(secret.as_str())) {
                spans.push(Found {
                    kind: kind.clone(),
                    range: secret.range(),
                });
            }
        }
    }
}

/// Every kind that is built in.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    RULES
        .iter()
        .map(|rule| rule.kind)
        .chain(assign::kinds())
        .chain([pem::KIND, card::KIND])
}

/// Matches nothing at all.
pub(super) fn never() -> Regex {
    built_in(r"[^\s\S]")
}

/// The last part of an IPv6 address, which has the colons of a `.pgpass` line too.
fn is_hex_group(value: &str) -> bool {
    value.len() <= 4 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// "Bearer authentication" is prose.
fn is_no_word(value: &str) -> bool {
    value.len() >= 18 || value.ends_with('=') || value.bytes().any(|b| b.is_ascii_digit())
}

/// "Basic authentication" is prose; `Basic YW5hOmh1bnRlcjI=` is a name and a password.
fn decodes_to_credentials(value: &str) -> bool {
    BASE64_STANDARD
        .decode(value)
        .is_ok_and(|bytes| bytes.contains(&b':') && bytes.iter().all(|byte| (0x20..0x7f).contains(byte)))
}
