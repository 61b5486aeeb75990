//! The router's port of a home: opened and kept open within this process where that was chosen, closed where it is not any more.

use std::ffi::OsString;

use clap::Parser;
use shared::{names::Family, settings::WrongSetting};
use url::Url;

use super::{choices::Choices, folder::Folder, say};
use crate::port::{
    PortCommand, PortSettings,
    close::{Closed, close},
    mapping::Mapping,
    moment::Moment,
    open::open,
    record::{self, Record},
    report::lasts,
    resident,
};

/// What keeps it open: the settings of `porchlight port open`.
#[derive(Debug)]
pub(super) struct RouterPort(PortSettings);

impl RouterPort {
    /// The one that was chosen, for a beacon that has that port.
    ///
    /// # Errors
    /// When what the environment sets for it is wrong, or the name at `DuckDNS` makes no address.
    pub(super) fn chosen(choices: &Choices, beacon: u16, folder: &Folder) -> anyhow::Result<Option<Self>> {
        let Some(external) = choices.router_port else { return Ok(None) };
        let (url, _) = choices.home_at(beacon, None)?;
        // Where another router is before this one, that one's port is not for this one to give.
        let canary = url.filter(|url| url.port_or_known_default() == Some(external));
        Ok(Some(Self::new((external, beacon), canary.as_ref(), folder)?))
    }

    /// The port of the router that leads to that one of the beacon; `canary` is the name by which the world finds this home.
    ///
    /// # Errors
    /// When what the environment sets for it is wrong.
    pub(super) fn new(
        (external, beacon): (u16, u16),
        canary: Option<&Url>,
        folder: &Folder,
    ) -> Result<Self, WrongSetting> {
        let (external, beacon) = (external.to_string(), beacon.to_string());
        let words = ["port", "open", "--every", "5m", "--external", &external, "--internal", &beacon, "--state-dir"];
        let words = words.into_iter().map(OsString::from).chain([folder.path().into()]);
        let canary = canary.into_iter().flat_map(|url| [OsString::from("--canary-url"), url.as_str().into()]);
        let wrong = |error: &dyn std::fmt::Display| WrongSetting(format!("--router-port: {error}"));
        let settings = PortSettings::try_parse_from(words.chain(canary)).map_err(|error| {
            let text = error.to_string();
            wrong(&text.lines().next().unwrap_or_default().trim_start_matches("error: "))
        })?;
        settings.which.validate().map_err(|error| wrong(&error))?;
        if let PortCommand::Open(open) = &settings.command {
            open.validate().map_err(|error| wrong(&error))?;
        }
        Ok(Self(settings))
    }

    /// Keeps it open until `stop`, and leaves it open then: neither an upgrade nor a reboot should look like an outage. What goes
    /// wrong is said, and ends nothing else.
    pub(super) async fn keep(&self, folder: &Folder, stop: impl Future<Output = ()>) {
        let PortSettings { which, command: PortCommand::Open(open) } = &self.0 else { return };
        let Some(every) = open.every else { return };
        let kept = match Record::take(folder.path(), &Moment::now()) {
            Ok(record) => resident::stay_within(which, open, every, record, stop).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            say(format_args!("The router's port is not kept open: {error:#}"));
        }
    }

    /// Opens it now, so that the machine that is to look at this home is told the port that the router gives. Where it is not opened,
    /// that is said, and `None`.
    pub(super) async fn open_now(&self, folder: &Folder) -> Option<u16> {
        let PortSettings { which, command: PortCommand::Open(settings) } = &self.0 else { return None };
        let opened = async {
            let mut record = Record::take(folder.path(), &Moment::now())?;
            Box::pin(open(which, settings, Family::V4, &mut record)).await
        };
        match opened.await {
            Ok(opened) => Some(opened.mapping.external),
            Err(error) => {
                say(format_args!("The router's port is not open yet: {error:#}"));
                None
            }
        }
    }
}

/// Where the world finds a beacon that has that port, and at which one: the router's is opened for that, where it was chosen.
///
/// # Errors
/// When what the environment sets for it is wrong, or the name at `DuckDNS` makes no address.
pub(super) async fn home_at(choices: &Choices, beacon: u16, folder: &Folder) -> anyhow::Result<(Option<Url>, u16)> {
    let granted = match RouterPort::chosen(choices, beacon, folder)? {
        Some(port) => port.open_now(folder).await,
        None => None,
    };
    choices.home_at(beacon, granted)
}

/// What `up` says of its beacon.
pub(super) fn beacon_words(port: u16, asked_for: Option<u16>) -> String {
    match asked_for {
        Some(external) => {
            format!("port {port} of this machine: the router is asked to have its port {external} lead there")
        }
        None => format!("port {port} of this machine: have the router forward a port to it"),
    }
}

/// The port that the world sees, where the router has opened one that was asked for as that one.
pub(super) fn granted(folder: &Folder, wanted: u16) -> Option<u16> {
    let opened = record::opened(folder.path(), &Moment::now()).ok()?;
    let is_it = |mapping: &&Mapping| {
        mapping.wanted == wanted && mapping.internal.is_ipv4() && mapping.is_confirmed && !mapping.is_ending
    };
    opened.iter().find(is_it).map(|mapping| mapping.external)
}

/// How it stands, for `porchlight status`: as it was written down, without asking the router.
///
/// # Errors
/// When the record cannot be read.
pub(super) fn words(folder: &Folder, wanted: Option<u16>) -> anyhow::Result<Vec<String>> {
    let opened = record::opened(folder.path(), &Moment::now())?;
    let mut words: Vec<_> = opened.iter().map(one).collect();
    if let Some(wanted) = wanted.filter(|_| words.is_empty()) {
        words
            .push(format!("port {wanted} was asked for, and none is open that this home has opened: its log says why"));
    }
    Ok(words)
}

fn one(mapping: &Mapping) -> String {
    let stands = match mapping {
        Mapping { is_ending: true, .. } => "is not wanted any more, and ends by itself ",
        Mapping { is_confirmed: false, .. } => "was asked for, and the router has not said that it is open, ",
        _ => "",
    };
    let follow = if mapping.external == mapping.wanted || mapping.internal.is_ipv6() {
        String::new()
    } else {
        format!("; it is not {}, so who looks at this home must ask for port {}", mapping.wanted, mapping.external)
    };
    format!("{mapping}, {stands}{}{follow}", lasts(mapping))
}

/// Closes what is open of that folder: nobody wants it any more. What cannot be closed is said, and makes it `false`.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) async fn close_all(folder: &Folder) -> anyhow::Result<bool> {
    let now = Moment::now();
    let mut is_done = true;
    if record::opened(folder.path(), &now)?.is_empty() {
        return Ok(is_done);
    }
    let mut record = Record::take(folder.path(), &now)?;
    for mapping in record.opened().to_vec() {
        match Box::pin(close(&mapping, &mut record)).await? {
            Closed::Now => say(format_args!("The router's port was closed: {mapping}.")),
            Closed::WasGone => say(format_args!("The router's port was closed already: {mapping}.")),
            Closed::Soon(seconds) => say(format_args!("The router's port closes by itself in {seconds} s: {mapping}.")),
            Closed::Not(refusal) => {
                is_done = false;
                say(format_args!(
                    "The router's port is not closed, because {refusal}: {mapping}, is open {}: close it in the router's settings.",
                    lasts(&mapping)
                ));
            }
        }
    }
    Ok(is_done)
}
