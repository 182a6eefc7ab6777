//! The program on a Slack workspace and a Discord server, with the demo's shop in trouble and the same people in both.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use orderly::app::App;
use orderly::clock::ManualClock;
use orderly::demo::Shop;
use orderly::incident::State;
use orderly::web::Running;
use tempfile::TempDir;

use crate::discord::Guild;
use crate::one::hands::{Hands, Platform, Seen};
use crate::one::house::{EVERY, INCIDENT, MORNING, PACED_OUT, PEOPLE, config, program, works};
use crate::slack::Workspace;

/// What a test of rooms begins with.
pub const OPEN: &str = "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop";

/// Longer than either adapter waits before it tries a lost connection again.
const RECONNECTED: Duration = Duration::from_secs(61);

/// Sockets that the program holds to Slack.
const SLACK_SOCKETS: usize = 2;

/// A port on which nobody listens: no test here needs the second target.
const NO_MIRROR: u16 = 1;

/// Beside ben, so that two can approve what two must.
const SECOND_APPROVER: (&str, &str) = ("eve", r#"["approver"]"#);

pub struct House {
    pub app: App,
    pub slack: Workspace,
    pub discord: Guild,
    clock: ManualClock,
    /// The platform that is away, if one is.
    away: Mutex<Option<Platform>>,
    shop: Shop,
    page: Running,
    _folder: TempDir,
}

impl House {
    pub async fn open() -> Self {
        // Only the first call counts; a second one is no mistake.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut people = PEOPLE.to_vec();
        people.push(SECOND_APPROVER);
        let names: Vec<&str> = people.iter().map(|(who, _)| *who).collect();
        let (slack, discord) = (Workspace::open(&names).await, Guild::open(&names).await);
        let clock = ManualClock::at(MORNING.parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        let shop = Shop::start(folder.path(), Arc::new(clock.clone()), EVERY)
            .await
            .expect("an open shop");
        let config = config(
            &[&slack, &discord],
            &people,
            &shop.url(),
            NO_MIRROR,
            folder.path(),
        );
        let (app, page) = program(config, folder.path(), &clock).await;
        slack.reach(&app, page.addr()).await;
        discord.reach(&app, page.addr()).await;
        Self {
            app,
            slack,
            discord,
            clock,
            away: Mutex::default(),
            shop,
            page,
            _folder: folder,
        }
    }

    /// The same with an incident that has a room on both platforms.
    pub async fn opened(line: &str) -> Self {
        let house = Self::open().await;
        house.types(Platform::Slack, "ana", line).await;
        house.types(Platform::Slack, "ana", "room discord").await;
        assert_eq!(
            house.state().await.rooms.len(),
            2,
            "{:?}",
            house.state().await.rooms
        );
        house
    }

    /// Presses a button of the newest message with it, where the incident is on this platform; what they are told.
    pub async fn presses(&self, platform: Platform, who: &str, label: &str) -> Vec<Seen> {
        let (hands, room) = (self.on(platform), self.room(platform).await.expect("a room"));
        let before = hands.told(who, &room).await;
        let seen = hands.room(who, &room).await.expect("a room to see");
        let has = |seen: &&Seen| seen.buttons.iter().any(|button| button.label == label);
        let message = seen.iter().rev().find(has).expect("such a button");
        hands.presses(who, &room, &message.id, label).await;
        self.settled().await;
        let mut told = hands.told(who, &room).await;
        told.retain(|seen| before.iter().all(|known| known.id != seen.id));
        told
    }

    pub fn on(&self, platform: Platform) -> &dyn Hands {
        match platform {
            Platform::Discord => &self.discord,
            _ => &self.slack,
        }
    }

    fn there(&self) -> impl Iterator<Item = &dyn Hands> {
        let away = *self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let both = [Platform::Slack, Platform::Discord].into_iter();
        both.filter(move |platform| Some(*platform) != away)
            .map(|platform| self.on(platform))
    }

    pub fn advance(&self, by: Duration) {
        self.slack.advance(by);
        self.discord.advance(by);
        self.clock.advance(TimeDelta::from_std(by).expect("a span"));
    }

    /// What people did has been decided, and told wherever somebody can be told.
    pub async fn quiet(&self) {
        for hands in self.there() {
            hands.delivered().await;
        }
        self.app.engine.quiet().await;
    }

    /// Everything that follows has happened, on both platforms.
    pub async fn settled(&self) {
        for _ in 0..PACED_OUT {
            self.quiet().await;
            if !works(&self.app, true).await {
                for hands in self.there() {
                    hands.answered().await;
                }
                if !self.there().any(Hands::waits) {
                    return;
                }
            }
            self.advance(Duration::from_secs(1));
        }
        panic!("something waits for ever");
    }

    /// Time passes, and what is tried again on the way is tried.
    pub async fn minutes(&self, count: u32) {
        for _ in 0..count * 6 {
            self.advance(Duration::from_secs(10));
            self.quiet().await;
        }
    }

    pub async fn state(&self) -> State {
        let state = self.app.engine.state(INCIDENT).await;
        (*state.expect("a journal that can be read").expect("an incident")).clone()
    }

    /// The incident's room on a platform.
    pub async fn room(&self, platform: Platform) -> Option<String> {
        let state = self
            .app
            .engine
            .state(INCIDENT)
            .await
            .expect("a journal that can be read")?;
        let name = match platform {
            Platform::Discord => "discord",
            _ => "slack",
        };
        let room = state.rooms.iter().find(|room| room.at.platform == name)?;
        Some(room.at.room.clone())
    }

    /// Types a command where the incident is on this platform, and waits: until everything has happened, or for a minute
    /// while a platform is away.
    pub async fn types(&self, platform: Platform, who: &str, line: &str) -> Vec<Seen> {
        let hands = self.on(platform);
        let place = self.room(platform).await.unwrap_or_else(|| hands.ops());
        let before = hands.told(who, &place).await;
        hands.types(who, &place, line).await;
        let is_away = self.away.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        match is_away {
            true => self.minutes(1).await,
            false => self.settled().await,
        }
        let mut told = hands.told(who, &place).await;
        told.retain(|seen| before.iter().all(|known| known.id != seen.id));
        told
    }

    /// What a room shows to somebody who is in it.
    pub async fn texts(&self, platform: Platform) -> Vec<String> {
        let room = self.room(platform).await.expect("a room");
        let seen = self.on(platform).room("ana", &room).await.expect("a room to see");
        seen.into_iter().map(|seen| seen.text).collect()
    }

    pub fn goes_away(&self, platform: Platform) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(platform);
        match platform {
            Platform::Discord => self.discord.server().go_away(),
            _ => self.slack.server().go_away(),
        }
    }

    /// It is back, and everything has happened there that waited for it.
    pub async fn comes_back(&self, platform: Platform) {
        match platform {
            Platform::Discord => {
                self.discord.server().come_back();
                self.advance(RECONNECTED);
                self.discord.server().connected(1).await;
            }
            _ => {
                self.slack.server().come_back();
                self.advance(RECONNECTED);
                self.slack.server().connected(SLACK_SOCKETS).await;
                // What was on its way as Slack went is lost there.
                self.slack.server().give_up_deliveries();
            }
        }
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.settled().await;
    }

    pub async fn close(self) {
        self.app.stop().await;
        self.page.shutdown().await;
        self.shop.stop().await;
        self.slack.assert_clean();
        self.discord.assert_clean();
    }
}
