//! Everything that goes wrong is reported in a sentence, with an exit code, and is never a speed of 0.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{
    binaries::binary,
    cloudflare::{Cloudflare, Fault as CloudflareFault},
    fast::{Fast, Fault},
    namespace::Namespace,
    process::{Process, command},
    skip::skip,
    web::{Body, Reply, Request, Web},
};
use tokio::process::Command;

use crate::world::{JobRun, against, dry, dry_from, run_job};

/// All at once: most of them wait for deadlines.
async fn all<T>(cases: impl IntoIterator<Item = T>, work: impl AsyncFn(T)) {
    join_all(cases.into_iter().map(|case| Box::pin(work(case)))).await;
}

fn no_speed(job: &JobRun, sentence: &str) {
    assert_eq!(job.code, Some(3), "nothing was measured, and no keeper records that: {job:?}");
    assert!(job.failure("bandwidth").contains(sentence), "`{sentence}`: {job:?}");
    assert!(job.said().contains("not measured"), "{job:?}");
}

#[tokio::test]
async fn whatever_is_wrong_with_fast_com_is_reported_and_is_no_speed() {
    let cases = [
        (Fault::PageStatus(403), "127.0.0.1 refuses to answer with its page (403)"),
        (Fault::PageStatus(404), "127.0.0.1 answered 404 instead of its page"),
        (Fault::PageStatus(407), "a proxy on the way to 127.0.0.1 wants a password (407)"),
        (Fault::PageStatus(503), "127.0.0.1 fails (503)"),
        (
            Fault::PageRedirects,
            "127.0.0.1 redirects (302) instead of answering with its page: redirects are not followed",
        ),
        (Fault::PageWithoutScript, "its page names no script"),
        (Fault::PageSaysNothing, "127.0.0.1 sent nothing for 5 s"),
        (Fault::ScriptStatus(404), "127.0.0.1 answered 404 instead of its script"),
        (Fault::ScriptIsHtml, "127.0.0.1 answered with an HTML page instead of its script"),
        (Fault::ScriptWithoutToken, "its script holds no token"),
        (Fault::ScriptWithoutEndpoint, "its script names no apiEndpoint"),
        (Fault::ApiStatus(500), "127.0.0.1 fails (500)"),
        (Fault::ApiLimited(3000), "127.0.0.1 wants fewer requests (429): try again in 50 minutes"),
        (Fault::ApiIsHtml, "127.0.0.1 answered with an HTML page instead of its servers"),
        (Fault::ApiIsGarbage, "its answer is not the JSON that was expected"),
        (Fault::NoTargets, "it named no server to measure against"),
        (Fault::TargetsStatus(404), "127.0.0.1 answered 404 instead of payload"),
        (Fault::TargetsStatus(429), "127.0.0.1 wants fewer requests (429): try again in 60 s"),
        (Fault::TargetsStatus(500), "127.0.0.1 fails (500)"),
        (Fault::TargetsRedirect, "127.0.0.1 redirects (302) instead of answering with payload"),
        (Fault::TargetsAreHtml, "127.0.0.1 answered with an HTML page instead of payload"),
        (Fault::TargetsAreEmpty, "it sent 0 bytes where"),
        (Fault::TargetsMumble, "it sent no more than 300 bytes"),
        (Fault::TargetsStall(0), "127.0.0.1 sent nothing for 4 s"),
        (Fault::TargetsStall(100_000), "127.0.0.1 sent nothing for 4 s"),
        (Fault::TargetsBreak(1_000), "127.0.0.1: the connection broke"),
    ];
    all(cases, async |(fault, sentence)| {
        let fast = Fast::open(&[fault]).await;
        no_speed(&run_job(dry(&fast)).await, sentence);
    })
    .await;
}

#[tokio::test]
async fn a_latency_that_stalls_is_reported_and_the_speed_is_measured_all_the_same() {
    let fast = Fast::open(&[Fault::LatencyStalls]).await;
    let job = run_job(dry(&fast)).await;
    assert!(job.value("bandwidth") > 0.0, "{job:?}");
    assert!(job.failure("latency_idle").contains("sent nothing for 5 s"), "{job:?}");
}

