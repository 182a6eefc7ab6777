//! The guide of the demo, as the page asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::LOCAL;
use crate::demo::guide::{self, Shown};
use crate::engine::{Engine, Listed};
use crate::incident::{PersonId, RoomRef, State};
use crate::web::{self, GuideStep, Turn};

pub struct Guide {
    pub engine: Engine,
    /// Name of the slash command.
    pub command: String,
}

impl Guide {
    /// The incident that the guide goes along with: the one of the room, else the latest. One that was taken back leads
    /// nowhere, so the guide begins anew.
    fn followed(&self, room: &RoomRef) -> Option<Arc<Listed>> {
        let listed = self.engine.listed(None);
        let here = listed.iter().find(|listed| listed.rooms.contains(room));
        let lived = |listed: &&Arc<Listed>| listed.open || listed.life == "closed";
        here.into_iter().chain(&listed).find(lived).cloned()
    }

    async fn state(&self, listed: &Listed) -> Option<Arc<State>> {
        match self.engine.state(listed.incident).await {
            Ok(state) => state,
            Err(error) => {
                tracing::error!(incident = %listed.incident, %error, "the guide cannot read the incident");
                None
            }
        }
    }

    fn step(&self, step: Shown, elsewhere: Option<&Listed>) -> GuideStep {
        let turn = match (step.done, step.current) {
            (_, true) => Turn::Now,
            (true, false) => Turn::Done,
            (false, false) => Turn::Later,
        };
        let address = elsewhere.map_or_else(String::new, |listed| format!("{} ", listed.incident));
        let room = elsewhere.and_then(|listed| listed.rooms.iter().find(|room| room.platform == LOCAL));
        GuideStep {
            part: step.phase.to_owned(),
            title: step.title.to_owned(),
            text: step.why,
            turn,
            // Of what comes later nobody knows yet what it will be called.
            command: (turn == Turn::Now).then(|| format!("/{} {address}{}", self.command, step.line)),
            person: Some(PersonId(step.who)),
            room: room.cloned(),
        }
    }
}

#[async_trait]
impl web::Guide for Guide {
    async fn steps(&self, room: &RoomRef) -> Vec<GuideStep> {
        let listed = self.followed(room);
        let state = match &listed {
            Some(listed) => self.state(listed).await,
            None => None,
        };
        let elsewhere = listed.filter(|listed| !listed.rooms.contains(room));
        guide::shown(state.as_deref())
            .into_iter()
            .map(|step| self.step(step, elsewhere.as_deref()))
            .collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.engine.decisions()
    }
}
