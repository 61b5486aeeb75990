//! What stands between the page and the world, at both listeners: headers, what readers have already, compression, the
//! path below which the page is, and search engines.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Client, Method, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use tests::{
    cost::Peak,
    keeper::{COMPONENT, Keeper, PAGE},
    process::{command, run},
};
use tokio::{process::Command, task::spawn_blocking};

use super::with_public_door_and;

/// How much more memory a flood may take at most, in MiB.
const MOST_OF_A_FLOOD: f64 = 2.0;

/// A keeper, and who asks it: nothing is followed, nothing unpacked.
struct Shown {
    keeper: Keeper,
    public: String,
    reader: Client,
}

impl Shown {
    async fn open(change: impl FnOnce(&mut Command)) -> Self {
        let (keeper, public) = with_public_door_and(change).await;
        let reader = Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(20));
        Self { keeper, public, reader: reader.build().expect("a client") }
    }

    fn listeners(&self) -> [&str; 2] {
        [&self.public, &self.keeper.url]
    }

    async fn ask(&self, method: Method, address: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.reader.request(method, address);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.expect("it answers")
    }

    async fn get(&self, address: &str, headers: &[(&str, &str)]) -> Response {
        self.ask(Method::GET, address, headers).await
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().expect("plain text"))
}

#[tokio::test]
async fn every_answer_reports_browsers_what_it_is_not_to_be_used_for() {
    let shown = Shown::open(|_| ()).await;
    let private = ["/healthz", "/metrics", "/v1/pages"];
    for listener in shown.listeners() {
        for (path, method) in ["/", "/page.css", "/page.js", "/robots.txt", "/incidents/nothing", "/nothing"]
            .into_iter()
            .chain(["/api/v2/summary.json", "/api/v2/nothing.json"])
            .chain(private)
            .map(|path| (path, Method::GET))
            .chain([("/", Method::POST), ("/api/v2/summary.json", Method::PUT), ("/", Method::HEAD)])
        {
            let answer = shown.ask(method.clone(), &format!("{listener}{path}"), &[]).await;
            let reported = format!("{method} {listener}{path}: {} {:#?}", answer.status(), answer.headers());
            assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"), "{reported}");
            assert_eq!(header(&answer, "cross-origin-opener-policy"), Some("same-origin"), "{reported}");
            assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"), "{reported}");
            assert_eq!(header(&answer, "x-robots-tag"), Some("noindex, nofollow"), "{reported}");
            assert!(
                header(&answer, "permissions-policy").is_some_and(|policy| policy.contains("camera=()")),
                "{reported}"
            );
            let policy = header(&answer, "content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{reported}");
            let for_all = path == "/api/v2/summary.json" && method == Method::GET;
            let resource = if for_all { "cross-origin" } else { "same-origin" };
            assert_eq!(header(&answer, "cross-origin-resource-policy"), Some(resource), "{reported}");
            let here = !path.ends_with("nothing") && (listener != shown.public || !private.contains(&path));
            if here && [Method::POST, Method::PUT].contains(&method) {
                assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{reported}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_has_an_answer_learns_so_until_it_is_another_one() {
    let shown = Shown::open(|_| ()).await;
    for listener in shown.listeners() {
        for path in ["/page.css", "/page.js", "/api/v2/summary.json", "/robots.txt"] {
            let address = format!("{listener}{path}");
            let first = shown.get(&address, &[]).await;
            let tag = header(&first, "etag").expect("a tag").to_owned();
            let kept = header(&first, "cache-control").expect("how it is kept").to_owned();
            assert_eq!(kept == "no-cache", path.starts_with("/api"), "{path}: {kept}");
            let length = first.bytes().await.expect("a body").len();
            let again = shown.get(&address, &[("if-none-match", &format!("\"another\", {tag}"))]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
            let reported = (header(&again, "etag"), header(&again, "cache-control"), header(&again, "vary"));
            assert_eq!(reported, (Some(&*tag), Some(&*kept), Some("accept-encoding")), "{path}");
            assert_eq!(header(&again, "content-type"), None, "{path}");
            assert_eq!(again.bytes().await.expect("no body").len(), 0, "{path}");
            let head = shown.ask(Method::HEAD, &address, &[]).await;
            let reported = (head.status(), header(&head, "etag"), header(&head, "content-length"));
            assert_eq!(reported, (StatusCode::OK, Some(&*tag), Some(&*length.to_string())), "{path}");
            let packed = shown.get(&address, &[("if-none-match", &tag), ("accept-encoding", "gzip")]).await;
            assert_eq!(packed.status(), StatusCode::NOT_MODIFIED, "{path}");
        }
        let page = shown.get(&format!("{listener}/"), &[]).await;
        assert!(header(&page, "etag").is_some_and(|tag| tag.starts_with("W/\"")), "{:#?}", page.headers());
        assert_eq!(header(&page, "cache-control"), Some("no-cache"));
        let address = format!("{listener}/api/v2/summary.json");
        let tag = header(&shown.get(&address, &[]).await, "etag").expect("a tag").to_owned();
        let status = if listener == shown.public { "major_outage" } else { "partial_outage" };
        let component = format!("/pages/{PAGE}/components/{COMPONENT}");
        shown.keeper.ok(Method::PATCH, &component, Some(json!({"component": {"status": status}}))).await;
        let changed = shown.get(&address, &[("if-none-match", &tag)]).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert!(changed.text().await.expect("a body").contains(status));
        let missing = shown.get(&format!("{listener}/incidents/nothing"), &[("if-none-match", "*")]).await;
        assert_eq!((missing.status(), header(&missing, "etag")), (StatusCode::NOT_FOUND, None));
    }
}

#[tokio::test]
async fn page_style_script_and_documents_are_compressed_for_who_takes_that() {
    let shown = Shown::open(|_| ()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for listener in shown.listeners() {
        for path in ["/", "/page.css", "/page.js", "/api/v2/summary.json"] {
            let address = format!("{listener}{path}");
            let plain = shown.get(&address, &[]).await;
            assert_eq!((header(&plain, "content-encoding"), header(&plain, "vary")), (None, Some("accept-encoding")));
            let kind = header(&plain, "content-type").expect("a type").to_owned();
            let plain = plain.text().await.expect("a text");
            let packed = shown.get(&address, &[("accept-encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1")]).await;
            assert_eq!(header(&packed, "content-encoding"), Some("gzip"), "{path}");
            assert_eq!(
                (header(&packed, "content-type"), header(&packed, "vary")),
                (Some(&*kind), Some("accept-encoding"))
            );
            let packed = packed.bytes().await.expect("a body");
            assert!(packed.len() < plain.len(), "{path}: {} of {}", packed.len(), plain.len());
            let file = folder.path().join("answer.gz");
            std::fs::write(&file, packed).expect("the folder can be written");
            let mut unpack = command("gzip");
            unpack.arg("-dc").arg(&file);
            let unpacked = run(unpack, Duration::from_secs(10)).await;
            // The page says the second in which it was drawn.
            let same =
                if path == "/" { unpacked.stdout.trim_end().ends_with("</html>") } else { unpacked.stdout == plain };
            assert!(unpacked.code == Some(0) && same, "{path}: {unpacked:?}");
            let refused = shown.get(&address, &[("accept-encoding", "gzip;q=0")]).await;
            assert_eq!(header(&refused, "content-encoding"), None, "{path}");
        }
    }
}

#[tokio::test]
async fn the_page_is_below_its_base_path_whether_a_proxy_takes_that_off_or_not() {
    let shown = Shown::open(|command| {
        command.env("KEEPER_BASE_PATH", "/home/status");
    })
    .await;
    let public = &shown.public;
    let moved = shown.get(&format!("{public}/home/status?a=b"), &[]).await;
    assert_eq!(moved.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header(&moved, "location"), Some("/home/status/?a=b"));
    assert_eq!(header(&moved, "x-content-type-options"), Some("nosniff"));
    for below in ["", "/home/status"] {
        for path in ["/", "/page.css", "/page.js", "/robots.txt"] {
            let status = shown.get(&format!("{public}{below}{path}"), &[]).await.status();
            assert_eq!(status, StatusCode::OK, "{below}{path}");
        }
        let summary = shown.get(&format!("{public}{below}/api/v2/summary.json"), &[]).await;
        let summary: Value = summary.json().await.expect("JSON");
        assert_eq!(summary["page"]["url"], json!(format!("{public}/home/status")), "{below}");
        let page = shown.get(&format!("{public}{below}/"), &[]).await.text().await.expect("a page");
        for absolute in ["href=\"/", "src=\"/"] {
            assert!(!page.contains(absolute), "it would leave the path: {page}");
        }
        let refused = shown.ask(Method::DELETE, &format!("{public}{below}/"), &[]).await;
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{below}");
        for hidden in ["/v1/pages", "/metrics", "/porchlight/v1/series"] {
            let status = shown.get(&format!("{public}{below}{hidden}"), &[]).await.status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{below}{hidden}");
        }
    }
    let elsewhere = shown.get(&format!("{public}/home/statuses/"), &[]).await.status();
    assert_eq!(elsewhere, StatusCode::NOT_FOUND);
    // The private listener is asked by its own address.
    let private = shown.get(&format!("{}/home/status/", shown.keeper.url), &[]).await.status();
    assert_eq!(private, StatusCode::NOT_FOUND);
    let summary = shown.get(&format!("{}/api/v2/summary.json", shown.keeper.url), &[]).await;
    let summary: Value = summary.json().await.expect("JSON");
    assert_eq!(summary["page"]["url"], json!(shown.keeper.url));
}

#[tokio::test]
async fn search_engines_may_list_the_page_where_that_is_set() {
    let shown = Shown::open(|command| {
        command.env("KEEPER_ROBOTS", "index");
    })
    .await;
    for listener in shown.listeners() {
        let page = shown.get(&format!("{listener}/"), &[]).await;
        assert_eq!(header(&page, "x-robots-tag"), None, "{listener}");
        let robots = shown.get(&format!("{listener}/robots.txt"), &[]).await;
        assert_eq!(header(&robots, "content-type"), Some("text/plain; charset=utf-8"));
        let robots = robots.text().await.expect("a text");
        assert!(robots.ends_with("User-agent: *\nAllow: /\n"), "{robots}");
    }
}

/// So many visitors at once, each for so many requests, a connection for each.
async fn flood(shown: &Shown, requests: usize) {
    let address = shown.public.trim_start_matches("http://").to_owned();
    let visits = move |address: &str| {
        for _ in 0..requests {
            let mut visitor = TcpStream::connect(address).expect("a connection");
            visitor.write_all(b"GET /robots.txt HTTP/1.1\r\nhost: page\r\n\r\n").expect("it is read");
            visitor.read_to_end(&mut Vec::new()).expect("an answer");
        }
    };
    let visitors: Vec<_> = (0..32)
        .map(|_| {
            let address = address.clone();
            spawn_blocking(move || visits(&address))
        })
        .collect();
    for visitor in visitors {
        visitor.await.expect("it does not panic");
    }
}

#[tokio::test]
async fn a_flood_of_visitors_leaves_no_ended_connections_in_memory() {
    let shown = Shown::open(|_| ()).await;
    flood(&shown, 20).await;
    let peak = || Peak::of(shown.keeper.process.pid()).expect("it runs").own;
    let before = peak();
    flood(&shown, 1000).await;
    let more = peak() - before;
    eprintln!("32000 requests of 32 visitors: {more:.1} MiB more at most");
    assert!(more < MOST_OF_A_FLOOD, "{more:.1} MiB");
}
