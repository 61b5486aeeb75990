//! A statuspage that misbehaves: a keeper behind a proxy that plays a script of faults, one for each call. It passes for
//! statuspage.io, which takes no looks, unless it is told to be a keeper.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use shared::look::{KEEPER_HEADER, KEEPER_HEADER_VALUE};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::keeper::Keeper;

/// What becomes of one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is passed on.
    None,
    /// It is answered with this, and never passed on.
    Answer { status: u16, headers: &'static str, body: &'static str },
    /// It is read, and the connection is closed without a word.
    Dropped,
    /// It is passed on, and the answer is lost.
    AnswerLost,
    /// Nothing is said for so long.
    Silence(Duration),
    /// It waits for so long and is then passed on.
    Delay(Duration),
    /// With this text in it it is refused as wrong; else it is passed on.
    Refusing(&'static str),
    /// What asks for components is answered with this; all else is passed on, and does not count in a script.
    Components(&'static str),
    /// What reads is answered with 500; what writes is passed on.
    ReadsFail,
    /// A human sets the component to maintenance first; then it is passed on.
    Maintenance,
}

#[derive(Debug)]
pub struct Statuspage {
    pub api: String,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Script {
    faults: Mutex<VecDeque<Fault>>,
    /// When the script is at its end.
    then: Mutex<Fault>,
    calls: Mutex<Vec<String>>,
    /// The path, and the body as far as it is JSON, of each POST.
    posted: Mutex<Vec<(String, Value)>>,
    /// What becomes of looks that are put there; `None` at statuspage.io.
    looks: Mutex<Option<Fault>>,
    keeper: String,
}

impl Drop for Statuspage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Statuspage {
    /// Plays `faults`, and after them `then` for ever.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(keeper: &Keeper, faults: impl IntoIterator<Item = Fault>, then: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::open_on(listener, &keeper.url, faults, then)
    }

    /// As [`Statuspage::open`], on a listener of the caller's, before the keeper at that address.
    ///
    /// # Panics
    /// Never in practice.
    pub fn open_on(listener: TcpListener, keeper: &str, faults: impl IntoIterator<Item = Fault>, then: Fault) -> Self {
        let api = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let script = Arc::new(Script {
            faults: Mutex::new(faults.into_iter().collect()),
            then: Mutex::new(then),
            calls: Mutex::default(),
            posted: Mutex::default(),
            looks: Mutex::default(),
            keeper: keeper.trim_start_matches("http://").to_owned(),
        });
        let playing = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, Arc::clone(&playing)));
            }
        });
        Self { api, script, task }
    }

    /// Plays this from now on.
    ///
    /// # Panics
    /// Never in practice.
    pub fn play(&self, fault: Fault) {
        self.script.faults.lock().expect("no call panics").clear();
        *self.script.then.lock().expect("no call panics") = fault;
    }

    /// Answers as a keeper from now on, and plays this for looks, which it takes where there is no fault.
    ///
    /// # Panics
    /// Never in practice.
    pub fn as_keeper(&self, fault: Fault) {
        *self.script.looks.lock().expect("no call panics") = Some(fault);
    }

    /// The bodies that were posted to paths with that end, so far.
    ///
    /// # Panics
    /// Never in practice.
    pub fn posted(&self, end: &str) -> Vec<Value> {
        let posted = self.script.posted.lock().expect("no call panics");
        posted.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, body)| body.clone()).collect()
    }

    /// The calls so far: `GET /v1/…`.
    ///
    /// # Panics
    /// Never in practice.
    pub fn calls(&self) -> Vec<String> {
        self.script.calls.lock().expect("no call panics").clone()
    }
}

/// How looks are taken.
const TAKEN: Fault = Fault::Answer { status: 200, headers: "Content-Type: application/json\r\n", body: "{}" };