#[tokio::test]
async fn a_refused_token_is_scraped_once_more() {
    let fast = Fast::open(&[Fault::TokenChanges]).await;
    run_job(dry(&fast)).await.value("bandwidth");
    assert_eq!((fast.web.asked("/app-"), fast.web.asked("/netflix/")), (2, 2));

    let fast = Fast::open(&[Fault::TokenIsRefused]).await;
    no_speed(&run_job(dry(&fast)).await, "127.0.0.1 refuses to answer with its servers (403)");
    assert_eq!((fast.web.asked("/app-"), fast.web.asked("/netflix/")), (2, 2), "once more, and then no more");
}

#[tokio::test]
async fn expired_addresses_are_renewed_once() {
    let fast = Fast::open(&[Fault::TargetsExpireOnce]).await;
    run_job(dry(&fast)).await.value("bandwidth");
    assert_eq!((fast.web.asked("/app-"), fast.web.asked("/netflix/")), (1, 2), "the token was good");

    for fault in [Fault::TargetsExpired, Fault::TargetsBadlySigned] {
        let fast = Fast::open(&[fault]).await;
        no_speed(&run_job(dry(&fast)).await, "127.0.0.1 refuses to answer with payload (403)");
        assert_eq!(fast.web.asked("/netflix/"), 2);
    }
}

#[tokio::test]
async fn the_older_api_will_do() {
    let fast = Fast::open(&[Fault::OnlyV1]).await;
    run_job(dry(&fast)).await.value("bandwidth");
}

#[tokio::test]
async fn one_failing_server_is_replaced_by_the_others() {
    all([Fault::OneStalls, Fault::OneBreaks], async |fault| {
        // Slow enough for the others to be at work still when the one is given up.
        let fast = Fast::open(&[fault, Fault::Slow(2_000_000)]).await;
        let job = run_job(dry(&fast)).await;
        assert!(job.value("bandwidth") > 50.0, "{job:?}");
        assert_eq!(job.code, Some(0));
    })
    .await;
}

#[tokio::test]
async fn whatever_is_wrong_with_cloudflare_is_reported_and_is_no_speed() {
    let cases = [
        (CloudflareFault::Status(403), "127.0.0.1 refuses to answer with payload (403)"),
        (CloudflareFault::Status(503), "127.0.0.1 fails (503)"),
        (CloudflareFault::Limited(3000), "127.0.0.1 wants fewer requests (429): try again in 50 minutes"),
        (CloudflareFault::IsHtml, "127.0.0.1 answered with an HTML page instead of payload"),
        (CloudflareFault::Stalls, "127.0.0.1 sent nothing for 4 s"),
    ];
    all(cases, async |(fault, sentence)| {
        let cloudflare = Cloudflare::open(&[fault]).await;
        let mut command = against(None, Some(&cloudflare));
        command.args(["--dry-run", "--source", "cloudflare"]);
        no_speed(&run_job(command).await, sentence);
    })
    .await;
}

fn auto(fast: Option<&Fast>, cloudflare: Option<&Cloudflare>) -> Command {
    let mut command = against(fast, cloudflare);
    command.arg("--dry-run");
    command
}

#[tokio::test]
async fn auto_asks_cloudflare_where_fast_com_fails() {
    let faults = [Fault::PageStatus(403), Fault::TokenIsRefused, Fault::NoTargets, Fault::TargetsStall(0)];
    all(faults, async |fault| {
        let (fast, cloudflare) = (Fast::open(&[fault]).await, Cloudflare::open(&[]).await);
        let job = run_job(auto(Some(&fast), Some(&cloudflare))).await;
        job.value("bandwidth");
        assert_eq!((job.code, &job.reading("bandwidth")["method"]), (Some(0), &"cloudflare".into()), "{job:?}");
        assert_eq!(job.line["details"]["troubles"][0]["source"], "fast.com");
        assert!(job.said().contains("fast.com was left for another source: 127.0.0.1"), "{job:?}");
    })
    .await;
}

#[tokio::test]
async fn auto_leaves_cloudflare_alone_where_fast_com_is_well() {
    let (fast, cloudflare) = (Fast::open(&[]).await, Cloudflare::open(&[]).await);
    let job = run_job(auto(Some(&fast), Some(&cloudflare))).await;
    assert_eq!(job.reading("bandwidth")["method"], "fast.com");
    assert!(cloudflare.web.requests().is_empty());
}

