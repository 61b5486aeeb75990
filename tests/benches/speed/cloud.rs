//! The function's surroundings: a Lambda runtime API that hands out events, and a statuspage over TLS.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::{Instant, sleep},
};

/// A runtime API of one function. Each poll waits for [`RuntimeApi::invoke`].
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    polls: mpsc::Receiver<Instant>,
    answers: mpsc::Receiver<()>,
    events: mpsc::Sender<String>,
}

impl RuntimeApi {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (polled, polls) = mpsc::channel(16);
        let (answered, answers) = mpsc::channel(16);
        let (events, waiting) = mpsc::channel(16);
        let waiting = Arc::new(Mutex::new(waiting));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                tokio::spawn(serve(stream, polled.clone(), answered.clone(), Arc::clone(&waiting)));
            }
        });
        Self { address, polls, answers, events }
    }

    /// Waits until the function asks for an event.
    pub(crate) async fn polled(&mut self) -> Instant {
        self.polls.recv().await.expect("the function polls")
    }

    /// Hands an event out and waits until it has been answered and the next one is asked for.
    pub(crate) async fn invoke(&mut self, event: &str) {
        self.events.send(event.to_owned()).await.expect("the function waits");
        self.answers.recv().await.expect("the function answers");
        self.polled().await;
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    polled: mpsc::Sender<Instant>,
    answered: mpsc::Sender<()>,
    events: Arc<Mutex<mpsc::Receiver<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let answer = if request.starts_with("GET") {
            if polled.send(Instant::now()).await.is_err() {
                return;
            }
            let Some(event) = events.lock().await.recv().await else { return };
            let deadline = std::time::SystemTime::now() + Duration::from_secs(55);
            let deadline = deadline.duration_since(std::time::UNIX_EPOCH).expect("a time after 1970").as_millis();
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: \
                 {deadline}\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\r\n{event}",
                event.len()
            )
        } else {
            // A failed run is cheap, and would flatter the figures.
            assert!(!request.lines().next().is_some_and(|line| line.contains("/error")), "a run failed: {request}");
            if answered.send(()).await.is_err() {
                return;
            }
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A statuspage that always says the same of one component and has no incidents, over TLS if it has a certificate, after a delay.
pub(crate) struct Statuspage {
    pub(crate) api: String,
    /// What `SSL_CERT_FILE` must hold.
    pub(crate) certificate: Option<String>,
}

impl Statuspage {
    pub(crate) async fn open(tls: bool, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (acceptor, certificate) = if tls {
            let (acceptor, certificate) = tests::tls::self_signed(["localhost".to_owned()]);
            (Some(acceptor), Some(certificate))
        } else {
            (None, None)
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => answer(stream, delay).await,
                            Err(error) => eprintln!("no TLS: {error}"),
                        },
                        None => answer(stream, delay).await,
                    }
                });
            }
        });
        let scheme = if tls { "https" } else { "http" };
        Self { api: format!("{scheme}://localhost:{}/v1", address.port()), certificate }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, delay: Duration) {
    let Some(request) = read_request(&mut stream).await else { return };
    sleep(delay).await;
    let component = format!(
        r#"{{"id":"{}","name":"Home","status":"operational","updated_at":"2026-11-21T04:30:00Z"}}"#,
        tests::keeper::COMPONENT
    );
    let body = if request.contains("/incidents") { "[]".to_owned() } else { format!("[{component}]") };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A home that answers after a delay.
pub(crate) async fn slow_home(delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                read_request(&mut stream).await;
                sleep(delay).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            });
        }
    });
    address
}

/// One request with its body; `None` at the end of the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request);
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let chunked = head.contains("transfer-encoding: chunked") && !text.ends_with("0\r\n\r\n");
            if !chunked && request.len() >= end + 4 + length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
    }
}
