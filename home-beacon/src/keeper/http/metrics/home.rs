//! Whether each component that somebody is expected to look at is up by these looks, since when, and why not; and for how long
//! components were down, by cause.

use std::{collections::HashMap, ops::Range};

use shared::{
    id::ComponentId,
    metrics::{Number, Snapshot},
    statuspage::ComponentStatus,
    verdict::{DegradedCause, DownCause, Verdict},
};
use tokio::sync::Mutex;

use super::super::{AppState, component_past::ComponentPast};
use crate::keeper::{
    KeeperError,
    history::{Downtime, Segment, Standing, UNKNOWN, segments},
    looks::shown::Looked,
    status::{Component, components},
};

/// How much of the past is read at each scrape, and at most, to find out since when something is as it is; in milliseconds.
const LATELY: i64 = DAY;
const LONG: i64 = 400 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What is remembered from one scrape to the next, so that a home which was up for a year costs no reading of that year.
#[derive(Debug, Default)]
pub(in crate::keeper::http) struct Past(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    downtime: Downtime,
    standings: HashMap<ComponentId, Standing>,
}

/// A component, as far as looks show it.
struct Seen {
    component: Component,
    /// Since when is not known of one that nobody has ever looked at.
    is_up: Option<bool>,
    cause: Option<Verdict>,
    since: Option<i64>,
    /// When each place looked last.
    places: Vec<Looked>,
    age: Option<f64>,
}

/// Whether looks are expected of a prober; what checks say of theirs has metrics of its own.
fn is_home(component: &Component) -> bool {
    component.looks && !component.checked
}

/// Adds it.
pub(super) async fn add(snapshot: &mut Snapshot, state: &AppState) {
    let components = components::list(&state.db, &state.page, 0, u32::MAX).await.unwrap_or_default();
    // Held until all is read: two scrapes at once would count the same time twice.
    let mut past = state.scraped.0.lock().await;
    let mut seen = Vec::new();
    match past.read(state, &components).await {
        Ok(standings) => {
            for component in components.into_iter().filter(is_home) {
                let standing = standings.get(&component.id).copied();
                seen.push(Seen::of(state, component, standing));
            }
            past.standings = standings;
        }
        Err(error) => tracing::debug!(%error, "the looks of the past could not be read for /metrics"),
    }
    if state.clock.is_set() {
        downtime(snapshot, &past.downtime);
    }
    drop(past);
    present(snapshot, &seen);
    since(snapshot, &seen);
}

impl Remembered {
    /// Counts downtime, and finds out how each component is; nothing while the clock cannot be trusted.
    async fn read(
        &mut self,
        state: &AppState,
        components: &[Component],
    ) -> Result<HashMap<ComponentId, Standing>, KeeperError> {
        let Some(now) = state.clock.trusted_now() else { return Ok(HashMap::new()) };
        let unsettled = self.downtime.unsettled(now);
        let (mut standings, mut all) = (HashMap::new(), Vec::new());
        for component in components.iter().filter(|component| is_home(component)) {
            let window = unsettled.start.min(unsettled.end - LATELY)..unsettled.end;
            let past = ComponentPast::read(state, component, window.clone()).await?;
            all.push(segments(&past.record(), unsettled.clone()));
            if let Some(standing) = Standing::of(&past.without_maintenance(window)) {
                let standing = self.reaching_back(state, component, standing).await?;
                standings.insert(component.id.clone(), standing);
            }
        }
        self.downtime.count(&unsettled, &all);
        Ok(standings)
    }

    /// The same with its true beginning, where that lies before the window.
    async fn reaching_back(
        &self,
        state: &AppState,
        component: &Component,
        standing: Standing,
    ) -> Result<Standing, KeeperError> {
        if !standing.is_cut {
            return Ok(standing);
        }
        if let Some(known) = self.standings.get(&component.id).filter(|known| known.is_up == standing.is_up) {
            return Ok(Standing { since: known.since.min(standing.since), is_cut: known.is_cut, ..standing });
        }
        let now = state.clock.wall().as_millisecond();
        let window = now - LONG..now;
        let past = ComponentPast::read(state, component, window.clone()).await?;
        let long: Vec<Segment> = past.without_maintenance(window);
        Ok(Standing::of(&long).filter(|long| long.is_up == standing.is_up).unwrap_or(standing))
    }
}

