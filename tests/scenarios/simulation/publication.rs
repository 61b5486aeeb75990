//! What a run makes of the page: planned by the product, and carried out in the order of its `apply`.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use jiff::tz::TimeZone;
use lambda_prober::plan::{
    Call, OurIncident, Rules, Subject, View, plan,
    recheck::{Recheck, skipped},
};
use shared::{
    api::ApiError,
    retry,
    statuspage::{Component, Incident},
};

use super::{
    page::{Ask, component_id, timestamp},
    prober::Run,
};

/// As the product's `Publication`: everything is read again before it is written, and planned anew for each try. Whether a
/// maintenance in progress covers the component.
pub(crate) async fn publish(
    run: &Run<'_, '_>,
    subjects: &[Subject],
    seen: &View,
    rules: &Rules,
) -> Result<bool, ApiError> {
    let at = timestamp(run.began);
    let planned = plan(subjects, seen, rules, at);
    if planned.is_empty() {
        return Ok(false);
    }
    let until = run.prober.instant(run.began) + run.prober.timing.budget;
    let left = RefCell::new(HashSet::new());
    let round = || async {
        let mut view = read_again(run, &planned, seen).await?;
        left.borrow_mut().extend(skipped(&planned, seen, &view).into_iter().map(|(component, _)| component));
        let is_maintained = view.maintained.contains(&component_id());
        view.maintained.extend(left.borrow().iter().cloned());
        let calls = plan(subjects, &view, rules, at);
        let opened = calls.iter().any(|call| matches!(call, Call::Open { .. }));
        for call in calls {
            make(run, call).await?;
        }
        if opened {
            let incidents = ours(&run.call(Ask::Unresolved).await?.incidents);
            for call in plan(&[], &View { incidents, ..view }, rules, at) {
                make(run, call).await?;
            }
        }
        Ok(is_maintained)
    };
    retry::until(until, round).await
}

async fn read_again(run: &Run<'_, '_>, planned: &[Call], seen: &View) -> Result<View, ApiError> {
    let again = Recheck::before(planned);
    let mut view = seen.clone();
    if run.call(Ask::Maintenance).await?.maintained {
        view.maintained.insert(component_id());
    }
    if again.incidents {
        run.call(Ask::Page).await?;
    }
    for id in &again.components {
        let component = run.call(Ask::Component).await?.component;
        view.components.extend(component.map(|component| (id.clone(), component)));
    }
    if again.incidents {
        view.incidents = ours(&run.call(Ask::Unresolved).await?.incidents);
    }
    if again.needs_recent(&view.incidents) {
        let recent = ours(&run.call(Ask::Recent).await?.incidents);
        let new: Vec<_> =
            recent.into_iter().filter(|it| !view.incidents.iter().any(|known| known.id == it.id)).collect();
        view.incidents.extend(new);
    }
    Ok(view)
}

async fn make(run: &Run<'_, '_>, call: Call) -> Result<(), ApiError> {
    let ask = match call {
        Call::Set { to, .. } => Ask::Set(to),
        Call::Open { change, .. } => Ask::Open(Box::new(change)),
        Call::Change { incident, change } => Ask::Change(incident, Box::new(change)),
        Call::Delete { incident } => Ask::Delete(incident),
    };
    match run.call(ask).await {
        // What is wrong with one call does not keep the others from being made.
        Ok(_) | Err(ApiError::Permanent(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn ours(incidents: &[Incident]) -> Vec<OurIncident> {
    incidents.iter().filter_map(OurIncident::read).collect()
}

pub(crate) fn view(component: &Component, incidents: Vec<OurIncident>) -> View {
    let components = HashMap::from([(component.id.clone(), component.clone())]);
    View { components, incidents, incidents_known: true, maintained: HashSet::new(), zone: TimeZone::UTC }
}
