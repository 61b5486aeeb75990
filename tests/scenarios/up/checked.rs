//! What a home checks besides its line, by a file in its folder.

use std::{fs, path::Path, time::Duration};

use tests::home::{Home, Manner};
use tokio::time::{Instant, sleep};

use crate::world::{LIMIT, Up, ended, porchlight, put, up};

const FINE: Manner = Manner::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0");

fn shelf(key: &str, target: &Home) -> String {
    format!("checks:\n- {{ name: shelf, {key}: The shelf, every: 5s, http: {{ url: \"{}\" }} }}\n", target.url())
}

/// Writes the file whole, as an editor does.
fn write(data: &Path, text: &str) {
    put(data, "new.yml", text);
    fs::rename(data.join("new.yml"), data.join("checks.yml")).expect("it is in the same folder");
}

impl Up {
    /// What the keeper knows of checks.
    async fn knows(&self, data: &Path) -> String {
        let token = fs::read_to_string(data.join("keeper.token")).expect("it was made");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = http.get(format!("{}porchlight/v1/checks", self.page));
        let answer = request.header("authorization", format!("OAuth {}", token.trim())).send().await;
        answer.expect("an answer").text().await.expect("a text")
    }

    async fn comes_to_show(&self, text: &str) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let page = self.page().await;
            if page.contains(text) {
                return page;
            }
            assert!(Instant::now() < until, "{text} is not on the page: {page}");
            sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test]
async fn what_a_file_in_the_folder_defines_is_on_the_page_and_a_wrong_one_takes_nothing_down() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, target) = (folder.path().join("porchlight"), Home::open(FINE).await);
    // Who writes it first is not refused for it, nor who has imported it with secrets.
    put(&data, "checks.yml", &shelf("title", &target));
    put(&data.join("checks.yml.secrets"), "CHECK_SHELF_KEY", "hunter2hunter2");
    let mut home = Up::start(up(&data)).await;
    home.process
        .wait_for("what it does", |lines| lines.iter().find(|line| line.contains("what checks.yml defines")).cloned())
        .await;
    let page = home.comes_to_show("The shelf").await;
    assert!(page.contains("Nobody has looked yet"), "of the line itself nobody knows more for it: {page}");

    // It is wrong at the next start: the page is there, says why nothing is checked, and keeps what it had.
    ended(porchlight("down", &data)).await;
    home.process.ended().await;
    write(&data, &shelf("titel", &target));
    let mut home = Up::start(porchlight("up", &data)).await;
    let said = "nothing that is defined is checked, because of";
    home.process
        .wait_for("what is wrong", |lines| {
            lines
                .iter()
                .find(|line| line.contains(said) && line.contains("checks.yml:2: titel is no key here"))
                .cloned()
        })
        .await;
    home.comes_to_show("The shelf").await;
    let until = Instant::now() + LIMIT;
    while !home
        .knows(&data)
        .await
        .contains("checks.yml:2: titel is no key here: was title meant?; nothing that is defined is checked")
    {
        assert!(Instant::now() < until, "the page's keeper is not told: {}", home.knows(&data).await);
        sleep(Duration::from_millis(200)).await;
    }
    write(&data, &shelf("title", &target).replace("The shelf", "The book case"));
    home.comes_to_show("The book case").await;

    // And it goes with the rest.
    let mut purge = porchlight("down", &data);
    purge.arg("--purge");
    assert_eq!(ended(purge).await.code, Some(0));
    assert!(!data.exists());
}
