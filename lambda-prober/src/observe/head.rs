//! The head of an answer, read as leniently as routers, cameras and old servers write it: the body is read only where something
//! is expected of it, so its framing need not be valid. Pure: bytes go in as they come, and what is kept of them is bounded.

use crate::judge::observation::NotHttp;

/// The longest head that is read, interim answers included, in bytes.
pub const MAX_HEAD: usize = 64 << 10;

/// How many of the wanted fields are kept.
const MAX_FIELDS: usize = 64;

/// A head: its status, and the wanted fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case and values without the white space around them, in the order in which they came.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Whether its end was seen.
    pub complete: bool,
}

impl Head {
    /// The values of the fields of that name, which is in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_slice())
    }
}

/// Reads a head piece by piece.
#[derive(Debug)]
pub struct HeadReader {
    /// Whether a field of that name is kept.
    wanted: fn(&str) -> bool,
    /// Further names of fields that are kept.
    also: Vec<String>,
    line: Vec<u8>,
    received: usize,
    /// How much of that is the head, once it has ended.
    length: usize,
    head: Option<Head>,
    /// The last field was kept, so that a folded line belongs to it.
    open: bool,
}

impl HeadReader {
    /// A reader that keeps the fields for whose name, in lower case, `wanted` is true.
    pub fn new(wanted: fn(&str) -> bool) -> Self {
        Self { wanted, also: Vec::new(), line: Vec::new(), received: 0, length: 0, head: None, open: false }
    }

    /// Keeps the fields of these names, too; they are in lower case.
    #[must_use]
    pub fn and(self, also: Vec<String>) -> Self {
        Self { also, ..self }
    }

    /// How many of the bytes that were pushed are the head, interim answers included, once it is complete: the body begins
    /// behind them.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Reads the next bytes. Returns the head once it is complete, or has reached [`MAX_HEAD`].
    ///
    /// # Errors
    /// When it is not HTTP, which shows in the first bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Head>, NotHttp> {
        let left = MAX_HEAD - self.received;
        let bytes = &bytes[..bytes.len().min(left)];
        self.received += bytes.len();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.length += piece.len();
            self.line.extend_from_slice(piece);
            if self.line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                if self.ended_by(line.strip_suffix(b"\r").unwrap_or(line))? {
                    return Ok(self.head.take().map(|head| Head { complete: true, ..head }));
                }
            }
        }
        if self.head.is_none() && !may_be_status_line(&self.line) {
            return Err(not_http(&self.line));
        }
        if self.received == MAX_HEAD {
            return self.end().map_or(Err(NotHttp::Unknown), |head| Ok(Some(head)));
        }
        Ok(None)
    }

    /// What was read of a final answer when the stream ends: at least its status line, or `None`.
    pub fn end(&mut self) -> Option<Head> {
        self.head.take().filter(|head| !is_interim(head.status))
    }

    /// Reads a line, without its end. Returns whether it ended the final answer's head.
    fn ended_by(&mut self, line: &[u8]) -> Result<bool, NotHttp> {
        let Some(head) = &mut self.head else {
            // Some servers send an empty line first.
            if !line.is_empty() {
                self.head = Some(Head { status: status(line).ok_or_else(|| not_http(line))?, ..Head::default() });
                self.open = false;
            }
            return Ok(false);
        };
        match line {
            [] if is_interim(head.status) => {
                self.head = None;
                Ok(false)
            }
            [] => Ok(true),
            [b' ' | b'\t', ..] => {
                if let Some((_, value)) = head.fields.last_mut().filter(|_| self.open) {
                    value.push(b' ');
                    value.extend_from_slice(line.trim_ascii());
                    *value = value.trim_ascii().to_vec();
                }
                Ok(false)
            }
            _ => {
                let is_kept = |name: &String| (self.wanted)(name) || self.also.contains(name);
                let field = field(line).filter(|(name, _)| is_kept(name) && head.fields.len() < MAX_FIELDS);
                self.open = field.is_some();
                head.fields.extend(field);
                Ok(false)
            }
        }
    }
}

/// An answer that another one follows. No upgrade was requested, so 101 is final.
const fn is_interim(status: u16) -> bool {
    status < 200 && status != 101
}

/// How an answer begins: `HTTP/`, in any case, or as radio streams has it.
const BEGINNINGS: [&[u8]; 2] = [b"http/", b"icy "];

/// How a TLS alert begins: its type, and the first byte of every version.
const ALERT: [u8; 2] = [21, 3];

/// What a line is that is not a status line.
fn not_http(line: &[u8]) -> NotHttp {
    if line.starts_with(&ALERT) { NotHttp::Tls } else { NotHttp::Unknown }
}

/// Whether a line that is not complete yet may become a status line or a TLS alert.
fn may_be_status_line(line: &[u8]) -> bool {
    let line = if line == b"\r" { b"" } else { line };
    let begins = |beginning: &&[u8]| {
        let length = line.len().min(beginning.len());
        line[..length].eq_ignore_ascii_case(&beginning[..length])
    };
    BEGINNINGS.iter().any(begins) || line == &ALERT[..1]
}

/// The status of a line like `HTTP/1.1 200 OK`, with or without a reason, whatever its version.
fn status(line: &[u8]) -> Option<u16> {
    let begins = |beginning: &[u8]| line.get(..beginning.len()).is_some_and(|it| it.eq_ignore_ascii_case(beginning));
    if !BEGINNINGS.into_iter().any(begins) {
        return None;
    }
    let rest = &line[line.iter().position(|byte| matches!(byte, b' ' | b'\t'))?..];
    let rest = rest.trim_ascii_start();
    let (digits, rest) = rest.split_at_checked(3)?;
    let number: u16 =
        std::str::from_utf8(digits).ok().filter(|it| it.bytes().all(|it| it.is_ascii_digit()))?.parse().ok()?;
    (number >= 100 && !rest.first().is_some_and(u8::is_ascii_digit)).then_some(number)
}

