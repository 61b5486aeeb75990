//! The records of a name, of any type, as one name server has them.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RecordType},
};
use tokio::time::{Instant, timeout_at};

use super::wire::{self, Answer};

/// What a name server says of the records of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// How it answered: without an error, NXDOMAIN, SERVFAIL …
    pub code: ResponseCode,
    /// The data of the records of the type that was asked for, as people write it, in the server's order; of other types,
    /// like the aliases that led there, none. Nothing is stripped or bounded but by the length of a message (64 KiB).
    pub data: Vec<String>,
}

/// Asks one server for the records of a name. An address stands for its name in the reverse tree where PTR is asked for.
///
/// # Errors
/// Those of the sockets, like a refused connection; *timed out* at `until`, *invalid input* where no such name can exist, and
/// *invalid data* where what answers over TCP is no name server.
pub async fn ask_for_records(server: SocketAddr, name: &str, kind: RecordType, until: Instant) -> io::Result<Records> {
    let name = parsed(name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let id = fastrand::u16(..);
    let message = wire::message(id, name.clone(), kind).ok_or(io::ErrorKind::InvalidInput)?;
    let read = |bytes: &[u8]| {
        let message = wire::read(bytes, id, &name, kind)?;
        let data = message.answers.iter().filter(|record| record.record_type() == kind);
        let data = data.map(|record| record.data.to_string()).collect();
        let said = Records { code: message.metadata.response_code, data };
        Some(Answer { said, is_cut: message.metadata.truncation })
    };
    timeout_at(until, wire::exchange(server, &message, read)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

fn parsed(name: &str, kind: RecordType) -> Option<Name> {
    if let (RecordType::PTR, Ok(address)) = (kind, name.parse::<IpAddr>()) {
        return Some(address.into());
    }
    let parsed = if name.is_ascii() { Name::from_ascii(name) } else { Name::from_utf8(name) };
    let mut name = parsed.ok()?;
    name.set_fqdn(true);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_about_by_its_name_in_the_reverse_tree() {
        let asked = |name, kind| parsed(name, kind).map(|name| name.to_ascii());
        assert_eq!(asked("192.0.2.7", RecordType::PTR).as_deref(), Some("7.2.0.192.in-addr.arpa."));
        assert_eq!(asked("7.2.0.192.in-addr.arpa", RecordType::PTR).as_deref(), Some("7.2.0.192.in-addr.arpa."));
        assert_eq!(asked("home.example", RecordType::A).as_deref(), Some("home.example."));
        assert_eq!(asked("a..b", RecordType::A), None);
    }
}
