//! `porchlight port`: has the router open a port that leads to the beacon, by PCP, NAT-PMP or UPnP, keeps it open, and closes it.
//!
//! What is decided, without any socket:
//! - [`mapping`], [`moment`], [`asked`]: what is open, and since when; what a router is asked, and what it answers
//! - [`negotiation`], `whose`: what it is asked next, and whose a port is
//! - [`renewal`]: when it is asked again, and what has happened meanwhile
//! - [`outside`]: whether the world gets to it
//! - [`report`]: what is printed
//!
//! What is done:
//! - [`gateway`]: which routers lead out; `ssdp`: who else says that it is one
//! - `pmp`, `igd` (with `description`, [`soap`] and `xml`, which are pure): PCP and NAT-PMP, and UPnP; [`router`]: all three
//! - [`granted`]: what was opened, for others of this tool
//! - [`mod@open`], [`mod@close`], [`resident`]: the commands; [`record`]: what is open, on disk

pub mod asked;
pub mod close;
mod description;
pub mod gateway;
pub mod granted;
mod igd;
pub mod mapping;
pub mod moment;
pub mod negotiation;
pub mod open;
pub mod outside;
mod pmp;
pub mod record;
mod refused;
pub mod renewal;
pub mod report;
pub mod resident;
pub mod router;
pub mod settings;
pub mod soap;
mod ssdp;
mod whose;
mod xml;

use std::{
    fmt::Arguments,
    io::{self, Write},
    net::IpAddr,
    process::ExitCode,
    time::Duration,
};

use home_beacon::dns::{self, seen};
use shared::{message::PortFault, names::Family, settings::Settings, shutdown};
use tokio::time::Instant;

pub use self::settings::{OpenSettings, PortCommand, PortSettings, WhichSettings};
use self::{
    asked::{Answer, Leads},
    close::{Closed, close},
    mapping::Mapping,
    moment::Moment,
    open::{Opened, place, survey},
    outside::{Outside, Reach},
    record::Record,
    report::{Report, lasts},
    router::Router,
};
use crate::settings::PorchlightSettings;

/// How long the world may take to say which address it sees.
const WORLD: Duration = Duration::from_secs(6);

/// The exit code of a port that is open, and that the world does not get to.
const UNREACHABLE: u8 = 3;

/// Does what is asked.
///
/// # Errors
/// When a setting is wrong, the folder cannot be used, or the router does not do it.
pub async fn port(settings: &PortSettings) -> anyhow::Result<ExitCode> {
    let stop = shutdown::requested();
    tokio::pin!(stop);
    let which = &settings.which;
    which.validate()?;
    let folder = record::folder(which.state_dir.as_deref())?;
    match &settings.command {
        PortCommand::Open(open) => {
            open.validate()?;
            if open.check {
                let summary =
                    format!("port {} is to lead to port {}", open.wanted(which.canary_url.as_ref()), open.internal);
                return Ok(PorchlightSettings::checked(&summary, &[]));
            }
            if open.dry_run {
                return try_out(which, open).await;
            }
            let mut record = Record::take(&folder, &Moment::now())?;
            if let Some(every) = open.every {
                return Box::pin(resident::stay(which, open, every, record, stop)).await;
            }
            tokio::select! {
                opened = Box::pin(open_once(which, open, &mut record)) => opened,
                () = &mut stop => anyhow::bail!("asked to end before it was done: what was opened is closed by porchlight port close"),
            }
        }
        PortCommand::Status => status(which, &folder).await,
        PortCommand::Close => {
            let mut record = Record::take(&folder, &Moment::now())?;
            close_all(&mut record).await
        }
    }
}

async fn open_once(which: &WhichSettings, settings: &OpenSettings, record: &mut Record) -> anyhow::Result<ExitCode> {
    let mut reports = Vec::new();
    for family in which.families() {
        let opened = Box::pin(open::open(which, settings, *family, record)).await?;
        reports.push(reported(which, *family, &opened).await);
    }
    print(which, &reports)?;
    let unreachable = reports.iter().any(|report| report.reach == Reach::No);
    Ok(if unreachable { ExitCode::from(UNREACHABLE) } else { ExitCode::SUCCESS })
}

/// What an opening came to, with what the world sees.
async fn reported(which: &WhichSettings, family: Family, opened: &Opened) -> Report {
    let outside = outside(which, family, opened.router.target, opened.outside).await;
    let report = Report::new(&opened.router, family, &outside);
    let mut report = report.with(opened, &outside, which.canary_url.as_ref());
    if let IpAddr::V6(six) = opened.router.target
        && dns::own().is_some_and(|own| own.address != six || own.is_temporary)
        && opened.router.is_own
    {
        report.note(PortFault::Temporary, &format!("{six} is an address that this machine will not keep"));
    }
    report
}

/// What the router and the world say of our address. Over IPv6 each machine has its own, and nothing is translated.
async fn outside(which: &WhichSettings, family: Family, target: IpAddr, named: Option<IpAddr>) -> Outside {
    match family {
        Family::V4 => {
            let world = seen(&which.address_sources, Instant::now() + WORLD).await;
            Outside::of(named, world)
        }
        Family::V6 => Outside::own(target),
    }
}

