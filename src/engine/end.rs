//! How a task ended, and what that means for those that wait behind it.

use std::time::Duration;

use super::decide::Failed;
use crate::chat;
use crate::store::Post;

/// How a task ended.
pub(super) enum End {
    /// Done, and nothing more to write down.
    Done,
    /// There was nothing to do, and nobody was asked: it says nothing about whether a platform is there.
    Nothing,
    /// Done, and the effect was finished in the commit of its result.
    Written,
    /// Messages that now show something.
    Shown(Vec<Post>),
    Again {
        why: String,
        after: Option<Duration>,
        /// The platform itself could not be reached.
        away: bool,
    },
    /// An edit for which a platform has no room now. What is to be said in the room does not wait for it: the message
    /// stands, and edits have a limit of their own.
    Later { why: String, after: Duration },
    /// To be looked at again, with its row left exactly as it is: a claim must not be taken back.
    Rest(String),
    /// Never to succeed; said once, then dropped.
    Never(String),
}

impl End {
    pub(super) fn again(why: impl Into<String>) -> Self {
        End::Again {
            why: why.into(),
            after: None,
            away: false,
        }
    }

    /// The end of two calls for one task: if either is to be tried again, all of it is; every call has a key.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (End::Shown(mut posts), End::Shown(more)) => {
                posts.extend(more);
                End::Shown(posts)
            }
            (again @ (End::Again { .. } | End::Rest(_)), _)
            | (_, again @ (End::Again { .. } | End::Rest(_))) => again,
            (later @ End::Later { .. }, _) | (_, later @ End::Later { .. }) => later,
            (shown @ End::Shown(_), _) | (_, shown @ End::Shown(_)) => shown,
            (never @ End::Never(_), _) | (_, never @ End::Never(_)) => never,
            (End::Written, _) | (_, End::Written) => End::Written,
            (End::Done, _) | (_, End::Done) => End::Done,
            (End::Nothing, End::Nothing) => End::Nothing,
        }
    }
}

impl End {
    /// How an edit of a message that stands ended.
    pub(super) fn of_edit(result: Result<(), chat::Error>) -> Self {
        match result {
            Err(chat::Error::Retry {
                why,
                after: Some(after),
            }) => End::Later { why, after },
            other => other.into(),
        }
    }
}

impl From<Result<(), chat::Error>> for End {
    fn from(result: Result<(), chat::Error>) -> Self {
        match result {
            Ok(()) => End::Done,
            Err(error) => error.into(),
        }
    }
}

impl From<chat::Error> for End {
    fn from(error: chat::Error) -> Self {
        match error {
            chat::Error::Retry { why, after } => {
                let away = after.is_none();
                End::Again { why, after, away }
            }
            chat::Error::Gone { why } => End::Never(why),
        }
    }
}

impl From<Failed> for End {
    fn from(error: Failed) -> Self {
        match error {
            // The state has moved on; the result no longer matters to it.
            Failed::Refused(_) => End::Done,
            other => End::again(other.to_string()),
        }
    }
}
