//! The local page, joined to the engine.

use std::sync::Arc;

use super::documents::Shown;
use super::people::Desk;
use super::{App, Error};
use crate::clock::Clock;
use crate::web::{self, Deps, MenuItem, Running, Settings};

impl App {
    /// Serves the page, its documents and the metrics.
    pub async fn serve_page(
        &self,
        demo: Option<Vec<web::GuideStep>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Running, Error> {
        let config = self.joined.config();
        let settings = Settings {
            listen: config.web.listen,
            behind_tls: config.web.behind_tls,
            public_url: config.web.public_url.clone(),
            demo: demo.is_some(),
            menu: menu(),
            guide: demo.unwrap_or_default(),
        };
        let desk = Arc::new(Desk {
            engine: self.engine.clone(),
        });
        let engine = self.engine.clone();
        let metrics = self.engine.clone();
        let deps = Deps {
            chat: Arc::clone(&self.chat),
            people: desk.clone(),
            board: desk,
            documents: Arc::new(Shown {
                engine: self.engine.clone(),
            }),
            clock,
            ready: Arc::new(move || engine.ready()),
            metrics: Arc::new(move || {
                let engine = metrics.clone();
                Box::pin(async move { engine.metrics().await })
            }),
        };
        Ok(web::serve(settings, deps).await?)
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
