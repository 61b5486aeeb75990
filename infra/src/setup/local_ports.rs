//! The ports of this machine that containers publish. A second home on it has others than the first: who comes second cannot be started.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::bail;

use super::{
    Outcome,
    compose::COMPOSE_FILE,
    made::Made,
    record::{self, Chosen, Record},
    settings::{RunsOn, SetupSettings},
};

/// The port of this machine that shows the page, where nobody has said another one.
pub(super) const PAGE: u16 = 8030;

/// How many ports are tried from the usual one on.
const TRIED: u16 = 20;

/// The ports that a cluster gives to a service at each node.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// The most folders that are looked at beside this one.
const BESIDE: usize = 1000;

/// Chooses them, for good: containers that run have theirs, which are not free then. Says so where they are not the usual ones.
///
/// # Errors
/// When none is to be had, one that was said cannot be, or the choice cannot be noted.
pub(super) fn choose(settings: &SetupSettings, record: &mut Record) -> anyhow::Result<Option<Outcome>> {
    let chosen = record.chosen().clone();
    let Some(runs_on) = settings.runs_on.or(chosen.runs_on) else { return Ok(None) };
    let usual = runs_on.usual_port();
    // What another way has chosen is that one's.
    let before = |port: Option<u16>| port.filter(|_| chosen.runs_on.is_none_or(|before| before == runs_on));
    if runs_on != RunsOn::Compose {
        let port = settings.beacon_port.or(before(chosen.beacon_port));
        if let Some(port) = port.filter(|port| runs_on == RunsOn::Kubernetes && !NODE_PORTS.contains(port)) {
            bail!("--beacon-port {port}: a cluster gives its services ports from 30000 to 32767: name one of these");
        }
        return record.choose(|chosen| (chosen.beacon_port, chosen.page_port) = (port, None)).map(|()| None);
    }
    // A version that knew of no others has written the usual ones.
    let is_written = record.has_made(&Made::File(COMPOSE_FILE.to_owned()));
    let others = others(record);
    let taken: Vec<u16> = others.iter().flat_map(ports).collect();
    let one = |flag: &str, said: Option<u16>, before: Option<u16>, usual: u16, not: Option<u16>| {
        if let Some(port) = said.or(before).or(is_written.then_some(usual)) {
            return Ok(port);
        }
        let is_to_be_had = |port: &u16| !taken.contains(port) && not != Some(*port) && is_free(*port);
        let Some(port) = (usual..usual + TRIED).find(is_to_be_had) else {
            bail!("others have the ports {usual} to {} of this machine: name another one by {flag}", usual + TRIED - 1);
        };
        Ok(port)
    };
    let beacon = one("--beacon-port", settings.beacon_port, before(chosen.beacon_port), usual, settings.page_port)?;
    let page = one("--page-port", settings.page_port, before(chosen.page_port), PAGE, Some(beacon))?;
    if beacon == page {
        bail!("--page-port {page}: beacon and page cannot have one port: name another one");
    }
    let is_as_before = (Some(beacon), Some(page)) == (chosen.beacon_port, chosen.page_port);
    record.choose(|chosen| (chosen.beacon_port, chosen.page_port) = (Some(beacon), Some(page)))?;
    if (beacon, page) == (usual, PAGE) {
        return Ok(None);
    }
    let said = format!(
        "on this machine the beacon has port {beacon}, and the page {page} (--beacon-port and --page-port name others)"
    );
    Ok(Some(if is_as_before { Outcome::Already(said) } else { Outcome::of(!settings.dry_run, said) }))
}

/// What the setups have chosen that are in the folders beside this one: their containers need not run just now.
fn others(record: &Record) -> Vec<Chosen> {
    let Ok(own) = std::path::absolute(record.path("")) else { return Vec::new() };
    let own: PathBuf = own.components().collect();
    let entries = own.parent().map(fs::read_dir).and_then(Result::ok).into_iter().flatten().flatten();
    let folders = entries.take(BESIDE).map(|entry| entry.path()).filter(|path| *path != own);
    folders.filter_map(|folder| of(&folder)).collect()
}

/// The one of that folder, where it is a setup's for containers.
fn of(folder: &Path) -> Option<Chosen> {
    if !folder.join(record::FILE).is_file() {
        return None;
    }
    // What another run is writing is replaced as a whole. One that cannot be read says nothing.
    let record = Record::of(folder, true).ok()?;
    Some(record.chosen().clone()).filter(|chosen| chosen.runs_on == Some(RunsOn::Compose))
}

fn ports(chosen: &Chosen) -> [u16; 2] {
    [chosen.beacon_port.unwrap_or(RunsOn::Compose.usual_port()), chosen.page_port.unwrap_or(PAGE)]
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(words: &[&str]) -> SetupSettings {
        SetupSettings::try_parse_from([&["setup"], words].concat()).unwrap()
    }

    #[test]
    fn a_second_home_on_this_machine_has_other_ports_than_the_first_and_keeps_them() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| Record::of(&parent.path().join(name), false).unwrap();
        let compose = settings(&["--runs-on", "compose"]);
        let mut first = at("first");
        choose(&compose, &mut first).unwrap();
        first.choose(|chosen| chosen.runs_on = Some(RunsOn::Compose)).unwrap();
        let mut second = at("second");
        let Some(Outcome::Done(said)) = choose(&compose, &mut second).unwrap() else { panic!("it is said") };
        let (one, other) = (ports(first.chosen()), ports(second.chosen()));
        assert!(one[0] != other[0] && one[1] != other[1], "{one:?} {other:?}");
        assert!(said.contains(&format!("the beacon has port {}, and the page {}", other[0], other[1])), "{said}");
        // Its own containers have them by now.
        let _runs = other.map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
        let again = choose(&compose, &mut second).unwrap();
        assert!(matches!(again, Some(Outcome::Already(_))) && ports(second.chosen()) == other, "{again:?}");
        let named = settings(&["--runs-on", "compose", "--beacon-port", "31000", "--page-port", "9000"]);
        choose(&named, &mut second).unwrap();
        assert_eq!(ports(second.chosen()), [31000, 9000], "what is said counts");
        let one = settings(&["--runs-on", "compose", "--beacon-port", "9000", "--page-port", "9000"]);
        assert!(choose(&one, &mut second).unwrap_err().to_string().contains("cannot have one port"));
    }

    #[test]
    fn what_is_written_already_keeps_the_usual_ports_and_a_cluster_has_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let mut before = Record::of(&parent.path().join("before"), false).unwrap();
        before.note(Made::File(COMPOSE_FILE.into())).unwrap();
        let _runs = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PAGE));
        assert!(choose(&settings(&["--runs-on", "compose"]), &mut before).unwrap().is_none());
        assert_eq!(ports(before.chosen()), [30008, PAGE]);
        let mut cluster = Record::of(&parent.path().join("cluster"), false).unwrap();
        let wrong = choose(&settings(&["--runs-on", "kubernetes", "--beacon-port", "8080"]), &mut cluster).unwrap_err();
        assert!(wrong.to_string().contains("ports from 30000 to 32767"), "{wrong}");
        choose(&settings(&["--runs-on", "kubernetes", "--beacon-port", "30010"]), &mut cluster).unwrap();
        assert_eq!(cluster.chosen().beacon_port, Some(30010));
    }
}
