//! A keeper with one page and one component, and a client of its API.

use std::{path::Path, time::Duration};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{Process, file, ours, own_address};

pub const PAGE: &str = "gytm4qzbx9t6";
pub const COMPONENT: &str = "8kbf7d35c070";
pub const TOKEN: &str = "keeper-token-of-the-tests";

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My home"
time_zone = "Europe/Berlin"

[[components]]
id = "8kbf7d35c070"
name = "Home internet"
description = "As seen from the cloud"
"#;

#[derive(Debug)]
pub struct Keeper {
    pub process: Process,
    pub url: String,
    pub folder: TempDir,
    token: String,
    pub http: reqwest::Client,
}

/// The command of a keeper whose files are in `folder`, without a rate limit.
pub fn keeper_command(folder: &Path) -> Command {
    let mut command = ours("keeper");
    command
        .env("KEEPER_ADDR", format!("{}:0", own_address()))
        .env("DATABASE_URL", format!("sqlite:{}", folder.join("keeper.db").display()))
        .env("KEEPER_SEED", file(folder, "seed.toml", SEED))
        .env("KEEPER_TOKEN", TOKEN)
        .env("KEEPER_RATE_LIMIT", "0");
    command
}

impl Keeper {
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// # Panics
    /// When it does not start.
    pub async fn start_with(change: impl FnOnce(&mut Command)) -> Self {
        Self::restart_with(tempfile::tempdir().expect("a temporary folder"), change).await
    }

    /// Starts it again on the same files.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(folder: TempDir) -> Self {
        Self::restart_with(folder, |_| ()).await
    }

    /// # Panics
    /// When it does not start.
    pub async fn restart_with(folder: TempDir, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = keeper_command(folder.path());
        change(&mut command);
        Self::listen(Process::start(command), folder).await
    }

    /// One whose token can be replaced while it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with_token_file() -> Self {
        Self::with_token_file_and(|_, _| ()).await
    }

    /// As [`Keeper::with_token_file`], with a command that is changed for its folder.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with_token_file_and(change: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = keeper_command(folder.path());
        change(&mut command, folder.path());
        command.env_remove("KEEPER_TOKEN").env("KEEPER_TOKEN_FILE", file(folder.path(), "token", TOKEN));
        Self::listen(Process::start(command), folder).await
    }

    /// Takes another token from now on.
    pub fn replace_token(&mut self, token: &str) {
        file(self.folder.path(), "token", token);
        token.clone_into(&mut self.token);
    }

    async fn listen(mut process: Process, folder: TempDir) -> Self {
        let line = process.wait_for_message("listening").await;
        let address = line["address"].as_str().expect("the line names the address");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { url: format!("http://{address}"), process, folder, token: TOKEN.into(), http }
    }

    /// The address of its API.
    pub fn api(&self) -> String {
        format!("{}/v1", self.url)
    }

    /// A call with the token; `body` is JSON.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        self.request(method, &format!("/v1{path}"), body).await
    }

    /// A call of the keeper's own API: the status, and the answer as far as it is JSON.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn own(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.request(method, &format!("/porchlight/v1{path}"), body).await.expect("the keeper answers");
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.header("authorization", format!("OAuth {}", self.token));
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }

    /// A call that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let response = self.call(method, path, body).await.expect("the keeper answers");
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What the page says of the component.
    ///
    /// # Panics
    /// When the keeper does not answer.
    pub async fn status(&self) -> String {
        let component = self.ok(Method::GET, &format!("/pages/{PAGE}/components/{COMPONENT}"), None).await;
        component["status"].as_str().expect("a status").to_owned()
    }

    /// A human's word.
    ///
    /// # Panics
    /// When the keeper does not take it.
    pub async fn set_status(&self, status: &str) {
        let body = json!({"component": {"status": status}});
        self.ok(Method::PATCH, &format!("/pages/{PAGE}/components/{COMPONENT}"), Some(body)).await;
    }

    /// A prober's look of now from outside: with that verdict and cause.
    ///
    /// # Panics
    /// When the keeper does not take it.
    pub async fn looked(&self, component: &str, verdict: &str, cause: Option<&str>) {
        let at = jiff::Timestamp::now().as_second();
        let look = json!({"component_id": component, "verdict": verdict, "cause": cause, "from": "outside"});
        let body = json!({"page_id": PAGE, "at": at, "location": "eu-central-1", "looks": [look]});
        let (status, answer) = self.own(Method::POST, "/looks", Some(body)).await;
        assert_eq!((status, &answer["accepted"]), (202, &json!(1)), "{answer}");
    }

    /// Makes a metric in ms, with a provider of its own; its id.
    ///
    /// # Panics
    /// When the keeper does not take it.
    pub async fn metric(&self, name: &str) -> String {
        let providers = format!("/pages/{PAGE}/metrics_providers");
        let provider = json!({"metrics_provider": {"type": "Self"}});
        let provider = self.ok(Method::POST, &providers, Some(provider)).await;
        let path = format!("{providers}/{}/metrics", provider["id"].as_str().expect("an id"));
        let metric = json!({"metric": {"name": name, "suffix": "ms", "decimal_places": 1, "y_axis_min": 0}});
        let metric = self.ok(Method::POST, &path, Some(metric)).await;
        metric["id"].as_str().expect("an id").to_owned()
    }

    /// # Panics
    /// When the page cannot be had.
    pub async fn page(&self) -> String {
        let response = self.http.get(&self.url).send().await.expect("the page");
        response.text().await.expect("a body")
    }
}
