//! The exchange of a join code for a token.

use std::time::Duration;

use home_beacon::{
    join::{JoinAnswer, JoinCode, JoinError, JoinRefusal, exchange},
    keeper::joins::VALID,
};
use reqwest::Method;
use shared::fingerprint::Fingerprint;
use tests::{
    keeper::{PAGE, TOKEN},
    process::{Process, file, ours, own_address, run},
    tls::self_signed,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    task::LocalSet,
    time::{Instant, sleep, timeout},
};

use super::outside::{Outside, request};

const LIMIT: Duration = Duration::from_secs(20);

async fn join(code: &JoinCode) -> Result<JoinAnswer, JoinError> {
    exchange(code, &request(), Instant::now() + LIMIT).await
}

fn said(joined: Result<JoinAnswer, JoinError>) -> String {
    joined.expect_err("it is refused").to_string()
}

#[tokio::test]
async fn a_code_brings_one_home_a_token_once() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let code = outside.code();
            let answer = join(&code).await.expect("it joins");
            assert_eq!((answer.api.as_str(), answer.location.as_deref()), ("/v1", Some("vps")));
            let path = format!("/v1/pages/{PAGE}");
            assert_eq!(outside.call(answer.token.expose(), &Method::GET, &path, None).await.0, 200);
            let used = said(join(&code).await);
            assert_eq!(used, "the code has been used: print a new one there, with `porchlight code`");
            let (status, tokens) = outside.own(Method::GET, "/porchlight/v1/tokens").await;
            assert_eq!((status, tokens.as_array().map(Vec::len)), (200, Some(1)), "{tokens}");
            assert!(!tokens.to_string().contains(answer.token.expose()) && tokens[0]["last_used_at"].is_string());
            // One of another start of that machine, or of another machine with its certificate.
            let unknown = JoinCode::new(&code.address, code.fingerprint).expect("a code");
            assert!(said(join(&unknown).await).starts_with("the outside machine does not know this code"));
        })
        .await;
}

/// The same after a real quarter of an hour, in two networks: `up::two_machines` with `LONG=1`.
#[tokio::test]
async fn a_home_that_comes_too_late_is_refused_and_joins_with_the_next_code() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let folder = tempfile::tempdir().expect("a temporary folder");
            let address = format!("{}:0", own_address());
            let joined = async |code: &JoinCode| {
                let mut join = ours("porchlight");
                join.args(["up", "--join", "--no-bandwidth", "--page-addr", &address, "--beacon-addr", &address]);
                join.arg("--data").arg(folder.path().join("home")).env("TARGET_HOST", "127.0.0.1");
                join.env("JOIN_CODE_FILE", file(folder.path(), "code", &code.to_text()));
                let mut home = Process::start(join);
                loop {
                    if home.lines().iter().any(|line| line.contains("Joined the machine")) {
                        return None;
                    }
                    if let Ok(status) = timeout(Duration::from_millis(50), home.ended()).await {
                        // What it said last may still be on its way.
                        sleep(Duration::from_millis(200)).await;
                        return Some((status.code(), home.lines().join("\n")));
                    }
                }
            };
            let late = outside.code();
            *outside.later.lock().expect("no panic") += VALID;
            let (code, said) = joined(&late).await.expect("it is refused");
            assert!(code == Some(1) && said.contains("the code is older than 15 minutes: print a new one"), "{said}");
            let (_, tokens) = outside.own(Method::GET, "/porchlight/v1/tokens").await;
            assert_eq!(tokens.as_array().map(Vec::len), Some(0), "{tokens}");
            let code = outside.code();
            *outside.later.lock().expect("no panic") += VALID.saturating_sub(Duration::from_secs(60));
            assert_eq!(joined(&code).await, None);
        })
        .await;
}

#[tokio::test]
async fn of_two_homes_with_one_code_exactly_one_gets_a_token() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            for _ in 0..5 {
                let code = outside.code();
                let (one, other) = tokio::join!(join(&code), join(&code));
                let refused = match (one, other) {
                    (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
                    both => panic!("{both:?}"),
                };
                assert!(matches!(refused, JoinError::Refused(JoinRefusal::Used)), "{refused}");
            }
            let (_, tokens) = outside.own(Method::GET, "/porchlight/v1/tokens").await;
            assert_eq!(tokens.as_array().map(Vec::len), Some(5));
        })
        .await;
}

