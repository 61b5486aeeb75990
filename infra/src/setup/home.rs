//! The home side: the beacon's key, the files that it is installed by, and the commands that install it.

use std::{fmt::Write as _, path::Path};

use anyhow::Context;
use shared::{proof::Key, secret::Secret, settings::WrongSetting, statuspage::STATUSPAGE_IO};

use super::{
    Outcome,
    cloud::Stored,
    kept::keep,
    record::{Chosen, Record, WayIn},
    relay::{self, DROP_IN, SEED},
    settings::RunsOn,
    tool::quoted,
};
use crate::keygen::keygen;

pub(super) const KEY_FILE: &str = "beacon.key";
pub(super) const VALUES: &str = "values.yaml";

/// More than a key has, in bytes.
const MOST: u64 = 1 << 10;

/// The key that the beacon proves itself by: the one of the folder, else that of Parameter Store, else a new one. Where both are there and
/// not the same, one of them is retired, and only who has retired it knows which: then that of Parameter Store is taken where it
/// `is_stored_taken`.
///
/// # Errors
/// When one is there that is none or of another home, both differ, or none can be made.
pub(super) fn key(
    stored: &Stored,
    parameter: &str,
    is_stored_taken: bool,
    record: &mut Record,
) -> anyhow::Result<(Outcome, Secret)> {
    let path = record.path(KEY_FILE);
    let read = |text: &str, place: &str| {
        let key = text.trim().parse::<Key>().map(|_| Secret::new(text.trim()));
        key.map_err(|error| WrongSetting(format!("{place}: {error}: restore it, or remove it for a new one")))
    };
    match shared::file::read(&path, MOST) {
        Ok(bytes) => {
            let key = read(&String::from_utf8_lossy(&bytes), &path.display().to_string())?;
            match stored.get(parameter) {
                Some(other) if *other != key && !is_stored_taken => anyhow::bail!(
                    "{parameter} is there with another value than {path}: --take-stored-key has the folder take that one; to store the \
                     folder's, delete that parameter",
                    path = path.display()
                ),
                Some(other) if *other != key => (),
                _ => return Ok((Outcome::Already(format!("{} is there", path.display())), key)),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    }
    let (key, how) = match stored.get(parameter) {
        Some(key) => {
            stored.same_home(parameter, record.chosen().home.as_ref())?;
            (read(key.expose(), parameter)?, "is the one that Parameter Store has")
        }
        None => (Secret::new(keygen()?), "is made"),
    };
    let is_done = record.write(KEY_FILE, &key.as_file())?;
    Ok((Outcome::of(is_done, format!("{} {how}", path.display())), key))
}

/// Writes what the home side is installed by, and says how; `has_secrets` of a cluster that has them already, which gets that chart.
///
/// # Errors
/// When it cannot be written.
pub(super) fn files(record: &mut Record, has_secrets: bool, chart: &str) -> anyhow::Result<(Outcome, String)> {
    let chosen = record.chosen().clone();
    let key = quoted(&record.path(KEY_FILE));
    if chosen.runs_on != Some(RunsOn::Kubernetes) {
        let how = units(&chosen, &key);
        let Some(seed) = relay::seed(&chosen) else {
            return Ok((Outcome::Skipped("units need no file of their own".into()), how));
        };
        let (outcome, other) = (keep(record, SEED, &seed)?, keep(record, DROP_IN, &relay::drop_in(&chosen))?);
        let outcome = if matches!(outcome, Outcome::Already(_)) { other } else { outcome };
        return Ok((outcome, relayed(record) + &how));
    }
    let how = cluster(&key, &quoted(&record.path(VALUES)), &quoted(Path::new(chart)), has_secrets);
    Ok((keep(record, VALUES, &values(&chosen))?, how))
}

/// The values of the chart.
fn values(chosen: &Chosen) -> String {
    let mut text =
        String::from("# Written by porchlight setup. What else can be set is in the chart's own values.yaml.\n");
    let home = chosen.home.as_ref().map(|home| home.as_str().to_owned()).unwrap_or_default();
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "image:\n  repository: localhost/porchlight\nduckdns:\n  domain: \"{home}\"\nbeacon:\n  secretName: beacon-key\n"
    );
    if let Some(port) = chosen.other_port() {
        let _ = writeln!(text, "service: {{nodePort: {port}}}");
    }
    if let Some(WayIn { router, .. }) = chosen.way_in {
        let external = chosen.port.map(|port| format!(", external: {port}")).unwrap_or_default();
        let _ = writeln!(text, "port: {{enabled: true, router: \"{router}\"{external}}}");
        // So that an outage gets its cause. A pod cannot see by itself which router is the home's.
        let _ = writeln!(text, "ping: {{settings: {{ROUTER_HOST: \"{router}\"}}}}");
    }
    let other = chosen.statuspage_url.as_ref().filter(|url| url.as_str().trim_end_matches('/') != STATUSPAGE_IO);
    let url = other.map(|url| format!("  url: \"{url}\"\n")).unwrap_or_default();
    let mut policy = String::new();
    if let (Some(page), Some(component)) = (&chosen.page, &chosen.component) {
        let _ = write!(text, "statuspage:\n  pageId: \"{page}\"\n  componentId: \"{component}\"\n{url}");
        // The chart's policy lets its pods out to that port alone.
        if let Some(port) = other.and_then(url::Url::port_or_known_default).filter(|port| *port != 443) {
            policy = format!("networkPolicy: {{ports: [443, {port}]}}\n");
        }
        for (name, metric) in [("latency", &chosen.latency), ("bandwidth", &chosen.bandwidth)] {
            if let Some(metric) = metric {
                let _ = writeln!(text, "  {name}: {{metricId: \"{metric}\"}}");
            }
        }
    }
    text + &policy
}

fn cluster(key: &str, values: &str, chart: &str, has_secrets: bool) -> String {
    let install = format!("  helm upgrade --install porchlight {chart} -n porchlight -f {values}\n");
    if has_secrets {
        return install;
    }
    let ask = |name: &str| {
        format!(
            "  printf 'token of {name}: ' && read -rs TOKEN && echo && printf %s \"$TOKEN\" |\n    \
             kubectl -n porchlight create secret generic {name} --from-file=TOKEN=/dev/stdin; unset TOKEN\n"
        )
    };
    format!(
        "  kubectl create namespace porchlight\n  \
         kubectl -n porchlight create secret generic beacon-key --from-file=KEY={key}\n{}{}{install}",
        ask("duckdns"),
        ask("statuspage")
    )
}

/// What has the unit of the keeper relay.
fn relayed(record: &Record) -> String {
    let (seed, drop_in) = (record.path(SEED), record.path(DROP_IN));
    format!(
        "  install -m 644 {} /etc/porchlight-seed.toml\n  \
         (umask 077 && printf 'API key of statuspage.io: ' && read -rs TOKEN && printf %s \"$TOKEN\" > /etc/porchlight/upstream.token); echo\n  \
         install -D -m 644 {} /etc/systemd/system/porchlight-keeper.service.d/relay.conf && systemctl daemon-reload && systemctl try-restart porchlight-keeper\n",
        quoted(&seed),
        quoted(&drop_in)
    )
}

/// What the other commands set a line of a file by: that line alone, so that what somebody has set there besides stays, and as often as
/// one likes. The file is written in its place, so that its owner and its mode stay, too. A unit that runs takes up what is new.
const SET: &str = r#"  set_line() {
    [ "$(grep -s "^ *${2%%=*} *=" /etc/porchlight/$1 | tail -n 1)" = "$2" ] && return
    OTHERS=$(grep -sv "^ *${2%%=*} *=" /etc/porchlight/$1) || :
    printf '%s\n' ${OTHERS:+"$OTHERS"} "$2" > /etc/porchlight/$1
    systemctl try-restart porchlight-${1%.env}
  }
