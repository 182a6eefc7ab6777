//! What happens to a delivery, whichever way it came: durable first, then acknowledged, then worked on.
//!
//! Slack waits three seconds for everything. What is not decided by then is said to be not confirmed yet, never failed:
//! it may well be in the inbox, and will be decided.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::Failure;
use super::incoming::{self, Heard};
use super::{SlackChat, blocks, form, lock};
use crate::chat::taking::{NOT_CONFIRMED, Taken, take};
use crate::chat::{Block, Delivery, Incoming, Intake, Message, Trigger, Verdict};
use crate::incident::Identity;

/// Slack's three seconds, less the way there and back, and less the time for taking.
const DECIDE_MAX: Duration = Duration::from_millis(1300);
/// Longest wait for what is nice to know before something is taken.
const LOOK_MAX: Duration = Duration::from_millis(1000);

/// How long a response address answers, and how often, each less one for safety.
const REPLY_LIFE: TimeDelta = TimeDelta::minutes(29);
const REPLY_USES: u8 = 4;
/// People who can be answered in place at the same time; whoever comes beyond that is answered another way.
const REPLIES_MAX: usize = 2_000;

/// How long it matters which view a trigger opened: until the form is decided, however slow the database is.
const VIEW_LIFE: TimeDelta = TimeDelta::minutes(1);

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

/// Views opened before it is known what stands in them, by the trigger that opened them.
#[derive(Default)]
pub struct Views(Mutex<HashMap<String, View>>);

