//! `checks`: runs what files define, each check at its interval, and hands over what came of it. It stays and does not exit, so that
//! it costs no process for each run.
//!
//! - [`settings`](ChecksSettings): what it is told; `source`: the files; `watching`: read again when they change
//! - `schedule`: when each check runs; `dependencies`: whose failure a failure is; both pure
//! - `trial`: one run; `engine`: all of them; `clock`: the time of day; `home`: the home's line, which others depend on
//! - `results`: what waits to be handed over; `delivery`: to whom; `reading`: in which form
//! - `own_files`, `listener`, `totals`: what the program says of itself; `shown`: checks in words
//!
//! What runs and what is handed over is there for who has definitions from elsewhere than files, too: [`Engine`], [`ToKeeper`].

mod clock;
mod defined;
mod delivery;
mod dependencies;
mod engine;
#[cfg(test)]
mod fixtures;
mod home;
mod listener;
mod own_files;
mod program;
mod reading;
mod results;
mod schedule;
mod settings;
mod shown;
mod source;
mod totals;
mod trial;
mod watching;

pub(crate) use self::home::HomeAnswer;
pub use self::{
    clock::Clock,
    defined::{CheckList, Defined, Definitions, List},
    delivery::{Refused, ToKeeper},
    engine::Engine,
    home::HomeLine,
    listener::{Monitored, serve_health},
    program::command,
    results::{Finished, Results},
    settings::ChecksSettings,
    totals::Totals,
    trial::{Left, Try, Turn},
};
