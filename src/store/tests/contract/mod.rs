//! What every store must do, run on each.

macro_rules! contract {
    ($($name:ident,)*) => {
        mod on_memory {
            use crate::store::tests::Fixture;
            $(#[tokio::test] async fn $name() { super::$name(Fixture::memory().await).await; })*
        }
        mod on_sqlite {
            use crate::store::tests::Fixture;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(Fixture::sqlite().await).await; })*
        }
    };
}

mod inbox;
mod journal;
mod outbox;
mod rest;
