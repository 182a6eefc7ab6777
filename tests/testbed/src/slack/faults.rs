//! What goes wrong, on demand.

use crate::calls::CallFaults;

/// What happens to a call instead of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 with this many seconds in Retry-After; nothing is done.
    Limited(u64),
    /// This status and a page of text; nothing is done.
    Status(u16),
    /// 200 with this error code; nothing is done.
    Error(&'static str),
    /// No answer until [`super::SlackServer::release`]; then it is carried out and answered.
    Hang,
    /// Carried out at once; the answer comes with [`super::SlackServer::release`].
    HangAfter,
    /// The connection is closed, and nothing was done.
    DropBefore,
    /// It was done, and the connection is closed before the answer.
    DropAfter,
}

#[derive(Debug, Default)]
pub struct Faults {
    pub calls: CallFaults<Fault>,
    /// Every event arrives twice.
    pub twice: bool,
    /// Nobody is at home: every connection is closed as it is made.
    pub away: bool,
}

impl Faults {
    pub fn clear(&mut self) {
        let away = self.away;
        *self = Self {
            away,
            ..Self::default()
        };
    }
}