/// A view, and when it was begun.
type View = (DateTime<Utc>, watch::Receiver<Opening>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Opening {
    UnderWay,
    Open(String),
    Failed,
}

impl Views {
    fn begin(&self, trigger: &str, now: DateTime<Utc>) -> watch::Sender<Opening> {
        let (tell, opening) = watch::channel(Opening::UnderWay);
        let mut all = lock(&self.0);
        all.retain(|_, (begun, _)| *begun + VIEW_LIFE > now);
        all.insert(trigger.to_owned(), (now, opening));
        tell
    }

    /// The view that a trigger opened, or is just opening.
    pub async fn opened(&self, trigger: &str) -> Option<String> {
        let (_, opening) = lock(&self.0).get(trigger).cloned()?;
        id_of(opening).await
    }
}

/// The view's id, once Slack has told it.
async fn id_of(mut opening: watch::Receiver<Opening>) -> Option<String> {
    let opened = opening.wait_for(|opening| *opening != Opening::UnderWay).await;
    match opened.as_deref() {
        Ok(Opening::Open(view)) => Some(view.clone()),
        _ => None,
    }
}

impl SlackChat {
    /// A delivery by its kind, as both transports name them.
    pub(super) async fn deliver(self: &Arc<Self>, kind: &str, body: &Value) -> Reply {
        let own = match self.own().await {
            Ok(own) => own,
            Err(failure) => {
                tracing::warn!(%failure, "a delivery came before Slack told who we are");
                return Reply::No;
            }
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

    async fn receive(self: &Arc<Self>, heard: Heard) -> Reply {
        let Some(intake) = self.intake.get() else {
            return Reply::No;
        };
        match heard {
            Heard::Command { delivery, reply_to } => {
                let delivery = self.naming(delivery);
                self.commanded(intake, delivery, reply_to).await
            }
            Heard::Press {
                delivery,
                reply_to,
                form,
            } => self.pressed(intake, delivery, reply_to, form).await,
            Heard::Submit { delivery, fields } => submitted(intake, delivery, &fields).await,
            Heard::Shortcut { message, press } => {
                let message = message.map(|message| self.naming(message));
                taken_after(intake, message, press).await
            }
            Heard::Event { before, delivery } => {
                let before = match before {
                    Some(before) => Some(before),
                    None => self.marked_message(&delivery).await,
                };
                let before = before.map(|before| self.naming(before));
                taken_after(intake, before, self.naming(delivery)).await
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

    /// The home tab, as it is now. Nothing of it is kept: whoever looks again gets a new one.
    async fn publish_home(&self, intake: &Arc<dyn Intake>, user: &str) {
        let Ok(own) = self.own().await else { return };
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
        let view = json!({ "type": "home", "blocks": rendered.blocks });
        let body = json!({ "user_id": user, "view": view });
        if let Err(failure) = self.api.call("views.publish", &body).await {
            tracing::warn!(%failure, "a home tab could not be shown");
        }
    }

    /// The message that somebody marks, asked of Slack: it may be a reply, or older than the bot in this channel. Without
    /// it the mark is told all the same.
    async fn marked_message(&self, delivery: &Delivery) -> Option<Delivery> {
        let Incoming::Reacted {
            message,
            emoji,
            present: true,
            ..
        } = &delivery.incoming
        else {
            return None;
        };
        let own = self.own().await.ok()?;
        if !own.marks.contains(emoji) {
            return None;
        }
        let asked = self.message_at(own, &message.room.room, &message.message);
        tokio::time::timeout(LOOK_MAX, asked).await.ok().flatten()
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

    async fn commanded(
        &self,
        intake: &Arc<dyn Intake>,
        delivery: Delivery,
        reply_to: Option<String>,
    ) -> Reply {
        self.keep_reply(&delivery, reply_to.as_deref());
        // A mention comes as an event, which Slack sends again; a command it does not.
        let is_event = matches!(&delivery.incoming, Incoming::Command { trigger: None, .. });
        match take(intake, delivery).await {
            Taken::Yes(_) => Reply::Empty,
            _ if is_event => Reply::No,
            Taken::No(why) => Reply::With(whispered(&why.to_string())),
            Taken::Late => Reply::With(whispered(NOT_CONFIRMED)),
        }
    }

    async fn pressed(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        delivery: Delivery,
        reply_to: Option<String>,
        form: bool,
    ) -> Reply {
        self.keep_reply(&delivery, reply_to.as_deref());
        let opening = match &delivery.incoming {
            Incoming::Press {
                trigger: Some(trigger),
                ..
            } if form => Some(self.open_waiting(trigger)),
            _ => None,
        };
        let words = match take(intake, delivery).await {
            Taken::Yes(Some(id)) => {
                if let Some(view) = opening {
                    self.tell_refusal(Arc::clone(intake), id, view);
                }
                return Reply::Empty;
            }
            Taken::Yes(None) => return Reply::Empty,
            Taken::No(why) => why.to_string(),
            Taken::Late => NOT_CONFIRMED.to_owned(),
        };
        if let Some(url) = reply_to {
            let chat = Arc::clone(self);
            tokio::spawn(async move {
                let answered = chat.api.reply(&url, &whispered(&words)).await;
                if let Err(failure) = answered {
                    tracing::warn!(%failure, "somebody could not be told that a press was not taken");
                }
            });
        }
        Reply::Empty
    }

    /// Opens a view at once, before anything is asked of the database.
    fn open_waiting(self: &Arc<Self>, trigger: &Trigger) -> watch::Receiver<Opening> {
        let tell = self.views.begin(&trigger.token, self.clock.now());
        let opening = tell.subscribe();
        let (chat, trigger) = (Arc::clone(self), trigger.token.clone());
        tokio::spawn(async move {
            let body = json!({ "trigger_id": trigger, "view": form::waiting() });
            let opened = chat.api.call("views.open", &body).await;
            let opened = match opened {
                Ok(answer) => match answer["view"]["id"].as_str() {
                    Some(id) => Opening::Open(id.to_owned()),
                    None => Opening::Failed,
                },
                Err(failure) => {
                    tracing::warn!(%failure, "a form could not be opened");
                    Opening::Failed
                }
            };
            tell.send_replace(opened);
        });
        opening
    }

    /// A view that waits for a form which will not come says why.
    fn tell_refusal(self: &Arc<Self>, intake: Arc<dyn Intake>, id: u64, view: watch::Receiver<Opening>) {
        let chat = Arc::clone(self);
        tokio::spawn(async move {
            let verdict = intake.decided(id).await;
            if verdict.accepted {
                return;
            }
            if let Some(view) = id_of(view).await {
                let said = form::saying("Not now", form::words(&verdict.message));
                let body = json!({ "view_id": view, "view": said });
                let updated: Result<Value, Failure> = chat.api.call("views.update", &body).await;
                if let Err(failure) = updated {
                    tracing::warn!(%failure, "a form could not be told that it is refused");
                }
            }
        });
    }
}

/// What came before is handed in first; both, or neither is acknowledged.
async fn taken_after(intake: &Arc<dyn Intake>, before: Option<Delivery>, delivery: Delivery) -> Reply {
    if let Some(before) = before
        && !matches!(take(intake, before).await, Taken::Yes(_))
    {
        return Reply::No;
    }
    match take(intake, delivery).await {
        Taken::Yes(_) => Reply::Empty,
        Taken::No(_) | Taken::Late => Reply::No,
    }
}

/// A submitted form is decided before it is acknowledged: its errors travel in the acknowledgement.
async fn submitted(intake: &Arc<dyn Intake>, delivery: Delivery, fields: &[String]) -> Reply {
    let id = match take(intake, delivery).await {
        Taken::Yes(Some(id)) => id,
        Taken::Yes(None) => return Reply::Empty,
        Taken::No(why) => return shown_instead("Not taken", &why.to_string()),
        Taken::Late => return shown_instead("Not confirmed yet", NOT_CONFIRMED),
    };
    match tokio::time::timeout(DECIDE_MAX, intake.decided(id)).await {
        Ok(verdict) if verdict.accepted => Reply::Empty,
        Ok(verdict) => refused(&verdict, fields),
        Err(_) => shown_instead("Not confirmed yet", NOT_CONFIRMED),
    }
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

fn whispered(words: &str) -> Value {
    json!({ "response_type": "ephemeral", "replace_original": false, "text": super::rich::escaped(words) })
}
