//! The outages of the last days, one by one: when, how long, why, whether anybody saw the end, and what this home's own records
//! say.

use jiff::{Timestamp, tz::TimeZone};
use shared::id::ComponentId;

use super::{super::AppState, Time, component::ComponentView, length_words};
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::{
        Ending, Outage,
        kinds::{HomeRecords, evidence},
    },
    http::{evidence, inside},
};

/// The most that are listed.
const MAX_OUTAGES: usize = 20;

/// For how many seconds it is kept what an outage was: it is concluded from all that was recorded around it.
const LIFETIME: i64 = 60;

/// Which outage: of which component, from when, and until when where it has ended.
pub(super) type Which = (ComponentId, i64, Option<i64>);

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
    /// What went on at home meanwhile, in a sentence.
    pub(super) at_home: Option<&'static str>,
}

/// Of all components, the newest first.
pub(super) async fn listed(
    state: &AppState,
    components: &[ComponentView],
    zone: &TimeZone,
) -> Result<Vec<OutageView>, KeeperError> {
    let mut listed: Vec<(&ComponentView, &Outage)> = Vec::new();
    for component in components {
        listed.extend(component.history.outages.iter().map(|outage| (component, outage)));
    }
    listed.sort_by_key(|(_, outage)| std::cmp::Reverse(outage.from));
    listed.truncate(MAX_OUTAGES);
    let Some((_, oldest)) = listed.last() else { return Ok(Vec::new()) };
    let home = evidence::of_home(state, Moment::try_from(oldest.from - inside::AROUND).ok()).await?;
    let mut views = Vec::with_capacity(listed.len());
    for (component, outage) in listed {
        let at_home = match home.as_ref().filter(|(id, _)| id.as_str() == component.id) {
            Some((id, records)) => {
                // One that goes on may turn out to be another one.
                let to = (outage.ending != Ending::Ongoing).then_some(outage.to);
                let slot = state.clock.wall().as_second() / LIFETIME;
                let cause = at_home(state, id, records, outage);
                *state.past.causes.get((id.clone(), outage.from, to), slot, cause).await?
            }
            None => None,
        };
        views.extend(view(component, outage, at_home, zone));
    }
    Ok(views)
}

/// What it was as seen from home, or at least what was recorded there.
async fn at_home(
    state: &AppState,
    home: &ComponentId,
    records: &HomeRecords,
    outage: &Outage,
) -> Result<Option<&'static str>, KeeperError> {
    let time = outage.from..outage.to;
    let cause = inside::cause_of(state, home, records, &time).await?;
    let recorded = || evidence(&time, records).map(|evidence| evidence.kind.sentence());
    Ok(cause.map(|cause| cause.sentence()).or_else(recorded))
}

fn view(
    component: &ComponentView,
    outage: &Outage,
    at_home: Option<&'static str>,
    zone: &TimeZone,
) -> Option<OutageView> {
    let time = |millis| Some(Time::new(Timestamp::from_millisecond(millis).ok()?, zone));
    let length = length_words(outage.length());
    Some(OutageView {
        component: component.name.clone(),
        from: time(outage.from)?,
        to: time(outage.to).filter(|_| outage.ending != Ending::Ongoing),
        length: match outage.ending {
            Ending::Seen => length,
            Ending::Maintenance => format!("at least {length}: then somebody worked on it"),
            Ending::Unseen => format!("at least {length}: nobody looked any more"),
            Ending::Ongoing => format!("{length} so far"),
        },
        cause: outage.verdict.map(shared::verdict::Verdict::sentence),
        at_home,
    })
}
