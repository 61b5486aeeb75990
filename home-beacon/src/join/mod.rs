//! How a home and its outside machine meet: a join code that the outside machine prints, and one exchange over TLS that the code
//! pins. What comes of it (seed, files, units) is the business of the programs at both ends.
//!
//! - [`code`](JoinCode): where the outside machine is, by which certificate it is known, and a secret for one use
//! - [`message`](JoinRequest): what the two tell each other
//! - [`exchange`](exchange()): the home's side; the other one is the keeper's

mod code;
mod exchange;
mod message;

pub use self::{
    code::{JoinCode, MAX_CODE, NoCode},
    exchange::{JoinError, exchange},
    message::{
        JOIN_PATH, JoinAnswer, JoinComponent, JoinMetric, JoinPage, JoinRefusal, JoinRequest, MAX_MESSAGE, PROTOCOL,
        SCHEME,
    },
};
