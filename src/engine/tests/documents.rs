use super::kit::*;
use crate::incident::*;

#[tokio::test]
async fn an_export_is_as_of_an_event_and_kept_as_evidence() {
    let house = House::new().await;
    house.framed().await;
    let as_of = house.head(1).await;
    let verdict = house.says("dan", Some(1), Said::Export("md".to_owned())).await;
    assert!(verdict.accepted);
    let journal = house.journal(1).await;
    let Some(Event::Exported {
        as_of: printed,
        sha256,
        ..
    }) = journal.iter().rev().find_map(|recorded| match &recorded.event {
        Some(event @ Event::Exported { .. }) => Some(event.clone()),
        _ => None,
    })
    else {
        panic!("no export in the journal")
    };
    assert_eq!(printed, as_of);
    let files = house.chat.files();
    assert_eq!(files.len(), 1);
    assert!(files[0].comment.contains(&sha256));
    let evidence = house.engine.evidence(&sha256).await.expect("read").expect("kept");
    assert_eq!(evidence.bytes, files[0].bytes);
}

#[tokio::test]
async fn the_same_journal_gives_the_same_bytes_whenever_it_is_made() {
    let house = House::new().await;
    house.framed().await;
    let as_of = house.head(1).await;
    let once = house
        .engine
        .document(IncidentId(1), "md", as_of)
        .await
        .expect("made");
    house.does("ana", note("later")).await;
    let again = house
        .engine
        .document(IncidentId(1), "md", as_of)
        .await
        .expect("made");
    assert_eq!(once.bytes, again.bytes);
}

#[tokio::test]
async fn answers_are_masked_and_the_full_output_is_at_hand() {
    let house = House::new().await;
    house.framed().await;
    let probes = vec![ProbeRequest {
        probe: "odoo.health".to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::new(),
        step: None,
    }];
    house.does("ana", Request::AskProbes { probes }).await;
    let state = house.state(1).await;
    let answer = state.runs[&ProbeRunId(1)].answer.clone().expect("an answer");
    assert_eq!(answer.summary, "odoo.health with password •••");
    let output = house
        .engine
        .evidence(&answer.output.expect("kept"))
        .await
        .expect("read")
        .expect("kept");
    assert_eq!(output.bytes, b"the whole output");
}