#[tokio::test]
async fn a_code_that_a_machine_could_not_serve_is_good_for_another_try() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::refusing(JoinRefusal::Failed("the disk is full".into())).await;
            let code = outside.code();
            for _ in 0..2 {
                assert_eq!(said(join(&code).await), "the outside machine could not do its part: the disk is full");
            }
            let outside = Outside::refusing(JoinRefusal::OtherHome).await;
            assert!(said(join(&outside.code()).await).starts_with("the outside machine has another home already"));
        })
        .await;
}

#[tokio::test]
async fn nothing_is_sent_to_another_server_at_the_address() {
    let listener = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (acceptor, _) = self_signed(["vps.example".to_owned()]);
    let shaken = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        acceptor.accept(stream).await.map(drop)
    });
    let code = JoinCode::new(address.to_string(), Fingerprint::of(b"the one that was there")).expect("a code");
    let refused = said(join(&code).await);
    assert!(refused.starts_with(&format!("another server answers at {address}")), "{refused}");
    assert!(!refused.contains(code.secret.expose()));
    // Without a handshake there is no key that a request could have been sent under.
    let shaken = timeout(LIMIT, shaken).await.expect("it ends").expect("no panic");
    assert!(shaken.is_err(), "the home hung up before the handshake was over");
}

#[tokio::test]
async fn what_cannot_be_joined_is_said_with_what_to_do() {
    let closed = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let code = JoinCode::new(address.to_string(), Fingerprint::of(b"")).expect("a code");
    let refused = said(join(&code).await);
    assert!(refused.contains(&format!("TCP port {} (", address.port())), "{refused}");

    let silent = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let code =
        JoinCode::new(silent.local_addr().expect("an address").to_string(), Fingerprint::of(b"")).expect("a code");
    let began = Instant::now();
    let refused = exchange(&code, &request(), Instant::now() + Duration::from_secs(1)).await;
    assert!(said(refused).contains("cannot be reached") && began.elapsed() < Duration::from_secs(5));

    let other = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let address = other.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        }
    });
    let code = JoinCode::new(address.to_string(), Fingerprint::of(b"")).expect("a code");
    let refused = said(join(&code).await);
    assert!(refused.contains("is no outside machine of Porchlight's"), "{refused}");
}

#[tokio::test]
async fn the_tool_prints_a_code_and_lists_and_revokes_what_came_of_it() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let tool = async |arguments: &[&str]| {
                let mut command = ours("porchlight");
                command.args(arguments).env("KEEPER_URL", &outside.url).env("KEEPER_TOKEN", TOKEN);
                run(command, LIMIT).await
            };
            let printed = tool(&["code"]).await;
            assert_eq!((printed.code, printed.stdout.lines().count()), (Some(0), 1), "{printed:?}");
            let code = JoinCode::read(&printed.stdout).expect("a code");
            assert_eq!((code.address.clone(), code.fingerprint), (outside.address.to_string(), outside.fingerprint));
            assert_eq!(tool(&["tokens"]).await.stdout, "This keeper has no tokens besides its own.\n");
            let answer = join(&code).await.expect("it joins");
            let listed = tool(&["tokens", "list"]).await.stdout;
            let row = listed.lines().nth(1).expect("a token");
            assert!(row.contains(&format!("home  {PAGE}")) && row.contains("never") && row.ends_with("no"), "{listed}");
            let id = row.split_whitespace().next().expect("its id");
            let revoked = tool(&["tokens", "revoke", id]).await;
            assert_eq!(revoked.stdout, format!("Token {id} (home, page {PAGE}) opens nothing any more.\n"));
            let path = format!("/v1/pages/{PAGE}");
            let (status, refused) = outside.call(answer.token.expose(), &Method::GET, &path, None).await;
            assert_eq!(
                (status, refused["error"].as_str()),
                (401, Some("Could not authenticate: this token was revoked"))
            );
            let wrong = tool(&["tokens", "revoke", "aaaaaaaaaaaa"]).await;
            assert!(wrong.code == Some(1) && wrong.stderr.contains("has no token aaaaaaaaaaaa"), "{wrong:?}");
            let token = tool(&["tokens", "revoke", answer.token.expose()]).await;
            assert!(token.code == Some(2) && !token.stderr.contains(answer.token.expose()), "{token:?}");
        })
        .await;
}
