//! The engine on the store in memory, with a clock that stands still until it is moved, a chat and hands that record.

mod chat;
mod documents;
mod fakes;
mod files;
mod kit;
mod privacy;
mod racing;
mod redacting;
mod storage;
mod timing;
mod together;
mod walk;
