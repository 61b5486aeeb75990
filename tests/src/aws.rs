//! AWS as the tests have it: moto, which keeps what it is given but enforces nothing, and a scripted endpoint that speaks
//! the error shapes of the real one.

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpListener as Port},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinHandle,
    time::sleep,
};

use crate::{
    binaries::{python, root},
    process::{Ended, Process, command, run},
    resident_aws::ResidentAws,
    skip::{program, skip},
};

pub const REGION: &str = "eu-central-1";
pub const ACCOUNT: &str = "123456789012";

/// Variables that send every AWS tool and SDK to `endpoint`, with keys.
pub fn pointed_at(endpoint: &str) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret-access-key-of-the-tests".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// A moto server with an account of its own.
#[derive(Debug)]
pub struct Moto {
    pub endpoint: String,
    _server: Process,
    resident: Option<ResidentAws>,
}

impl Moto {
    /// `None`, and a skip, where moto or the AWS command line is missing.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(test: &str) -> Option<Self> {
        let (Some(python), Some(_), Some(_)) = (python(), program("moto_server"), program("aws")) else {
            skip(test, "TESTS_PYTHON with moto and the AWS command line is missing; tests/run installs it");
            return None;
        };
        let port = Port::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut server = command(python);
        server.arg(root().join("tests/cloud/mended_moto.py")).args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Process::start(server);
        server.listens(port).await;
        Some(Self { endpoint: format!("http://127.0.0.1:{port}"), _server: server, resident: None })
    }

    /// The same with a command line that is loaded once, for who makes many calls.
    pub async fn resident(test: &str) -> Option<Self> {
        let (moto, resident) = tokio::join!(Self::start(test), ResidentAws::start());
        moto.map(|moto| Self { resident, ..moto })
    }

    /// The AWS command line that the calls of a test go to.
    ///
    /// # Panics
    /// Never in practice: it was there at the start.
    pub fn command_line(&self) -> PathBuf {
        self.resident.as_ref().map_or_else(|| program("aws").expect("it was there"), ResidentAws::program)
    }

    /// A call of the AWS command line.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn aws(&self, words: &[&str]) -> Ended {
        let mut aws = command(self.command_line());
        aws.args(words).args(["--output", "json"]).envs(pointed_at(&self.endpoint));
        run(aws, Duration::from_secs(60)).await
    }

    /// A call that must succeed; what it answers, or null.
    ///
    /// # Panics
    /// When it fails.
    pub async fn ok(&self, words: &[&str]) -> Value {
        let ended = self.aws(words).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {}{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap_or(Value::Null)
    }

    /// Stores a secret.
    pub async fn put_secret(&self, name: &str, value: &str) {
        let words = ["ssm", "put-parameter", "--type", "SecureString", "--overwrite", "--name", name, "--value", value];
        self.ok(&words).await;
    }

    /// The text of a parameter; `None` when it does not exist.
    pub async fn parameter(&self, name: &str) -> Option<String> {
        let answer = self.ok(&["ssm", "get-parameters", "--with-decryption", "--names", name]).await;
        answer["Parameters"][0]["Value"].as_str().map(str::to_owned)
    }
}

/// What the scripted Parameter Store does with a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It has these parameters.
    Parameters(Vec<(&'static str, String)>),
    /// It has these parameters, but denies every call that asks for that name too, as AWS does.
    Denying(&'static str, Vec<(&'static str, String)>),
    /// An error of AWS: status, code, message.
    Error(u16, &'static str, &'static str),
    /// This answer of another service that speaks the same JSON.
    Json(Value),
    /// An HTML page, as from another server.
    Html,
    /// The connection is closed without a word.
    Dropped,
    /// Nothing is said for so long.
    Silence(Duration),
}

/// A Parameter Store that plays a script.
#[derive(Debug)]
pub struct ScriptedStore {
    pub endpoint: String,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    then: Reply,
    /// Each as its operation and its body.
    calls: Mutex<Vec<(String, Value)>>,
}

impl Drop for ScriptedStore {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ScriptedStore {
    /// Plays `replies`, and after them `then` for ever.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(replies: impl IntoIterator<Item = Reply>, then: Reply) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let replies = Mutex::new(replies.into_iter().collect());
        let script = Arc::new(Script { replies, then, calls: Mutex::default() });
        let playing = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, Arc::clone(&playing)));
            }
        });
        Self { endpoint, script, task }
    }

    /// The calls so far, each as its operation (`GetParameters`) and its body.
    ///
    /// # Panics
    /// Never in practice.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.script.calls.lock().expect("no call panics").clone()
    }
}

async fn play(mut client: TcpStream, script: Arc<Script>) {
    let Some((operation, body)) = read_call(&mut client).await else { return };
    let asks_for = |name: &str| body["Names"].as_array().is_some_and(|names| names.iter().any(|asked| asked == name));
    let next = script.replies.lock().expect("no call panics").pop_front();
    let reply = match next.unwrap_or_else(|| script.then.clone()) {
        Reply::Denying(name, _) if asks_for(name) => Reply::Error(400, "AccessDeniedException", "not authorized"),
        Reply::Denying(_, parameters) => Reply::Parameters(parameters),
        reply => reply,
    };
    script.calls.lock().expect("no call panics").push((operation, body));
    let (status, kind, body) = match reply {
        Reply::Denying(..) => unreachable!("it has been decided"),
        Reply::Dropped => return,
        Reply::Silence(long) => {
            sleep(long).await;
            return;
        }
        Reply::Html => (200, "text/html", "<html><body>Please log in</body></html>".to_owned()),
        Reply::Json(body) => (200, "application/x-amz-json-1.0", body.to_string()),
        Reply::Error(status, code, message) => {
            (status, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string())
        }
        Reply::Parameters(parameters) => {
            let one = |(name, value): &(&str, String)| json!({"Name": name, "Type": "SecureString", "Value": value});
            let parameters: Vec<Value> = parameters.iter().map(one).collect();
            let body = json!({"Parameters": parameters, "InvalidParameters": [], "Version": 1});
            (200, "application/x-amz-json-1.1", body.to_string())
        }
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Scripted\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close");
    let _ = client.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
}

async fn read_call(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut message = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        message.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&message);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let field = |name: &str| {
            head.lines().find_map(|line| Some(line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name))?.1))
        };
        let length = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            // `AmazonSSM.GetParameters`, signed with any key.
            let target = field("x-amz-target")?.trim_start_matches("AmazonSSM.").to_owned();
            field("authorization").filter(|text| text.starts_with("AWS4-HMAC-SHA256 "))?;
            return Some((target, serde_json::from_str(body).unwrap_or_default()));
        }
    }
}

/// Points a command at an AWS of the tests.
pub fn point(command: &mut Command, endpoint: &str) {
    command.envs(pointed_at(endpoint));
}
