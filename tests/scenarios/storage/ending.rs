//! The keeper's end, while others hang: it finishes the answer in hand, and is gone within 5 seconds.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::Signal;
use tests::{
    keeper::{Keeper, TOKEN},
    process::own_address,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::world::reading;

const LIMIT: Duration = Duration::from_secs(5);

/// A keeper whose call upstream hangs, and who it calls.
async fn calling() -> (Keeper, TcpListener, TcpStream) {
    let upstream = TcpListener::bind((own_address(), 0)).await.expect("a free port");
    let url = format!("http://{}/v1", upstream.local_addr().expect("an address"));
    let keeper = Keeper::start_with(|command| {
        command.env("UPSTREAM_URL", url).env("UPSTREAM_TOKEN", "nobody-reads-it");
    });
    let keeper = keeper.await;
    let (mut call, _) = upstream.accept().await.expect("a call");
    // It has asked, and waits.
    assert!(call.read(&mut [0; 1024]).await.expect("a request") > 0);
    (keeper, upstream, call)
}

/// A call whose body is not there yet but for its first half; the other half.
async fn half_a_call(keeper: &Keeper, body: &str) -> (TcpStream, String) {
    let address = keeper.url.strip_prefix("http://").expect("a scheme");
    let mut call = TcpStream::connect(address).await.expect("a connection");
    let (first, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /porchlight/v1/readings HTTP/1.1\r\nHost: {address}\r\nAuthorization: OAuth {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        body.len()
    );
    call.write_all(head.as_bytes()).await.expect("it listens");
    // Another call that is answered shows that this one, which came first, is in hand.
    keeper.page().await;
    (call, rest.to_owned())
}

#[tokio::test]
async fn it_ends_while_a_call_upstream_hangs() {
    let (keeper, _upstream, _call) = calling().await;
    let asked = Instant::now();
    assert_eq!(keeper.process.terminate().await.code(), Some(0));
    assert!(asked.elapsed() < LIMIT, "{:?}", asked.elapsed());
    eprintln!("it ended after {:?}", asked.elapsed());
}

#[tokio::test]
async fn it_finishes_the_answer_in_hand_and_what_that_acknowledges_is_there() {
    let (keeper, _upstream, _upstream_call) = calling().await;
    let at = Timestamp::now().as_second() - 60;
    let (mut call, rest) = half_a_call(&keeper, &reading(at, 12.5).to_string()).await;
    let asked = Instant::now();
    keeper.process.signal(Signal::TERM);
    let address = keeper.url.strip_prefix("http://").expect("a scheme").to_owned();
    // Its port is closed before anything else.
    while TcpStream::connect(&address).await.is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
    call.write_all(rest.as_bytes()).await.expect("it still reads");
    let mut answer = String::new();
    call.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let Keeper { mut process, folder, .. } = keeper;
    assert_eq!(process.ended().await.code(), Some(0));
    assert!(asked.elapsed() < LIMIT, "{:?}", asked.elapsed());

    let keeper = Keeper::restart(folder).await;
    let metrics = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a body");
    assert!(metrics.contains("porchlight_reading{metric=\"ping\"} 12.5"), "{metrics}");
}

#[tokio::test]
async fn a_client_that_never_goes_on_and_a_call_that_hangs_do_not_keep_it() {
    let (keeper, _upstream, _upstream_call) = calling().await;
    let (_call, _rest) = half_a_call(&keeper, &reading(Timestamp::now().as_second(), 1.0).to_string()).await;
    let asked = Instant::now();
    assert_eq!(keeper.process.terminate().await.code(), Some(0));
    assert!(asked.elapsed() < LIMIT, "{:?}", asked.elapsed());
    eprintln!("it ended after {:?}", asked.elapsed());
}