/// Name and value of a line; `None` where it has no colon.
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?.trim().to_ascii_lowercase();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(_: &str) -> bool {
        true
    }

    /// The result, read at once and byte by byte.
    fn read(text: &[u8]) -> Result<Option<Head>, NotHttp> {
        let whole = HeadReader::new(all).push(text);
        let mut reader = HeadReader::new(all);
        let mut bytes = text.iter().map(|byte| reader.push(&[*byte]));
        let by_byte = bytes.find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
        assert_eq!(whole, by_byte, "{}", String::from_utf8_lossy(text));
        whole
    }

    #[test]
    fn an_answer_is_an_answer_however_its_head_is_written() {
        for (text, status) in [
            ("HTTP/1.1 200 OK\r\n\r\n", 200),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
            ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", 200),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 200),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 200),
            ("http/1.1 503 no\r\n\r\n", 503),
            ("HTTP/2 404\r\n\r\n", 404),
            ("HTTP/1.1 204\n\n", 204),
            ("HTTP/1.1\t401  Unauthorized\r\n\r\n", 401),
            ("ICY 200 OK\r\n\r\n", 200),
            ("\r\n\nHTTP/1.1 200 OK\r\n\r\n", 200),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 418 Teapot\r\n\r\n",
                418,
            ),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101),
            ("HTTP/1.1 999 é\r\n no name\r\nno colon\r\n: empty\r\nb\0d\x01: \x7f\r\nX : y\r\n\r\n", 999),
        ] {
            assert_eq!(
                read(text.as_bytes()).unwrap().map(|head| (head.status, head.complete)),
                Some((status, true)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_http_is_known_at_once() {
        for text in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x15\n", b"\x16\x03\x01", b"220 mail ESMTP\r\n", b"<html>"] {
            assert_eq!(HeadReader::new(all).push(&text[..1.max(text.len() / 2)]).is_err(), text[0] != ALERT[0]);
            assert_eq!(read(text), Err(NotHttp::Unknown));
        }
        // An alert's code (unexpected message) is the same byte as the end of a line.
        for text in [b"\x15\x03\x01\x00\x02\x02\x46", b"\x15\x03\x03\x00\x02\x02\x0a"] {
            assert_eq!(read(text), Err(NotHttp::Tls));
        }
        for text in ["HTTP/1.1\r\n", "HTTP/1.1 OK\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 x\r\n"]
        {
            assert_eq!(read(text.as_bytes()), Err(NotHttp::Unknown), "{text}");
        }
    }

    #[test]
    fn fields_are_found_in_any_case_folded_and_doubled() {
        let head =
            read(b"HTTP/1.1 200 OK\r\nA: 1\r\na :2\r\nB:\r\n\tv1;up=1\r\nC: x\r\n  y\r\n\r\nA: body").unwrap().unwrap();
        assert_eq!(head.values("a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(head.values("b").collect::<Vec<_>>(), [b"v1;up=1"]);
        assert_eq!(head.values("c").collect::<Vec<_>>(), [b"x y"]);
        assert_eq!(head.fields.len(), 4);
    }

    #[test]
    fn the_body_begins_where_the_head_ends() {
        for (text, body) in [
            ("HTTP/1.1 200 OK\r\nA: 1\r\n\r\nbody\n\n", "body\n\n"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\n\n", ""),
            ("\r\nHTTP/1.1 200 OK\n\n\n\n", "\n\n"),
        ] {
            let mut reader = HeadReader::new(all);
            assert!(reader.push(text.as_bytes()).unwrap().is_some());
            assert_eq!(&text[reader.length()..], body);
            let mut reader = HeadReader::new(all);
            let ends = |byte: &u8| reader.push(&[*byte]).unwrap().is_some();
            let ended = text.as_bytes().iter().position(ends).unwrap();
            assert_eq!((&text[ended + 1..], reader.length()), (body, ended + 1));
        }
    }

    #[test]
    fn only_what_is_wanted_is_kept() {
        let mut reader = HeadReader::new(|name| name == "a").and(vec!["c".into()]);
        let head = reader.push(b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n").unwrap().unwrap();
        assert_eq!(head.fields, [("a".to_owned(), b"1".to_vec()), ("c".to_owned(), b"3".to_vec())]);
    }

    #[test]
    fn a_head_without_end_has_an_end() {
        let mut long = b"HTTP/1.1 200 OK\r\nA: 1\r\nX: ".to_vec();
        long.resize(MAX_HEAD + 10, b'x');
        let head = read(&long).unwrap().unwrap();
        assert_eq!((head.status, head.complete, head.values("a").count()), (200, false, 1));
        for endless in ["\r\n".repeat(MAX_HEAD), "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD / 8)] {
            assert_eq!(HeadReader::new(all).push(endless.as_bytes()), Err(NotHttp::Unknown));
        }
        let mut cut = HeadReader::new(all);
        assert_eq!(cut.push(b"HTTP/1.1 200 OK\r\nPorch"), Ok(None));
        assert_eq!(cut.end().map(|head| (head.status, head.complete)), Some((200, false)));
        let mut cut = HeadReader::new(all);
        assert_eq!(cut.push(b"HTTP/1.1 100 Continue\r\n"), Ok(None));
        assert_eq!(cut.end(), None);
    }
}
