//! Writing rooms: opening, inviting, topics, archiving.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::{After, Done, No, Op};
use crate::chat::local::LOBBY;
use crate::chat::local::live::What;
use crate::chat::local::model::{Room, Rooms};

/// A room's name, as long as Slack allows.
const NAME_MAX: usize = 80;

pub async fn open_room(
    db: &mut SqliteConnection,
    key: &str,
    wanted: &Room,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    if let Some(row) = sqlx::query("SELECT id FROM room WHERE key = ?")
        .bind(key)
        .fetch_optional(&mut *db)
        .await?
    {
        return Ok(Ok(Done::Room(row.get(0))));
    }
    let mut room = wanted.clone();
    room.id = slug(&wanted.id);
    let base = room.id.clone();
    let mut suffix = 1;
    while sqlx::query("SELECT 1 FROM room WHERE id = ?")
        .bind(&room.id)
        .fetch_optional(&mut *db)
        .await?
        .is_some()
    {
        suffix += 1;
        room.id = format!("{base}-{suffix}");
    }
    insert_room(db, Some(key), &room).await?;
    after.tell.push(What::Rooms);
    let id = room.id.clone();
    after.rooms.push(room);
    Ok(Ok(Done::Room(id)))
}

pub async fn direct(
    db: &mut SqliteConnection,
    rooms: &Rooms,
    user: &str,
    at: DateTime<Utc>,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let id = format!("@{user}");
    if known_room(rooms, after, &id).is_none() {
        let room = Room {
            id: id.clone(),
            topic: "Direct messages from Orderly. Only you see this.".into(),
            private: true,
            audience: crate::incident::Audience::Internal,
            direct: Some(user.to_owned()),
            archived: false,
            opened: at,
            members: [user.to_owned()].into(),
        };
        insert_room(db, None, &room).await?;
        after.tell.push(What::Rooms);
        after.rooms.push(room);
    }
    Ok(Ok(Done::Room(id)))
}

async fn insert_room(db: &mut SqliteConnection, key: Option<&str>, room: &Room) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO room (id, topic, private, audience, direct, opened, key) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&room.id)
    .bind(&room.topic)
    .bind(room.private)
    .bind(room.audience.word())
    .bind(&room.direct)
    .bind(room.opened.timestamp_millis())
    .bind(key)
    .execute(&mut *db)
    .await?;
    add_members(db, &room.id, room.members.iter()).await
}

async fn add_members(
    db: &mut SqliteConnection,
    room: &str,
    users: impl Iterator<Item = &String>,
) -> Result<(), sqlx::Error> {
    for user in users {
        sqlx::query("INSERT OR IGNORE INTO member (room, user) VALUES (?, ?)")
            .bind(room)
            .bind(user)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// The room as this transaction has left it so far.
pub fn known_room(rooms: &Rooms, after: &After, id: &str) -> Option<Room> {
    let changed = after.rooms.iter().rev().find(|room| room.id == id).cloned();
    changed.or_else(|| rooms.get(id).map(|room| (*room).clone()))
}

pub async fn change_room(
    db: &mut SqliteConnection,
    rooms: &Rooms,
    op: &Op,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let (Op::Invite { room: id, .. } | Op::SetTopic { room: id, .. } | Op::Archive { room: id, .. }) = op
    else {
        return Ok(Err(No::Room));
    };
    let Some(mut room) = known_room(rooms, after, id) else {
        return Ok(Err(No::Room));
    };
    match op {
        Op::Invite { users, .. } => {
            add_members(db, id, users.iter()).await?;
            room.members.extend(users.iter().cloned());
        }
        Op::SetTopic { topic, .. } => {
            sqlx::query("UPDATE room SET topic = ? WHERE id = ?")
                .bind(topic)
                .bind(id)
                .execute(db)
                .await?;
            room.topic.clone_from(topic);
        }
        Op::Archive { archived, .. } => {
            sqlx::query("UPDATE room SET archived = ? WHERE id = ?")
                .bind(archived)
                .bind(id)
                .execute(db)
                .await?;
            room.archived = *archived;
        }
        _ => return Ok(Err(No::Room)),
    }
    after.rooms.push(room);
    after.tell.push(What::Rooms);
    Ok(Ok(Done::Nothing))
}

/// A name as rooms have it: lower case, digits, dashes. `@` and the lobby are taken.
fn slug(wanted: &str) -> String {
    let mut name = String::new();
    for c in wanted.chars().flat_map(char::to_lowercase) {
        if name.len() >= NAME_MAX {
            break;
        }
        if c.is_alphanumeric() || c == '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() || name == LOBBY {
        format!("room-{name}").trim_end_matches('-').to_owned()
    } else {
        name.to_owned()
    }
}
