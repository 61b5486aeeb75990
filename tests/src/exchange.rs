//! One HTTP exchange with a scripted service: the head of a request is read, and an answer is written by hand, because
//! what is emulated is often what no server library would write.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest head of a request that is read, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// What a `GET` asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// HTTP/1.0 knows no chunks.
    pub old: bool,
    /// The lines after the first one.
    fields: Vec<String>,
}

impl Asked {
    /// The value of a header field, by its name in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let named = |line: &&String| line.split_once(':').is_some_and(|(it, _)| it.eq_ignore_ascii_case(name));
        self.fields.iter().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }
}

/// Reads a request; `None` where it is no `GET` of HTTP/1 with a host.
pub async fn asked(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        head.push(byte);
        if head.len() > MAX_HEAD {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (Some("GET"), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let asked = Asked { target: target.into(), old: version == "HTTP/1.0", fields: lines.map(str::to_owned).collect() };
    (target.starts_with('/') && (asked.field("host").is_some() || asked.old) && version.starts_with("HTTP/1."))
        .then_some(asked)
}

/// Writes an answer whose body has a length.
pub async fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Who hung up before is no business of a service's.
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
}

/// Writes a page that never ends, until the client stops reading.
pub async fn endless(stream: &mut TcpStream) {
    let blanks = vec![b' '; 64 << 10];
    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>").await;
    while sent.is_ok() {
        sent = stream.write_all(&blanks).await;
    }
}
