//! What happens to a delivery, whichever way it came: durable first, then acknowledged, then worked on.
//!
//! Slack waits three seconds for everything. What is not decided by then is said to be not confirmed yet, never failed:
//! it may well be in the inbox, and will be decided.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::api::Failure;
use super::incoming::{self, Heard, Own};
use super::{SlackChat, blocks, form, lock, messages};
use crate::chat::taking::{Taken, not_confirmed, take};
use crate::chat::{Block, Delivery, Incoming, Intake, Message, NOT_CONFIRMED, Verdict};
use crate::incident::Identity;

/// Slack's three seconds, less the way there and back and what storing may take.
const DECIDE_MAX: TimeDelta = TimeDelta::milliseconds(1300);
/// Longest wait for what is nice to know before something is taken.
const LOOK_MAX: Duration = Duration::from_millis(1000);
/// Longest wait for who we are: after it there is still time to store a command and to acknowledge it.
const OWN_MAX: TimeDelta = TimeDelta::milliseconds(1000);

/// How long a response address answers, and how often, each less one for safety.
const REPLY_LIFE: TimeDelta = TimeDelta::minutes(29);
const REPLY_USES: u8 = 4;
/// People who can be answered in place at the same time; whoever comes beyond that is answered another way.
const REPLIES_MAX: usize = 2_000;

/// How often a home tab is tried that Slack lets wait, and the wait where it does not say how long.
const HOME_TRIES: usize = 3;
const HOME_WAIT: TimeDelta = TimeDelta::seconds(60);

/// To somebody who types while Slack cannot be asked who the bot is.
const TOO_SOON: &str =
    "Orderly has just started and cannot reach Slack yet. Nothing was taken: try again in a moment.";

/// What a transport sends back.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Acknowledged.
    Empty,
    /// Acknowledged, with words or errors for the person.
    With(Value),
    /// Not taken and not acknowledged: Slack sends it again.
    No,
}

/// An address that answers one person in one channel.
struct Address {
    url: String,
    until: DateTime<Utc>,
    uses_left: u8,
}

/// Where people who typed or pressed something can be answered, in the very place: by person and channel.
#[derive(Default)]
pub struct Replies(Mutex<HashMap<(Identity, String), Address>>);

impl Replies {
    fn keep(&self, who: &Identity, channel: &str, url: &str, now: DateTime<Utc>) {
        let mut all = lock(&self.0);
        if all.len() >= REPLIES_MAX {
            all.retain(|_, address| address.until > now);
        }
        if all.len() < REPLIES_MAX {
            let place = (who.clone(), channel.to_owned());
            let address = Address {
                url: url.to_owned(),
                until: now + REPLY_LIFE,
                uses_left: REPLY_USES,
            };
            all.insert(place, address);
        }
    }

    /// The address, counted as used.
    pub fn take(&self, who: &Identity, channel: &str, now: DateTime<Utc>) -> Option<String> {
        let place = (who.clone(), channel.to_owned());
        let mut all = lock(&self.0);
        let address = all.get_mut(&place)?;
        if address.until <= now || address.uses_left == 0 {
            all.remove(&place);
            return None;
        }
        address.uses_left -= 1;
        Some(address.url.clone())
    }
}

impl SlackChat {
    /// A delivery by its kind, as both transports name them. An event that is not taken may be given up by Slack before it
    /// can be: history has it then.
    pub(super) async fn deliver(self: &Arc<Self>, kind: &str, body: &Value) -> Reply {
        let reply = self.understand(kind, body).await;
        if kind == "events_api" && reply == Reply::No {
            self.read_soon();
        }
        reply
    }

    async fn understand(self: &Arc<Self>, kind: &str, body: &Value) -> Reply {
        let Some(own) = self.own_in_time().await else {
            return self.too_soon(kind, body).await;
        };
        let now = self.clock.now();
        let heard = match kind {
            "slash_commands" => incoming::command(body, own, now),
            "interactive" => incoming::interaction(body, own, now),
            "events_api" => incoming::event(body, own, now),
            _ => Heard::Nothing("a delivery of another kind"),
        };
        self.receive(heard).await
    }

