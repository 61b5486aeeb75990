//! One question about addresses to one name server.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RecordType},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Family,
    wire::{self, Answer},
};

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
        wire::message(id, self.name.clone(), self.kind())
    }

    /// What a datagram says; `None` where it is no answer to this question.
    fn read(&self, id: u16, bytes: &[u8]) -> Option<Answer<ServerAnswer>> {
        let message = wire::read(bytes, id, &self.name, self.kind())?;
        let head = &message.metadata;
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
    wire::exchange(server, &message, |bytes| question.read(id, bytes)).await
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_proto::{
        op::{Message, MessageType},
        rr::{RData, Record, rdata},
    };

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
}
