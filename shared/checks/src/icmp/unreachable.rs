//! Why a packet was lost, where a router on the way says so: its *unreachable* is no answer, but it is reported. The kernel
//! keeps it in the socket's error queue (`IP_RECVERR`, ip(7)), whichever the kind of socket.

use std::{
    fmt, io,
    net::IpAddr,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

/// What became of a sample.
#[derive(Debug)]
pub enum Sample {
    /// An answer came, after that time.
    Answered(Duration),
    /// Nothing came back in time, or an ICMP error that nothing will.
    Lost(Option<Why>),
}

/// Why a packet was lost.
#[derive(Debug, PartialEq, Eq)]
pub enum Why {
    /// A router on the way, or the host itself, said so.
    Reported(IcmpError),
    /// This machine has no route, or learned that there is none.
    Machine(String),
}

/// An ICMP error about a packet (RFC 792, RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Who said so, where that is known.
    pub by: Option<IpAddr>,
    /// What it means, in words.
    pub what: &'static str,
    /// ICMP's own type; beside the code, for what has no text here.
    pub kind: u8,
    /// ICMP's code within the type.
    pub code: u8,
    /// How long after the packet it came, where that was measured.
    pub after: Option<Duration>,
}

impl IcmpError {
    /// Whether it says that the packet had gone over as many hops as it might.
    pub fn is_time_exceeded(&self) -> bool {
        self.what == TIME_EXCEEDED
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(error) => error.fmt(f),
            Self::Machine(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Some(by) => write!(f, "{by} says: {}", self.what)?,
            None => f.write_str(self.what)?,
        }
        write!(f, ", ICMP type {} code {}", self.kind, self.code)
    }
}

/// An error of a socket as a sample: without a way out a line loses everything, and that is what it is measured for.
///
/// # Errors
/// The error, where it is our own doing that nothing could be measured.
pub(super) fn lost(error: io::Error, address: IpAddr) -> io::Result<Sample> {
    if is_the_line(&error, address) { Ok(Sample::Lost(Some(Why::Machine(error.to_string())))) } else { Err(error) }
}

fn is_the_line(error: &io::Error, address: IpAddr) -> bool {
    use io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, PermissionDenied};
    // A router that prohibits is EACCES over IPv6; what this machine forbids is EPERM, or EACCES over IPv4.
    let prohibited = address.is_ipv6()
        && error.kind() == PermissionDenied
        && error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error());
    let others = [rustix::io::Errno::HOSTDOWN].map(rustix::io::Errno::raw_os_error);
    prohibited
        || matches!(error.kind(), HostUnreachable | NetworkDown | NetworkUnreachable)
        || error.raw_os_error().is_some_and(|error| others.contains(&error))
}

/// Of ICMP's *time exceeded*.
const TIME_EXCEEDED: &str = "it went round until its time was up";

/// What a type and a code mean; `None` of what does not say that a packet was lost, like a redirect.
fn meaning(kind: u8, code: u8, v6: bool) -> Option<&'static str> {
    Some(match (v6, kind, code) {
        (false, 3, 0 | 6 | 11) | (true, 1, 0) => "no route to that network",
        (false, 3, 1 | 7 | 12) | (true, 1, 3) => "that host cannot be reached",
        (false, 3, 2) => "no such protocol there",
        (false, 3, 3) | (true, 1, 4) => "that port cannot be reached",
        (false, 3, 9 | 10 | 13) | (true, 1, 1) => "administratively prohibited",
        (true, 1, 5) => "the source address is prohibited",
        (true, 1, 6) => "that route is rejected",
        (false, 3, 4) | (true, 2, _) => "the packet is too big",
        (false, 3, _) | (true, 1, _) => "it cannot be reached",
        (false, 11, _) | (true, 3, _) => TIME_EXCEEDED,
        (false, 12, _) | (true, 4, _) => "a packet of that kind is not understood",
        _ => return None,
    })
}

/// Has the kernel keep the ICMP errors about this socket's packets.
#[cfg(target_os = "linux")]
pub(super) fn listen(socket: &impl AsFd, address: IpAddr) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    match address {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// The next error, and the beginning of the packet that it is about, from its transport's header on; `None` where there is no
/// more.
#[cfg(target_os = "linux")]
pub(super) fn next(socket: &impl AsRawFd) -> Option<(Option<IcmpError>, Vec<u8>)> {
    use std::io::IoSliceMut;

    use nix::{
        cmsg_space,
        libc::{sock_extended_err, sockaddr_in6},
        sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmsg},
    };

    let mut packet = [0; 128];
    let mut control = cmsg_space!(sock_extended_err, sockaddr_in6, [u8; 128]);
    let (length, found) = {
        let mut into = [IoSliceMut::new(&mut packet)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut into, Some(&mut control), flags).ok()?;
        let found = message.cmsgs().ok()?.find_map(|part| {
            let (error, by, v6) = match part {
                ControlMessageOwned::Ipv4RecvErr(error, by) => {
                    (error, by.map(|by| IpAddr::from(SockaddrIn::from(by).ip())), false)
                }
                ControlMessageOwned::Ipv6RecvErr(error, by) => {
                    (error, by.map(|by| IpAddr::from(SockaddrIn6::from(by).ip())), true)
                }
                _ => return None,
            };
            // From ICMP, and not from this machine.
            (matches!(error.ee_origin, 2 | 3)).then_some(())?;
            let (kind, code) = (error.ee_type, error.ee_code);
            let by = by.filter(|by| !by.is_unspecified()).map(|by| by.to_canonical());
            Some(IcmpError { by, what: meaning(kind, code, v6)?, kind, code, after: None })
        });
        (message.bytes, found)
    };
    Some((found, packet[..length.min(packet.len())].to_vec()))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn listen(_: &impl AsFd, _: IpAddr) -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn next(_: &impl AsRawFd) -> Option<(Option<IcmpError>, Vec<u8>)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_that_there_is_no_way_is_a_loss_and_what_says_that_we_may_not_is_not() {
        use rustix::io::Errno;
        let (v4, v6) = ([192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap());
        for (error, address, is_a_loss) in [
            (Errno::NETUNREACH, v4, true),
            (Errno::HOSTUNREACH, v4, true),
            (Errno::HOSTDOWN, v4, true),
            (Errno::NETDOWN, v6, true),
            (Errno::ACCESS, v6, true),
            (Errno::ACCESS, v4, false),
            (Errno::PERM, v4, false),
            (Errno::PERM, v6, false),
            (Errno::NOBUFS, v4, false),
        ] {
            let sample = lost(io::Error::from_raw_os_error(error.raw_os_error()), address);
            assert_eq!(matches!(sample, Ok(Sample::Lost(Some(_)))), is_a_loss, "{error:?} {address}");
        }
    }

    #[test]
    fn a_redirect_is_no_loss_and_every_unreachable_has_words() {
        assert_eq!((meaning(5, 1, false), meaning(137, 0, true), meaning(4, 0, false)), (None, None, None));
        for code in 0..16 {
            assert!(meaning(3, code, false).is_some() && meaning(1, code, true).is_some());
        }
        let by = Some([192, 0, 2, 2].into());
        let error = IcmpError { by, what: meaning(3, 13, false).unwrap(), kind: 3, code: 13, after: None };
        assert_eq!(error.to_string(), "192.0.2.2 says: administratively prohibited, ICMP type 3 code 13");
    }
}
