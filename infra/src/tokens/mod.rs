//! `porchlight tokens` and `porchlight code`: what opens a page of a keeper, and how another home gets it.

mod settings;
mod table;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use home_beacon::{
    job::settings::{KEEPER_API, KEEPER_TOKEN},
    keeper::NO_JOINS,
};
use serde::Deserialize;
use shared::{
    api::{Api, ApiError, Permanent},
    http::{Deadlines, Method, client_for},
    secret::SecretSource,
    settings::WrongSetting,
};
use url::Url;

pub use self::settings::{AskedSettings, CodeSettings, TokensCommand, TokensSettings};
use self::table::{Token, table};
use crate::up::{folder::Folder, page_of};

const TOKENS: &str = "/porchlight/v1/tokens";
const CODES: &str = "/porchlight/v1/join_codes";

/// Where a keeper is that nothing else is said of.
const DEFAULT_KEEPER: &str = "http://127.0.0.1:8030";

/// What `up` keeps of its keeper.
const TOKEN_FILE: &str = "keeper.token";

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Lists the tokens, or revokes one.
///
/// # Errors
/// When the keeper does not answer, or has no such token.
pub async fn tokens(settings: &TokensSettings) -> anyhow::Result<ExitCode> {
    let keeper = keeper(&settings.asked)?;
    let mut out = io::stdout();
    match &settings.command {
        None | Some(TokensCommand::List) => {
            let tokens: Vec<Token> = keeper.call(Method::GET, TOKENS, None).await.map_err(|error| in_words(&error))?;
            write!(out, "{}", table(&tokens))?;
        }
        Some(TokensCommand::Revoke { id }) => {
            check_id(id)?;
            let path = format!("{TOKENS}/{id}");
            let token: Token = keeper.call(Method::DELETE, &path, None).await.map_err(|error| match error {
                ApiError::Permanent(Permanent { status: 404, .. }) => {
                    anyhow::anyhow!("the keeper has no token {id}: `porchlight tokens` lists those that it has")
                }
                error => in_words(&error),
            })?;
            writeln!(out, "Token {} opens nothing any more.", token.named())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a new join code on a line of its own, and what it is for beside it.
///
/// # Errors
/// When the keeper does not answer, or takes no homes.
pub async fn code(settings: &CodeSettings) -> anyhow::Result<ExitCode> {
    let made = keeper(&settings.asked)?.call(Method::POST, CODES, None).await;
    let Code { code } = made.map_err(|error| match error {
        ApiError::Permanent(Permanent { status: 404, .. }) => {
            anyhow::anyhow!("{NO_JOINS}: codes are made where `porchlight up --outside` runs")
        }
        error => in_words(&error),
    })?;
    eprintln!("At home, run `porchlight up --join` within 15 minutes, and paste this code, which can be used once:");
    writeln!(io::stdout(), "{code}")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn in_words(error: &ApiError) -> anyhow::Error {
    anyhow::anyhow!(error.advice(&KEEPER_API))
}

/// An id is part of a path.
fn check_id(id: &str) -> Result<(), WrongSetting> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(WrongSetting(
        "revoke takes the id of a token, 12 letters and digits as `porchlight tokens` lists it, and never the token"
            .into(),
    ))
}

/// The keeper that is named, else the one of the folder, else the usual one.
pub(crate) fn keeper(settings: &AskedSettings) -> anyhow::Result<Api> {
    let (url, token) = match (&settings.keeper_url, KEEPER_TOKEN.read()?) {
        (None, None) => {
            let known = of_folder(settings)?;
            known.map_or_else(|| KEEPER_TOKEN.require().map(|token| (usual(), token)), Ok)?
        }
        (url, Some(token)) => (url.clone().unwrap_or_else(usual), token),
        (Some(url), None) => {
            let token = Folder::named(settings.data.as_deref())?.known_secret(KEEPER_TOKEN.name, TOKEN_FILE)?;
            (url.clone(), token.map_or_else(|| KEEPER_TOKEN.require(), Ok)?)
        }
    };
    Ok(Api::new(client_for([&url], Deadlines::default())?, &url, token))
}

fn of_folder(settings: &AskedSettings) -> anyhow::Result<Option<(Url, SecretSource)>> {
    let folder = Folder::named(settings.data.as_deref())?;
    let Some(token) = folder.known_secret(KEEPER_TOKEN.name, TOKEN_FILE)? else {
        if settings.data.is_some() {
            anyhow::bail!("nothing was made in {} yet: `porchlight up` makes and runs it", folder.path().display());
        }
        return Ok(None);
    };
    // Its token is for it alone, and not for what has its port after it.
    let Some(page) = page_of(&folder) else {
        anyhow::bail!(
            "Porchlight does not run from {}: start it with `porchlight up`, or name a keeper with KEEPER_URL",
            folder.path().display()
        );
    };
    Ok(Some((page, token)))
}

fn usual() -> Url {
    DEFAULT_KEEPER.parse().unwrap_or_else(|_| unreachable!("it is an address"))
}
