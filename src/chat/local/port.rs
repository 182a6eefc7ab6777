//! The bot's side of the chat.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::faults::Call;
use super::live::What;
use super::writer::{Done, NewFile, No, Op, Post, Reply};
use super::{FILE_MAX, LocalChat, MESSAGE_MAX, PLATFORM, Room, message_ref, room_ref};
use crate::chat::{
    Asker, Block, Chat, Error, FileRef, Form, Found, Message, Rich, RoomSpec, Trigger, Upload,
};
use crate::incident::{Identity, MessageRef, RoomRef};

impl LocalChat {
    async fn write(&self, op: Op) -> Result<Done, Error> {
        done(self.writer.apply(op).await)
    }

    async fn bot_posts(
        &self,
        key: &str,
        room: String,
        thread: Option<i64>,
        body: &Message,
        file: Option<NewFile>,
    ) -> Result<MessageRef, Error> {
        let post = Post {
            key: Some(key.to_owned()),
            room: room.clone(),
            thread,
            by: None,
            body: encoded(body)?,
            file,
            at: self.now(),
        };
        posted(&room, self.writer.apply(Op::Post(post)).await)
    }

    /// The room, if it is one of ours and this person may be spoken to there.
    fn room_for(&self, room: &RoomRef, to: &Identity) -> Result<Arc<Room>, Error> {
        let known = self.rooms.get(ours(room)?).filter(|room| room.shows_to(&to.user));
        known.ok_or_else(|| Error::Gone {
            why: gone(No::Room).into(),
        })
    }
}

#[async_trait]
impl Chat for LocalChat {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    async fn linked(&self, link: &str) -> Option<MessageRef> {
        let (room, message) = linked(link)?;
        self.rooms.get(&room).map(|room| message_ref(&room.id, message))
    }

    async fn open_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error> {
        let work = async {
            let room = Room {
                id: spec.name.clone(),
                topic: spec.topic.clone(),
                private: spec.private,
                audience: spec.audience,
                direct: None,
                archived: false,
                opened: self.now(),
                members: spec
                    .invite
                    .iter()
                    .filter(|who| local(who))
                    .map(|who| who.user.clone())
                    .collect(),
            };
            match self
                .write(Op::OpenRoom {
                    key: key.to_owned(),
                    room,
                })
                .await?
            {
                Done::Room(id) => Ok(room_ref(&id)),
                _ => Err(Error::Gone {
                    why: gone(No::Room).into(),
                }),
            }
        };
        self.faults.during(Call::OpenRoom, &key, work).await
    }

    async fn invite(&self, room: &RoomRef, people: &[Identity]) -> Result<(), Error> {
        let work = async {
            let users = people
                .iter()
                .filter(|who| local(who))
                .map(|who| who.user.clone())
                .collect();
            self.write(Op::Invite {
                room: ours(room)?.to_owned(),
                users,
            })
            .await
            .map(drop)
        };
        self.faults.during(Call::Invite, &(room, people), work).await
    }

    async fn set_topic(&self, room: &RoomRef, topic: &str) -> Result<(), Error> {
        let work = async {
            let op = Op::SetTopic {
                room: ours(room)?.to_owned(),
                topic: topic.to_owned(),
            };
            self.write(op).await.map(drop)
        };
        self.faults.during(Call::SetTopic, &(room, topic), work).await
    }

    async fn archive(&self, room: &RoomRef) -> Result<(), Error> {
        let work = async {
            let (room, archived) = (ours(room)?.to_owned(), true);
            self.write(Op::Archive { room, archived }).await.map(drop)
        };
        self.faults.during(Call::Archive, &room, work).await
    }

    async fn unarchive(&self, room: &RoomRef) -> Result<(), Error> {
        let work = async {
            let (room, archived) = (ours(room)?.to_owned(), false);
            self.write(Op::Archive { room, archived }).await.map(drop)
        };
        self.faults.during(Call::Unarchive, &room, work).await
    }

    async fn find_room(&self, typed: &str, asker: &Asker) -> Result<Found, Error> {
        let work = async {
            let id = typed.trim_start_matches('#');
            let shows = |room: &Room| {
                let mut who = asker.who.iter();
                asker.reads.contains(&room_ref(id)) || who.any(|who| room.shows_to(&who.user))
            };
            let room = self.rooms.get(id).filter(|room| room.direct.is_none());
            let room = room.filter(|room| !room.private || shows(room));
            let room = room.ok_or_else(|| Error::Gone {
                why: format!("There is no room #{id} on the page"),
            })?;
            Ok(Found {
                room: room_ref(id),
                name: format!("#{id}"),
                readable: !room.private,
                joined: true,
                archived: room.archived,
            })
        };
        self.faults.during(Call::FindRoom, &typed, work).await
    }

    async fn post(
        &self,
        key: &str,
        room: &RoomRef,
        thread: Option<&MessageRef>,
        message: &Message,
    ) -> Result<MessageRef, Error> {
        let work = async {
            let thread = thread.map(number).transpose()?;
            self.bot_posts(key, ours(room)?.to_owned(), thread, message, None)
                .await
        };
        self.faults.during(Call::Post, &key, work).await
    }

