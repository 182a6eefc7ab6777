//! Views that stand before it is known what is in them: a trigger lives for three seconds, and a decision may take longer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::sync::watch;

use super::{SlackChat, form, lock};
use crate::chat::{Delivery, Incoming, Intake};

/// How long it matters which view a trigger opened: until the form is decided, however slow the database is.
pub(super) const VIEW_LIFE: TimeDelta = TimeDelta::minutes(1);

/// Views opened before it is known what stands in them, by the trigger that opened them.
#[derive(Default)]
pub struct Views(Mutex<HashMap<String, View>>);

/// A view, and when it was begun.
type View = (DateTime<Utc>, watch::Receiver<Opening>);

pub(super) enum Opened {
    View(String),
    /// It could not be opened; when that was begun.
    InVain(DateTime<Utc>),
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opening {
    UnderWay,
    Open(String),
    Failed,
}

impl Views {
    pub(super) fn begin(&self, trigger: &str, now: DateTime<Utc>) -> watch::Sender<Opening> {
        let (tell, opening) = watch::channel(Opening::UnderWay);
        let mut all = lock(&self.0);
        all.retain(|_, (begun, _)| *begun + VIEW_LIFE > now);
        all.insert(trigger.to_owned(), (now, opening));
        tell
    }

    /// What became of the view that a trigger was to open at once, or is just opening.
    pub(super) async fn opened(&self, trigger: &str) -> Opened {
        let known = lock(&self.0).get(trigger).cloned();
        let Some((begun, opening)) = known else {
            return Opened::Never;
        };
        match id_of(opening).await {
            Some(view) => Opened::View(view),
            None => Opened::InVain(begun),
        }
    }
}

/// The view's id, once Slack has told it.
pub(super) async fn id_of(mut opening: watch::Receiver<Opening>) -> Option<String> {
    let opened = opening.wait_for(|opening| *opening != Opening::UnderWay).await;
    match opened.as_deref() {
        Ok(Opening::Open(view)) => Some(view.clone()),
        _ => None,
    }
}

impl SlackChat {
    /// Where a form is asked for: opens a view at once, before anything is asked of the database. It stands until the
    /// form fills it, so the form may take longer than the trigger lives.
    pub(super) fn open_waiting(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        delivery: &mut Delivery,
    ) -> Option<watch::Receiver<Opening>> {
        if !intake.asks_form(&delivery.incoming) {
            return None;
        }
        let (Incoming::Command { trigger, .. } | Incoming::Press { trigger, .. }) = &mut delivery.incoming
        else {
            return None;
        };
        let trigger = trigger.as_mut()?;
        let tell = self.views.begin(&trigger.token, self.clock.now());
        trigger.expires = self.clock.now() + VIEW_LIFE;
        let opening = tell.subscribe();
        let (chat, token) = (Arc::clone(self), trigger.token.clone());
        tokio::spawn(async move {
            let body = json!({ "trigger_id": token, "view": form::waiting() });
            let opened = match chat.api.call("views.open", &body).await {
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
        Some(opening)
    }

    /// A view that waits for a form which will not come says why.
    pub(super) async fn tell_refusal(
        &self,
        intake: &Arc<dyn Intake>,
        id: u64,
        view: watch::Receiver<Opening>,
    ) {
        let verdict = intake.decided(id).await;
        if verdict.accepted {
            return;
        }
        if let Some(view) = id_of(view).await {
            let said = form::saying("Not now", form::words(&verdict.message));
            let body = json!({ "view_id": view, "view": said });
            if let Err(failure) = self.api.call("views.update", &body).await {
                tracing::warn!(%failure, "a form could not be told that it is refused");
            }
        }
    }
}
