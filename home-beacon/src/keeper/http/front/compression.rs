//! gzip for who accepts it. An answer is compressed as a whole, at once: a compressor takes a third of a mebibyte for as long as
//! it lives, and one for each of 256 slow connections would take more than the whole keeper.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::{Compression, Crc, write::DeflateEncoder};

use super::MAX_BODY;

/// Shorter answers fit into a packet anyway.
const LEAST: usize = 512;

/// How many compressed answers are kept, and how long each may be, in bytes.
const MAX_KEPT: usize = 16;
const MAX_KEPT_LENGTH: usize = 64 << 10;

/// As RFC 1952 has it: deflated, without a name or a time, by an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The one compressor of a listener, and what it made lately. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Compressor(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Made once it is needed, and used again and again: to allocate one for each answer would tear holes into the heap.
    encoder: Option<DeflateEncoder<Vec<u8>>>,
    /// By the answer's tag.
    kept: HashMap<HeaderValue, Bytes>,
}

pub(super) async fn compressed(State(compressor): State<Compressor>, request: Request, next: Next) -> Response {
    let accepts = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    let status = response.status();
    if !matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED) || !is_text(response.headers()) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if accepts && status == StatusCode::OK { packed(&compressor, response).await } else { response }
}

async fn packed(compressor: &Compressor, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let gzip = (body.len() >= LEAST).then(|| compressor.gzip(parts.headers.get(header::ETAG), &body));
    let Some(gzip) = gzip.and_then(Result::ok) else { return Response::from_parts(parts, body.into()) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(gzip))
}

impl Compressor {
    /// The body as gzip; that of an answer with the same tag, where there was one lately.
    fn gzip(&self, tag: Option<&HeaderValue>, body: &[u8]) -> io::Result<Bytes> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = tag.and_then(|tag| inner.kept.get(tag)) {
            return Ok(kept.clone());
        }
        // With little effort: on a Pi time is dearer than some bytes.
        let encoder = inner.encoder.get_or_insert_with(|| DeflateEncoder::new(Vec::new(), Compression::fast()));
        let gzip = Bytes::from(gzip(encoder, body)?);
        if let Some(tag) = tag.filter(|_| gzip.len() <= MAX_KEPT_LENGTH) {
            if inner.kept.len() >= MAX_KEPT {
                inner.kept.clear();
            }
            inner.kept.insert(tag.clone(), gzip.clone());
        }
        Ok(gzip)
    }
}

fn gzip(encoder: &mut DeflateEncoder<Vec<u8>>, body: &[u8]) -> io::Result<Vec<u8>> {
    encoder.reset(GZIP_HEADER.to_vec())?;
    encoder.write_all(body)?;
    let mut gzip = encoder.reset(Vec::new())?;
    let mut check = Crc::new();
    check.update(body);
    gzip.extend(check.sum().to_le_bytes());
    gzip.extend(check.amount().to_le_bytes());
    gzip.shrink_to_fit();
    Ok(gzip)
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compressor")
    }
}

/// Pictures, but for drawn ones, are compressed already.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    !kind.starts_with("image/") || kind.starts_with("image/svg+xml")
}

/// Whether gzip is named, and not with the weight of nothing.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(|weight| weight.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(true)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn gzip_is_for_who_names_it() {
        let headers = |value: &str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
        for (value, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("gzip;q=1.000", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
            ("x-gzip", false),
        ] {
            assert_eq!(accepts_gzip(&headers(value)), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn what_is_packed_can_be_unpacked_and_is_packed_once() {
        let compressor = Compressor::default();
        let unpacked = |gzip: &[u8]| {
            let mut unpacked = String::new();
            GzDecoder::new(gzip).read_to_string(&mut unpacked).unwrap();
            unpacked
        };
        for number in 0..100 {
            let text = format!("page {number} ").repeat(1000);
            let tag = HeaderValue::try_from(format!("W/\"{number}\"")).unwrap();
            let packed = compressor.gzip(Some(&tag), text.as_bytes()).unwrap();
            assert!(unpacked(&packed) == text && packed.len() < text.len() / 10);
            let again = compressor.gzip(Some(&tag), b"another").unwrap();
            assert_eq!(again.as_ptr(), packed.as_ptr(), "the same tag is the same answer");
            assert_eq!(unpacked(&compressor.gzip(None, text.as_bytes()).unwrap()), text);
        }
        assert!(compressor.0.lock().unwrap().kept.len() <= MAX_KEPT);
    }
}
