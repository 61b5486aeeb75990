//! The body of an answer, read and decoded within a bound, whatever its sender says of its length.

use std::io::{ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::header::{CONTENT_ENCODING, HeaderMap};

use super::exchange::{Answer, ended};
use crate::{cause::Cause, probe::run::Finding};

/// A body, or its beginning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// Empty where nobody wants to read it.
    pub(super) bytes: Vec<u8>,
    /// How much was read, in bytes.
    pub(super) length: usize,
    /// Whether there is no more of it.
    pub(super) is_whole: bool,
}

/// What is asked of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// That there is one, in whatever form and part.
    Nothing,
    /// How long it is, decoded.
    Length,
    /// What it says.
    Content,
}

/// Reads no more than `limit` bytes, and decodes them where anything is asked of them: what is decoded is larger.
pub(super) async fn read(mut answer: Answer, limit: usize, asked: Asked) -> Result<Body, Finding> {
    let encoding = if asked == Asked::Nothing { Encoding::None } else { encoding(&answer.head.headers) };
    let is_kept = asked == Asked::Content || encoding == Encoding::Gzip;
    let mut body = Body { is_whole: true, ..Body::default() };
    // A server that closes TLS without saying so has ended a body that ends with its connection.
    let may_end = answer.ends_with_the_connection();
    while let Some(frame) = answer.body.frame().await {
        let piece = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) if may_end && is_end(&error) => break,
            Err(error) => {
                return Err(ended(&error, &format!("after {} bytes of the body", body.length)));
            }
        };
        let taken = piece.len().min(limit - body.length);
        body.length += taken;
        if is_kept {
            body.bytes.extend_from_slice(&piece[..taken]);
        }
        if taken < piece.len() {
            body.is_whole = false;
            break;
        }
    }
    match encoding {
        Encoding::None => Ok(body),
        Encoding::Gzip => decoded(&body, limit),
        Encoding::Other if asked != Asked::Content => Ok(body),
        Encoding::Other => Err(Finding::new(
            Cause::Body,
            "its body is compressed in a way that it was not asked for and is not known here",
        )),
    }
}

fn is_end(error: &hyper::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        next = error.source();
    }
    false
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    None,
    Gzip,
    Other,
}

/// How a body is encoded: we ask for none, which some servers pass over.
fn encoding(headers: &HeaderMap) -> Encoding {
    let mut found = Encoding::None;
    let named = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for coding in named.flat_map(|value| value.split(',')).map(|coding| coding.trim().to_ascii_lowercase()) {
        found = match (coding.as_str(), found) {
            ("" | "identity", found) => found,
            ("gzip" | "x-gzip", Encoding::None) => Encoding::Gzip,
            _ => Encoding::Other,
        };
    }
    found
}

fn decoded(encoded: &Body, limit: usize) -> Result<Body, Finding> {
    if encoded.bytes.is_empty() && encoded.is_whole {
        return Ok(Body { is_whole: true, ..Body::default() });
    }
    let mut bytes = Vec::new();
    // One more than is taken shows that there is more.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(&*encoded.bytes).take(most).read_to_end(&mut bytes);
    let is_cut = read.as_ref().is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof) && !encoded.is_whole;
    if read.is_err() && !is_cut {
        return Err(Finding::new(Cause::Body, "its body says that it is gzip, and is not, or not to its end"));
    }
    let is_whole = encoded.is_whole && bytes.len() <= limit;
    bytes.truncate(limit);
    Ok(Body { length: bytes.len(), bytes, is_whole })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use hyper::header::HeaderValue;

    use super::*;
    use crate::answer::MAX_BODY;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn body(bytes: Vec<u8>, is_whole: bool) -> Body {
        Body { length: bytes.len(), bytes, is_whole }
    }

    #[test]
    fn what_is_decoded_is_bounded() {
        let bomb = body(gzip(&vec![0; 64 << 20]), true);
        assert!(bomb.length < 100_000);
        let decoded = decoded(&bomb, MAX_BODY).unwrap();
        assert_eq!((decoded.length, decoded.bytes.len(), decoded.is_whole), (MAX_BODY, MAX_BODY, false));
        assert!(decoded.bytes.capacity() <= 4 * MAX_BODY);
    }

    #[test]
    fn a_body_is_decoded_as_far_as_it_was_read() {
        let text = b"hello ".repeat(100);
        assert_eq!(decoded(&body(gzip(&text), true), 600), Ok(body(text.clone(), true)));
        assert_eq!(decoded(&body(gzip(&text), true), 599), Ok(body(text[..599].to_vec(), false)));
        let (one, other) = (gzip(b"one"), gzip(b"other"));
        assert_eq!(decoded(&body([one, other].concat(), true), 99), Ok(body(b"oneother".to_vec(), true)));
        let cut = gzip(&text)[..20].to_vec();
        assert_eq!(decoded(&body(cut.clone(), true), 600).unwrap_err().cause, Cause::Body);
        assert!(!decoded(&body(cut, false), 600).unwrap().is_whole);
        assert_eq!(decoded(&body(b"no gzip".to_vec(), true), 600).unwrap_err().cause, Cause::Body);
        assert_eq!(decoded(&body(Vec::new(), true), 600), Ok(body(Vec::new(), true)));
    }

    #[test]
    fn the_encoding_is_read_from_all_headers() {
        for (values, found) in [
            (&[][..], Encoding::None),
            (&["identity"], Encoding::None),
            (&["GZIP"], Encoding::Gzip),
            (&["x-gzip, identity"], Encoding::Gzip),
            (&["gzip", "gzip"], Encoding::Other),
            (&["br"], Encoding::Other),
        ] {
            let mut map = HeaderMap::new();
            for value in values {
                map.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(encoding(&map), found, "{values:?}");
        }
    }
}
