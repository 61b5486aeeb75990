//! One message to one name server, over UDP, and over TCP where the answer does not fit (RFC 1035, RFC 7766).

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
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

/// After how long a datagram counts as lost, and is sent again; then after twice that, and so on.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// The longest answer over UDP. We offer no more than 512 bytes, but take what comes.
const MAX_DATAGRAM: usize = 4096;

/// What was read of a message that answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer<T> {
    pub(super) said: T,
    /// What matters of it did not fit.
    pub(super) is_cut: bool,
}

/// A question as it is sent; `None` where it cannot be written.
pub(super) fn message(id: u16, name: Name, kind: RecordType) -> Option<Vec<u8>> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    message.to_vec().ok()
}

/// The message that a datagram holds; `None` where it is no answer to this question.
pub(super) fn read(bytes: &[u8], id: u16, name: &Name, kind: RecordType) -> Option<Message> {
    let message = Message::from_vec(bytes).ok()?;
    let head = &message.metadata;
    let asked = match &message.queries[..] {
        // Where a server understood nothing, it repeats nothing.
        [] => head.response_code != ResponseCode::NoError,
        [query] => query.query_type() == kind && query.name().eq_ignore_root(name),
        _ => false,
    };
    (head.id == id && head.message_type == MessageType::Response && asked).then_some(message)
}

/// Sends a message until there is an answer to it, as `read` finds it; whoever calls has a deadline.
///
/// # Errors
/// Those of the sockets; invalid data where the answer over TCP is none.
pub(super) async fn exchange<T>(
    server: SocketAddr,
    message: &[u8],
    read: impl Fn(&[u8]) -> Option<Answer<T>>,
) -> io::Result<T> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // A port of its own for each question, and a socket that receives from that server alone.
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let (mut bytes, mut timeout) = (vec![0; MAX_DATAGRAM], LOST_AFTER);
    loop {
        socket.send(message).await?;
        let resend_at = Instant::now() + timeout;
        while let Ok(length) = timeout_at(resend_at, socket.recv(&mut bytes)).await {
            match read(&bytes[..length?]) {
                Some(Answer { is_cut: true, .. }) => return over_tcp(server, message, read).await,
                Some(Answer { said, .. }) => return Ok(said),
                None => (),
            }
        }
        timeout *= 2;
    }
}

async fn over_tcp<T>(server: SocketAddr, message: &[u8], read: impl Fn(&[u8]) -> Option<Answer<T>>) -> io::Result<T> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let mut bytes = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut bytes).await?;
    read(&bytes).map(|answer| answer.said).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
