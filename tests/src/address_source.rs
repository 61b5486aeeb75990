//! An address source over real sockets: gives each client the answer that the test sets. FACTS.md A1.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::exchange::{answer, asked, endless};

/// What a source does with a question.
#[derive(Clone, Debug)]
pub enum Manner {
    /// FACTS.md A1: a bare address without a line end, as api.ipify.org.
    Bare(IpAddr),
    /// FACTS.md A1: one with it, as checkip.amazonaws.com.
    Line(IpAddr),
    /// FACTS.md A1: lines of `key=value`, as Cloudflare's trace.
    Trace(IpAddr),
    /// FACTS.md A1: 403 and 429 mean that one is banned.
    Status(&'static str),
    Silent,
    Says(&'static str),
    /// A page that never ends.
    Endless,
    Redirect(String),
}

/// A source that listens; ends when dropped.
#[derive(Debug)]
pub struct Source {
    address: SocketAddr,
    state: Arc<Mutex<(Manner, Vec<IpAddr>)>>,
    task: JoinHandle<()>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Source {
    /// On the loopback of IPv4.
    pub async fn open(manner: Manner) -> Self {
        Self::at("127.0.0.1:0", manner).await
    }

    /// On the loopback of IPv6.
    pub async fn open_v6(manner: Manner) -> Self {
        Self::at("[::1]:0", manner).await
    }

    async fn at(address: &str, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new((manner, Vec::new())));
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let manner = {
                    let mut state = serving.lock().expect("no question panics");
                    state.1.push(peer.ip());
                    state.0.clone()
                };
                tokio::spawn(serve(stream, manner));
            }
        });
        Self { address, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// # Panics
    /// Never in practice.
    pub fn turn(&self, manner: Manner) {
        self.state.lock().expect("no question panics").0 = manner;
    }

    /// Who asked so far.
    ///
    /// # Panics
    /// Never in practice.
    pub fn askers(&self) -> Vec<IpAddr> {
        self.state.lock().expect("no question panics").1.clone()
    }
}

async fn serve(mut stream: TcpStream, manner: Manner) {
    if asked(&mut stream).await.is_none() {
        return answer(&mut stream, "400 Bad Request", "", b"").await;
    }
    let text = "Content-Type: text/plain\r\n";
    match manner {
        Manner::Bare(address) => answer(&mut stream, "200 OK", text, address.to_string().as_bytes()).await,
        Manner::Line(address) => answer(&mut stream, "200 OK", text, format!("{address}\n").as_bytes()).await,
        Manner::Trace(address) => {
            let trace = format!(
                "fl=1f1\nh=www.cloudflare.com\nip={address}\nts=1795250000.1\nvisit_scheme=https\nuag=porchlight\ncolo=FRA\n\
                 sliver=none\nhttp=http/1.1\nloc=DE\ntls=TLSv1.3\nsni=plaintext\nwarp=off\ngateway=off\nrbi=off\nkex=X25519\n"
            );
            answer(&mut stream, "200 OK", text, trace.as_bytes()).await;
        }
        Manner::Status(status) => answer(&mut stream, status, text, b"error code: 1015").await,
        Manner::Says(said) => answer(&mut stream, "200 OK", text, said.as_bytes()).await,
        Manner::Redirect(to) => answer(&mut stream, "302 Found", &format!("Location: {to}\r\n"), b"").await,
        Manner::Silent => sleep(Duration::from_mins(5)).await,
        Manner::Endless => endless(&mut stream).await,
    }
}