/// What would be opened.
async fn try_out(which: &WhichSettings, settings: &OpenSettings) -> anyhow::Result<ExitCode> {
    let mut reports = Vec::new();
    for family in which.families() {
        let place = place(which, *family)?;
        let router = survey(&place, which, settings.protocol).await?;
        if router.speaks().is_empty() {
            return Err(refused::silent(&router).into());
        }
        let mut report = Report::new(&router, *family, &outside(which, *family, router.target, router.outside()).await);
        let port = match family {
            Family::V4 => settings.wanted(which.canary_url.as_ref()),
            Family::V6 => settings.internal.get(),
        };
        report.notes.push(format!(
            "nothing was opened; without --dry-run it is port {port}, or one of the next that is free, to port {} of {}",
            settings.internal, router.target
        ));
        reports.push(report);
    }
    print(which, &reports)?;
    Ok(ExitCode::SUCCESS)
}

/// The routers, and what is open.
async fn status(which: &WhichSettings, folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    let opened = record::opened(folder, &Moment::now())?;
    let (mut reports, mut is_well) = (Vec::new(), true);
    for family in which.families() {
        let place = place(which, *family)?;
        let router = survey(&place, which, None).await?;
        is_well &= !router.speaks().is_empty();
        let outside = outside(which, *family, router.target, router.outside()).await;
        let mut report = Report::new(&router, *family, &outside);
        for mapping in opened.iter().filter(|mapping| Family::of(mapping.internal.ip()) == *family) {
            let (is_there, words) = stands(mapping, &router).await;
            is_well &= is_there;
            report.notes.push(words);
            if is_there && !mapping.is_ending && report.opened.is_none() {
                report.canary_url = report::canary_url(mapping, &outside, which.canary_url.as_ref());
                report.opened = Some(mapping.into());
            }
        }
        if report.opened.is_none() && report.notes.is_empty() {
            report.notes.push("nothing is open that porchlight port has opened".into());
        }
        if record::is_held(folder) {
            report.notes.push("a process keeps it open (porchlight port open --every)".into());
        }
        reports.push(report);
    }
    print(which, &reports)?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether what is written down is open still, as far as the router tells.
async fn stands(mapping: &Mapping, router: &Router) -> (bool, String) {
    if mapping.router != router.address {
        return (false, format!("{mapping} was opened, and this machine goes out by another router now"));
    }
    if mapping.is_ending {
        return (
            true,
            format!("{mapping} could not be closed and is not renewed: it ends by itself {}", lasts(mapping)),
        );
    }
    if !mapping.is_confirmed {
        return (false, format!("{mapping} was asked for, and the router has not said that it is open"));
    }
    if mapping.protocol != mapping::Protocol::Upnp {
        return (
            true,
            format!("{mapping} is open {}; the router was not asked, because that would open it", lasts(mapping)),
        );
    }
    match router.ask(&asked::Request::Look(mapping.external)).await {
        Answer::Held(holder) if holder.leads(mapping.internal) != Leads::Elsewhere => {
            (true, format!("the router has {mapping} in its list"))
        }
        Answer::Held(holder) => (false, format!("{mapping} is gone: that port leads to {holder} now")),
        Answer::NoMapping => {
            (false, format!("{mapping} is gone from the router's list, as after a restart: open it again"))
        }
        Answer::Refused(refusal) => (false, format!("{mapping} cannot be asked for: {refusal}")),
        Answer::Undetermined | Answer::Opened(_) | Answer::Closed | Answer::Ending(_) => {
            (true, format!("{mapping} is open {}, as far as is known: the router has no list", lasts(mapping)))
        }
    }
}

async fn close_all(record: &mut Record) -> anyhow::Result<ExitCode> {
    let all = record.opened().to_vec();
    if all.is_empty() {
        say(format_args!("Nothing is open that porchlight port has opened."));
    }
    let mut is_done = true;
    for mapping in all {
        let closed = Box::pin(close(&mapping, record)).await?;
        is_done &= closed.is_closed();
        match closed {
            Closed::Now => say(format_args!("closed: {mapping}")),
            Closed::Soon(seconds) => say(format_args!("closes by itself in {seconds} s, and not sooner: {mapping}")),
            Closed::WasGone => say(format_args!("was closed already: {mapping}")),
            Closed::Not(refusal) => {
                let what = format!("{mapping} is not closed, because {refusal}; it is open {}", lasts(&mapping));
                let words = format!("{what}: {}", PortFault::NotClosed.words());
                say(format_args!("{}", PortFault::NotClosed.entry().ending(&words)));
            }
        }
    }
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(which: &WhichSettings, reports: &[Report]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if which.json {
        serde_json::to_writer(&mut out, reports)?;
        writeln!(out)?;
        return Ok(());
    }
    for report in reports {
        write!(out, "{report}")?;
    }
    Ok(())
}

/// Prints a line. A closed stdout ends nothing.
fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
