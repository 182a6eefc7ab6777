//! What is said after the acknowledgement, when the database was slower than Slack waits.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::receive::whispered;
use super::views::{self, Opening};
use super::{SlackChat, form};
use crate::chat::taking::{Later, Taken};
use crate::chat::{Block, Chat, Delivery, Incoming, Intake, Message};

impl SlackChat {
    /// What the acknowledgement could not say any more: that it was not taken after all, and why a form does not come.
    pub(super) async fn see_through(
        &self,
        intake: &Arc<dyn Intake>,
        later: Later,
        view: Option<watch::Receiver<Opening>>,
        incoming: &Incoming,
    ) {
        match (later.await, view) {
            (Ok(Ok(Some(id))), Some(view)) => self.tell_refusal(intake, id, view).await,
            (Ok(Err(why)), view) => {
                let view = match view {
                    Some(view) => views::id_of(view).await,
                    None => None,
                };
                self.say_later(incoming, view.as_deref(), "Not taken", &why.to_string())
                    .await;
            }
            // Taken, and its answer comes the usual way; or it failed badly, and the log has it.
            _ => {}
        }
    }

    /// A view that stands for a form which will not come. Whether there is one that could be told.
    pub(super) async fn end_view(&self, view: Option<watch::Receiver<Opening>>, words: &str) -> bool {
        let Some(view) = view else { return false };
        match views::id_of(view).await {
            Some(view) => self.say_in_view(&view, "Not taken", words).await,
            None => false,
        }
    }

    /// To somebody who pressed or picked something, in place where Slack said how, else where they are or directly.
    pub(super) async fn tell_at_once(&self, reply_to: Option<String>, incoming: &Incoming, words: &str) {
        if let Some(url) = reply_to {
            match self.api.reply(&url, &whispered(words)).await {
                Err(failure) if !failure.is_lost() => {
                    tracing::debug!(%failure, "somebody is told another way");
                }
                _ => return,
            }
        }
        self.say_later(incoming, None, "Not taken", words).await;
    }

    /// Hands in what had to wait for something else, which was late; that either was not taken is told.
    pub(super) async fn hand_in_after(
        &self,
        intake: &Arc<dyn Intake>,
        before: Later,
        delivery: Delivery,
        incoming: &Incoming,
    ) {
        let refused = match before.await {
            Ok(Ok(_)) => match self.take(intake, delivery).await {
                Taken::Yes(_) => None,
                Taken::No(why) => Some(why),
                Taken::Late(later) => later.await.ok().and_then(Result::err),
            },
            Ok(Err(why)) => Some(why),
            // It failed badly, and the log has it.
            Err(_) => None,
        };
        if let Some(why) = refused {
            self.say_later(incoming, None, "Not taken", &why.to_string())
                .await;
        }
    }

    /// How a form went that was acknowledged before anybody knew.
    pub(super) async fn tell_outcome(
        &self,
        intake: &Arc<dyn Intake>,
        taken: Result<Option<u64>, Later>,
        view: String,
        incoming: &Incoming,
    ) {
        let id = match taken {
            Ok(id) => Ok(id),
            Err(later) => later.await.unwrap_or(Ok(None)),
        };
        let id = match id {
            Ok(Some(id)) => id,
            Ok(None) => return,
            Err(why) => {
                let view = Some(view.as_str());
                return self
                    .say_later(incoming, view, "Not taken", &why.to_string())
                    .await;
            }
        };
        // Told each time that it could not be decided; the last word is the one that counts.
        let verdict = loop {
            let verdict = intake.decided(id).await;
            if verdict.is_confirmed() {
                break verdict;
            }
        };
        let words = form::words(&verdict.message);
        match verdict.accepted {
            // What was done is told the usual way as well, and the view may be closed by now.
            true => {
                self.say_in_view(&view, "Done", words).await;
            }
            false => self.say_later(incoming, Some(&view), "Not done", words).await,
        }
    }

    /// Whether the view could still be told.
    async fn say_in_view(&self, view: &str, title: &str, words: &str) -> bool {
        let body = json!({ "view_id": view, "view": form::saying(title, words) });
        let told = self.api.call("views.update", &body).await;
        if let Err(failure) = &told {
            tracing::debug!(%failure, "a form could not be told how it went");
        }
        told.is_ok()
    }

    /// Words that come after the acknowledgement: in the view in front of the person, or where they were if there is none.
    async fn say_later(&self, incoming: &Incoming, view: Option<&str>, title: &str, words: &str) {
        if let Some(view) = view
            && self.say_in_view(view, title, words).await
        {
            return;
        }
        let (room, from) = match incoming {
            Incoming::Command { from, room, .. } | Incoming::Submit { from, room, .. } => (room, from),
            Incoming::Press { from, message, .. } => (&message.room, from),
            _ => return,
        };
        let message = Message {
            fallback: words.to_owned(),
            blocks: vec![Block::Text { text: words.into() }],
        };
        let key = format!("late/{}/{}", from.user, self.clock.now().timestamp_micros());
        if let Err(error) = self.whisper(&key, room, from, &message).await {
            tracing::warn!(%error, "somebody could not be told how it went");
        }
    }
}
