//! Carries what people did in rooms to the bot, in order, and again until the bot has it.

use std::sync::{Arc, Weak};

use chrono::TimeDelta;
use tokio::sync::Notify;

use super::LocalChat;
use super::writer::Op;

/// Deliveries read at once.
const BATCH: u32 = 128;
/// After a refusal. The bot's inbox drains thousands a second, so one second is plenty.
const AGAIN: TimeDelta = TimeDelta::seconds(1);

/// Runs until the chat is dropped or closed.
pub(super) async fn run(chat: Weak<LocalChat>, waiting: Arc<Notify>) {
    loop {
        let woken = waiting.notified();
        let Some(strong) = chat.upgrade() else { return };
        match strong.carry().await {
            Carried::All => {
                drop(strong);
                woken.await;
            }
            Carried::Some => {}
            Carried::Refused => {
                let clock = Arc::clone(&strong.clock);
                drop(strong);
                tokio::select! {
                    () = clock.until(clock.now() + AGAIN) => {}
                    () = woken => {}
                }
            }
            Carried::Closed => return,
        }
    }
}

enum Carried {
    All,
    Some,
    Refused,
    Closed,
}

impl LocalChat {
    async fn carry(&self) -> Carried {
        let Some(intake) = self.intake.get() else {
            return Carried::Closed;
        };
        let waiting = match self.undelivered(BATCH).await {
            Ok(waiting) => waiting,
            Err(_) if self.pool.is_closed() => return Carried::Closed,
            Err(error) => {
                tracing::error!(%error, "what people did cannot be read from the chat file; trying again");
                return Carried::Refused;
            }
        };
        if waiting.is_empty() {
            return Carried::All;
        }
        let mut ids = Vec::with_capacity(waiting.len());
        let mut refused = None;
        for (id, delivery) in waiting {
            match intake.take(delivery).await {
                Ok(_) => ids.push(id),
                Err(why) => {
                    refused = Some(why);
                    break;
                }
            }
        }
        if let Some(why) = &refused {
            tracing::warn!(%why, "the bot did not take what people did; trying again");
        }
        let count = ids.len() as u64;
        // Should this fail, they are delivered again under the same keys.
        let written = self.writer.apply(Op::Delivered { ids }).await;
        self.carried.send_modify(|carried| *carried += count);
        match (refused, written) {
            (None, Ok(_)) => Carried::Some,
            _ if self.pool.is_closed() => Carried::Closed,
            _ => Carried::Refused,
        }
    }
}
