mod assembled;
mod hostile;
mod rendered;
mod templates;

use super::sample::names;
use super::*;
use crate::incident::Recorded;

/// What every test asks for: the journal, and nothing unusual.
fn source(events: &[Recorded]) -> Source<'_> {
    Source {
        events,
        head: "INC-7@88:9f3c1d",
        names: &names,
        command: "/incident",
        objectives: None,
        room_log: None,
    }
}

fn document(events: &[Recorded]) -> Document {
    assemble(source(events)).expect("the journal opens an incident")
}
