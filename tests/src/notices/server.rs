//! A server that notes what it is sent, and answers by a function.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// The longest request that is read, in bytes.
const MAX_REQUEST: usize = 1 << 20;

/// A request.
#[derive(Clone, Debug)]
pub struct Posted {
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: String,
    body: String,
}

/// A service, until it is dropped.
#[derive(Debug)]
pub struct Service {
    /// `http://`, without a slash behind it.
    pub url: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    /// While it is true, no answer is sent.
    hangs: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Posted {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none, or is not called so.
    pub fn json(&self) -> Value {
        let is_called_so = self.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if is_called_so { serde_json::from_slice(&self.body).unwrap_or_default() } else { Value::Null }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: "Content-Type: application/json\r\n".into(), body: body.to_string() }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: "Content-Type: text/plain\r\n".into(), body: body.into() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// One that answers each request by that function, which is given how many came before it, too.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(answer: impl Fn(&Posted, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_as(0, false, answer).await
    }

    /// One that takes what it is sent, and says nothing before it is released.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn hanging() -> Self {
        Self::start_as(0, true, |_, _| Reply::text(204, "")).await
    }

    /// One that takes what it is sent, at that port.
    ///
    /// # Panics
    /// When something else is there.
    pub async fn start_at(port: u16) -> Self {
        Self::start_as(port, false, |_, _| Reply::text(204, "")).await
    }

    /// From now on it answers.
    pub fn release(&self) {
        self.hangs.send_replace(false);
    }

    async fn start_as(
        port: u16,
        hangs: bool,
        answer: impl Fn(&Posted, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let posted = Arc::<Mutex<Vec<Posted>>>::default();
        let (noted, answer) = (posted.clone(), Arc::new(answer));
        let (hangs, hanging) = watch::channel(hangs);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer, hanging) = (noted.clone(), answer.clone(), hanging.clone());
                tokio::spawn(async move { exchange(stream, &noted, hanging, &*answer).await });
            }
        });
        Self { url, posted, hangs, task }
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What came so far.
    ///
    /// # Panics
    /// Never in practice: no exchange panics.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().expect("no exchange panics").clone()
    }
}

async fn exchange(
    mut stream: TcpStream,
    noted: &Mutex<Vec<Posted>>,
    mut hanging: watch::Receiver<bool>,
    answer: &(impl Fn(&Posted, usize) -> Reply + Sync),
) -> Option<()> {
    let posted = read(&mut stream).await?;
    let reply = {
        let mut noted = noted.lock().ok()?;
        let reply = answer(&posted, noted.len());
        noted.push(posted);
        reply
    };
    hanging.wait_for(|hangs| !hangs).await.ok()?;
    let Reply { status, headers, body } = reply;
    let text =
        format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<Posted> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
        if head.len() > MAX_REQUEST {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let headers: Vec<_> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    if length > MAX_REQUEST {
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Posted { method, target, headers, body })
}
