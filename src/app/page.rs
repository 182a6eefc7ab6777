//! The local page, joined to the engine.

use std::sync::Arc;

use super::documents::Shown;
use super::guide::Guide;
use super::people::Desk;
use super::{App, Error};
use crate::clock::Clock;
use crate::web::{self, Deps, MenuItem, Running, Settings};

impl App {
    /// Serves the page, its documents and the metrics. In the demo with its guide, and with a switch between people.
    pub async fn serve_page(&self, demo: bool, clock: Arc<dyn Clock>) -> Result<Running, Error> {
        let config = self.joined.config();
        let settings = Settings {
            listen: config.web.listen,
            behind_tls: config.web.behind_tls,
            public_url: config.web.public_url.clone(),
            demo,
            menu: menu(),
        };
        let desk = Arc::new(Desk {
            engine: self.engine.clone(),
        });
        let guide = demo.then(|| Arc::new(self.guide()) as Arc<dyn web::Guide>);
        let engine = self.engine.clone();
        let metrics = self.engine.clone();
        let deps = Deps {
            chat: Arc::clone(&self.chat),
            people: desk.clone(),
            board: desk,
            documents: Arc::new(Shown {
                engine: self.engine.clone(),
            }),
            guide,
            clock,
            ready: Arc::new(move || {
                let engine = engine.clone();
                Box::pin(async move { engine.ready().await })
            }),
            metrics: Arc::new(move || {
                let engine = metrics.clone();
                Box::pin(async move { engine.metrics().await })
            }),
            platforms: self.platform_routes(),
        };
        Ok(web::serve(settings, deps).await?)
    }
}

impl App {
    /// The guide of the demo.
    pub(crate) fn guide(&self) -> Guide {
        Guide {
            engine: self.engine.clone(),
            command: self.joined.config().command.clone(),
        }
    }
}

/// What can be done with a message: each is a command that gets the message's reference.
fn menu() -> Vec<MenuItem> {
    let item = |id: &str, label: &str, path: &str| MenuItem {
        id: id.to_owned(),
        label: label.to_owned(),
        press: crate::chat::Press::Run {
            line: path.to_owned(),
        },
    };
    vec![
        item("timeline", "Add to timeline", crate::engine::SHORTCUT_TIMELINE),
        item("task", "Make a task", crate::engine::SHORTCUT_TASK),
        item("followup", "Make a follow-up", crate::engine::SHORTCUT_FOLLOWUP),
    ]
}
