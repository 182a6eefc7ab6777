//! The rooms of an incident: asked for, made, and not made.

use super::kit::*;
use crate::incident::*;

fn ask(audience: Audience) -> Request {
    Request::AskRoom {
        platform: "slack".to_owned(),
        audience,
    }
}

#[test]
fn of_two_rooms_asked_for_on_one_platform_the_one_that_failed_may_be_asked_for_again() {
    let mut story = Story::framed();
    story.does("cleo", ask(Audience::Internal));
    story.does("cleo", ask(Audience::Guest));
    story.returns(Request::RoomFailed {
        why: "the name is taken".to_owned(),
        further: Some(("slack".to_owned(), Audience::Guest)),
    });
    assert_eq!(
        story.refused("cleo", ask(Audience::Internal)),
        "That room is being made already."
    );
    story.does("cleo", ask(Audience::Guest));
}
