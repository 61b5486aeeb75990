//! Why an address cannot be listened on, and what to do.

use std::{
    io::{Error, ErrorKind},
    net::SocketAddr,
};

use shared::message::StartFault;

/// Below it only root may listen, unless the kernel is set otherwise (`net.ipv4.ip_unprivileged_port_start`).
const PRIVILEGED: u16 = 1024;

/// The error in a sentence.
pub(super) fn describe(address: SocketAddr, error: &Error) -> Error {
    let fault = match error.kind() {
        ErrorKind::AddrInUse => StartFault::PortTaken,
        ErrorKind::AddrNotAvailable => StartFault::NoSuchAddress,
        ErrorKind::PermissionDenied if (1..PRIVILEGED).contains(&address.port()) => StartFault::PortOfRoot,
        // EAFNOSUPPORT: `ipv6.disable=1`.
        _ if error.raw_os_error() == Some(97) => StartFault::NoIpv6,
        _ => StartFault::CannotListen,
    };
    let sentence = format!("cannot listen on {address} ({error}): {}", fault.words());
    Error::new(error.kind(), fault.entry().ending(&sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_not_listening_is_described_with_what_to_do() {
        for (address, code, said) in [
            ("127.0.0.1:8080", 98, "another program listens there"),
            (
                "192.0.2.7:8080",
                99,
                "this machine has no such address, or not yet: choose one that it has (`ip address` lists them), or for \
                 all of them 0.0.0.0 or [::], with the same port (more: infra/MESSAGES.md#listen-no-such-address)",
            ),
            ("[2001:db8::1]:8080", 99, "this machine has no such address"),
            ("0.0.0.0:80", 13, "ports below 1024 are for root"),
            ("[::]:8080", 97, "this machine speaks no IPv6"),
            ("0.0.0.0:8080", 13, "choose another address"),
        ] {
            let text = describe(address.parse().unwrap(), &Error::from_raw_os_error(code)).to_string();
            assert!(text.starts_with(&format!("cannot listen on {address} (")) && text.contains(said), "{text}");
        }
    }
}