    /// Who we are, if that is known or told at once; asked to the end for those who come next.
    async fn own_in_time(self: &Arc<Self>) -> Option<&Own> {
        if self.own.get().is_none() {
            let chat = Arc::clone(self);
            let asked = tokio::spawn(async move { chat.own().await.map(drop) });
            tokio::select! {
                biased;
                asked = asked => if let Ok(Err(failure)) = asked {
                    tracing::warn!(%failure, "a delivery came before Slack told who we are");
                },
                () = self.passed(OWN_MAX) => {
                    tracing::warn!("a delivery came before Slack told who we are, and Slack is slow");
                }
            }
        }
        self.own.get()
    }

    /// Slack sends events again, and shows a form that nobody acknowledged once more; the rest is told to the person.
    async fn too_soon(self: &Arc<Self>, kind: &str, body: &Value) -> Reply {
        if kind == "slash_commands" {
            return Reply::With(whispered(TOO_SOON));
        }
        let Some(url) = body["response_url"].as_str().map(str::to_owned) else {
            return Reply::No;
        };
        let chat = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(failure) = chat.api.reply(&url, &whispered(TOO_SOON)).await {
                tracing::warn!(%failure, "somebody could not be told that a press was not taken");
            }
        });
        Reply::Empty
    }

    async fn receive(self: &Arc<Self>, heard: Heard) -> Reply {
        let Some(intake) = self.intake.get() else {
            return Reply::No;
        };
        match heard {
            Heard::Command { delivery, reply_to } => {
                let delivery = self.naming(delivery);
                self.asked(intake, delivery, reply_to).await
            }
            Heard::Press { delivery, reply_to } => self.asked(intake, delivery, reply_to).await,
            Heard::Submit {
                delivery,
                fields,
                view,
            } => self.submitted(intake, delivery, &fields, &view).await,
            Heard::Shortcut {
                message,
                press,
                reply_to,
            } => {
                let message = message.map(|message| self.naming(message));
                self.picked(intake, message, press, reply_to).await
            }
            Heard::Event { before, mut delivery } => {
                let before = match before {
                    Some(before) => Some(before),
                    None => self.marked_message(&mut delivery).await,
                };
                let before = before.map(|before| self.naming(before));
                self.taken_after(intake, before, self.naming(delivery)).await
            }
            Heard::OursGone { message } => {
                intake.gone(&message);
                Reply::Empty
            }
            Heard::Account { user } => {
                self.accounts.forget(&user);
                Reply::Empty
            }
            Heard::Home { user } => {
                let (chat, intake) = (Arc::clone(self), Arc::clone(intake));
                tokio::spawn(async move { chat.publish_home(&intake, &user).await });
                Reply::Empty
            }
            Heard::Limited => {
                tracing::warn!("Slack holds events back: this workspace has more than 30,000 in an hour");
                self.read_soon();
                Reply::Empty
            }
            Heard::Revoked => {
                tracing::error!(
                    "the app was uninstalled or its token revoked; reinstall it, and run `orderly doctor`"
                );
                Reply::Empty
            }
            Heard::Nothing(why) => {
                tracing::trace!(why, "passed over");
                Reply::Empty
            }
        }
    }

    /// People in a text by their short names instead of Slack's ids, where they are known.
    pub(super) fn naming(&self, mut delivery: Delivery) -> Delivery {
        let text = match &mut delivery.incoming {
            Incoming::Command { text, .. } | Incoming::Wrote { text, .. } | Incoming::Edited { text, .. } => {
                text
            }
            _ => return delivery,
        };
        let (Some(own), Some(people)) = (self.own.get(), self.people.get()) else {
            return delivery;
        };
        *text = incoming::named(text, |user| {
            people.person(&own.identity(None, user)).map(|id| id.0)
        });
        delivery
    }

    /// The home tab, as it is now. Nothing of it is kept: whoever looks again gets a new one. Where Slack lets it wait, it
    /// shows what is true when its time has come.
    async fn publish_home(&self, intake: &Arc<dyn Intake>, user: &str) {
        let Ok(own) = self.own().await else { return };
        for _ in 0..HOME_TRIES {
            let view = self.home_of(intake, own, user).await;
            let body = json!({ "user_id": user, "view": view });
            match self.api.call("views.publish", &body).await {
                Err(Failure::Limited { after, .. }) => {
                    let wait = TimeDelta::from_std(after).unwrap_or(HOME_WAIT);
                    if self.stopped_within(wait).await {
                        return;
                    }
                }
                Err(failure) => return tracing::warn!(%failure, "a home tab could not be shown"),
                Ok(_) => return,
            }
        }
        tracing::warn!("Slack took no home tab; whoever looks again gets it");
    }

    async fn home_of(&self, intake: &Arc<dyn Intake>, own: &Own, user: &str) -> Value {
        let message = intake.home(&own.identity(None, user)).await;
        let message = message.unwrap_or_else(|| Message {
            fallback: String::new(),
            blocks: vec![Block::Text {
                text: format!(
                    "Orderly does not know you yet. Ask the operator to add you: workspace {}, user {user}.",
                    own.team
                )
                .into(),
            }],
        });
        let rendered = self.looking(own, |look| blocks::render(&message, look, blocks::Rest::Dropped));
        json!({ "type": "home", "blocks": rendered.blocks })
    }

    /// The message that somebody marks, asked of Slack: it may be a reply, or older than the bot in this channel. What
    /// it shows counts, because reactions overtake each other. Without it the mark is told as it came.
    pub(super) async fn marked_message(&self, delivery: &mut Delivery) -> Option<Delivery> {
        let Incoming::Reacted {
            from,
            message,
            emoji,
            present,
            ..
        } = &mut delivery.incoming
        else {
            return None;
        };
        let own = self.own().await.ok()?;
        if !own.marks.contains(emoji) {
            return None;
        }
        let (channel, ts) = (&message.room.room, &message.message);
        let asked = self.message_at(channel, ts);
        let found = tokio::time::timeout(LOOK_MAX, asked).await.ok().flatten()?;
        if let Some(now) = messages::has_reaction(&found, &from.user, emoji, own) {
            *present = now;
        }
        messages::standing(&found, channel, own, self.clock.now())
    }

    fn keep_reply(&self, delivery: &Delivery, reply_to: Option<&str>) {
        let (from, channel) = match &delivery.incoming {
            Incoming::Command { from, room, .. } => (from, &room.room),
            Incoming::Press { from, message, .. } => (from, &message.room.room),
            _ => return,
        };
        if let Some(url) = reply_to {
            self.replies.keep(from, channel, url, self.clock.now());
        }
    }

    /// Something typed or pressed: taken in, or the person is told in time that it is not known yet.
    async fn asked(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        mut delivery: Delivery,
        reply_to: Option<String>,
    ) -> Reply {
        self.keep_reply(&delivery, reply_to.as_deref());
        let view = self.open_waiting(intake, &mut delivery);
        let incoming = delivery.incoming.clone();
        let (later, words) = match self.take(intake, delivery).await {
            Taken::Yes(id) => {
                if let (Some(id), Some(view)) = (id, view) {
                    let (chat, intake) = (Arc::clone(self), Arc::clone(intake));
                    tokio::spawn(async move { chat.tell_refusal(&intake, id, view).await });
                }
                return Reply::Empty;
            }
            // A mention is an event, and Slack sends that again; the rest it does not.
            _ if is_event(&incoming) => return Reply::No,
            Taken::No(why) => (None, why.to_string()),
            Taken::Late(later) => (Some(later), not_confirmed()),
        };
        let (chat, intake) = (Arc::clone(self), Arc::clone(intake));
        let is_command = matches!(incoming, Incoming::Command { .. });
        let said = whispered(&words);
        tokio::spawn(async move {
            // A view that stands says so itself, now or when it is known.
            let ended = match later {
                None => chat.end_view(view.clone(), &words).await,
                Some(_) => view.is_some(),
            };
            if !is_command && (reply_to.is_some() || !ended) {
                chat.tell_at_once(reply_to, &incoming, &words).await;
            }
            if let Some(later) = later {
                chat.see_through(&intake, later, view, &incoming).await;
            }
        });
        match is_command {
            true => Reply::With(said),
            false => Reply::Empty,
        }
    }

    /// Something picked from a message's menu: the message is handed in first. Slack sends neither again, so it is
    /// acknowledged whatever becomes of it, and the person is told.
    async fn picked(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        message: Option<Delivery>,
        press: Delivery,
        reply_to: Option<String>,
    ) -> Reply {
        let taken = match message {
            Some(message) => self.take(intake, message).await,
            None => Taken::Yes(None),
        };
        let (words, later) = match taken {
            Taken::Yes(_) => return self.asked(intake, press, reply_to).await,
            Taken::No(why) => (why.to_string(), None),
            Taken::Late(later) => (not_confirmed(), Some(later)),
        };
        self.keep_reply(&press, reply_to.as_deref());
        let (chat, intake) = (Arc::clone(self), Arc::clone(intake));
        tokio::spawn(async move {
            let incoming = press.incoming.clone();
            chat.tell_at_once(reply_to, &incoming, &words).await;
            if let Some(later) = later {
                chat.hand_in_after(&intake, later, press, &incoming).await;
            }
        });
        Reply::Empty
    }

    /// A submitted form is decided before it is acknowledged: its errors travel in the acknowledgement.
    async fn submitted(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        delivery: Delivery,
        fields: &[String],
        view: &str,
    ) -> Reply {
        let incoming = delivery.incoming.clone();
        let later = match self.take(intake, delivery).await {
            Taken::Yes(Some(id)) => {
                let decided = tokio::select! {
                    verdict = intake.decided(id) => Some(verdict),
                    () = self.passed(DECIDE_MAX) => None,
                };
                match decided {
                    Some(verdict) if verdict.accepted => return Reply::Empty,
                    Some(verdict) if verdict.is_confirmed() => return refused(&verdict, fields),
                    _ => Ok(Some(id)),
                }
            }
            Taken::Yes(None) => return Reply::Empty,
            Taken::No(why) => return shown_instead("Not taken", &why.to_string()),
            Taken::Late(later) => Err(later),
        };
        let (chat, intake) = (Arc::clone(self), Arc::clone(intake));
        let view = view.to_owned();
        tokio::spawn(async move { chat.tell_outcome(&intake, later, view, &incoming).await });
        shown_instead(NOT_CONFIRMED, &not_confirmed())
    }

    /// What came before is handed in first; both, or neither is acknowledged.
    async fn taken_after(
        &self,
        intake: &Arc<dyn Intake>,
        before: Option<Delivery>,
        delivery: Delivery,
    ) -> Reply {
        if let Some(before) = before
            && !matches!(self.take(intake, before).await, Taken::Yes(_))
        {
            return Reply::No;
        }
        match self.take(intake, delivery).await {
            Taken::Yes(_) => Reply::Empty,
            Taken::No(_) | Taken::Late(_) => Reply::No,
        }
    }

    pub(super) async fn take(&self, intake: &Arc<dyn Intake>, delivery: Delivery) -> Taken {
        take(intake, &*self.clock, delivery).await
    }

    pub(super) async fn passed(&self, wait: TimeDelta) {
        self.clock.until(self.clock.now() + wait).await;
    }
}

/// Whether Slack sends it again if it is not acknowledged.
fn is_event(incoming: &Incoming) -> bool {
    matches!(incoming, Incoming::Command { trigger: None, .. })
}

fn refused(verdict: &Verdict, fields: &[String]) -> Reply {
    let words = form::words(&verdict.message);
    let named = verdict.field.as_ref().filter(|field| fields.contains(field));
    match named.or(fields.first()) {
        Some(field) => {
            let errors = HashMap::from([(field.as_str(), words)]);
            Reply::With(json!({ "response_action": "errors", "errors": errors }))
        }
        None => shown_instead("Not done", words),
    }
}

/// The form gives way to words.
fn shown_instead(title: &str, words: &str) -> Reply {
    Reply::With(json!({ "response_action": "update", "view": form::saying(title, words) }))
}

pub(super) fn whispered(words: &str) -> Value {
    json!({ "response_type": "ephemeral", "replace_original": false, "text": super::rich::escaped(words) })
}
