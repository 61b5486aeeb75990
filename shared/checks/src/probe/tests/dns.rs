use std::net::SocketAddr;

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{Name, RData, Record, rdata},
};
use shared::names::Names;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

use super::{LONG, SHORT, fine, prober, run, servers::closed, wrong};
use crate::{
    cause::Cause,
    check::{DnsCheck, Kind, RecordType},
    probe::Prober,
};

/// A name server of one address, over UDP and TCP.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What its answers over UDP are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Datagrams {
    Right,
    /// Garbage, and an answer to another question, come before the right one.
    AfterOthers,
    /// Only answers to other questions.
    OthersAlone,
    /// Without records, which do not fit.
    Cut,
    /// The same, and over TCP it speaks something else.
    CutForNothing,
}

impl NameServer {
    /// Answers with that code, or not at all.
    pub(super) async fn start(code: Option<ResponseCode>, data: Vec<RData>) -> Self {
        Self::start_with(code, data, Datagrams::Right).await
    }

    async fn start_with(code: Option<ResponseCode>, data: Vec<RData>, datagrams: Datagrams) -> Self {
        // A port that is free for both.
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let (address, over_tcp) = (udp.local_addr().unwrap(), data.clone());
        let over_udp = tokio::spawn(async move {
            let mut bytes = [0; 512];
            loop {
                let (length, from) = udp.recv_from(&mut bytes).await.unwrap();
                let Some(code) = code else { continue };
                for answer in answers(&bytes[..length], code, &data, datagrams) {
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let over_tcp = tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let mut bytes = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut bytes).await.unwrap();
                let answer = if datagrams == Datagrams::CutForNothing {
                    b"220 mail".to_vec()
                } else {
                    answer(&bytes, ResponseCode::NoError, &over_tcp).to_vec().unwrap()
                };
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
        Self { address, tasks: [over_udp, over_tcp] }
    }
}

fn answer(question: &[u8], code: ResponseCode, data: &[RData]) -> Message {
    let mut message = Message::from_vec(question).unwrap();
    message.metadata.message_type = MessageType::Response;
    message.metadata.response_code = code;
    let owner = message.queries[0].name().clone();
    for data in data {
        message.add_answer(Record::from_rdata(owner.clone(), 60, data.clone()));
    }
    message
}

fn answers(question: &[u8], code: ResponseCode, data: &[RData], datagrams: Datagrams) -> Vec<Vec<u8>> {
    let right = answer(question, code, data);
    let mut other = answer(question, code, &[a("203.0.113.9")]);
    other.metadata.id = right.metadata.id.wrapping_add(1);
    let mut cut = answer(question, code, &[]);
    cut.metadata.truncation = true;
    let [right, other, cut] = [right, other, cut].map(|message| message.to_vec().unwrap());
    match datagrams {
        Datagrams::Right => vec![right],
        Datagrams::AfterOthers => vec![b"garbage".to_vec(), other, right],
        Datagrams::OthersAlone => vec![b"garbage".to_vec(), other],
        Datagrams::Cut | Datagrams::CutForNothing => vec![cut],
    }
}

fn a(address: &str) -> RData {
    RData::A(rdata::A(address.parse().unwrap()))
}

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

fn check(server: SocketAddr, record: RecordType, expect: &[&str]) -> DnsCheck {
    let expect = expect.iter().map(|&record| record.to_owned()).collect();
    DnsCheck { name: "home.example".into(), record, server: Some(server), expect, exactly: false }
}

#[tokio::test]
async fn each_answer_of_a_server_has_its_cause() {
    let right = || vec![a("192.0.2.7")];
    let fine = fine("answer");
    for (code, data, datagrams, within, wanted) in [
        (Some(ResponseCode::NoError), right(), Datagrams::Right, LONG, fine),
        (Some(ResponseCode::NoError), right(), Datagrams::AfterOthers, LONG, fine),
        (Some(ResponseCode::NoError), right(), Datagrams::Cut, LONG, fine),
        (Some(ResponseCode::NoError), right(), Datagrams::CutForNothing, LONG, wrong(Cause::Protocol, "answer")),
        (Some(ResponseCode::NoError), right(), Datagrams::OthersAlone, SHORT, wrong(Cause::TimedOut, "answer")),
        (Some(ResponseCode::NoError), vec![], Datagrams::Right, LONG, wrong(Cause::Records, "answer")),
        (Some(ResponseCode::NXDomain), vec![], Datagrams::Right, LONG, wrong(Cause::Name, "answer")),
        (Some(ResponseCode::ServFail), vec![], Datagrams::Right, LONG, wrong(Cause::Status, "answer")),
        (Some(ResponseCode::Refused), vec![], Datagrams::Right, LONG, wrong(Cause::Status, "answer")),
        (None, vec![], Datagrams::Right, SHORT, wrong(Cause::TimedOut, "answer")),
    ] {
        let server = NameServer::start_with(code, data, datagrams).await;
        let check = check(server.address, RecordType::A, &["192.0.2.7"]);
        run(&prober(), Kind::Dns(check), within, wanted, &format!("{code:?} {datagrams:?}")).await;
    }
    let check = check(closed().await, RecordType::A, &[]);
    run(&prober(), Kind::Dns(check), LONG, wrong(Cause::Refused, "answer"), "closed").await;
}

#[tokio::test]
async fn expected_records_are_there_in_any_order_and_case() {
    let mx = |preference, host| RData::MX(rdata::MX::new(preference, name(host)));
    let addresses = || vec![a("192.0.2.7"), a("192.0.2.8")];
    let text = |parts: &[&str]| RData::TXT(rdata::TXT::new(parts.iter().map(|&part| part.to_owned()).collect()));
    let aaaa = || vec![RData::AAAA(rdata::AAAA("2001:db8::1".parse().unwrap()))];
    let alias = RData::CNAME(rdata::CNAME(name("Other.example.")));
    let (met, not) = (fine("answer"), wrong(Cause::Records, "answer"));
    for (record, data, expect, exactly, wanted) in [
        (RecordType::A, addresses(), &[][..], false, met),
        (RecordType::A, addresses(), &["192.0.2.8", "192.0.2.7"], true, met),
        (RecordType::A, addresses(), &["192.0.2.8"], false, met),
        (RecordType::A, addresses(), &["192.0.2.8"], true, not),
        (RecordType::A, addresses(), &["192.0.2.9"], false, not),
        (RecordType::A, vec![alias.clone()], &[], false, not),
        (RecordType::A, vec![], &[], true, met),
        (RecordType::Cname, vec![alias], &["OTHER.EXAMPLE"], true, met),
        (RecordType::Aaaa, aaaa(), &["2001:DB8:0::1"], true, met),
        (
            RecordType::Mx,
            vec![mx(20, "b.example."), mx(10, "A.example.")],
            &["10 a.example", "20 B.example."],
            true,
            met,
        ),
        (RecordType::Mx, vec![mx(20, "b.example.")], &["10 b.example"], false, not),
        (RecordType::Txt, vec![text(&["v=spf1 ", "-all"])], &["\"v=spf1 -all\""], true, met),
        (RecordType::Txt, vec![text(&["v=spf1 \u{1b}[31m\n"])], &["v=spf1"], true, not),
    ] {
        let server = NameServer::start(Some(ResponseCode::NoError), data).await;
        let check = DnsCheck { exactly, ..check(server.address, record, expect) };
        run(&prober(), Kind::Dns(check), LONG, wanted, &format!("{record:?} {expect:?} {exactly}")).await;
    }
    let server = NameServer::start(Some(ResponseCode::NoError), addresses()).await;
    let check = check(server.address, RecordType::A, &["192.0.2.9"]);
    let outcome = run(&prober(), Kind::Dns(check), LONG, not, "what there is").await;
    assert_eq!(outcome.text, "missing: A 192.0.2.9; there is 192.0.2.7, 192.0.2.8");
}

#[tokio::test]
async fn without_a_server_those_of_this_machine_are_asked_one_after_the_other() {
    let failing = NameServer::start(Some(ResponseCode::ServFail), vec![]).await;
    let working = NameServer::start(Some(ResponseCode::NoError), vec![a("192.0.2.7")]).await;
    let denying = NameServer::start(Some(ResponseCode::NXDomain), vec![]).await;
    let (failing, working, denying) = (failing.address, working.address, denying.address);
    for (servers, wanted) in [
        (vec![failing, working], fine("answer")),
        (vec![denying, working], wrong(Cause::Name, "answer")),
        (vec![failing], wrong(Cause::Status, "answer")),
        (vec![], wrong(Cause::Local, "")),
    ] {
        let prober = Prober { names: Some(Names::of_servers(servers)), ..prober() };
        let check = DnsCheck { server: None, ..check(working, RecordType::A, &[]) };
        run(&prober, Kind::Dns(check), LONG, wanted, "several").await;
    }
}

#[tokio::test]
async fn what_can_be_no_name_is_not_asked_about() {
    let server = NameServer::start(Some(ResponseCode::NoError), vec![a("192.0.2.7")]).await;
    let check = DnsCheck { name: "a..b".into(), ..check(server.address, RecordType::A, &[]) };
    run(&prober(), Kind::Dns(check), LONG, wrong(Cause::Local, "answer"), "no name").await;
}