/// The answer with the header of a keeper's, or without.
fn marked(answer: Vec<u8>, is_keepers: bool) -> Vec<u8> {
    let Some(end) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return answer };
    let head = String::from_utf8_lossy(&answer[..end]);
    let is_mark = |line: &&str| line.to_ascii_lowercase().starts_with(KEEPER_HEADER);
    let mut lines: Vec<&str> = head.split("\r\n").filter(|line| !is_mark(line)).collect();
    let mark = format!("{KEEPER_HEADER}: {KEEPER_HEADER_VALUE}");
    if is_keepers {
        lines.push(&mark);
    }
    [lines.join("\r\n").as_bytes(), &answer[end..]].concat()
}

async fn play(mut client: TcpStream, script: Arc<Script>) {
    let Some(request) = read_message(&mut client).await else { return };
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    script.calls.lock().expect("no call panics").push(line.trim_end_matches(" HTTP/1.1").to_owned());
    let path = line.strip_prefix("POST ").and_then(|rest| rest.split(' ').next());
    if let Some(path) = path {
        let body = request.windows(4).position(|end| end == b"\r\n\r\n").map(|end| &request[end + 4..]);
        let body = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        script.posted.lock().expect("no call panics").push((path.to_owned(), body));
    }
    let is_look = path.is_some_and(|path| path.ends_with("/porchlight/v1/looks"));
    let looks = script.looks.lock().expect("no call panics").clone();
    let asks_for_components = line.starts_with("GET ") && line.contains("/components");
    let next = if let (true, Some(fault)) = (is_look, looks.clone()) {
        Some(if matches!(fault, Fault::None) { TAKEN } else { fault })
    } else {
        let mut faults = script.faults.lock().expect("no call panics");
        match faults.front() {
            // Components and incidents are asked for at once, in either order.
            Some(Fault::Components(_)) if !asks_for_components => Some(Fault::None),
            _ => faults.pop_front(),
        }
    };
    let fault = next.unwrap_or_else(|| script.then.lock().expect("no call panics").clone());
    let answer = match fault {
        Fault::Refusing(text) if String::from_utf8_lossy(&request).contains(text) => {
            let body = r#"{"error":["value: is not what we want"]}"#;
            let head = format!("HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: {}\r\n", body.len());
            format!("{head}Connection: close\r\n\r\n{body}").into_bytes()
        }
        Fault::ReadsFail if request.starts_with(b"GET ") => {
            b"HTTP/1.1 500 Scripted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
        }
        Fault::Components(body) if asks_for_components => {
            let length = body.len();
            format!("HTTP/1.1 200 Scripted\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
        }
        Fault::None | Fault::Refusing(_) | Fault::ReadsFail | Fault::Components(_) => {
            pass_on(&script.keeper, &request).await
        }
        Fault::Answer { status, headers, body } => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}");
            format!("{head}\r\n{body}").into_bytes()
        }
        Fault::Dropped => return,
        Fault::AnswerLost => {
            pass_on(&script.keeper, &request).await;
            return;
        }
        Fault::Silence(long) => {
            sleep(long).await;
            return;
        }
        Fault::Delay(long) => {
            sleep(long).await;
            pass_on(&script.keeper, &request).await
        }
        Fault::Maintenance => {
            let body = br#"{"component":{"status":"under_maintenance"}}"#;
            let path = format!("/v1/pages/{}/components/{}", crate::keeper::PAGE, crate::keeper::COMPONENT);
            let head = format!(
                "PATCH {path} HTTP/1.1\r\nHost: k\r\nAuthorization: OAuth {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                crate::keeper::TOKEN,
                body.len()
            );
            pass_on(&script.keeper, &[head.as_bytes(), body].concat()).await;
            pass_on(&script.keeper, &request).await
        }
    };
    let _ = client.write_all(&marked(answer, looks.is_some())).await;
}

/// The keeper closes after each answer, so its end is the answer's.
async fn pass_on(keeper: &str, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut upstream = TcpStream::connect(keeper).await.expect("the keeper listens");
    upstream.write_all(request).await.expect("the keeper reads");
    let _ = upstream.read_to_end(&mut answer).await;
    answer
}

/// Reads one request with its body, if it has one.
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        message.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&message).to_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length =
                text[..end].lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            if message.len() >= end + 4 + length.unwrap_or(0) {
                return Some(message);
            }
        }
    }
}
