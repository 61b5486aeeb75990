//! The page's API, and the keeper.

use std::time::Duration;

use serde_json::Value;
use shared::{
    api::Api,
    http::{Client, Deadlines, Method, client_for},
    id::PageId,
    keeper_token,
    secret::Secret,
};
use url::Url;

use super::{
    super::{checks::keeper::CLOSED, reply::Reply, until::Until},
    hops::is_refused,
};

/// How long each call may take.
const TIMEOUT: Duration = Duration::from_secs(7);

/// The most that is read of an answer without a token, in bytes.
const MAX_BODY: usize = 4 << 20;

fn deadlines(until: Until) -> Deadlines {
    until.deadlines(Duration::from_secs(4), Duration::from_secs(5), TIMEOUT)
}

/// What the page's API says: three calls, because it takes 60 in a minute.
#[derive(Clone, Debug)]
pub struct PageSeen {
    /// The pages that the token reaches.
    pub pages: Reply,
    /// The components of the page.
    pub components: Reply,
    /// Its metrics.
    pub metrics: Reply,
}

impl PageSeen {
    /// Nothing was asked.
    pub fn not_asked(why: &str) -> Self {
        let reply = || Reply::NotAsked(why.to_owned());
        Self { pages: reply(), components: reply(), metrics: reply() }
    }
}

/// Asks with that token; one that is a keeper's never goes to statuspage.io.
pub async fn page(base: &Url, token: &Secret, page: Option<&PageId>, needs_metrics: bool, until: Until) -> PageSeen {
    if let Err(why) = keeper_token::stays_home(token, base.as_str()) {
        return PageSeen::not_asked(&why);
    }
    let api = || client_for([base], deadlines(until)).map(|client| Api::new(client, base, token.clone()));
    let first = match api() {
        Ok(api) => api,
        Err(error) => return PageSeen::not_asked(&error.to_string()),
    };
    let pages = ask(&first, "/pages").await;
    // A token that is refused is refused everywhere.
    let (Reply::Is(_), Some(page)) = (&pages, page) else {
        let rest = match &pages {
            Reply::Is(_) => Reply::NotAsked("no PAGE_ID is set".into()),
            other => other.clone(),
        };
        return PageSeen { pages, components: rest.clone(), metrics: rest };
    };
    let (of_components, of_metrics) =
        (format!("/pages/{page}/components?per_page=100"), format!("/pages/{page}/metrics?per_page=100"));
    // What is left by now.
    let api = api().unwrap_or(first);
    let metrics = async {
        if needs_metrics { ask(&api, &of_metrics).await } else { Reply::NotAsked("no setting names a metric".into()) }
    };
    let (components, metrics) = tokio::join!(ask(&api, &of_components), metrics);
    PageSeen { pages, components, metrics }
}

async fn ask(api: &Api, path: &str) -> Reply {
    api.call::<Value>(Method::GET, path, None).await.into()
}

/// What the keeper says.
#[derive(Clone, Debug)]
pub struct KeeperSeen {
    /// Its health.
    pub health: Reply,
    /// Its page, for everybody.
    pub summary: Reply,
    /// Its metrics.
    pub metrics: Result<String, Reply>,
    /// Who is written to; that takes its token.
    pub notices: Reply,
}

impl KeeperSeen {
    /// Nothing was asked.
    pub fn not_asked(why: &str) -> Self {
        let reply = || Reply::NotAsked(why.to_owned());
        Self { health: reply(), summary: reply(), metrics: Err(reply()), notices: reply() }
    }
}

/// Asks it.
pub async fn keeper(url: &Url, token: Option<&Secret>, until: Until) -> KeeperSeen {
    let client = match client_for([url], deadlines(until)) {
        Ok(client) => client,
        Err(error) => return KeeperSeen::not_asked(&error.to_string()),
    };
    let notices = async {
        match token {
            Some(token) => ask(&Api::new(client.clone(), url, token.clone()), "/porchlight/v1/notices").await,
            None => Reply::NotAsked("no KEEPER_TOKEN is set".into()),
        }
    };
    let json = |text: Result<String, Reply>| match text.map(|text| serde_json::from_str(&text)) {
        Ok(Ok(value)) => Reply::Is(value),
        Ok(Err(_)) => Reply::Is(Value::Null),
        Err(reply) => reply,
    };
    let (health, summary, metrics, notices) = tokio::join!(
        text(&client, url, "healthz"),
        text(&client, url, "api/v2/summary.json"),
        text(&client, url, "metrics"),
        notices
    );
    KeeperSeen { health: json(health), summary: json(summary), metrics, notices }
}

async fn text(client: &Client, base: &Url, path: &str) -> Result<String, Reply> {
    let mut address = base.clone();
    address.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    let mut answer = client.get(&address).send().await.map_err(|error| {
        let what = format!("{base} does not answer: {}", shared::complaints::describe(&error));
        if is_refused(&error) {
            Reply::Refused { code: CLOSED.into(), words: format!("{base} refuses connections") }
        } else {
            Reply::Silent(what)
        }
    })?;
    if !answer.status().is_success() {
        let code = answer.status().as_u16().to_string();
        return Err(Reply::Refused { words: format!("{address} answers with {code}"), code });
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| Reply::Silent(error.without_url().to_string()))? {
        if body.len() + piece.len() > MAX_BODY {
            return Err(Reply::Silent(format!("{address} answers without an end")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}
