//! One question to one name server, over UDP, and over TCP where the answer does not fit (RFC 1035, RFC 7766).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RecordType},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};

use super::Family;

/// After how long a datagram counts as lost, and is sent again; then after twice that, and so on.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// The longest answer over UDP. We offer no more than 512 bytes, but take what comes.
const MAX_DATAGRAM: usize = 4096;

/// What a server says of a name's addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAnswer {
    /// At least one.
    Addresses(Vec<IpAddr>),
    /// There is no such name (NXDOMAIN).
    NoSuchName,
    /// The name is there, but has none of this family.
    NoAddress,
    /// It answered with that error.
    Failed(ResponseCode),
    /// It did not answer in time.
    Silent,
    /// It cannot be reached.
    Unreachable,
}

/// A name, and the family of addresses that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    name: Name,
    family: Family,
}

impl Question {
    /// `None` where no such name can exist.
    pub(super) fn new(name: &str, family: Family) -> Option<Self> {
        let parsed = if name.is_ascii() { Name::from_ascii(name) } else { Name::from_utf8(name) };
        let mut name = parsed.ok()?;
        name.set_fqdn(true);
        Some(Self { name, family })
    }

    fn kind(&self) -> RecordType {
        match self.family {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        }
    }

    fn message(&self, id: u16) -> Option<Vec<u8>> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind()));
        message.to_vec().ok()
    }

    /// What a datagram says; `None` where it is no answer to this question.
    fn read(&self, id: u16, bytes: &[u8]) -> Option<Answer> {
        let message = Message::from_vec(bytes).ok()?;
        let head = &message.metadata;
        let asked = match &message.queries[..] {
            // Where a server understood nothing, it repeats nothing.
            [] => head.response_code != ResponseCode::NoError,
            [query] => query.query_type() == self.kind() && query.name().eq_ignore_root(&self.name),
            _ => false,
        };
        if head.id != id || head.message_type != MessageType::Response || !asked {
            return None;
        }
        let of_family = |address: &IpAddr| Family::of(*address) == self.family;
        // An unspecified address is how filters say no; connected to, it would be this machine.
        let usable = |address: &IpAddr| of_family(address) && !address.is_unspecified();
        let addresses: Vec<IpAddr> =
            message.answers.iter().filter_map(|record| record.data.ip_addr()).filter(usable).collect();
        let said = match head.response_code {
            ResponseCode::NoError if addresses.is_empty() => ServerAnswer::NoAddress,
            ResponseCode::NoError => ServerAnswer::Addresses(addresses),
            ResponseCode::NXDomain => ServerAnswer::NoSuchName,
            code => ServerAnswer::Failed(code),
        };
        Some(Answer { is_cut: head.truncation && said == ServerAnswer::NoAddress, said })
    }
}

struct Answer {
    said: ServerAnswer,
    /// The addresses did not fit.
    is_cut: bool,
}

/// Asks until there is an answer, or `until` has come.
pub(super) async fn ask(server: SocketAddr, question: &Question, until: Instant) -> ServerAnswer {
    match timeout_at(until, try_ask(server, question)).await {
        Err(_) => ServerAnswer::Silent,
        Ok(Err(_)) => ServerAnswer::Unreachable,
        Ok(Ok(said)) => said,
    }
}

async fn try_ask(server: SocketAddr, question: &Question) -> io::Result<ServerAnswer> {
    let id = fastrand::u16(..);
    let message = question.message(id).ok_or(io::ErrorKind::InvalidInput)?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // A port of its own for each question, and a socket that receives from that server alone.
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let (mut bytes, mut timeout) = (vec![0; MAX_DATAGRAM], LOST_AFTER);
    loop {
        socket.send(&message).await?;
        let resend_at = Instant::now() + timeout;
        while let Ok(length) = timeout_at(resend_at, socket.recv(&mut bytes)).await {
            match question.read(id, &bytes[..length?]) {
                Some(Answer { is_cut: true, .. }) => return over_tcp(server, question, id, &message).await,
                Some(Answer { said, .. }) => return Ok(said),
                None => (),
            }
        }
        timeout *= 2;
    }
}

async fn over_tcp(server: SocketAddr, question: &Question, id: u16, message: &[u8]) -> io::Result<ServerAnswer> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let mut bytes = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut bytes).await?;
    question.read(id, &bytes).map(|answer| answer.said).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_proto::rr::{RData, Record, rdata};

    use super::*;

    fn question() -> Question {
        Question::new("home.example", Family::V4).unwrap()
    }

    fn reply(change: impl FnOnce(&mut Message)) -> Option<ServerAnswer> {
        let mut message = Message::from_vec(&question().message(7).unwrap()).unwrap();
        message.metadata.message_type = MessageType::Response;
        change(&mut message);
        question().read(7, &message.to_vec().unwrap()).map(|answer| answer.said)
    }

    fn record(owner: &str, data: RData) -> Record {
        Record::from_rdata(Name::from_str(owner).unwrap(), 60, data)
    }

    fn address(text: &str) -> RData {
        RData::A(rdata::A(text.parse().unwrap()))
    }

    #[test]
    fn addresses_are_found_behind_other_names() {
        let said = reply(|message| {
            let alias = rdata::CNAME(Name::from_str("other.example.").unwrap());
            message.add_answer(record("home.example.", RData::CNAME(alias)));
            message.add_answer(record("other.example.", address("192.0.2.7")));
        });
        assert_eq!(said, Some(ServerAnswer::Addresses(vec!["192.0.2.7".parse().unwrap()])));
    }

    #[test]
    fn what_answers_another_question_is_no_answer() {
        assert_eq!(reply(|message| message.metadata.id = 8), None);
        assert_eq!(reply(|message| message.metadata.message_type = MessageType::Query), None);
        assert_eq!(reply(|message| message.queries[0].name = Name::from_str("away.example.").unwrap()), None);
        assert_eq!(reply(|message| message.queries[0].query_type = RecordType::AAAA), None);
        assert_eq!(reply(|message| message.queries.clear()), None);
        assert_eq!(question().read(7, b"not a message"), None);
    }

    #[test]
    fn a_filter_that_answers_with_no_address_in_particular_has_none() {
        let said = reply(|message| {
            message.add_answer(record("home.example.", address("0.0.0.0")));
        });
        assert_eq!(said, Some(ServerAnswer::NoAddress));
    }

    #[test]
    fn each_code_is_distinguished() {
        let with = |code| reply(|message| message.metadata.response_code = code);
        assert_eq!(with(ResponseCode::NoError), Some(ServerAnswer::NoAddress));
        assert_eq!(with(ResponseCode::NXDomain), Some(ServerAnswer::NoSuchName));
        assert_eq!(with(ResponseCode::Refused), Some(ServerAnswer::Failed(ResponseCode::Refused)));
        let bare = reply(|message| {
            message.queries.clear();
            message.metadata.response_code = ResponseCode::FormErr;
        });
        assert_eq!(bare, Some(ServerAnswer::Failed(ResponseCode::FormErr)));
    }

    impl PartialEq for Answer {
        fn eq(&self, other: &Self) -> bool {
            self.said == other.said
        }
    }

    impl std::fmt::Debug for Answer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.said.fmt(f)
        }
    }
}
