//! Why an address cannot be listened on, and what to do.

use std::{
    io::{Error, ErrorKind},
    net::SocketAddr,
};

/// Below it only root may listen, unless the kernel is set otherwise (`net.ipv4.ip_unprivileged_port_start`).
const PRIVILEGED: u16 = 1024;

/// The error in a sentence.
pub(super) fn describe(address: SocketAddr, error: &Error) -> Error {
    let what = match error.kind() {
        ErrorKind::AddrInUse => "another program listens there: end that one, or choose another port".into(),
        ErrorKind::AddrNotAvailable => {
            let everywhere = if address.is_ipv4() { "0.0.0.0" } else { "[::]" };
            format!(
                "this machine has no such address, or not yet: choose one that it has (`ip address` lists them), or \
                 {everywhere}:{} for all of them",
                address.port()
            )
        }
        ErrorKind::PermissionDenied if (1..PRIVILEGED).contains(&address.port()) => {
            format!("ports below {PRIVILEGED} are for root and CAP_NET_BIND_SERVICE: choose one from {PRIVILEGED} on")
        }
        // EAFNOSUPPORT: `ipv6.disable=1`.
        _ if error.raw_os_error() == Some(97) => {
            "this machine speaks no IPv6: choose an IPv4 address, like 0.0.0.0".into()
        }
        _ => "choose another address".into(),
    };
    Error::new(error.kind(), format!("cannot listen on {address} ({error}): {what}"))
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
                "this machine has no such address, or not yet: choose one that it has (`ip address` lists them), or \
              0.0.0.0:8080 for all of them",
            ),
            ("[2001:db8::1]:8080", 99, "or [::]:8080 for all of them"),
            ("0.0.0.0:80", 13, "ports below 1024 are for root"),
            ("[::]:8080", 97, "this machine speaks no IPv6"),
            ("0.0.0.0:8080", 13, "choose another address"),
        ] {
            let text = describe(address.parse().unwrap(), &Error::from_raw_os_error(code)).to_string();
            assert!(text.starts_with(&format!("cannot listen on {address} (")) && text.contains(said), "{text}");
        }
    }
}
