//! The way back through the router: what `porchlight port` has opened on this machine for this home's beacon is closed.

use anyhow::anyhow;

use super::{
    record::{Record, WayIn},
    say,
    settings::{Owner, RunsOn, TeardownSettings},
    teardown::Tally,
};
use crate::port::{
    close::{Closed, close as close_one},
    mapping::Mapping,
    moment::Moment,
    record,
};

/// What says that the unit has a folder that another user cannot read.
const BY_HAND: &str = "where the unit keeps it open, it is closed as root: systemctl disable --now porchlight-port, then porchlight port \
                       close --state-dir /var/lib/porchlight-port";

/// Closes what was opened for the beacon by the router that the setup has chosen, and says of each what became of it.
pub(super) async fn close(settings: &TeardownSettings, record: &Record, tally: &mut Tally) {
    let chosen = record.chosen();
    // What runs in a container or a pod keeps it open itself, and closes it when it is ended.
    let (Some(way_in), Some(RunsOn::Systemd)) = (chosen.way_in, chosen.runs_on) else { return };
    let Ok(folder) = record::folder(settings.state_dir.as_deref()) else { return };
    let opened = match record::opened(&folder, &Moment::now()) {
        Ok(opened) => opened,
        // What is wrong here has not gone with a router.
        Err(error) => {
            tally.leaves(settings, None, &"the router's port", &error);
            return;
        }
    };
    let ours: Vec<_> = opened.into_iter().filter(|mapping| is_ours(mapping, way_in, &chosen.beacon_ports())).collect();
    if ours.is_empty() {
        say(&format!("stays    the router's port, as far as is known here: {BY_HAND}"));
        return;
    }
    if settings.dry_run {
        for mapping in &ours {
            say(&format!("would close  {mapping}"));
        }
        return;
    }
    let done = match record::Record::take(&folder, &Moment::now()) {
        Ok(mut noted) => all(settings, &ours, &mut noted, tally).await,
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        tally.leaves(settings, None, &"the router's port", &error);
    }
}

async fn all(
    settings: &TeardownSettings,
    ours: &[Mapping],
    noted: &mut record::Record,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    for mapping in ours {
        match close_one(mapping, noted).await? {
            Closed::Now => say(&format!("closed  {mapping}")),
            Closed::WasGone => say(&format!("closed  {mapping}: it was so already")),
            Closed::Soon(seconds) => say(&format!("closes  {mapping}: by itself in {seconds} s, and not sooner")),
            Closed::Not(refusal) => {
                if tally.leaves(settings, Some(Owner::Port), mapping, &anyhow!("it is not closed: {refusal}")) {
                    noted.remove(mapping)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether that leads to the beacon's port through the chosen router.
fn is_ours(mapping: &Mapping, way_in: WayIn, ports: &[u16]) -> bool {
    mapping.router == way_in.router && mapping.internal.is_ipv4() && ports.contains(&mapping.internal.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::mapping::sample;

    #[test]
    fn only_what_leads_to_the_beacon_through_that_router_is_closed() {
        let way_in = WayIn { router: sample().router, own: None };
        let other = WayIn { router: [10, 9, 8, 7].into(), own: None };
        let with = |internal: &str| Mapping { internal: internal.parse().unwrap(), ..sample() };
        for (mapping, way_in, expected) in [
            (with("192.168.1.7:8080"), way_in, true),
            (with("192.168.1.7:8080"), other, false),
            (with("192.168.1.7:8030"), way_in, false),
            (with("[2a02:8109::7]:8080"), way_in, false),
        ] {
            assert_eq!(is_ours(&mapping, way_in, &[8080]), expected, "{mapping}");
        }
    }
}
