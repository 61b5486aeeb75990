//! Services that take notices, over real sockets, as strict as the originals. Where a fact comes from is beside it; the sources are
//! those of `shared/notify`.
//!
//! - `server`: requests as they come, and what is answered
//! - `chats`: Telegram, Discord, Slack; `pushed`: ntfy, Gotify, Pushover

mod chats;
mod pushed;
mod server;

pub use self::{
    chats::{BOT_TOKEN, CHAT, discord, slack, telegram},
    pushed::{gotify, ntfy, pushover},
    server::{Posted, Reply, Service},
};
