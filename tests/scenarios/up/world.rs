//! A home that `porchlight up` runs.

use std::{path::Path, time::Duration};

use serde_json::Value;
use tests::process::{Ended, Process, file, ours, own_address, run};
use tokio::{process::Command, time::sleep};

/// How long a command may take that ends by itself.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// `porchlight` with that folder, and with no target outside this machine.
pub(crate) fn porchlight(command: &str, data: &Path) -> Command {
    let mut porchlight = ours("porchlight");
    porchlight.arg(command).arg("--data").arg(data).env("TARGET_HOST", "127.0.0.1");
    porchlight
}

/// `up`, at addresses that no other test uses, and without bandwidth tests.
pub(crate) fn up(data: &Path) -> Command {
    let mut up = porchlight("up", data);
    let address = own_address();
    up.args(["--no-bandwidth", "--page-addr", &format!("{address}:0"), "--beacon-addr", &format!("{address}:0")]);
    up
}

/// Runs it to its end.
pub(crate) async fn ended(command: Command) -> Ended {
    run(command, LIMIT).await
}

/// `up` that has begun.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) process: Process,
    /// The page.
    pub(crate) page: String,
}

impl Up {
    pub(crate) async fn start(command: Command) -> Self {
        let mut process = Process::start(command);
        let page = process.wait_for("its page", |lines| lines.iter().find_map(|line| page_in(line))).await;
        Self { process, page }
    }

    /// What the page says.
    pub(crate) async fn page(&self) -> String {
        self.get("").await
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let url = format!("{}{path}", self.page);
        for _ in 0..100 {
            // It says where it will be a moment before it answers there.
            if let Ok(answer) = http.get(&url).send().await {
                return answer.text().await.expect("a body");
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{url} does not answer: {:#?}", self.process.lines());
    }

    /// The status of the page's only component, as a client with the token reads it.
    pub(crate) async fn stored_status(&self, data: &Path) -> Option<String> {
        let token = std::fs::read_to_string(data.join("keeper.token")).ok()?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let get = async |path: &str| {
            let request = http.get(format!("{}{path}", self.page));
            let answer = request.header("authorization", format!("OAuth {}", token.trim())).send().await.ok()?;
            answer.json::<Value>().await.ok()
        };
        let pages = get("v1/pages").await?;
        let page = pages[0]["id"].as_str()?.to_owned();
        let components = get(&format!("v1/pages/{page}/components")).await?;
        Some(components[0]["status"].as_str()?.to_owned())
    }
}

/// The page's address in a line that `up` prints.
pub(crate) fn page_in(line: &str) -> Option<String> {
    let url = line.trim().strip_prefix("page")?.split_whitespace().next()?;
    url.starts_with("http").then(|| url.to_owned())
}

/// Writes a file in a folder that may not be there yet.
pub(crate) fn put(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    file(folder, name, text);
}
