//! Names that need no name server: `localhost`, and what `/etc/hosts` says.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const FILE: &str = "/etc/hosts";

/// The addresses of a name, of both families; `None` where a name server must be asked.
pub(super) fn addresses(name: &str) -> Option<Vec<IpAddr>> {
    let text = fs::read(FILE).unwrap_or_default();
    let found = of(&String::from_utf8_lossy(&text), name);
    if found.is_empty() && is_localhost(name) {
        // RFC 6761, section 6.3: this name is never asked for.
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    Some(found).filter(|found| !found.is_empty())
}

fn is_localhost(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

/// The addresses in lines of an address and its names.
fn of(text: &str, name: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next()?;
        // Some lists have ten thousands of lines: no address is read but the one that is wanted.
        if !words.any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(name)) {
            return None;
        }
        address.split('%').next()?.parse().ok()
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_of_a_name_count_whatever_their_case() {
        let text = "127.0.0.1 localhost\n192.0.2.7\tkeeper Home.example # 192.0.2.9 home.example\n2001:db8::7 home.example\nx y\n";
        assert_eq!(
            of(text, "home.example").iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["192.0.2.7", "2001:db8::7"]
        );
        assert!(of(text, "example").is_empty());
        assert!(of(text, "y").is_empty());
    }

    #[test]
    fn localhost_and_what_is_below_it_is_this_machine() {
        for name in ["localhost", "LOCALHOST", "keeper.localhost"] {
            assert!(is_localhost(name), "{name}");
        }
        assert!(!is_localhost("localhost.example"));
    }
}