"#;

fn units(chosen: &Chosen, key: &str) -> String {
    let home = chosen.home.as_ref().map(ToString::to_string).unwrap_or_default();
    let (mut lines, unit) = match (chosen.way_in, chosen.port) {
        (Some(_), Some(port)) => {
            let canary = format!("  set_line port.env CANARY_URL=http://{home}:{port}\n");
            let internal = chosen.beacon_port.map(|port| format!("  set_line port.env PORT_INTERNAL={port}\n"));
            (canary + &internal.unwrap_or_default(), " porchlight-port")
        }
        _ => (String::new(), ""),
    };
    // One that was said, the usual one, too: an earlier run may have set another one.
    if let Some(port) = chosen.beacon_port {
        // As the beacon by itself: both families where the machine has both.
        let any = if Path::new("/proc/net/if_inet6").exists() { "[::]" } else { "0.0.0.0" };
        lines = format!("  set_line beacon.env 'PUBLIC_ADDR={any}:{port}'\n{lines}");
    }
    format!(
        "  cmp -s {key} /etc/porchlight/beacon.key || {{ install -m 600 {key} /etc/porchlight/beacon.key && systemctl try-restart porchlight-beacon; }}\n  \
         (umask 077 && printf 'token of DuckDNS: ' && read -rs TOKEN && printf %s \"$TOKEN\" > /etc/porchlight/duckdns.token); echo\n\
         {SET}  set_line dns.env DOMAIN={home}\n  \
         grep -qs '^ROUTER_HOST=' /etc/porchlight/ping.env || set_line ping.env ROUTER_HOST=gateway\n{lines}  \
         systemctl enable --now porchlight-keeper porchlight-beacon porchlight-ping.timer porchlight-bandwidth.timer porchlight-dns.timer{unit}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{super::helm::CHART, *};

    fn chosen(runs_on: RunsOn) -> Chosen {
        let (page, component) = ("gytm4qzbx9t6".parse().ok(), "8kbf7d35c070".parse().ok());
        Chosen { home: "myhome".parse().ok(), page, component, runs_on: Some(runs_on), ..Chosen::default() }
    }

    #[test]
    fn a_file_that_its_owner_has_changed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        record.choose(|it| *it = chosen(RunsOn::Kubernetes)).unwrap();
        let (outcome, how) = files(&mut record, false, CHART).unwrap();
        assert!(matches!(outcome, Outcome::Done(_)) && how.contains("helm upgrade --install porchlight"), "{how}");
        assert!(matches!(files(&mut record, false, CHART).unwrap().0, Outcome::Already(_)));
        for (chart, word) in [
            ("oci://ghcr.io/owner/charts/home-beacon", "oci://ghcr.io/owner/charts/home-beacon"),
            ("my charts/beacon.tgz", "'my charts/beacon.tgz'"),
        ] {
            let how = files(&mut record, true, chart).unwrap().1;
            assert!(how.contains(&format!("--install porchlight {word} -n porchlight")), "{how}");
        }
        let text = std::fs::read_to_string(record.path(VALUES)).unwrap();
        assert!(text.contains("domain: \"myhome\"\n") && text.contains("componentId: \"8kbf7d35c070\"\n"), "{text}");
        // Another answer goes into a file that is as it was written.
        record.choose(|it| it.home = "other".parse().ok()).unwrap();
        assert!(matches!(files(&mut record, false, CHART).unwrap().0, Outcome::Done(_)));
        let text = std::fs::read_to_string(record.path(VALUES)).unwrap();
        assert!(text.contains("domain: \"other\"\n"), "{text}");
        std::fs::write(record.path(VALUES), format!("{text}ping: {{mode: resident}}\n")).unwrap();
        record.choose(|it| it.home = "third".parse().ok()).unwrap();
        let (outcome, _) = files(&mut record, false, CHART).unwrap();
        assert!(matches!(outcome, Outcome::Skipped(_)));
        assert!(std::fs::read_to_string(record.path(VALUES)).unwrap().contains("resident"));
    }

    #[test]
    fn a_router_that_opens_ports_is_had_to_do_so() {
        let way_in = Some(WayIn { router: "192.168.1.1".parse().unwrap(), own: None });
        let with = |runs_on| Chosen { way_in, port: Some(30009), ..chosen(runs_on) };
        let text = values(&with(RunsOn::Kubernetes));
        assert!(text.contains("port: {enabled: true, router: \"192.168.1.1\", external: 30009}\n"), "{text}");
        let text = units(&with(RunsOn::Systemd), "beacon.key");
        assert!(text.contains("set_line port.env CANARY_URL=http://myhome.duckdns.org:30009\n"), "{text}");
        assert!(
            text.ends_with(" porchlight-port\n") && !units(&chosen(RunsOn::Systemd), "k").contains("porchlight-port\n")
        );
        // The beacon is at another port at home.
        let elsewhere = |runs_on| Chosen { beacon_port: Some(30011), ..with(runs_on) };
        let text = values(&elsewhere(RunsOn::Kubernetes));
        assert!(text.contains("service: {nodePort: 30011}\nport: {enabled: true"), "{text}");
        let text = units(&elsewhere(RunsOn::Systemd), "beacon.key");
        for line in ["set_line port.env PORT_INTERNAL=30011\n", "set_line beacon.env 'PUBLIC_ADDR="] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn a_key_is_made_once_and_one_that_is_none_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        let nothing = Stored::default();
        let (made, key) = key(&nothing, "/k", false, &mut record).unwrap();
        let (found, again) = super::key(&nothing, "/k", false, &mut record).unwrap();
        assert!(matches!((made, found), (Outcome::Done(_), Outcome::Already(_))) && key == again);
        // One of them was retired, and is not put back.
        let other = Stored::of("/k", Secret::new("A".repeat(43)));
        let error = super::key(&other, "/k", false, &mut record).unwrap_err().to_string();
        assert!(error.contains("--take-stored-key") && !error.contains(again.expose()), "{error}");
        assert_eq!(super::key(&other, "/k", true, &mut record).unwrap().1.expose(), "A".repeat(43));
        assert!(matches!(super::key(&other, "/k", false, &mut record).unwrap().0, Outcome::Already(_)));
        std::fs::write(record.path(KEY_FILE), "half a k").unwrap();
        let error = super::key(&nothing, "/k", false, &mut record).unwrap_err().to_string();
        assert!(error.contains("beacon.key: ") && error.ends_with("restore it, or remove it for a new one"), "{error}");
    }
}
