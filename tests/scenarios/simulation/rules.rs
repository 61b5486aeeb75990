//! Two other rules in the same weather: the one that Porchlight began with, and one that many monitors have.

use lambda_prober::timing::Timing;
use shared::statuspage::ComponentStatus::{self, MajorOutage, Operational};

use super::{
    page::{Ask, Page},
    rng::{Ms, SeededRng},
    schedule::Schedule,
    sky::{Sky, answers},
    weather::Weather,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Any answer is up, any error is down, and the component is patched every minute.
    AnyAnswer,
    /// Three runs in a row against it are down and two for it are up; where one well-known host is silent, too, a run does not
    /// count. Patched when that changes, until it was.
    Threshold,
}

/// What one run saw, and when it had.
struct Probe {
    began: Ms,
    ended: Ms,
    answered: bool,
    connected: bool,
    hiccup: bool,
    rng: SeededRng,
}

impl Rule {
    pub(crate) fn play<'w>(self, seed: u64, weather: &'w Weather, schedule: &Schedule) -> Page<'w> {
        let tempo = Timing::every(std::time::Duration::from_mins(1), 3);
        let mut page = Page::new(weather);
        let (mut probes, mut index) = (Vec::new(), 0);
        while index < schedule.starts.len() {
            let busy = schedule.next_busy(index);
            if self == Self::AnyAnswer {
                // What is patched to what it says changes nothing.
                page.calls += busy - index;
            }
            index = busy;
            let Some(start) = schedule.starts.get(index) else { break };
            let rng = SeededRng::of(seed, 0x6_0000_0000 + start.at.unsigned_abs());
            let mut sky = Sky { weather, timing: &tempo, rng };
            let (answered, ended) = answers(&mut sky, start.at);
            let (witnesses, queried) = sky.query(ended);
            let connected = witnesses.0.first().is_some_and(|result| result.outcome.is_ok());
            let ended = if answered || self == Self::AnyAnswer { ended } else { queried };
            if start.cut_off.is_none_or(|end| end > ended) {
                let hiccup = start.hiccup == Some(0);
                probes.push(Probe { began: start.at, ended, answered, connected, hiccup, rng: sky.rng });
            }
            index += 1;
        }
        probes.sort_by_key(|probe| probe.ended);
        match self {
            Self::AnyAnswer => {
                for mut probe in probes {
                    let status = if probe.answered { Operational } else { MajorOutage };
                    write(&mut page, &mut probe, status);
                }
            }
            Self::Threshold => threshold(&mut page, probes),
        }
        page
    }
}

fn threshold(page: &mut Page<'_>, probes: Vec<Probe>) {
    let (mut against, mut in_favour, mut says, mut written) = (0, 0, Operational, true);
    for mut probe in probes {
        if probe.answered {
            (against, in_favour) = (0, in_favour + 1);
        } else if probe.connected {
            (against, in_favour) = (against + 1, 0);
        }
        let should = match (against, in_favour) {
            (3.., _) => MajorOutage,
            (_, 2..) => Operational,
            _ => says,
        };
        written &= should == says;
        says = should;
        if !written {
            written = write(page, &mut probe, says);
        }
    }
}

/// Patches once; whether that seemed to succeed.
fn write(page: &mut Page<'_>, probe: &mut Probe, status: ComponentStatus) -> bool {
    let fate = page.fate(probe.ended, &mut probe.rng, probe.hiccup);
    let obeyed =
        fate.obeyed && page.obey(probe.ended + fate.going, &Ask::Set(status), probe.began, probe.began).is_ok();
    obeyed && fate.error.is_none()
}
