//! Bookmarks at the head of a channel.

use serde_json::{Value, json};

use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::model::Bookmark;
use crate::slack::state::State;

/// Bookmarks in a channel. Slack: one hundred.
const MOST: usize = 100;

fn shown(channel: &str, team_app: &str, bookmark: &Bookmark) -> Value {
    json!({
        "id": bookmark.id, "channel_id": channel, "title": bookmark.title, "link": bookmark.link,
        "emoji": bookmark.emoji, "icon_url": null, "type": "link", "entity_id": null,
        "date_created": bookmark.created, "date_updated": bookmark.updated, "rank": "U",
        "last_updated_by_user_id": bookmark.by, "last_updated_by_team_id": null, "shortcut_id": null,
        "app_id": team_app,
    })
}

fn link(args: &Args) -> Result<Option<String>> {
    match args.text("link") {
        Some(link) if !link.starts_with("http://") && !link.starts_with("https://") => {
            Err(fail("invalid_link"))
        }
        link => Ok(link.map(str::to_owned)),
    }
}

pub fn add(state: &mut State, args: &Args) -> Result<Value> {
    let channel = args.need("channel_id")?.to_owned();
    if args.need("type")? != "link" {
        return Err(fail("invalid_bookmark_type"));
    }
    let title = args.need("title")?.to_owned();
    let link = link(args)?.ok_or_else(|| fail("invalid_link"))?;
    if state.open_channel(&channel)?.bookmarks.len() >= MOST {
        return Err(fail("too_many_bookmarks"));
    }
    let bookmark = Bookmark {
        id: state.id("Bk"),
        title,
        link,
        emoji: args.text("emoji").map(str::to_owned),
        created: state.seconds(),
        updated: 0,
        by: state.app.bot_user.clone(),
    };
    let answer = shown(&channel, &state.app.id, &bookmark);
    state.channel_mut(&channel)?.bookmarks.push(bookmark);
    Ok(json!({ "bookmark": answer }))
}

pub fn edit(state: &mut State, args: &Args) -> Result<Value> {
    let channel = args.need("channel_id")?;
    let id = args.need("bookmark_id")?;
    state.open_channel(channel)?;
    let (now, app, link) = (state.seconds(), state.app.id.clone(), link(args)?);
    let bookmark = state
        .channel_mut(channel)?
        .bookmarks
        .iter_mut()
        .find(|bookmark| bookmark.id == id)
        .ok_or_else(|| fail("not_found"))?;
    if let Some(title) = args.text("title") {
        title.clone_into(&mut bookmark.title);
    }
    if let Some(link) = link {
        bookmark.link = link;
    }
    if let Some(emoji) = args.text("emoji") {
        bookmark.emoji = Some(emoji.to_owned());
    }
    bookmark.updated = now;
    Ok(json!({ "bookmark": shown(channel, &app, bookmark) }))
}

pub fn list(state: &mut State, args: &Args) -> Result<Value> {
    let channel = state.joined(args.need("channel_id")?)?;
    let shown = channel
        .bookmarks
        .iter()
        .map(|b| shown(&channel.id, &state.app.id, b));
    Ok(json!({ "bookmarks": shown.collect::<Vec<_>>() }))
}

pub fn remove(state: &mut State, args: &Args) -> Result<Value> {
    let channel = args.need("channel_id")?;
    let id = args.need("bookmark_id")?;
    state.open_channel(channel)?;
    let bookmarks = &mut state.channel_mut(channel)?.bookmarks;
    let before = bookmarks.len();
    bookmarks.retain(|bookmark| bookmark.id != id);
    if bookmarks.len() == before {
        Err(fail("not_found"))
    } else {
        Ok(json!({}))
    }
}