impl Seen {
    fn of(state: &AppState, component: Component, standing: Option<Standing>) -> Self {
        let now = state.clock.now_for_looks();
        let looked = state.recorder.looks().at(&component.id, now);
        let places = state.recorder.looks().by_place(&component.id, now);
        let age = looked.age().map(|age| age.as_secs_f64());
        let shown = standing.filter(|standing| standing.is_up.is_none() || looked.is_recent());
        // What was never looked at has not been so since the window began.
        let since = shown.filter(|shown| shown.is_up.is_some() || !shown.is_cut).map(|shown| shown.since);
        let cause = shown.and_then(|shown| shown.cause);
        Self { component, is_up: shown.and_then(|shown| shown.is_up), cause, since, places, age }
    }

    fn id(&self) -> String {
        self.component.id.to_string()
    }
}

/// Whether and what, now.
fn present(snapshot: &mut Snapshot, seen: &[Seen]) {
    let names = seen.iter().map(|it| ([it.id(), it.component.name.clone()], Number::from(true)));
    snapshot.gauges("home_info", "What each component is called.", ["component", "name"], names);
    let help = "Whether somebody has looked at the component from outside in the last five minutes; without that, it is neither \
                up nor down.";
    let looked_at = seen.iter().map(|it| (it.id(), it.is_up.is_some().into()));
    snapshot.labelled_gauge("home_looked_at", help, "component", looked_at);
    let help = "Whether the component answers, as seen from outside; absent where nobody has looked.";
    let up = seen.iter().filter_map(|it| Some((it.id(), it.is_up?.into())));
    snapshot.labelled_gauge("home_up", help, "component", up);
    let help = "What is wrong with the component, as seen from outside: 1 for that, 0 for every other cause.";
    let causes = seen.iter().flat_map(|it| {
        let cause = it.cause.and_then(Verdict::cause).or((it.is_up == Some(false)).then_some(UNKNOWN));
        troubles().map(move |label| ([it.id(), label.to_owned()], Number::from(cause == Some(label))))
    });
    snapshot.gauges("home_cause", help, ["component", "cause"], causes);
    let help = "Whether a person works on the component, by its status.";
    let maintained = |it: &Seen| it.component.status == Some(ComponentStatus::UnderMaintenance);
    let maintenance = seen.iter().map(|it| (it.id(), maintained(it).into()));
    snapshot.labelled_gauge("home_under_maintenance", help, "component", maintenance);
}

/// Since when, and when somebody looked.
fn since(snapshot: &mut Snapshot, seen: &[Seen]) {
    let help =
        "Since when the component is up, down or not looked at, since 1970; absent where nobody has ever looked.";
    let since = seen.iter().filter_map(|it| Some((it.id(), Number::from(it.since? / 1000))));
    snapshot.labelled_gauge("home_state_since_timestamp_seconds", help, "component", since);
    let help = "When the component was looked at last from each place outside, since 1970.";
    let looks = seen.iter().flat_map(|it| {
        let look = |looked: &Looked| {
            let at = looked.at()?.timestamp().as_second();
            Some(([it.id(), looked.location()?.to_string()], Number::from(at)))
        };
        it.places.iter().filter_map(look)
    });
    snapshot.gauges("look_timestamp_seconds", help, ["component", "location"], looks);
    let help = "Time since the component was looked at from outside, in seconds.";
    let ages = seen.iter().filter_map(|it| Some((it.id(), it.age?.into())));
    snapshot.labelled_gauge("keeper_look_age_seconds", help, "component", ages);
}

fn downtime(snapshot: &mut Snapshot, downtime: &Downtime) {
    let help = "For how long components were down since the year began (UTC), as seen from outside.";
    let seconds = downtime.seconds().map(|(cause, seconds)| ([cause.to_owned()], seconds.into()));
    snapshot.counters("outage_seconds", help, ["cause"], seconds);
}

/// The label of everything that can be wrong with a component.
fn troubles() -> impl Iterator<Item = &'static str> {
    let down = DownCause::ALL.into_iter().map(Verdict::Down);
    down.chain(DegradedCause::ALL.into_iter().map(Verdict::Degraded)).filter_map(Verdict::cause).chain([UNKNOWN])
}

/// A time in milliseconds since 1970.
type Window = Range<i64>;

impl ComponentPast {
    /// The stretches of that time by looks: maintenance is a person's word, and says nothing of whether it answers.
    fn without_maintenance(&self, window: Window) -> Vec<Segment> {
        let mut record = self.record();
        let maintained = |status: &ComponentStatus| *status == ComponentStatus::UnderMaintenance;
        let statuses: Vec<_> =
            record.statuses.iter().map(|(since, status)| (*since, status.filter(|it| !maintained(it)))).collect();
        record.statuses = &statuses;
        segments(&record, window)
    }
}
