//! A web server for emulators: HTTP/1.1 over plain sockets or TLS, connections kept as the other side wishes, every byte
//! counted at the socket, and payload written from one static buffer, so that it is faster than what is measured.

mod reply;
mod request;
mod traffic;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::sleep,
};

use self::{
    reply::write,
    request::{drain, read_head},
    traffic::Counted,
};
pub use self::{
    reply::{Body, Reply},
    request::Request,
    traffic::Traffic,
};
use crate::tls;

/// Answers requests for as long as it is kept.
#[derive(Debug)]
pub struct Web {
    pub address: SocketAddr,
    /// With TLS: what `SSL_CERT_FILE` must hold.
    pub certificate: Option<String>,
    pub traffic: Arc<Traffic>,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    /// On a free port of the loopback interface, with or without TLS. `answer` is handed the server's own base address
    /// too.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(tls: bool, answer: impl Fn(&str, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::open_at(([127, 0, 0, 1], 0).into(), tls, answer).await
    }

    /// # Panics
    /// When the address cannot be had.
    pub async fn open_at(
        address: SocketAddr,
        tls: bool,
        answer: impl Fn(&str, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (acceptor, certificate) = if tls {
            let (acceptor, certificate) = tls::self_signed(["localhost".to_owned(), address.ip().to_string()]);
            (Some(acceptor), Some(certificate))
        } else {
            (None, None)
        };
        let (traffic, requests) = (Arc::<Traffic>::default(), Arc::<Mutex<Vec<Request>>>::default());
        let scheme = if tls { "https" } else { "http" };
        let (counting, noting, base) = (Arc::clone(&traffic), Arc::clone(&requests), format!("{scheme}://{address}"));
        let answer: Answer = Arc::new(move |request| {
            noting.lock().expect("no request panics").push(request.clone());
            answer(&base, request)
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                let stream = Counted { stream, traffic: Arc::clone(&counting) };
                tokio::spawn(async move {
                    // A client may go away at any time.
                    let _ = match acceptor {
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &answer).await,
                            Err(error) => Err(error),
                        },
                        None => serve(stream, &answer).await,
                    };
                });
            }
        });
        Self { address, certificate, traffic, requests, task }
    }

    /// Its base address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.certificate.is_some() { "https" } else { "http" }, self.address)
    }

    /// The requests so far.
    ///
    /// # Panics
    /// Never in practice.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no request panics").clone()
    }

    /// How many requests so far have a path that begins like that.
    pub fn asked(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path.starts_with(path)).count()
    }
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &Answer) -> io::Result<()> {
    let mut begun = Vec::new();
    while let Some(request) = read_head(&mut stream, &mut begun).await? {
        let reply = answer(&request);
        let close = reply.early || request.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !reply.early {
            drain(&mut stream, &mut begun, request.length()).await?;
        }
        sleep(reply.delay).await;
        let length = match &reply.body {
            Body::Text(text) => Some(text.len() as u64),
            Body::Payload(length) | Body::Slow(length, _) | Body::Stalls(length, _) | Body::Breaks(length, _) => {
                Some(*length)
            }
            Body::InPieces(_) | Body::Endless | Body::NoLength(_) => None,
        };
        let mut head = vec![format!("HTTP/1.1 {} Emulated", reply.status)];
        head.extend(length.map(|length| format!("Content-Length: {length}")));
        if close || length.is_none() {
            head.push("Connection: close".into());
        }
        head.extend(reply.fields);
        let head = head.join("\r\n") + "\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        if request.method != "HEAD" && !write(&mut stream, &reply.body).await? {
            return Ok(());
        }
        stream.flush().await?;
        if close {
            return stream.shutdown().await;
        }
    }
    Ok(())
}
