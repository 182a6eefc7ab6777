//! The process dies inside every call it makes, before it reached the platform or after that did it, and is started again:
//! what is the same on every platform.

use orderly::demo::guide;
use orderly::incident::{Phase, Stage, State};

/// More deaths than the story has calls: what takes longer does not end.
const DEATHS_MAX: usize = 1_000;

/// The calls are shared out among so many tests: all of them in one take minutes.
pub const SHARES: usize = 6;

/// A house whose program can die.
pub trait Mortal: Sized {
    /// Waits until a call hangs.
    async fn hangs(&self);
    async fn settled(&self) -> Option<State>;
    async fn state(&self) -> Option<State>;
    /// Somebody types a line, and gets a first answer, or none.
    async fn says(&self, who: &str, line: &str);
    /// Dies where it stands and is started again.
    async fn killed(self) -> Self;
    /// Whether a file stands in this channel.
    fn has_file(&self, room: &str) -> bool;
}

/// Waits until all that follows has happened, through as many deaths as that takes.
async fn outlived<H: Mortal>(mut house: H, deaths: &mut usize) -> H {
    loop {
        let hangs = tokio::select! {
            biased;
            () = house.hangs() => true,
            _ = house.settled() => false,
        };
        if !hangs {
            return house;
        }
        *deaths += 1;
        assert!(*deaths < DEATHS_MAX, "it dies for ever");
        // What was sent to a system when it died, only a person can settle: the engine's own tests do that.
        while acts(&house).await {
            tokio::task::yield_now().await;
        }
        house = house.killed().await;
    }
}

/// Whether something approved is on its way to a system; none of that waits for the platform.
async fn acts(house: &impl Mortal) -> bool {
    let state = house.state().await;
    let proposals = state.iter().flat_map(|state| state.proposals.values());
    proposals.into_iter().any(|proposal| {
        matches!(
            proposal.stage,
            Stage::Cleared { held: None, .. } | Stage::Running { .. } | Stage::Done { .. }
        )
    })
}

/// Whether the post-mortem stands in the room: the last thing the guide asks for, and asks for again and again.
async fn exported(house: &impl Mortal) -> bool {
    let state = house.state().await;
    let room = state.and_then(|state| state.rooms.first().map(|room| room.at.room.clone()));
    room.is_some_and(|room| house.has_file(&room))
}

/// The guide's way through the incident, with whatever detour a death makes necessary.
pub async fn lived_through_deaths<H: Mortal>(mut house: H) -> H {
    let mut deaths = 0;
    for _ in 0..DEATHS_MAX {
        house = outlived(house, &mut deaths).await;
        if exported(&house).await {
            break;
        }
        let state = house.state().await;
        let steps = guide::shown(state.as_ref());
        let Some(step) = steps.into_iter().find(|step| step.current) else {
            break;
        };
        // What was not acknowledged may be stored or not; then the guide says what is still to be typed.
        tokio::select! {
            () = house.says(&step.who, &step.line) => {}
            () = house.hangs() => {}
        }
    }
    assert!(deaths > 10, "{deaths} deaths");
    let state = house.state().await.expect("an incident");
    assert_eq!(state.phase, Phase::Learn);
    let proposals = state.proposals.values();
    let worked = proposals.filter(|proposal| matches!(proposal.stage, Stage::Verified { worked: true, .. }));
    assert_eq!(
        worked.count(),
        4,
        "the pause, the rollback, the undo and the repair"
    );
    house
}

/// Each call of the story is the last one in one of these: they call `dies(fault, share)`.
macro_rules! deaths {
    ($fault:ident: $($name:ident $when:ident $share:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            dies($fault::$when, $share).await;
        }
    )*};
    ($fault:ident) => {
        crate::deaths::deaths! { $fault:
            it_dies_before_the_first_call_of_six_and_nothing_is_missing_or_doubled Hang 0;
            it_dies_before_the_second_call_of_six_and_nothing_is_missing_or_doubled Hang 1;
            it_dies_before_the_third_call_of_six_and_nothing_is_missing_or_doubled Hang 2;
            it_dies_before_the_fourth_call_of_six_and_nothing_is_missing_or_doubled Hang 3;
            it_dies_before_the_fifth_call_of_six_and_nothing_is_missing_or_doubled Hang 4;
            it_dies_before_the_sixth_call_of_six_and_nothing_is_missing_or_doubled Hang 5;
            it_dies_after_the_first_call_of_six_and_nothing_is_missing_or_doubled HangAfter 0;
            it_dies_after_the_second_call_of_six_and_nothing_is_missing_or_doubled HangAfter 1;
            it_dies_after_the_third_call_of_six_and_nothing_is_missing_or_doubled HangAfter 2;
            it_dies_after_the_fourth_call_of_six_and_nothing_is_missing_or_doubled HangAfter 3;
            it_dies_after_the_fifth_call_of_six_and_nothing_is_missing_or_doubled HangAfter 4;
            it_dies_after_the_sixth_call_of_six_and_nothing_is_missing_or_doubled HangAfter 5;
        }
    };
}
pub(crate) use deaths;
