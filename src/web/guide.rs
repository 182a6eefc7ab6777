//! The guide of the demo, beside the room. The server knows where the incident stands, so the page only shows it.

use minijinja::context;
use minijinja::value::Value;

use super::render;
use super::{App, GuideStep, Person, Turn};
use crate::chat::local::room_ref;

impl App {
    /// The guide for somebody who looks at a room; `None` outside of the demo.
    pub async fn guide(&self, who: &Person, room: &str) -> Option<String> {
        let guide = self.deps.guide.as_ref()?;
        let steps = guide.steps(&room_ref(room)).await;
        let total = steps.len();
        let now = steps.iter().position(|step| step.turn == Turn::Now);
        let at = now.unwrap_or(total);
        let mut parts = Vec::new();
        for part in steps.chunk_by(|one, next| one.part == next.part) {
            let mut shown = Vec::with_capacity(part.len());
            for step in part {
                shown.push(self.step(who, step).await);
            }
            let turn = render::value(turn(part));
            parts.push(context! { name => part[0].part.as_str(), turn, steps => shown });
        }
        let context = context! { parts, at, total, over => at == total };
        Some(render::template("guide.html", context))
    }

    async fn step(&self, who: &Person, step: &GuideStep) -> Value {
        let other = step.person.as_ref().filter(|person| **person != who.id);
        let name = match other {
            Some(id) => self.deps.people.by_id(id).await.map(|person| person.name.clone()),
            None => None,
        };
        context! {
            title => step.title.as_str(), text => step.text.as_str(), turn => render::value(step.turn),
            command => step.command.as_deref(),
            person => other.map(|person| person.0.as_str()), person_name => name,
            room => step.room.as_ref().map(|room| room.room.as_str()),
        }
    }
}

/// Where a part of the way stands.
fn turn(part: &[GuideStep]) -> Turn {
    let is = |turn: Turn| move |step: &GuideStep| step.turn == turn;
    match part {
        _ if part.iter().any(is(Turn::Now)) => Turn::Now,
        _ if part.iter().all(is(Turn::Done)) => Turn::Done,
        _ => Turn::Later,
    }
}
