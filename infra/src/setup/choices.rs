//! What nobody but who sets it up knows: the port, what runs the home side, where alarms go.

use std::net::IpAddr;

use clap::ValueEnum;
use shared::settings::port;

use super::{
    Outcome,
    ask::{Asker, Question},
    local_ports,
    record::{Record, WayIn},
    settings::{RunsOn, SetupSettings},
};

/// The port that the chart's service has at each node.
const USUAL_PORT: &str = "30008";

/// The ports that the router may have given to the beacon: the one that was chosen, and the usual one.
pub(super) fn likely_ports(settings: &SetupSettings, record: &Record) -> [u16; 2] {
    let usual = USUAL_PORT.parse().unwrap_or_default();
    [settings.port.or(record.chosen().port).unwrap_or(usual), usual]
}

/// Whether the router is to open the port by itself, where it can: it `opens` ports, or is closed for certain. One that did not answer, or
/// another one than that of before, which somebody meets who sits elsewhere, changes nothing.
///
/// # Errors
/// When nobody answers, or the answer cannot be noted.
pub(super) async fn by_itself(
    asker: Asker,
    settings: &SetupSettings,
    (opens, closed): (Option<WayIn>, Option<IpAddr>),
    record: &mut Record,
) -> anyhow::Result<()> {
    if let Some(before) = record.chosen().way_in
        && settings.router_port != Some(false)
    {
        let is_other = opens.is_some_and(|opens| opens.router != before.router) && settings.router_port.is_none();
        let is_unknown = opens.is_none() && closed != Some(before.router);
        if is_other || is_unknown {
            return Ok(());
        }
    }
    let chosen = settings.router_port.or(record.chosen().router_port);
    let wanted = match (opens, chosen) {
        (None, _) => {
            let said = settings.router_port;
            return record.choose(|chosen| (chosen.router_port, chosen.way_in) = (said.or(chosen.router_port), None));
        }
        (Some(_), Some(wanted)) => wanted,
        (Some(_), None) => {
            let text = "Have the router open the port by itself, and keep it open: yes or no";
            asker.choose(Question { text, flag: "--router-port", default: Some("yes") }, yes_or_no).await?
        }
    };
    record.choose(|chosen| (chosen.router_port, chosen.way_in) = (Some(wanted), opens.filter(|_| wanted)))
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        _ => Err("write yes or no".into()),
    }
}

/// What is known by nobody else.
///
/// # Errors
/// As there.
pub(super) async fn choose(
    asker: Asker,
    settings: &SetupSettings,
    granted: Option<u16>,
    record: &mut Record,
) -> anyhow::Result<Option<Outcome>> {
    let ports = local_ports::choose(settings, record)?;
    let chosen = record.chosen().clone();
    // Two homes behind one router have two ports there.
    let usual = chosen
        .beacon_port
        .filter(|_| chosen.page_port.is_some())
        .map_or_else(|| USUAL_PORT.to_owned(), |port| port.to_string());
    // A router that opens ports by itself may have had to take another one than was asked for.
    let granted = granted.filter(|_| chosen.way_in.is_some());
    let port = if let Some(port) = settings.port.or(granted).or(chosen.port) {
        port
    } else {
        let text = "The port that your router forwards to the beacon, as the world sees it";
        asker.choose(Question { text, flag: "--port", default: Some(&usual) }, port::<u16>).await?
    };
    let runs_on = if let Some(runs_on) = settings.runs_on.or(chosen.runs_on) {
        runs_on
    } else {
        let text = "What runs the home side: kubernetes, systemd or compose";
        let read =
            |text: &str| RunsOn::from_str(text, true).map_err(|_| "write kubernetes, systemd or compose".to_owned());
        asker.choose(Question { text, flag: "--runs-on", default: Some("kubernetes") }, read).await?
    };
    let mail = match settings.alarm_email.clone().or(chosen.alarm_email) {
        None if !settings.without_aws => {
            let text = "The address that AWS mails its alarms to; nothing for no mails";
            Some(asker.choose(Question { text, flag: "--alarm-email", default: Some("") }, mail_address).await?)
        }
        mail => mail,
    };
    record.choose(|chosen| (chosen.port, chosen.runs_on, chosen.alarm_email) = (Some(port), Some(runs_on), mail))?;
    // What runs it may have been asked for only now.
    let later = local_ports::choose(settings, record)?;
    Ok(ports.or(later))
}

/// An address, or nothing.
pub(crate) fn mail_address(text: &str) -> Result<String, String> {
    let is_one = text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
    let has_blanks = text.chars().any(|c| c.is_whitespace() || c.is_control());
    if text.is_empty() || (is_one && !has_blanks) {
        Ok(text.to_owned())
    } else {
        Err("that is no mail address: write one like you@example.com, or nothing".into())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[tokio::test]
    async fn a_router_that_does_not_answer_once_or_is_another_one_closes_no_port() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        let at = |router: &str| WayIn { router: router.parse().unwrap(), own: None };
        let (home, other, unattended) = (at("192.168.1.1"), at("192.168.7.1"), Asker { is_silent: true });
        let settings = |words: &[&str]| SetupSettings::try_parse_from([&["setup"], words].concat()).unwrap();
        let said = [&[][..], &["--router-port", "true"], &["--router-port", "false"]];
        for (words, found, expected) in [
            (said[0], (Some(home), None), Some(home)),
            (said[0], (None, None), Some(home)),
            (said[1], (None, None), Some(home)),
            (said[0], (Some(other), None), Some(home)),
            (said[0], (None, Some(other.router)), Some(home)),
            (said[1], (Some(other), None), Some(other)),
            (said[0], (None, Some(other.router)), None),
            (said[0], (Some(home), None), Some(home)),
            (said[2], (None, None), None),
        ] {
            by_itself(unattended, &settings(words), found, &mut record).await.unwrap();
            assert_eq!(record.chosen().way_in, expected, "{words:?} {found:?}");
        }
        assert_eq!(record.chosen().router_port, Some(false));
    }

    #[test]
    fn a_mail_address_is_one_or_nothing() {
        for good in ["", "you@example.com"] {
            assert_eq!(mail_address(good).as_deref(), Ok(good));
        }
        for wrong in ["you", "@example.com", "you@example", "you @example.com", "you@example.com\n"] {
            assert!(mail_address(wrong).unwrap_err().starts_with("that is no mail address"), "{wrong}");
        }
    }
}
