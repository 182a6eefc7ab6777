use super::sample::{incident, names};
use super::*;

fn source(events: &[crate::incident::Recorded]) -> Source<'_> {
    Source {
        events,
        head: "INC-7@93:9f3c1d",
        names: &names,
        command: "/incident",
        objectives: Some(Objectives {
            rto_s: Some(4 * 3_600),
            rpo_s: None,
        }),
        room_log: None,
    }
}

#[test]
fn look() {
    let events = incident();
    let document = assemble(source(&events)).unwrap();
    let templates = Templates::from_folder(std::path::Path::new("templates/postmortem")).unwrap();
    std::fs::write("/tmp/pm.json", json(&document)).unwrap();
    std::fs::write(
        "/tmp/pm.md",
        templates.markdown(&document).unwrap_or_else(|e| e.to_string()),
    )
    .unwrap();
    std::fs::write(
        "/tmp/pm.html",
        templates.html(&document).unwrap_or_else(|e| e.to_string()),
    )
    .unwrap();
}
