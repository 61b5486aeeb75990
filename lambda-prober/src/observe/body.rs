//! The body of an answer, however it is framed. Pure: bytes go in as they come, and what is kept of them is bounded. The head was
//! read by a reader of our own, so hyper could only read the body of a second request; and that would show another answer than
//! the one that is judged.

use super::head::Head;

/// The headers that say how a body is framed, and what was done to it.
pub(super) const FRAMING_HEADERS: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// The longest line between two chunks, in bytes: a size with its extensions, or a trailer.
const MAX_LINE: usize = 4 << 10;

/// How many trailers are passed over.
const MAX_TRAILERS: usize = 64;

/// A body, or its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether there is no more of it.
    pub(super) is_whole: bool,
}

/// What was read is no body as its head announces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadFraming;

/// Reads a body piece by piece.
#[derive(Debug)]
pub(super) struct BodyReader {
    state: State,
    limit: usize,
    bytes: Vec<u8>,
    /// A line between chunks, as far as it has come.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes are to come.
    Length(u64),
    /// It ends with the connection.
    UntilClose,
    /// The size of a chunk is to come.
    Size,
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// The end of a chunk's line is to come.
    ChunkEnd,
    /// Trailers are to come, so many have.
    Trailers(usize),
    /// It has ended, or as much of it was read as is wanted.
    Ended { is_whole: bool },
}

impl BodyReader {
    /// A reader of what follows that head, that keeps no more than `limit` bytes.
    pub(super) fn new(head: &Head, limit: usize) -> Self {
        Self { state: State::after(head), limit, bytes: Vec::new(), line: Vec::new() }
    }

    /// How long it will be, in bytes, where the head says so.
    pub(super) const fn announced(&self) -> Option<u64> {
        match self.state {
            State::Length(length) => Some(length),
            _ => None,
        }
    }

    /// How much of it is kept so far, in bytes.
    pub(super) const fn kept(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all that is wanted was read.
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// Reads the next bytes, as far as they are the body's.
    ///
    /// # Errors
    /// When they cannot be.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), BadFraming> {
        while !self.has_ended() && !bytes.is_empty() {
            bytes = self.step(bytes)?;
        }
        Ok(())
    }

    /// What was read when the connection ends; `None` where more was announced.
    pub(super) fn end(self) -> Option<Body> {
        match self.state {
            State::Ended { is_whole } => Some(Body { bytes: self.bytes, is_whole }),
            State::UntilClose => Some(Body { bytes: self.bytes, is_whole: true }),
            _ => None,
        }
    }

    /// Reads some of the bytes; what is left of them.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadFraming> {
        match self.state {
            State::Length(left) => Ok(self.take(bytes, left, State::Length, State::Ended { is_whole: true })),
            State::UntilClose => Ok(self.take(bytes, u64::MAX, |_| State::UntilClose, State::UntilClose)),
            State::Chunk(left) => Ok(self.take(bytes, left, State::Chunk, State::ChunkEnd)),
            State::Size | State::ChunkEnd | State::Trailers(_) => {
                let (line, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
                    Some(end) => (&bytes[..=end], &bytes[end + 1..]),
                    None => (bytes, &[][..]),
                };
                self.line.extend_from_slice(line);
                if self.line.len() > MAX_LINE {
                    return Err(BadFraming);
                }
                if self.line.ends_with(b"\n") {
                    let line = std::mem::take(&mut self.line);
                    self.state = self.state.after_line(line.trim_ascii())?;
                }
                Ok(rest)
            }
            State::Ended { .. } => Ok(&[]),
        }
    }

    /// Takes up to `left` bytes, and no more than the limit has room for; then what is next, where none of them are to come.
    fn take<'a>(&mut self, bytes: &'a [u8], left: u64, more: fn(u64) -> State, next: State) -> &'a [u8] {
        let here = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..here.min(room)]);
        let left = left - here as u64;
        self.state = match left {
            _ if here > room => State::Ended { is_whole: false },
            0 => next,
            left => more(left),
        };
        &bytes[here..]
    }
}

impl State {
    fn after(head: &Head) -> Self {
        if matches!(head.status, 100..200 | 204 | 304) {
            return Self::Ended { is_whole: true };
        }
        let last_coding = head.values("transfer-encoding").last().map(<[u8]>::to_ascii_lowercase);
        if last_coding.is_some_and(|codings| codings.trim_ascii().ends_with(b"chunked")) {
            return Self::Size;
        }
        let mut lengths = head.values("content-length").map(|value| {
            let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            text.and_then(|text| text.parse::<u64>().ok())
        });
        // We asked for the connection to be closed, so its end is one where no length can be believed.
        match lengths.next().flatten() {
            Some(length) if lengths.all(|other| other == Some(length)) => Self::of_length(length),
            _ => Self::UntilClose,
        }
    }

    const fn of_length(length: u64) -> Self {
        if length == 0 { Self::Ended { is_whole: true } } else { Self::Length(length) }
    }

