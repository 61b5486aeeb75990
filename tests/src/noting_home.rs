//! A home that proves itself, or is somebody else's, and notes what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use shared::{
    look::{PROBER_HEADER, SignedLook},
    proof::{CHALLENGE_HEADER, Challenge, Key, PROOF_HEADER, Proof, Running},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The home's key.
pub const KEY: Key = Key::new([7; 32]);

#[derive(Debug)]
pub struct NotingHome {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for NotingHome {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NotingHome {
    /// One that proves itself with that key.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn with_key(key: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, asked) = (listener.local_addr().expect("an address"), Arc::new(Mutex::new(Vec::new())));
        let noting = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, key.clone(), Arc::clone(&noting)));
            }
        });
        Self { address, asked, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The heads of the requests so far.
    ///
    /// # Panics
    /// Never in practice.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nothing panics").clone()
    }

    /// The challenge and the signature of each request so far; `None` where one has no signature.
    ///
    /// # Panics
    /// When one is malformed.
    pub fn signed(&self) -> Vec<Option<(Challenge, SignedLook)>> {
        let signature = |head: &String| {
            let look = header(head, PROBER_HEADER)?.parse().expect("a signed look");
            Some((challenge(head).expect("a challenge beside the signature"), look))
        };
        self.asked().iter().map(signature).collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(it, _)| it.eq_ignore_ascii_case(name)))
        .map(|(_, it)| it)
}

fn challenge(head: &str) -> Option<Challenge> {
    header(head, CHALLENGE_HEADER)?.parse().ok()
}

async fn answer(mut stream: TcpStream, key: Key, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let proof = challenge(&head).map(|challenge| {
        let proof = Proof::new(&key, &challenge, Running { up: 900_000, age: 900_000 });
        format!("{PROOF_HEADER}: {proof}\r\n")
    });
    asked.lock().expect("nothing panics").push(head);
    let proof = proof.unwrap_or_default();
    let answer = format!("HTTP/1.1 200 OK\r\n{proof}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}
