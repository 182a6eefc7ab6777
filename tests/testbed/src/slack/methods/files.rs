//! Files: an address to send to, the bytes, and the word that it is done.

use serde_json::{Value, json};

use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::model::{File, Message};
use crate::slack::state::State;

/// Characters of a file's name.
const NAME_CHARACTERS: usize = 255;

impl State {
    pub(in crate::slack) fn add_file(
        &mut self,
        user: &str,
        name: &str,
        mimetype: &str,
        bytes: &[u8],
    ) -> String {
        let id = self.id("F");
        let file = File {
            id: id.clone(),
            name: name.to_owned(),
            title: name.to_owned(),
            mimetype: mimetype.to_owned(),
            bytes: bytes.to_vec(),
            user: user.to_owned(),
            created: self.seconds(),
            channels: Vec::new(),
            announced: bytes.len(),
            uploaded: true,
            completed: true,
            deleted: false,
        };
        self.files.insert(id.clone(), file);
        id
    }

    pub(in crate::slack) fn file_json(&self, file: &File) -> Value {
        if file.deleted {
            return json!({ "id": file.id, "mode": "tombstone" });
        }
        let kind = file.name.rsplit_once('.').map_or("binary", |(_, end)| end);
        let private = format!(
            "http://{}/files-pri/{}-{}/{}",
            self.address,
            self.team,
            file.id,
            escaped(&file.name)
        );
        json!({
            "id": file.id, "created": file.created, "timestamp": file.created, "name": file.name,
            "title": file.title, "mimetype": file.mimetype, "filetype": kind, "pretty_type": kind.to_uppercase(),
            "user": file.user, "user_team": self.team, "editable": false, "size": file.bytes.len(),
            "mode": "hosted", "is_external": false, "external_type": "", "is_public": true,
            "public_url_shared": false, "display_as_bot": false, "username": "", "file_access": "visible",
            "url_private": private, "url_private_download": private.replace("/files-pri/", "/files-pri/download/"),
            "permalink": format!("https://{}.slack.com/files/{}/{}/{}", self.domain, file.user, file.id, escaped(&file.name)),
            "permalink_public": format!("https://slack-files.com/{}-{}-0", self.team, file.id),
            "channels": file.channels, "groups": [], "ims": [], "comments_count": 0, "shares": {}, "has_rich_preview": false,
        })
    }
}

