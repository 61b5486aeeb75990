//! Why a call of an API did not bring what was asked for. Its sentence is made from the answer ([`ApiError::hint`]).

use super::Entry;
use crate::api::{ApiError, Passing, Permanent};

/// Why a call failed, by what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// There is no connection, or no answer.
    NoAnswer,
    /// The server answers that it cannot for now, or that it was asked too often.
    Busy,
    /// The token is refused.
    Token,
    /// There is no such thing.
    NotFound,
    /// The call is refused as it is.
    Refused,
    /// Something else than the API answers.
    NotTheApi,
    /// The call was not sent.
    NotSent,
}

impl CallFault {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::NoAnswer, Self::Busy, Self::Token, Self::NotFound, Self::Refused, Self::NotTheApi, Self::NotSent];

    /// What an error is.
    pub const fn of(error: &ApiError) -> Self {
        match error {
            ApiError::Passing(Passing { status: None, .. }) => Self::NoAnswer,
            ApiError::Passing(Passing { status: Some(_), .. }) => Self::Busy,
            ApiError::Pausing(_) => Self::Token,
            ApiError::Permanent(Permanent { status: 0, .. }) => Self::NotSent,
            ApiError::Permanent(Permanent { status: 404, .. }) => Self::NotFound,
            ApiError::Permanent(Permanent { status: 400..=499, .. }) => Self::Refused,
            ApiError::NotTheApi(_) | ApiError::Permanent(_) => Self::NotTheApi,
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, meaning, steps): (_, _, &'static [&'static str]) = match self {
            Self::NoAnswer => (
                "call-no-answer",
                "There is no connection to the server, or no answer in time.",
                &[
                    "See whether the server runs, and whether the address is right: `curl -i ADDRESS` from the same \
                     machine.",
                    "In a container or pod 127.0.0.1 is that container: name the keeper's service instead.",
                ],
            ),
            Self::Busy => (
                "call-busy",
                "The server answers that it cannot for now (408, 5xx), or that it was asked too often (420, 429).",
                &[
                    "It is tried again. statuspage.io allows 60 calls a minute for each token: a prober and a \
                     keeper with one token share them.",
                    "A keeper's own limit is `KEEPER_RATE_LIMIT`.",
                ],
            ),
            Self::Token => (
                "call-token-refused",
                "The server refuses the token (401, 403).",
                &[
                    "For statuspage.io: the API key stands under your avatar, API info; one that was regenerated is \
                     refused from then on.",
                    "For a keeper: it must be the keeper's `KEEPER_TOKEN`, to the letter.",
                ],
            ),
            Self::NotFound => (
                "call-not-found",
                "The server knows no page, component or metric of that id (404).",
                &[
                    "Compare the ids with those of the page: a keeper logs its own when it starts; at statuspage.io \
                     they are in the address of the page's settings.",
                    "A page of a keeper is not there at statuspage.io: see whether the address is that of the right \
                     server.",
                ],
            ),
            Self::Refused => (
                "call-refused",
                "The server does not take what was sent, and says why.",
                &["What is a copy of a page upstream is changed there. Else update the older one of the two programs."],
            ),
            Self::NotTheApi => (
                "call-not-the-api",
                "Something else than the API answers: another program, a proxy, a login page, another protocol.",
                &[
                    "See whether host and port are the keeper's private ones (8030), and not the beacon's (8080) or \
                     the public page's.",
                    "With and without `/v1` is the same; http:// and https:// are not.",
                ],
            ),
            Self::NotSent => (
                "call-not-sent",
                "The call was not sent, because the token cannot be used: its file cannot be read, or it is a \
                 keeper's and the address is statuspage.io's.",
                &["Set the token that belongs to the address, or the address that belongs to the token."],
            ),
        };
        Entry { id, meaning: meaning.to_owned(), steps }
    }
}