    async fn post_all(&self, room: &RoomRef, posts: &[(String, &Message)]) -> Vec<Result<MessageRef, Error>> {
        let work = async {
            let (room, at) = (ours(room)?.to_owned(), self.now());
            let post = |(key, body): &(String, &Message)| {
                Ok(Op::Post(Post {
                    key: Some(key.clone()),
                    room: room.clone(),
                    thread: None,
                    by: None,
                    body: encoded(body)?,
                    file: None,
                    at,
                }))
            };
            let posts = posts.iter().map(post).collect::<Result<Vec<_>, Error>>()?;
            let replies = self.writer.apply_all(posts).await;
            Ok(replies.into_iter().map(|reply| posted(&room, reply)).collect())
        };
        let posted = self.faults.during(Call::Post, &posts, work).await;
        posted.unwrap_or_else(|error| vec![Err(error)])
    }

    async fn find_post(
        &self,
        key: &str,
        room: &RoomRef,
        _: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<MessageRef>, Error> {
        let id = self.posted_under(key, ours(room)?).await;
        let id = id.map_err(|error| Error::Retry {
            why: error.to_string(),
            after: None,
        })?;
        Ok(id.map(|id| message_ref(&room.room, id)))
    }

    async fn update(&self, at: &MessageRef, message: &Message) -> Result<(), Error> {
        let work = async {
            let op = Op::Update {
                id: number(at)?,
                room: ours(&at.room)?.to_owned(),
                body: encoded(message)?,
            };
            self.write(op).await.map(drop)
        };
        self.faults.during(Call::Update, &(at, message), work).await
    }

    async fn redact(&self, at: &MessageRef, marker: &str) -> Result<(), Error> {
        let work = async {
            let op = Op::Redact {
                id: number(at)?,
                room: ours(&at.room)?.to_owned(),
                marker: marker.to_owned(),
            };
            self.write(op).await.map(drop)
        };
        self.faults.during(Call::Update, &at, work).await
    }

    async fn pin(&self, at: &MessageRef) -> Result<(), Error> {
        let work = async {
            let op = Op::Pin {
                id: number(at)?,
                room: ours(&at.room)?.to_owned(),
                at: self.now(),
            };
            self.write(op).await.map(drop)
        };
        self.faults.during(Call::Pin, &at, work).await
    }

    async fn upload(&self, key: &str, room: &RoomRef, file: &Upload) -> Result<MessageRef, Error> {
        let work = async {
            if file.bytes.len() > FILE_MAX {
                let why = format!(
                    "{} is larger than the {FILE_MAX} bytes a file may have",
                    file.name
                );
                return Err(Error::Gone { why });
            }
            let message = Message {
                fallback: file.name.clone(),
                blocks: match file.comment.as_str() {
                    "" => Vec::new(),
                    comment => vec![Block::Text {
                        text: Rich::from(comment),
                    }],
                },
            };
            let stored = NewFile {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                sha256: hex::encode(Sha256::digest(&file.bytes)),
                bytes: file.bytes.clone(),
            };
            self.bot_posts(key, ours(room)?.to_owned(), None, &message, Some(stored))
                .await
        };
        self.faults.during(Call::Upload, &key, work).await
    }

    async fn read_file(&self, at: &MessageRef, file: &FileRef, most: usize) -> Result<Vec<u8>, Error> {
        let work = async {
            let room = ours(&at.room)?;
            let found = self.file(&file.id).await.map_err(|error| Error::Retry {
                why: error.to_string(),
                after: None,
            })?;
            match found.filter(|found| found.room == room) {
                Some(found) if found.bytes.len() <= most => Ok(found.bytes),
                Some(_) => Err(Error::Gone {
                    why: format!("the file is larger than {most} bytes"),
                }),
                None => Err(Error::Gone {
                    why: "the file is no longer there".into(),
                }),
            }
        };
        self.faults.during(Call::ReadFile, &(at, file), work).await
    }

    async fn whisper(
        &self,
        key: &str,
        room: &RoomRef,
        to: &Identity,
        message: &Message,
    ) -> Result<(), Error> {
        let work = async {
            let room = self.room_for(room, to)?;
            let kept = self
                .ephemeral
                .whisper(key, &to.user, &room.id, message.clone(), self.now());
            if let Some(id) = kept {
                let (to, room) = (to.user.as_str().into(), room.id.as_str().into());
                self.hub.tell(What::Whisper { to, room, id });
            }
            Ok(())
        };
        self.faults.during(Call::Whisper, &key, work).await
    }

    async fn direct_room(&self, to: &Identity) -> Result<RoomRef, Error> {
        if !local(to) {
            return Err(Error::Gone {
                why: format!("{} is not a person of this chat", to.user),
            });
        }
        let (user, at) = (to.user.clone(), self.now());
        match self.write(Op::Direct { user, at }).await? {
            Done::Room(room) => Ok(super::room_ref(&room)),
            _ => Err(Error::Gone {
                why: gone(No::Room).into(),
            }),
        }
    }

    async fn direct(&self, key: &str, to: &Identity, message: &Message) -> Result<(), Error> {
        let work = async {
            let room = self.direct_room(to).await?.room;
            self.bot_posts(key, room, None, message, None).await.map(drop)
        };
        self.faults.during(Call::Direct, &key, work).await
    }

    async fn ask(&self, trigger: &Trigger, room: &RoomRef, to: &Identity, form: &Form) -> Result<(), Error> {
        let work = async {
            let room = self.room_for(room, to)?;
            if trigger.expires < self.now() {
                let why = "the form came too late for the person who asked; they can run the command again";
                return Err(Error::Gone { why: why.into() });
            }
            let asked = self
                .ephemeral
                .ask(&to.user, &room.id, &trigger.token, form.clone());
            self.hub.tell(What::Form {
                to: to.user.as_str().into(),
                asked,
            });
            Ok(())
        };
        self.faults.during(Call::Ask, &(trigger, form), work).await
    }
}

/// What the writer says, in the port's words.
fn done(reply: Reply) -> Result<Done, Error> {
    match reply {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(no)) => Err(Error::Gone { why: gone(no).into() }),
        Err(broken) => Err(Error::Retry {
            why: format!("the chat file took no changes: {}", broken.0),
            after: None,
        }),
    }
}

