//! The engine on the store in memory, with a clock that stands still until it is moved, a chat and hands that record.

mod away;
mod carrying;
mod chat;
mod documents;
mod fakes;
mod files;
mod forgetting;
mod keeping;
mod kit;
mod links;
mod overtaking;
mod privacy;
mod racing;
mod redacting;
mod rooms;
mod storage;
mod timing;
mod together;
mod walk;