fn escaped(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

fn mimetype(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("md") => "text/markdown",
        Some("txt" | "log") => "text/plain",
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("png") => "image/png",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}

pub fn upload_url(state: &mut State, args: &Args) -> Result<Value> {
    let name = args.need("filename")?.to_owned();
    let length = args
        .number("length")
        .filter(|length| *length > 0)
        .ok_or_else(|| fail("invalid_arguments"))?;
    if name.chars().count() > NAME_CHARACTERS {
        return Err(fail("invalid_arguments"));
    }
    let bot = state.app.bot_user.clone();
    let id = state.add_file(&bot, &name, mimetype(&name), &[]);
    if let Some(file) = state.files.get_mut(&id) {
        file.announced = usize::try_from(length).unwrap_or(usize::MAX);
        file.uploaded = false;
        file.completed = false;
    }
    let url = format!("http://{}/upload/v1/{id}", state.address);
    Ok(json!({ "upload_url": url, "file_id": id }))
}

/// The bytes of a file arrive. Gives status and body.
pub fn upload(state: &mut State, id: &str, bytes: &[u8]) -> (u16, String) {
    let Some(file) = state.files.get_mut(id).filter(|file| !file.completed) else {
        return (404, "no such upload".to_owned());
    };
    if bytes.len() != file.announced {
        let (announced, sent) = (file.announced, bytes.len());
        state.violation(format!(
            "upload of {id}: announced {announced} bytes, sent {sent}"
        ));
        return (400, "size mismatch".to_owned());
    }
    file.bytes = bytes.to_vec();
    file.uploaded = true;
    (200, format!("OK - {}", bytes.len()))
}

/// A file's bytes, for who has the token.
pub fn download(state: &mut State, path: &str, token: Option<&str>) -> Option<(String, Vec<u8>)> {
    let id = path.rsplit('/').nth(1)?.rsplit('-').next()?;
    let allowed = token == Some(&state.app.bot_token)
        && state.app.revoked.is_none()
        && state.app.scopes.contains("files:read");
    let file = state
        .files
        .get(id)
        .filter(|file| file.completed && !file.deleted)?;
    allowed.then(|| (file.mimetype.clone(), file.bytes.clone()))
}

pub fn complete(state: &mut State, args: &Args) -> Result<Value> {
    let wanted = args.list("files");
    if wanted.is_empty() {
        return Err(fail("invalid_arguments"));
    }
    let mut ids = Vec::new();
    for file in &wanted {
        let id = file["id"].as_str().unwrap_or_default();
        let there = state
            .files
            .get_mut(id)
            .filter(|there| there.uploaded && !there.completed);
        let there = there.ok_or_else(|| fail("file_not_found"))?;
        if let Some(title) = file["title"].as_str() {
            title.clone_into(&mut there.title);
        }
        ids.push(id.to_owned());
    }
    let mut channels = args.names("channels");
    channels.extend(args.text("channel_id").map(str::to_owned));
    for channel in &channels {
        state
            .open_channel(channel)
            .map_err(|why| match why.code.as_str() {
                "not_in_channel" | "channel_not_found" => fail("channel_not_found"),
                _ => why,
            })?;
    }
    for id in &ids {
        if let Some(file) = state.files.get_mut(id) {
            file.completed = true;
            file.channels.clone_from(&channels);
        }
    }
    for channel in &channels {
        state.post(Message {
            channel: channel.clone(),
            user: state.app.bot_user.clone(),
            subtype: Some("file_share".to_owned()),
            text: args.text("initial_comment").unwrap_or_default().to_owned(),
            blocks: args.list("blocks"),
            files: ids.clone(),
            thread_ts: args.text("thread_ts").map(str::to_owned),
            ..Message::default()
        })?;
    }
    let files: Vec<Value> = ids
        .iter()
        .filter_map(|id| state.files.get(id))
        .map(|file| state.file_json(file))
        .collect();
    Ok(json!({ "files": files }))
}

fn there<'a>(state: &'a State, args: &Args) -> Result<&'a File> {
    let file = state
        .files
        .get(args.need("file")?)
        .ok_or_else(|| fail("file_not_found"))?;
    if file.deleted {
        Err(fail("file_deleted"))
    } else {
        Ok(file)
    }
}

pub fn info(state: &mut State, args: &Args) -> Result<Value> {
    let file = there(state, args)?;
    Ok(json!({ "file": state.file_json(file), "comments": [], "response_metadata": { "next_cursor": "" } }))
}

pub fn list(state: &mut State, args: &Args) -> Result<Value> {
    let channel = args.text("channel");
    let fits = |file: &&File| {
        file.completed
            && !file.deleted
            && channel.is_none_or(|id| file.channels.iter().any(|there| there == id))
    };
    let files: Vec<Value> = state
        .files
        .values()
        .filter(fits)
        .map(|file| state.file_json(file))
        .collect();
    let total = files.len();
    Ok(json!({ "files": files, "paging": { "count": 100, "total": total, "page": 1, "pages": 1 } }))
}

pub fn delete(state: &mut State, args: &Args) -> Result<Value> {
    let file = there(state, args)?;
    if file.user != state.app.bot_user {
        return Err(fail("cant_delete_file"));
    }
    let id = file.id.clone();
    if let Some(file) = state.files.get_mut(&id) {
        file.deleted = true;
        file.bytes.clear();
    }
    Ok(json!({}))
}