#[tokio::test]
async fn where_no_source_is_left_every_failure_is_reported() {
    let cloudflare = Cloudflare::open(&[CloudflareFault::Limited(60)]).await;
    let job = run_job(auto(None, Some(&cloudflare))).await;
    no_speed(&job, "127.0.0.1 cannot be reached (Connection refused");
    no_speed(&job, "; 127.0.0.1 wants fewer requests (429): try again in 60 s");
}

type Answer = fn(&Request) -> Reply;

#[tokio::test]
async fn whatever_is_wrong_with_a_file_is_reported_and_is_no_speed() {
    let octets = |status, body| Reply::new(status, body).field("Content-Type", "application/octet-stream");
    let cases: [(Answer, &str); 9] = [
        (|_| Reply::text(404, "text/plain", "Not Found"), "127.0.0.1 answered 404 instead of payload"),
        (|_| Reply::text(200, "text/html", "<html></html>"), "answered with an HTML page instead of payload"),
        (|_| Reply::new(200, Body::Text(" <!DOCTYPE html>".repeat(100_000))), "an HTML page instead of payload"),
        (|_| Reply::new(200, Body::Payload(999_999)), "the file has 999999 bytes, which is too few"),
        (|_| Reply::new(200, Body::InPieces(["<!doc", "type html>Please log in"])), "an HTML page instead of payload"),
        (|_| Reply::new(200, Body::InPieces(["Please ", "log in"])), "it sent no more than 13 bytes"),
        (
            |_| {
                let page = Body::Text(" <!DOCTYPE html>".repeat(100_000));
                Reply::new(200, page).field("Content-Type", "application/octet-stream")
            },
            "an HTML page instead of payload",
        ),
        (|_| Reply::new(416, Body::Payload(0)), "127.0.0.1 answered 416 instead of payload"),
        (
            |_| Reply::new(206, Body::Payload(1000)).field("Content-Range", "bytes 0-999/1000"),
            "the file has 1000 bytes, which is too few",
        ),
    ];
    for (answer, sentence) in cases {
        let web = Web::open(false, move |_, request| answer(request)).await;
        no_speed(&run_job(dry_from(&format!("{}/file", web.url()))).await, sentence);
    }
    let web = Web::open(false, move |_, _| octets(200, Body::Payload(30_000_000))).await;
    let job = run_job(dry_from(&format!("{}/file", web.url()))).await;
    job.value("bandwidth");
    assert_eq!((&job.reading("bandwidth")["method"], job.code), (&"127.0.0.1".into(), Some(0)));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_reported() {
    let fast = Fast::with_tls(&[]).await;
    no_speed(
        &run_job(dry(&fast)).await,
        "127.0.0.1 cannot be reached (the certificate is of an issuer that is not trusted here: ",
    );
}

#[tokio::test]
async fn a_black_hole_is_left_in_time() {
    let home = tests::home::Home::open(tests::home::Manner::BlackHole).await;
    let mut command = against(None, None);
    command.args(["--dry-run", "--source", "fast", "--fast-url", &home.url()]);
    let start = std::time::Instant::now();
    no_speed(&run_job(command).await, "127.0.0.1 cannot be reached (");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test]
async fn names_are_resolved_and_their_failures_reported() {
    let Some(namespace) = Namespace::new("bandwidth-names").await else {
        return skip("names_are_resolved", "it takes root, ip and nft");
    };
    let _names = namespace.name_server().await;
    let mut server = namespace.inside(&command(binary("speed-server")));
    server.arg("127.0.0.1:8080");
    let mut server = Process::start(server);
    server.wait_for("listening", |lines| (!lines.is_empty()).then_some(())).await;
    let run = async |name: &str| {
        let mut run = against(None, None);
        run.args(["--dry-run", "--source", "fast", "--fast-url", &format!("http://{name}.example.test:8080/")]);
        run_job(namespace.inside(&run)).await
    };
    run("home").await.value("bandwidth");
    run("half").await.value("bandwidth");
    no_speed(&run("nx").await, "nx.example.test cannot be reached (nx.example.test does not exist (NXDOMAIN))");
    no_speed(
        &run("silent").await,
        "silent.example.test cannot be reached (no name server answered about silent.example.test, perhaps because we are offline)",
    );
}
