//! Many expressions looked for in one text. Most texts hold none of them, and that is found out first.

use std::sync::OnceLock;

use regex::{Regex, RegexSet};

/// Up to this length, in bytes, a text is held against all expressions at once: for what people type that takes a tenth of
/// the time. A longer text can be made so that all at once take ten times as long as one after the other.
pub(super) const TOGETHER: usize = 512;

/// Expressions, each with what belongs to it, in the order in which they count.
pub(super) struct Sought<T> {
    all: RegexSet,
    each: Vec<One<T>>,
}

struct One<T> {
    source: &'static str,
    /// Made when it is needed: most never are.
    regex: OnceLock<Regex>,
    what: T,
}

impl<T> Sought<T> {
    pub fn new(sought: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let each: Vec<_> = sought
            .into_iter()
            .map(|(source, what)| One {
                source,
                regex: OnceLock::new(),
                what,
            })
            .collect();
        let all = RegexSet::new(each.iter().map(|one| one.source));
        Self {
            all: all.expect("expressions that stand in the source and are compiled by the tests"),
            each,
        }
    }

    /// Those that match somewhere in the text. Finding that out is several times cheaper than their groups.
    pub fn matching<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a Regex, &'a T)> {
        let together = (text.len() <= TOGETHER).then(|| self.all.matches(text));
        self.each.iter().enumerate().filter_map(move |(at, one)| {
            let regex = || one.regex.get_or_init(|| built_in(one.source));
            let there = match &together {
                Some(together) => together.matched(at),
                None => regex().is_match(text),
            };
            there.then(|| (regex(), &one.what))
        })
    }
}

/// An expression that stands in the source; the tests compile every one.
pub(super) fn built_in(regex: &str) -> Regex {
    Regex::new(regex).expect("an expression that stands in the source and is compiled by the tests")
}
