//! The two messages of `grpc.health.v1.Health/Check`, and their frames. Pure. They are small enough to be written by hand: one text,
//! one number.

/// The longest answer that is read, in bytes; one has at most a handful.
pub(super) const MAX_ANSWER: usize = 16 << 10;

/// What precedes a message: a byte for its compression, and its length in four.
const FRAME: usize = 5;

/// The field number 1 of a message, with a length (`service`).
const SERVICE: u8 = 0x0a;

/// The field number 1 of a message, as a number (`status`).
const STATUS: u64 = 0x08;

/// What a service says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServingStatus {
    Unknown,
    Serving,
    NotServing,
    /// Of a number that has no meaning yet.
    Other(u64),
}

/// A request for the health of `service`, in its frame.
pub(super) fn request(service: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(service.len() + 2 * FRAME);
    if !service.is_empty() {
        message.push(SERVICE);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0], &length[..], &message].concat()
}

/// What an answer in its frame says; `None` where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<ServingStatus> {
    let (head, message) = bytes.split_at_checked(FRAME)?;
    let length = u32::from_be_bytes(head[1..].try_into().ok()?);
    // We offer no compression, so there is none.
    if head[0] != 0 || usize::try_from(length).ok()? != message.len() {
        return None;
    }
    let (mut rest, mut status) = (message, 0);
    while !rest.is_empty() {
        let tag = number(&mut rest)?;
        match tag & 7 {
            0 => {
                let value = number(&mut rest)?;
                if tag == STATUS {
                    status = value;
                }
            }
            1 => rest = rest.get(8..)?,
            2 => {
                let length = usize::try_from(number(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(match status {
        0 => ServingStatus::Unknown,
        1 => ServingStatus::Serving,
        2 => ServingStatus::NotServing,
        other => ServingStatus::Other(other),
    })
}

/// A number of up to ten bytes, seven bits in each, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_as_protocol_buffers_have_it() {
        assert_eq!(request(""), [0, 0, 0, 0, 0]);
        assert_eq!(request("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = request(&"x".repeat(300));
        assert_eq!(long[..8], [0, 0, 0, 1, 0x2f, 0x0a, 0xac, 2]);
        assert_eq!(long.len(), 5 + 3 + 300);
    }

    #[test]
    fn an_answer_is_read_and_fields_to_come_are_passed_over() {
        for (bytes, read_as) in [
            (&[0, 0, 0, 0, 0][..], Some(ServingStatus::Unknown)),
            (&[0, 0, 0, 0, 2, 8, 1], Some(ServingStatus::Serving)),
            (&[0, 0, 0, 0, 2, 8, 2], Some(ServingStatus::NotServing)),
            (&[0, 0, 0, 0, 2, 8, 7], Some(ServingStatus::Other(7))),
            (&[0, 0, 0, 0, 6, 0x12, 2, b'a', b'b', 8, 1], Some(ServingStatus::Serving)),
            (&[1, 0, 0, 0, 2, 8, 1], None),
            (&[0, 0, 0, 0, 3, 8, 1], None),
            (&[0, 0, 0, 0, 1, 8], None),
            (&[0, 0, 0, 0, 2, 0x12, 9], None),
            (&[0, 0, 0], None),
            (b"HTTP/1.1 400 Bad Request", None),
        ] {
            assert_eq!(read(bytes), read_as, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let length = u8::try_from(bytes.len()).unwrap();
            read(&[&[0, 0, 0, 0, length], &bytes[..]].concat());
        }
    }
}
