//! DuckDNS over real sockets, strict, as far as it is known: comments name the entries of tests/FACTS.md. What
//! it holds is served as names by [`crate::name_server`].

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

mod call;

use call::Call;

use crate::exchange::{Asked, answer, asked, endless};

/// FACTS.md D1: a UUID in lower case.
pub const TOKEN: &str = "a7c4d0ad-114e-40ef-ba1d-d217904a50f2";

/// The account's names. FACTS.md D3: a free account has five.
pub const NAMES: [&str; 2] = ["home", "away"];

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is answered as DuckDNS does in health.
    None,
    /// FACTS.md D3: seen in September 2024.
    BadGateway,
    /// FACTS.md D3: seen in August 2025 and June 2026.
    Jetty,
    /// FACTS.md D3: an empty answer with status 200.
    Empty,
    /// FACTS.md D3: slow, seen beyond 30 s. It does what it was asked and answers so late.
    Slow(Duration),
    /// FACTS.md D3: the connection is reset.
    Reset,
    /// FACTS.md D2: `KO` gives no reason, so it may come of anything.
    Ko,
    /// With status 200, whatever was asked.
    Says(&'static str),
    /// A page that never ends.
    Endless,
    /// A redirect to another address, which gets the token if it is followed.
    Redirect,
}

/// A name's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub ipv4: Option<Ipv4Addr>,
    pub ipv6: Option<Ipv6Addr>,
}

/// The names and what they hold.
#[derive(Debug, Default)]
pub struct Zone(Mutex<HashMap<String, Held>>);

/// A DuckDNS that listens; ends when dropped.
#[derive(Debug)]
pub struct Duckdns {
    pub address: SocketAddr,
    pub zone: Arc<Zone>,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    zone: Arc<Zone>,
    script: Mutex<(VecDeque<Fault>, Fault)>,
    /// What the world sees callers come from; in a test they all come from loopback.
    seen: Mutex<Option<Ipv4Addr>>,
    calls: watch::Sender<Vec<String>>,
}

impl Zone {
    /// # Panics
    /// Never in practice.
    pub fn names(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.0.lock().expect("no test panics here")
    }

    pub fn get(&self, name: &str) -> Option<Held> {
        self.names().get(name).copied()
    }

    /// Changes a name without a call of a client.
    pub fn set(&self, name: &str, held: Held) {
        self.names().insert(name.into(), held);
    }
}

impl Drop for Duckdns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Duckdns {
    /// One account whose names hold nothing yet. Callers are seen to come from `seen`.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(seen: Option<Ipv4Addr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let zone = Arc::new(Zone(Mutex::new(NAMES.map(|name| (name.into(), Held::default())).into())));
        let (calls, _) = watch::channel(Vec::new());
        let script = Mutex::new((VecDeque::new(), Fault::None));
        let state = Arc::new(State { zone: Arc::clone(&zone), script, seen: Mutex::new(seen), calls });
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let state = Arc::clone(&serving);
                tokio::spawn(async move { state.serve(stream, peer.ip()).await });
            }
        });
        Self { address, zone, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Plays these faults for the next calls, and then `then` for ever.
    ///
    /// # Panics
    /// Never in practice.
    pub fn play(&self, faults: impl IntoIterator<Item = Fault>, then: Fault) {
        *self.state.script.lock().expect("no call panics") = (faults.into_iter().collect(), then);
    }

    /// From now on, callers are seen to come from there.
    ///
    /// # Panics
    /// Never in practice.
    pub fn sees(&self, address: Ipv4Addr) {
        *self.state.seen.lock().expect("no call panics") = Some(address);
    }

    /// The calls so far, `/update?…` with `TOKEN` in the place of the right token.
    pub fn calls(&self) -> Vec<String> {
        self.state.calls.borrow().clone()
    }

    /// Waits until so many calls have come.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn called(&self, times: usize) {
        let mut calls = self.state.calls.subscribe();
        let come = timeout(Duration::from_secs(20), calls.wait_for(|calls| calls.len() >= times)).await;
        assert!(come.is_ok(), "{times} calls did not come in time: {:?}", self.calls());
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream, peer: IpAddr) {
        let Some(asked) = asked(&mut stream).await else {
            answer(&mut stream, "400 Bad Request", "", b"").await;
            return;
        };
        self.calls.send_modify(|calls| calls.push(asked.target.replace(TOKEN, "TOKEN")));
        let fault = {
            let mut script = self.script.lock().expect("no call panics");
            script.0.pop_front().unwrap_or(script.1)
        };
        match fault {
            Fault::None => self.in_health(&mut stream, &asked, peer).await,
            Fault::Slow(long) => {
                sleep(long).await;
                self.in_health(&mut stream, &asked, peer).await;
            }
            Fault::Ko => self.say(&mut stream, &asked, "KO").await,
            Fault::Says(text) => self.say(&mut stream, &asked, text).await,
            Fault::Empty => self.say(&mut stream, &asked, "").await,
            Fault::BadGateway => answer(&mut stream, "502 Bad Gateway", HTML, corpus("502-trouble-nginx")).await,
            Fault::Jetty => answer(&mut stream, "404 Not Found", HTML, corpus("404-trouble-jetty")).await,
            // With no time to linger, closing sends a reset.
            Fault::Reset => drop(stream.set_zero_linger()),
            Fault::Redirect => {
                let elsewhere = format!("Location: {}&elsewhere=1\r\n", asked.target);
                answer(&mut stream, "302 Found", &elsewhere, b"").await;
            }
            Fault::Endless => endless(&mut stream).await,
        }
    }

    async fn in_health(&self, stream: &mut TcpStream, asked: &Asked, peer: IpAddr) {
        let Some(call) = Call::read(&asked.target) else {
            return answer(stream, "404 Not Found", HTML, corpus("404-trouble-jetty")).await;
        };
        let seen = self.seen.lock().expect("no call panics").or(match peer {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        let said = call.carry_out(&self.zone, seen).unwrap_or_else(|| "KO".into());
        self.say(stream, asked, &said).await;
    }

    /// FACTS.md D2: status 200 whatever is said, chunked (one chunk of two bytes for `OK`), no line end, behind nginx and
    /// a load balancer of AWS.
    async fn say(&self, stream: &mut TcpStream, asked: &Asked, text: &str) {
        let headers = "Server: nginx\r\nContent-Type: text/plain;charset=utf-8\r\nSet-Cookie: AWSALB=x; Path=/\r\n\
                       X-Frame-Options: DENY\r\nX-Clacks-Overhead: GNU Terry Pratchett\r\n";
        if asked.old {
            return answer(stream, "200 OK", headers, text.as_bytes()).await;
        }
        let chunk = if text.is_empty() { String::new() } else { format!("{:x}\r\n{text}\r\n", text.len()) };
        let head = format!("HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        // Who hung up before is no business of a service's.
        let _ = stream.write_all(format!("{head}{chunk}0\r\n\r\n").as_bytes()).await;
    }
}

const HTML: &str = "Server: nginx\r\nContent-Type: text/html\r\n";

/// The error pages are those that the client's parser is tested with.
fn corpus(name: &str) -> &'static [u8] {
    match name {
        "502-trouble-nginx" => include_bytes!("../../corpus/duckdns-answer/502-trouble-nginx.txt"),
        _ => include_bytes!("../../corpus/duckdns-answer/404-trouble-jetty.txt"),
    }
}
