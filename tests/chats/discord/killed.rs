//! The process dies inside every call it makes, before it reached Discord or after Discord did it, and is started again.

use orderly::incident::State;
use orderly_testbed::discord::Fault;

use super::kit::House;
use super::story::holds_it_all;
use crate::deaths::{Mortal, SHARES, deaths, lived_through_deaths};

impl Mortal for House {
    async fn hangs(&self) {
        Self::hangs(self).await;
    }

    async fn settled(&self) -> Option<State> {
        Self::settled(self).await
    }

    async fn state(&self) -> Option<State> {
        Self::state(self).await
    }

    async fn says(&self, who: &str, line: &str) {
        let sent = self.sends(who, line).await;
        self.answered(&sent).await;
    }

    async fn killed(self) -> Self {
        Self::killed(self).await
    }

    fn has_file(&self, room: &str) -> bool {
        self.discord.read(|discord| {
            let mut messages = discord.channel(room).messages.values();
            messages.any(|message| !message.attachments.is_empty())
        })
    }
}

async fn dies(fault: Fault, share: usize) {
    let house = House::mortal().await;
    house.discord.every_call_once(fault, SHARES, share);
    let house = lived_through_deaths(house).await;
    holds_it_all(&house).await;
    let rooms = house.discord.read(|discord| {
        let made = discord
            .channels()
            .filter(|channel| channel.name.starts_with("inc-1"));
        made.count()
    });
    assert_eq!(rooms, 1, "one room, however often its making was interrupted");
    house.close().await;
}

deaths!(Fault);
