//! What goes wrong, on demand.

use std::time::Duration;

use crate::calls::CallFaults;

/// What happens to a call instead of its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429 with this long in `retry_after`; nothing is done.
    Limited(Duration),
    /// The same for all calls together, as its `global` says.
    LimitedGlobally(Duration),
    /// 429 of the proxy before Discord: a page of HTML, and only a Retry-After in whole seconds.
    ShutOut(u64),
    /// This status and a page of text; nothing is done.
    Status(u16),
    /// This status with Discord's code; nothing is done.
    Error(u16, u32),
    /// No answer until [`super::DiscordServer::release`]; then it is carried out and answered.
    Hang,
    /// Carried out at once; the answer comes with [`super::DiscordServer::release`].
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
    /// The next so many events never arrive, nor are they replayed.
    pub lose: usize,
    /// The next so many events come in a shape no library knows.
    pub garble: usize,
    /// Heartbeats are not acknowledged.
    pub deaf: bool,
    /// Who identifies is closed with this code and these words.
    pub refuse: Option<(u16, &'static str)>,
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