    /// What follows a line between chunks, which has no end of line any more.
    fn after_line(self, line: &[u8]) -> Result<Self, BadFraming> {
        match self {
            Self::Size => {
                let size = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next().unwrap_or_default();
                let size = std::str::from_utf8(size).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
                match size.and_then(|text| u64::from_str_radix(text, 16).ok()) {
                    Some(0) => Ok(Self::Trailers(0)),
                    Some(size) => Ok(Self::Chunk(size)),
                    None => Err(BadFraming),
                }
            }
            Self::ChunkEnd if line.is_empty() => Ok(Self::Size),
            Self::Trailers(_) if line.is_empty() => Ok(Self::Ended { is_whole: true }),
            Self::Trailers(count) if count < MAX_TRAILERS => Ok(Self::Trailers(count + 1)),
            _ => Err(BadFraming),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(fields: &[(&str, &str)]) -> Head {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Head { status: 200, fields: fields.iter().map(field).collect(), complete: true }
    }

    const CHUNKED: &[(&str, &str)] = &[("transfer-encoding", "chunked")];

    /// The body as text and whether it is whole, read at once and byte by byte, at the end of the connection.
    fn read(fields: &[(&str, &str)], bytes: &[u8], limit: usize) -> Result<Option<(String, bool)>, BadFraming> {
        let end = |reader: BodyReader| reader.end().map(|it| (String::from_utf8(it.bytes).unwrap(), it.is_whole));
        let mut whole = BodyReader::new(&head(fields), limit);
        let whole = whole.push(bytes).map(|()| end(whole));
        let mut reader = BodyReader::new(&head(fields), limit);
        let by_byte = bytes.iter().try_for_each(|byte| reader.push(&[*byte])).map(|()| end(reader));
        assert_eq!(whole, by_byte);
        whole
    }

    #[test]
    fn a_body_is_read_however_it_is_framed() {
        let length = |length: &'static str| [("content-length", length)];
        for (fields, bytes, text) in [
            (&length("5")[..], "hello and more", "hello"),
            (&length("0"), "hello", ""),
            (&[], "hello", "hello"),
            (&[], "", ""),
            // Nothing that can be believed: it ends with the connection.
            (&length("-1"), "hello", "hello"),
            (&length("+5"), "hello!", "hello!"),
            (&length("99999999999999999999999"), "hello", "hello"),
            (&[("content-length", "5"), ("content-length", "6")], "hello!!", "hello!!"),
            (&[("content-length", "5"), ("content-length", "5")], "hello!!", "hello"),
            (CHUNKED, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nmore", "hello!"),
            (CHUNKED, "005;a=\"b\"\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", "hello"),
            (CHUNKED, "A\nhellohello\n0\n\n", "hellohello"),
            (CHUNKED, "0\r\n\r\n", ""),
            (&[("transfer-encoding", "gzip, Chunked"), ("content-length", "99")], "2 \r\nhi\r\n0\r\n\r\n", "hi"),
        ] {
            assert_eq!(read(fields, bytes.as_bytes(), 1000), Ok(Some((text.into(), true))), "{fields:?} {bytes:?}");
        }
        for status in [204, 304, 101] {
            let reader = BodyReader::new(&Head { status, ..head(&length("5")) }, 1000);
            assert!(reader.has_ended(), "{status}");
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_none() {
        for (fields, bytes) in [
            (&[("content-length", "6")][..], "hello"),
            (CHUNKED, ""),
            (CHUNKED, "5\r\nhell"),
            (CHUNKED, "5\r\nhello\r\n"),
            (CHUNKED, "5\r\nhello\r\n0\r\n"),
        ] {
            assert_eq!(read(fields, bytes.as_bytes(), 1000), Ok(None), "{bytes:?}");
        }
    }

    #[test]
    fn no_more_is_kept_than_is_wanted() {
        let cut = Ok(Some(("hell".to_owned(), false)));
        let whole = Ok(Some(("hell".to_owned(), true)));
        assert_eq!(read(&[("content-length", "5")], b"hello", 4), cut);
        assert_eq!(read(&[("content-length", "4")], b"hello", 4), whole);
        assert_eq!(read(&[], b"hello", 4), cut);
        assert_eq!(read(&[], b"hell", 4), whole);
        assert_eq!(read(CHUNKED, b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 4), cut);
        assert_eq!(read(CHUNKED, b"3\r\nhel\r\n1\r\nl\r\n0\r\n\r\n", 4), whole);
        assert_eq!(read(CHUNKED, b"ffffffffffffffff\r\nhello", 4), cut);
    }

    #[test]
    fn chunks_that_are_none_are_refused() {
        let (long, trailers) = ("1;".to_owned() + &"x".repeat(MAX_LINE), "0\r\n".to_owned() + &"a: b\r\n".repeat(65));
        for bytes in
            ["<html>\r\n", "\r\n", "-1\r\n", "0x5\r\n", "10000000000000000\r\n", "5\r\nhello!\r\n", &long, &trailers]
        {
            assert_eq!(read(CHUNKED, bytes.as_bytes(), 1000), Err(BadFraming), "{bytes:.20}");
        }
    }

    proptest! {
        #[test]
        fn what_was_chunked_is_read_back(pieces in prop::collection::vec("[a-z]{1,40}", 0..8), cut in 1_usize..60) {
            let chunk = |piece: &String| format!("{:x}\r\n{piece}\r\n", piece.len());
            let chunked = pieces.iter().map(chunk).collect::<String>() + "0\r\n\r\n";
            let mut reader = BodyReader::new(&head(CHUNKED), 1000);
            for part in chunked.as_bytes().chunks(cut) {
                reader.push(part).unwrap();
            }
            let body = reader.end().unwrap();
            prop_assert_eq!((String::from_utf8(body.bytes).unwrap(), body.is_whole), (pieces.concat(), true));
        }

        #[test]
        fn no_bytes_make_it_panic_or_keep_more_than_it_may(bytes in prop::collection::vec(any::<u8>(), 0..200), limit in 0_usize..9) {
            for fields in [CHUNKED, &[], &[("content-length", "7")]] {
                let mut reader = BodyReader::new(&head(fields), limit);
                let _ = reader.push(&bytes);
                prop_assert!(reader.bytes.len() <= limit);
            }
        }
    }
}
