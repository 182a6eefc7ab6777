//! What rendering must know of the world around a message.

use super::{Rich, Span};
use crate::incident::PersonId;

/// What rendering must know of the world.
pub struct Look<'a> {
    /// The user id of a person on this platform.
    pub user_of: &'a dyn Fn(&PersonId) -> Option<String>,
    /// Where the local page is, for links that begin with a slash; without it they become plain text.
    pub page: Option<&'a str>,
}

impl Look<'_> {
    /// The same with what to type in the place of links that lead nowhere from here.
    pub fn reachable(&self, rich: &Rich) -> Rich {
        let spans = rich.0.iter().flat_map(|span| match span {
            Span::Link {
                url,
                text,
                otherwise: Some(otherwise),
            } if self.whole(url).is_none() => {
                Rich::new()
                    .text(format!("{text} ("))
                    .code(otherwise.clone())
                    .text(" on the machine)")
                    .0
            }
            other => vec![other.clone()],
        });
        Rich(spans.collect())
    }

    /// An address that works outside of the page.
    pub fn whole(&self, url: &str) -> Option<String> {
        match url.starts_with('/') {
            true => self
                .page
                .map(|page| format!("{}{url}", page.trim_end_matches('/'))),
            // Anything else than the web is shown as text: nobody should start a program by a click.
            false => (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_owned()),
        }
    }
}
