//! A function URL that takes heartbeats over real sockets, as strict as the function: what it stores, it stores on condition of a
//! later sequence.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use shared::{
    heartbeat::{Answer, Boot, Heartbeat, Hosts, MAX_SKEW, Outcome, Refused},
    proof::Key,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::tls;

/// The home whose heartbeats are taken.
pub const HOME: &str = "8kbf7d35c070";

/// What is secret of an address: as a function URL has it, the host.
pub const HOST: &str = "localhost";

/// What is secret of it here: all tests are on one host.
pub const PATH: &str = "/kq7ub2x9d4n6w3";

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// What the function does.
    Takes,
    /// Reads it, and says nothing.
    Silent,
    /// Says this instead: a status and a body.
    Says(u16, &'static str),
    /// Stores it, and breaks off before the answer.
    LosesAnswers,
    /// Answers with another key.
    AnotherKey,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    key: Key,
    newest: u64,
    /// The boots of the last ones, the newest last.
    boots: Vec<Boot>,
    taken: Vec<Heartbeat>,
    bodies: Vec<String>,
    /// How far its clock is from this machine's, in seconds.
    ahead: u64,
}

/// The function; ends when dropped.
#[derive(Debug)]
pub struct Function {
    pub address: SocketAddr,
    /// With TLS: what `SSL_CERT_FILE` must hold.
    pub certificate: Option<String>,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Function {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The key of the home.
pub fn key() -> Key {
    Key::new([7; 32])
}

impl Function {
    /// # Panics
    /// When no port can be had.
    pub async fn open() -> Self {
        Self::with(false).await
    }

    /// Over TLS.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn over_tls() -> Self {
        Self::with(true).await
    }

    async fn with(is_encrypted: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (acceptor, certificate) = if is_encrypted {
            let (acceptor, certificate) = tls::self_signed([HOST.to_owned()]);
            (Some(acceptor), Some(certificate))
        } else {
            (None, None)
        };
        let state = State {
            manner: Manner::Takes,
            key: key(),
            newest: 0,
            boots: Vec::new(),
            taken: Vec::new(),
            bodies: Vec::new(),
            ahead: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &state).await;
                            }
                        }
                        None => serve(stream, &state).await,
                    }
                });
            }
        });
        Self { address, certificate, state, task }
    }

    /// Its address.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{HOST}:{}{PATH}", self.address.port())
    }

    /// From now on does that.
    pub fn turn(&self, manner: Manner) {
        lock(&self.state).manner = manner;
    }

    /// Its clock is so many seconds ahead of this machine's.
    pub fn is_ahead(&self, seconds: u64) {
        lock(&self.state).ahead = seconds;
    }

    /// Another host sent one with that sequence.
    ///
    /// # Panics
    /// Never in practice.
    pub fn takes_another(&self, sequence: u64, boot: &str) {
        let mut state = lock(&self.state);
        state.newest = state.newest.max(sequence);
        state.boots.push(boot.parse().expect("a boot"));
    }

    /// What was stored.
    pub fn taken(&self) -> Vec<Heartbeat> {
        lock(&self.state).taken.clone()
    }

    /// What was sent, whatever became of it.
    pub fn bodies(&self) -> Vec<String> {
        lock(&self.state).bodies.clone()
    }

    /// Waits until so many were stored.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn wait(&self, count: usize) -> Vec<Heartbeat> {
        let waiting = async {
            while lock(&self.state).taken.len() < count {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let came = timeout(Duration::from_secs(60), waiting).await;
        assert!(came.is_ok(), "{} of {count} heartbeats", lock(&self.state).taken.len());
        self.taken()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test panics here")
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &Mutex<State>) {
    let Some(body) = posted(&mut stream).await else { return };
    let manner = lock(state).manner;
    let (status, text) = lock(state).answer(&body);
    match manner {
        Manner::Silent => sleep(Duration::from_mins(5)).await,
        Manner::LosesAnswers => (),
        _ => {
            let head = format!(
                "HTTP/1.1 {status} Told\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                text.len()
            );
            let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    }
}

/// The body of a POST to the address; `None` of anything else.
async fn posted(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let is_ours = head.starts_with(&format!("POST {PATH} HTTP/1.1\r\n"));
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let length: usize = head.lines().find_map(length)?;
    if !is_ours || length > 6 << 20 {
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

impl State {
    fn answer(&mut self, body: &[u8]) -> (u16, String) {
        self.bodies.push(String::from_utf8_lossy(body).into_owned());
        match self.manner {
            Manner::Says(status, text) => return (status, text.into()),
            Manner::Silent => return (200, String::new()),
            Manner::Takes | Manner::LosesAnswers | Manner::AnotherKey => (),
        }
        let keys = [self.key.clone()];
        let received = match Heartbeat::read(body, |home| if home.as_str() == HOME { &keys } else { &[] }) {
            Ok(received) => received,
            Err(Refused::TooLong) => return (413, "a heartbeat is at most 2048 bytes\n".into()),
            Err(Refused::Malformed) => return (400, "this is no heartbeat\n".into()),
            Err(Refused::Unsigned) => return (401, "the signature is none of a home's\n".into()),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() + self.ahead;
        let heartbeat = received.heartbeat.clone();
        let (status, outcome) = if now.abs_diff(heartbeat.at) > MAX_SKEW {
            (401, Outcome::Stale)
        } else if heartbeat.sequence <= self.newest {
            (409, Outcome::NotLater)
        } else {
            self.newest = heartbeat.sequence;
            self.boots.push(heartbeat.boot.clone());
            self.taken.push(heartbeat);
            (200, Outcome::Stored)
        };
        // Two that took turns: the last one, another one before it, and itself before that.
        let hosts = match self.boots.as_slice() {
            [.., first, other, last] if first == last && other != last => Hosts::Several,
            _ => Hosts::One,
        };
        let newest = if outcome == Outcome::Stale { 0 } else { self.newest };
        let said = received.answer(Answer { outcome, newest, at: now, hosts });
        if self.manner == Manner::AnotherKey {
            return (status, said.replace("newest=", "newest=9"));
        }
        (status, said)
    }
}
