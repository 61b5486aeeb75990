//! A service that speaks dyndns2 over real sockets, as strict as its specification: comments name the entries of tests/FACTS.md.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::exchange::{Asked, answer, asked};

/// The account, and its one name.
pub const USER: &str = "me@example.org";
/// A password that has what separates user and password.
pub const PASSWORD: &str = "hunter:2";
/// The name.
pub const NAME: &str = "home.ddns.net";

/// FACTS.md D5: how often one may call without a change before the name is blocked.
const PATIENCE: usize = 2;

/// The service; ends when dropped.
#[derive(Debug)]
pub struct Dyndns {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    holds: Option<IpAddr>,
    calls: Vec<String>,
    without_change: usize,
    /// What is said instead: a status, and a body.
    says: Option<(&'static str, &'static str)>,
}

impl Drop for Dyndns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Dyndns {
    /// # Panics
    /// When no port can be had.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, state) = (listener.local_addr().expect("an address"), Arc::default());
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, task }
    }

    /// The update address, with the name in it.
    pub fn url(&self) -> String {
        format!("http://{}/nic/update?hostname={NAME}", self.address)
    }

    /// From now on says this to every call; `None`: what is true.
    pub fn says(&self, said: Option<(&'static str, &'static str)>) {
        lock(&self.state).says = said;
    }

    /// The address that the name leads to.
    pub fn holds(&self) -> Option<IpAddr> {
        lock(&self.state).holds
    }

    /// What was asked for, call by call.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.state).calls.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test panics here")
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((mut stream, from)) = listener.accept().await {
        let Some(call) = asked(&mut stream).await else { continue };
        let (status, body) = lock(&state).answer(&call, from.ip());
        answer(&mut stream, status, "Content-Type: text/plain\r\n", body.as_bytes()).await;
    }
}

impl State {
    fn answer(&mut self, call: &Asked, from: IpAddr) -> (&'static str, String) {
        self.calls.push(call.target.clone());
        if let Some((status, body)) = self.says {
            return (status, body.into());
        }
        let plain = |body: &str| ("200 OK", body.to_owned());
        // FACTS.md D4: a call names its program, and user and password by Basic.
        if call.field("user-agent").is_none_or(str::is_empty) {
            return plain("badagent");
        }
        let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        if call.field("authorization") != Some(&expected) {
            return ("401 Unauthorized", "badauth".into());
        }
        let Ok(url) = Url::parse(&format!("http://dyndns{}", call.target)) else { return plain("badagent") };
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match (url.path(), parameter("hostname").as_deref()) {
            ("/nic/update", Some(NAME)) => (),
            ("/nic/update", Some(other)) if other.contains('.') => return plain("nohost"),
            ("/nic/update", _) => return plain("notfqdn"),
            _ => return ("404 Not Found", String::new()),
        }
        // FACTS.md D4: without an address, or with one that cannot be read, that of the caller is taken.
        let address = parameter("myip").and_then(|text| text.parse().ok()).unwrap_or(from);
        if self.holds == Some(address) {
            self.without_change += 1;
            return plain(&if self.without_change > PATIENCE { "abuse".into() } else { format!("nochg {address}") });
        }
        (self.holds, self.without_change) = (Some(address), 0);
        plain(&format!("good {address}"))
    }
}
