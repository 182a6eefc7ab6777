//! Looking without being anybody: what the operator's own terminal may ask when nobody of the desk is behind it.

use super::decide::Failed;
use super::intake::room_of;
use super::ports::Act;
use super::{Engine, read};
use crate::chat::{Delivery, Verdict};
use crate::incident::{PersonId, Refusal};

impl Engine {
    /// Answers a question and keeps nothing of it. `None`: it is no question, for it would change something. `reader` is
    /// nobody of the desk, so private incidents stay hidden.
    pub async fn look(&self, delivery: &Delivery, reader: &PersonId) -> Result<Option<Verdict>, Failed> {
        let addressed = self.inner.parts.meaning.addressed(&delivery.incoming);
        let here = || read(&self.inner.index).incident_of(room_of(&delivery.incoming));
        let incident = addressed.incident.or_else(here);
        let hidden = incident.filter(|incident| !read(&self.inner.index).may_see(*incident, reader));
        let act = match hidden {
            Some(incident) => Err(Refusal::new(format!(
                "There is no {incident} that you can see. `/list` shows those you can."
            ))
            .into()),
            None => self.understand(delivery, addressed, reader, incident).await,
        };
        let (accepted, message) = match act {
            Ok(Act::Tell(message)) => (true, message),
            Ok(_) => return Ok(None),
            Err(Failed::Refused(refusal)) => (false, self.inner.parts.words.refusal(&refusal)),
            Err(error) => return Err(error),
        };
        Ok(Some(Verdict {
            accepted,
            message,
            field: None,
            incident: incident.map(|incident| incident.0),
        }))
    }
}
