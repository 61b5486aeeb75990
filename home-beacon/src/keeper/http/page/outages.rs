//! The outages of the last days, one by one: when, how long, why, and whether anybody saw the end.

use jiff::{Timestamp, tz::TimeZone};

use super::{Time, bars::length_words};
use crate::keeper::history::{Ending, Outage};

/// The most that are listed.
const MAX_OUTAGES: usize = 20;

pub(super) struct OutageView {
    /// The component that was down.
    pub(super) component: String,
    pub(super) from: Time,
    /// `None` while it goes on.
    pub(super) to: Option<Time>,
    /// `12 min`, or `at least 12 min` where nobody saw the end.
    pub(super) length: String,
    /// Why, in a sentence.
    pub(super) cause: Option<&'static str>,
}

/// Of all components, the newest first.
pub(super) fn views<'a>(all: impl IntoIterator<Item = (&'a str, &'a [Outage])>, zone: &TimeZone) -> Vec<OutageView> {
    let mut listed: Vec<(&str, &Outage)> = Vec::new();
    for (component, outages) in all {
        listed.extend(outages.iter().map(|outage| (component, outage)));
    }
    listed.sort_by_key(|(_, outage)| std::cmp::Reverse(outage.from));
    listed.into_iter().take(MAX_OUTAGES).filter_map(|(component, outage)| view(component, outage, zone)).collect()
}

fn view(component: &str, outage: &Outage, zone: &TimeZone) -> Option<OutageView> {
    let time = |millis| Some(Time::new(Timestamp::from_millisecond(millis).ok()?, zone));
    let length = length_words(outage.length());
    Some(OutageView {
        component: component.to_owned(),
        from: time(outage.from)?,
        to: time(outage.to).filter(|_| outage.ending != Ending::Ongoing),
        length: match outage.ending {
            Ending::Seen => length,
            Ending::Unseen => format!("at least {length}: nobody looked any more"),
            Ending::Ongoing => format!("{length} so far"),
        },
        cause: outage.verdict.map(shared::verdict::Verdict::sentence),
    })
}
