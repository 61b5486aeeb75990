//! What an address source answers: our address as it sees it, bare or as the line `ip=` of a trace.

use std::net::IpAddr;

use shared::{
    names::Family,
    network::{NotPublic, public},
};

/// The longest answer that is read, in bytes. A trace has about 300.
pub const MAX_BYTES: usize = 4 << 10;

/// Why an answer names no address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// It is something else, or names several.
    #[error("its answer is not one address")]
    NotOne,
    /// It names one of the other family.
    #[error("it says {0}, which is no {1} address")]
    OtherFamily(IpAddr, Family),
    /// It says that the request came through Cloudflare's WARP.
    #[error("it says that we come through a tunnel (WARP), whose address is not this home's")]
    Tunnelled,
    /// It names one that the world cannot reach.
    #[error("it says {0}")]
    NotPublic(#[from] NotPublic),
}

/// Reads the answer of an address source that was asked over `family`: exactly one public address of it, or nothing.
///
/// # Errors
/// Why there is none in it.
pub fn address(answer: &[u8], family: Family) -> Result<IpAddr, NoAddress> {
    let text = std::str::from_utf8(answer).map_err(|_| NoAddress::NotOne)?.trim_ascii();
    let address = match text.parse() {
        Ok(address) => address,
        Err(_) => traced(text)?,
    };
    if Family::of(address) != family {
        return Err(NoAddress::OtherFamily(address, family));
    }
    Ok(public(address)?)
}

/// Reads a trace: lines `key=value`, of which more come with the years, and one of which is `ip`.
fn traced(text: &str) -> Result<IpAddr, NoAddress> {
    let pairs: Option<Vec<_>> = text.lines().map(|line| line.trim_ascii_end().split_once('=')).collect();
    let pairs = pairs.ok_or(NoAddress::NotOne)?;
    let word = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if !pairs.iter().all(|(key, _)| word(key)) {
        return Err(NoAddress::NotOne);
    }
    let mut addresses = pairs.iter().filter(|(key, _)| *key == "ip").map(|(_, value)| value.parse());
    let (Some(Ok(address)), None) = (addresses.next(), addresses.next()) else { return Err(NoAddress::NotOne) };
    if pairs.iter().any(|(key, value)| *key == "warp" && *value != "off") {
        return Err(NoAddress::Tunnelled);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::corpus, *};

    #[test]
    fn an_answer_is_one_bare_address_or_a_trace() {
        for (answer, expected) in [
            ("81.2.69.142", "81.2.69.142"),
            ("81.2.69.142\n", "81.2.69.142"),
            (" 81.2.69.142 \r\n", "81.2.69.142"),
            ("fl=1f1\nip=81.2.69.142\nwarp=off\n", "81.2.69.142"),
            ("ip=81.2.69.142\r\n", "81.2.69.142"),
        ] {
            assert_eq!(address(answer.as_bytes(), Family::V4), Ok(expected.parse().unwrap()), "{answer:?}");
        }
        let six = "2a02:8109::1".parse().unwrap();
        assert_eq!(address(b"2A02:8109:0::1\n", Family::V6), Ok(six));
        assert_eq!(
            address(b"81.2.69.142", Family::V6).unwrap_err().to_string(),
            "it says 81.2.69.142, which is no IPv6 address"
        );
        assert_eq!(address(b"ip=81.2.69.142\nwarp=on", Family::V4), Err(NoAddress::Tunnelled));
        assert!(matches!(address(b"100.64.0.1", Family::V4), Err(NoAddress::NotPublic(_))));
        assert!(matches!(address(b"::ffff:81.2.69.142", Family::V6), Err(NoAddress::NotPublic(_))));
    }

    #[test]
    fn anything_else_names_nothing() {
        for answer in [
            "",
            "\n",
            "81.2.69.142 81.2.69.143",
            "81.2.69.142\n81.2.69.143",
            "Your address is 81.2.69.142",
            "{\"ip\":\"81.2.69.142\"}",
            "<html><body>81.2.69.142</body></html>",
            "<a href=\"x\">\nip=81.2.69.142",
            "ip=81.2.69.142\nip=81.2.69.143",
            "ip=81.2.69.142\n\nts=1",
            "ip=",
            "ip=81.2.69",
            "xip=81.2.69.142",
            "081.002.069.142",
            "81.2.69.142%eth0",
            "2a02:8109::1%eth0",
            "error code: 1015",
        ] {
            assert_eq!(address(answer.as_bytes(), Family::V4), Err(NoAddress::NotOne), "{answer:?}");
        }
        assert_eq!(address(b"\xff81.2.69.142", Family::V4), Err(NoAddress::NotOne));
    }

    #[test]
    fn the_corpus_is_read_as_its_names_say() {
        for (name, answer) in corpus::read("address-source") {
            let read = [Family::V4, Family::V6].map(|family| address(&answer, family));
            match name.split('-').next().unwrap() {
                "v4" => assert_eq!(read[0], Ok("81.2.69.142".parse().unwrap()), "{name}"),
                "v6" => assert_eq!(read[1], Ok("2a02:8109::1".parse().unwrap()), "{name}"),
                "none" => assert!(read.iter().all(Result::is_err), "{name}: {read:?}"),
                other => panic!("{other} is no kind of answer"),
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic_and_only_public_addresses_come_of_it(answer: Vec<u8>) {
            if let Ok(address) = address(&answer, Family::V4) {
                prop_assert!(address.is_ipv4() && public(address).is_ok());
            }
        }

        #[test]
        fn an_address_is_read_as_it_was_written(number: u32, line in "(\n|\r\n|)") {
            let written = IpAddr::from(number.to_be_bytes());
            let read = address(format!("{written}{line}").as_bytes(), Family::V4);
            prop_assert_eq!(read, public(written).map_err(NoAddress::from));
        }

        #[test]
        fn a_trace_is_read_by_its_lines(before in "([a-z]{2,8}=[ -~]{0,9}\n){0,9}", after in "(\n[a-z]{3,8}=[ -~]{0,9}){0,9}") {
            prop_assume!(!before.lines().chain(after.lines()).any(|line| line.starts_with("ip=") || line.starts_with("warp=")));
            let answer = format!("{before}ip=81.2.69.142{after}");
            prop_assert_eq!(address(answer.as_bytes(), Family::V4), Ok("81.2.69.142".parse().unwrap()));
        }
    }
}
