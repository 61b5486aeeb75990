//! What a server is asked.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    query: String,
    head: String,
}

impl Request {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name)).map(|(_, value)| value)
    }

    /// How many fields the query has.
    pub fn query_fields(&self) -> usize {
        self.query.split('&').filter(|pair| !pair.is_empty()).count()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn length(&self) -> u64 {
        self.field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// The next head; `None` at the end of the connection. What was read beyond it is left in `begun`.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    begun: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    loop {
        if let Some(end) = begun.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&begun[..end]).into_owned();
            begun.drain(..end + 4);
            let mut words = head.lines().next().unwrap_or_default().split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
            return Ok(Some(Request { method, path, query, head }));
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await? {
            0 => return Ok(None),
            read => begun.extend_from_slice(&piece[..read]),
        }
    }
}

/// Reads a body and forgets it.
pub(super) async fn drain(stream: &mut (impl AsyncRead + Unpin), begun: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let there = begun.len().min(usize::try_from(length).unwrap_or(usize::MAX));
    begun.drain(..there);
    let mut left = length - there as u64;
    let mut piece = vec![0; 64 << 10];
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match stream.read(&mut piece[..most]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left -= read as u64,
        }
    }
    Ok(())
}
