//! The emulated DuckDNS itself, byte by byte, where no client of ours or of others shows it.

use tests::duckdns::{Duckdns, Held, TOKEN};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{HOME, HOME_V6, MOVED};

/// What is sent back, byte by byte, to a `GET` of the target.
async fn raw(duckdns: &Duckdns, target: &str, version: &str) -> String {
    let mut stream = TcpStream::connect(duckdns.address).await.expect("it listens");
    let request = format!("GET {target} {version}\r\nHost: www.duckdns.org\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

/// The text that is said, chunked, with status 200.
async fn said(duckdns: &Duckdns, target: &str) -> String {
    let answer = raw(duckdns, &target.replace("TOKEN", TOKEN), "HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("X-Frame-Options: DENY\r\n"), "{answer}");
    let chunks = answer.split_once("\r\n\r\n").expect("a body").1;
    let (length, rest) = chunks.split_once("\r\n").expect("a chunk");
    let length = usize::from_str_radix(length, 16).expect("a length");
    assert_eq!(&rest[length..], "\r\n0\r\n\r\n");
    rest[..length].to_owned()
}

#[tokio::test]
async fn an_ok_is_one_chunk_of_two_bytes() {
    let duckdns = Duckdns::open(Some(HOME)).await;
    let target = format!("/update?domains=home&token={TOKEN}");
    let answer = raw(&duckdns, &target, "HTTP/1.1").await;
    assert!(answer.ends_with("\r\n\r\n2\r\nOK\r\n0\r\n\r\n"), "{answer}");
    let answer = raw(&duckdns, &target, "HTTP/1.0").await;
    assert!(answer.ends_with("Content-Length: 2\r\nConnection: close\r\n\r\nOK"), "{answer}");
}

#[tokio::test]
async fn calls_do_what_the_specification_says() {
    let duckdns = Duckdns::open(Some(HOME)).await;
    for (target, expected, ipv4, ipv6) in [
        ("/update?domains=home&token=TOKEN", "OK", Some(HOME), None),
        ("/update?domains=home&token=TOKEN&verbose=true", "OK\n81.2.69.142\n\nNOCHANGE", Some(HOME), None),
        (
            "/update?domains=home&token=TOKEN&ip=81.2.69.160&verbose=true",
            "OK\n81.2.69.160\n\nUPDATED",
            Some(MOVED),
            None,
        ),
        // Where ipv6 is given, the caller's address does not count.
        (
            "/update?domains=home&token=TOKEN&ipv6=2a02:8109::1&verbose=true",
            "OK\n81.2.69.160\n2a02:8109::1\nUPDATED",
            Some(MOVED),
            Some(HOME_V6),
        ),
        ("/update?domains=home&token=TOKEN&ip=", "OK", Some(HOME), Some(HOME_V6)),
        ("/update?domains=home&token=TOKEN&clear=true&ip=1.2.3.4&verbose=true", "OK\n\n\nUPDATED", None, None),
        ("/update?domains=home.duckdns.org&token=TOKEN&ip=2a02:8109::1", "OK", None, Some(HOME_V6)),
        ("/update?domains=home,away&token=TOKEN&clear=true", "OK", None, None),
        ("/update/home/TOKEN/81.2.69.160", "OK", Some(MOVED), None),
        ("/update/home/TOKEN", "OK", Some(HOME), None),
        ("/update?domains=home&token=TOKEN&ip=81.2.69", "KO", Some(HOME), None),
        ("/update?domains=home&token=TOKEN&ipv6=81.2.69.142", "KO", Some(HOME), None),
        ("/update?domains=home,nobody&token=TOKEN&ip=81.2.69.160", "KO", Some(HOME), None),
        ("/update?domains=&token=TOKEN", "KO", Some(HOME), None),
        ("/update?domains=home&token=wrong&ip=81.2.69.160", "KO", Some(HOME), None),
        ("/update?domains=home&verbose=true", "KO", Some(HOME), None),
    ] {
        assert_eq!(said(&duckdns, target).await, expected, "{target}");
        assert_eq!(duckdns.zone.get("home"), Some(Held { ipv4, ipv6 }), "{target}");
    }
    let answer = raw(&duckdns, "/nothing", "HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}