fn posted(room: &str, reply: Reply) -> Result<MessageRef, Error> {
    match done(reply)? {
        Done::Message(id) => Ok(message_ref(room, id)),
        _ => Err(Error::Gone {
            why: gone(No::Message).into(),
        }),
    }
}

fn local(who: &Identity) -> bool {
    who.platform == PLATFORM
}

fn ours(room: &RoomRef) -> Result<&str, Error> {
    if room.platform == PLATFORM {
        Ok(&room.room)
    } else {
        Err(Error::Gone {
            why: format!("{room} is not a room of this chat"),
        })
    }
}

fn number(message: &MessageRef) -> Result<i64, Error> {
    message.message.parse().map_err(|_| Error::Gone {
        why: gone(No::Message).into(),
    })
}

fn gone(no: No) -> &'static str {
    match no {
        No::Room => "the chat knows no such room, or the person is not in it",
        No::Archived => "the room is archived",
        No::Message => "the message is no longer there",
        No::NotYours => "the message was not written by the bot",
    }
}

/// The message as stored. What is beyond the limit is left out block by block, and the message says so.
fn encoded(message: &Message) -> Result<String, Error> {
    let unreadable = |error: serde_json::Error| Error::Gone {
        why: error.to_string(),
    };
    let whole = serde_json::to_string(message).map_err(unreadable)?;
    if whole.len() <= MESSAGE_MAX {
        return Ok(whole);
    }
    let mut left = MESSAGE_MAX;
    let mut cut = Message {
        fallback: message.fallback.chars().take(1_000).collect(),
        blocks: Vec::new(),
    };
    for block in &message.blocks {
        let size = serde_json::to_string(block).map_err(unreadable)?.len();
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => break,
        }
        cut.blocks.push(block.clone());
    }
    let missing = message.blocks.len() - cut.blocks.len();
    let note = format!("{missing} more parts were too long for one message and were left out.");
    cut.blocks.push(Block::Context {
        text: Rich::from(note),
    });
    serde_json::to_string(&cut).map_err(unreadable)
}

/// Room and message of a link as the page copies it, `http://127.0.0.1:8080/rooms/inc-7#m12`. Whatever address leads to
/// the page: a proxy may have its own.
fn linked(link: &str) -> Option<(String, i64)> {
    let link = Url::parse(link).ok()?;
    let mut path = link.path_segments()?;
    let (rooms, room, end) = (path.next()?, path.next()?, path.next());
    let message = link.fragment()?.strip_prefix('m')?;
    let counted = !message.is_empty() && message.bytes().all(|byte| byte.is_ascii_digit());
    if rooms != "rooms" || end.is_some() || !counted {
        return None;
    }
    let room = percent_encoding::percent_decode_str(room).decode_utf8().ok()?;
    Some((room.into_owned(), message.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_the_page_copies_names_a_room_and_a_message() {
        let told = |room: &str, message| Some((room.to_owned(), message));
        assert_eq!(linked("http://127.0.0.1:8080/rooms/inc-7#m12"), told("inc-7", 12));
        assert_eq!(
            linked("https://orderly.example/rooms/gr%C3%BC%C3%9Fe%2Fund#m1"),
            told("grüße/und", 1)
        );
        for other in [
            "12",
            "m12",
            "inc-7#m12",
            "http://127.0.0.1:8080/rooms/inc-7",
            "http://127.0.0.1:8080/rooms/inc-7#m",
            "http://127.0.0.1:8080/rooms/inc-7#m-1",
            "http://127.0.0.1:8080/rooms/inc-7/more#m1",
            "http://127.0.0.1:8080/rooms/inc-7#m99999999999999999999",
            "https://acme.slack.com/archives/C0123/p1772442005000100",
        ] {
            assert_eq!(linked(other), None, "{other}");
        }
    }
}
