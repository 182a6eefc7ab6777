//! Stopping the store in memory at any point.

use super::*;

/// Three writes: a delivery, its decision, another event.
async fn story(store: &dyn Store) -> Result<(), Error> {
    let Received::Fresh(inbox) = store.receive(delivery("Ev01")).await? else {
        return Ok(());
    };
    let mut commit = append(stream(1), 0, &["decided"]);
    commit.inbox_done = vec![InboxDone {
        inbox,
        outcome: "{}".into(),
    }];
    store.commit(commit).await?;
    store.commit(append(stream(1), 1, &["after"])).await.map(|_| ())
}

#[tokio::test]
async fn a_stop_before_a_write_loses_it_and_a_stop_after_keeps_it() {
    let counted = Memory::default();
    story(&counted).await.unwrap();
    assert_eq!(counted.writes(), 3);

    for number in 1..=counted.writes() {
        for edge in [Edge::Before, Edge::After] {
            let memory = Memory::default();
            memory.stop_at(Write { number, edge });
            assert_eq!(story(&memory).await, Err(Error::Stopped));
            assert!(memory.stopped());
            assert_eq!(
                memory.head(stream(1)).await,
                Err(Error::Stopped),
                "a stopped store answers nothing"
            );

            let disk = memory.as_on_disk();
            let kept = number - u64::from(edge == Edge::Before);
            assert_eq!(disk.head(stream(1)).await.unwrap().seq, kept.saturating_sub(1));
            let pending = disk.pending(InboxId(0), 9).await.unwrap().len();
            assert_eq!(pending, usize::from(kept == 1), "stopped {edge:?} write {number}");
        }
    }
}

#[tokio::test]
async fn a_failure_is_answered_once_and_changes_nothing() {
    let memory = Memory::default();
    memory.fail_next(Error::DiskFull {
        path: "orderly.db".into(),
    });
    assert!(memory.receive(delivery("Ev01")).await.unwrap_err().retry());
    fresh(&memory, "Ev01").await;
}

#[tokio::test]
async fn a_store_on_the_same_disk_goes_its_own_way() {
    let memory = Memory::default();
    memory.commit(append(stream(1), 0, &["shared"])).await.unwrap();
    let other = memory.as_on_disk();
    other.commit(append(stream(1), 1, &["other"])).await.unwrap();
    assert_eq!(texts(&memory, stream(1)).await, ["shared"]);
    assert_eq!(texts(&other, stream(1)).await, ["shared", "other"]);
}
