//! What rendering must know of the world around a message.

use crate::incident::PersonId;

/// What rendering must know of the world.
pub struct Look<'a> {
    /// The user id of a person on this platform.
    pub user_of: &'a dyn Fn(&PersonId) -> Option<String>,
    /// Where the local page is, for links that begin with a slash; without it they become plain text.
    pub page: Option<&'a str>,
}

impl Look<'_> {
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
