//! Which program is to be asked: the one that a container was started for, which is its first process.

/// What runs here, as far as it can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Keeper,
    Beacon,
    /// `node-metrics`.
    Node,
    /// `checks`.
    Checks,
    /// `porchlight up`: both in one process.
    Both,
    /// A program without a port, by its name.
    Portless(String),
}

/// The programs that listen nowhere.
const PORTLESS: [&str; 5] = ["bandwidth", "dns", "lambda-prober", "ping", "prober"];

/// By the first process's command line, as the kernel shows it: words that end with a zero byte. Outside of containers that is
/// another program, and whoever asks means the keeper.
pub(super) fn beside(command_line: &[u8]) -> Beside {
    let words: Vec<_> = command_line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let called = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    // Flags may stand before the word that says which program it is.
    let mut named = words.iter().skip(1).map(AsRef::as_ref);
    let program = if called == "porchlight" { named.find_map(known) } else { known(called) };
    match program {
        // The outside machine of a home has no beacon.
        Some(Beside::Both) if words.iter().any(|word| word == "--outside") => Beside::Keeper,
        Some(program) => program,
        None => Beside::Keeper,
    }
}

fn known(name: &str) -> Option<Beside> {
    match name {
        "keeper" => Some(Beside::Keeper),
        "beacon" => Some(Beside::Beacon),
        "node-metrics" => Some(Beside::Node),
        "checks" => Some(Beside::Checks),
        "up" => Some(Beside::Both),
        _ => PORTLESS.contains(&name).then(|| Beside::Portless(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Beside {
        let line: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
        beside(&line)
    }

    #[test]
    fn the_first_process_says_who_is_to_be_asked() {
        for (words, expected) in [
            (&["/usr/local/bin/keeper"][..], Beside::Keeper),
            (&["beacon"], Beside::Beacon),
            (&["porchlight", "beacon"], Beside::Beacon),
            (&["/usr/local/bin/node-metrics"], Beside::Node),
            (&["/programs/porchlight", "checks"], Beside::Checks),
            (&["/usr/local/bin/porchlight", "--log-level", "info", "up", "--data", "/data"], Beside::Both),
            (&["porchlight", "up", "--outside"], Beside::Keeper),
            (&["/usr/local/bin/ping", "--every", "60s"], Beside::Portless("ping".into())),
            (&["porchlight", "prober", "--every", "60s"], Beside::Portless("prober".into())),
            (&["/sbin/init"], Beside::Keeper),
            (&[], Beside::Keeper),
        ] {
            assert_eq!(of(words), expected, "{words:?}");
        }
    }
}
