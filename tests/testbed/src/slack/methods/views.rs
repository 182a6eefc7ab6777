//! Forms and home tabs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::slack::args::{Args, missing};
use crate::slack::contract;
use crate::slack::fail::{Result, fail};
use crate::slack::form;
use crate::slack::model::View;
use crate::slack::state::State;

/// Forms on top of each other.
const MOST_STACKED: usize = 3;

impl State {
    /// A view as the API and the payloads show it.
    pub(in crate::slack) fn view_json(&self, view: &View) -> Value {
        let mut shown = json!({
            "id": view.id, "team_id": self.team, "state": view.state(), "hash": view.hash,
            "previous_view_id": view.previous, "root_view_id": view.root, "app_id": self.app.id,
            "app_installed_team_id": self.team, "bot_id": self.app.bot_id, "external_id": "",
            "private_metadata": "", "callback_id": "", "clear_on_close": false, "notify_on_close": false,
            "submit": null, "close": null, "title": { "type": "plain_text", "text": "View Title", "emoji": true },
        });
        if let (Some(shown), Some(body)) = (shown.as_object_mut(), view.body.as_object()) {
            shown.extend(body.clone());
        }
        shown
    }

    /// Checks a view and fills in ids. What is wrong is the test's business too.
    pub(in crate::slack) fn take_view(&mut self, method: &str, view: &Value) -> Result<Value> {
        if let Err(refused) = contract::view(view) {
            for why in refused.why {
                self.violation(format!("{method}: {why}"));
            }
            return Err(refused.fail);
        }
        let mut view = view.clone();
        let mut blocks = view["blocks"].as_array().cloned().unwrap_or_default();
        self.give_ids(&mut blocks);
        self.give_action_ids(&mut blocks);
        view["blocks"] = Value::Array(blocks);
        Ok(view)
    }

    fn give_action_ids(&mut self, blocks: &mut [Value]) {
        for block in blocks {
            let serial = self.next();
            for key in ["element", "accessory"] {
                if block[key].is_object() && block[key]["action_id"].is_null() {
                    block[key]["action_id"] = json!(format!("a{serial}"));
                }
            }
        }
    }

    fn new_view(&mut self, user: &str, body: Value, previous: Option<&View>) -> View {
        let id = self.id("V");
        let mut view = View {
            id: id.clone(),
            user: user.to_owned(),
            body,
            hash: String::new(),
            root: previous.map_or(id, |view| view.root.clone()),
            previous: previous.map(|view| view.id.clone()),
            values: BTreeMap::new(),
            errors: BTreeMap::new(),
        };
        view.hash = self.new_hash();
        form::fill_initial(&mut view);
        view
    }

    fn new_hash(&mut self) -> String {
        format!("{}.{:x}", self.seconds(), self.next())
    }

    /// Opens a form for a person, on top of the others or in their place.
    pub(in crate::slack) fn open_view(&mut self, user: &str, body: Value, on_top: bool) -> Result<View> {
        let external = body["external_id"].as_str().unwrap_or_default();
        if !external.is_empty()
            && self
                .views
                .values()
                .any(|view| view.body["external_id"] == external)
        {
            return Err(fail("duplicate_external_id"));
        }
        let stack = self.modals.get(user).cloned().unwrap_or_default();
        if on_top && stack.len() >= MOST_STACKED {
            return Err(fail("push_limit_reached"));
        }
        let top = stack
            .last()
            .filter(|_| on_top)
            .and_then(|id| self.views.get(id))
            .cloned();
        if on_top && top.is_none() {
            return Err(fail("view_not_found"));
        }
        if !on_top {
            self.close_all(user);
        }
        let view = self.new_view(user, body, top.as_ref());
        self.modals
            .entry(user.to_owned())
            .or_default()
            .push(view.id.clone());
        self.views.insert(view.id.clone(), view.clone());
        Ok(view)
    }

    /// Replaces what a view shows; what was typed stays where block and action are the same.
    pub(in crate::slack) fn change_view(&mut self, id: &str, body: Value) -> Result<View> {
        let hash = self.new_hash();
        let view = self.views.get_mut(id).ok_or_else(|| fail("not_found"))?;
        view.body = body;
        view.hash = hash;
        view.errors.clear();
        form::fill_initial(view);
        Ok(view.clone())
    }

    pub(in crate::slack) fn close_view(&mut self, id: &str) {
        if let Some(view) = self.views.remove(id)
            && let Some(stack) = self.modals.get_mut(&view.user)
        {
            stack.retain(|open| open != id);
        }
    }

    pub(in crate::slack) fn close_all(&mut self, user: &str) {
        for id in self.modals.remove(user).unwrap_or_default() {
            self.views.remove(&id);
        }
    }
}

fn sent(args: &Args) -> Result<Value> {
    args.get("view").cloned().ok_or_else(|| missing("view"))
}

fn opened(state: &mut State, args: &Args, method: &str, on_top: bool) -> Result<Value> {
    let trigger = args
        .text("trigger_id")
        .or_else(|| args.text("interactivity_pointer"));
    let trigger = trigger.ok_or_else(|| missing("trigger_id"))?.to_owned();
    let body = sent(args)?;
    if body["type"] != "modal" {
        return Err(fail("invalid_arguments"));
    }
    let user = state.use_trigger(&trigger)?;
    let body = state.take_view(method, &body)?;
    let view = state.open_view(&user, body, on_top)?;
    Ok(json!({ "view": state.view_json(&view) }))
}

pub fn open(state: &mut State, args: &Args) -> Result<Value> {
    opened(state, args, "views.open", false)
}

pub fn push(state: &mut State, args: &Args) -> Result<Value> {
    opened(state, args, "views.push", true)
}

fn unchanged(args: &Args, view: &View) -> Result<()> {
    match args.text("hash") {
        Some(hash) if !hash.is_empty() && hash != view.hash => Err(fail("hash_conflict")),
        _ => Ok(()),
    }
}

pub fn update(state: &mut State, args: &Args) -> Result<Value> {
    let body = sent(args)?;
    let view = match (args.text("view_id"), args.text("external_id")) {
        (Some(id), _) => state.views.get(id),
        (None, Some(external)) => state
            .views
            .values()
            .find(|view| view.body["external_id"] == external),
        (None, None) => return Err(missing("view_id")),
    };
    let view = view.ok_or_else(|| fail("not_found"))?;
    unchanged(args, view)?;
    let id = view.id.clone();
    let body = state.take_view("views.update", &body)?;
    let view = state.change_view(&id, body)?;
    Ok(json!({ "view": state.view_json(&view) }))
}

pub fn publish(state: &mut State, args: &Args) -> Result<Value> {
    let user = args.need("user_id")?.to_owned();
    let body = sent(args)?;
    if body["type"] != "home" {
        return Err(fail("invalid_arguments"));
    }
    if state.person(&user)?.deleted {
        return Err(fail("user_not_found"));
    }
    let known = state.homes.get(&user).cloned();
    if let Some(view) = known.as_ref().and_then(|id| state.views.get(id)) {
        unchanged(args, view)?;
    }
    let body = state.take_view("views.publish", &body)?;
    let view = match known {
        Some(id) => state.change_view(&id, body)?,
        None => {
            let view = state.new_view(&user, body, None);
            state.homes.insert(user, view.id.clone());
            state.views.insert(view.id.clone(), view.clone());
            view
        }
    };
    Ok(json!({ "view": state.view_json(&view) }))
}
