//! Reads a month: of each component what was seen of it, or what this home said of it, and what was measured.

use std::ops::Range;

use jiff::{Timestamp, tz::TimeZone};
use shared::verdict::Verdict;

use super::{
    super::{AppState, component_past::ComponentPast, evidence, inside},
    unknown,
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::{
        Clipped, Look, Month, Outage, Stretch,
        kinds::{Evidence, HomeRecords, evidence},
        segments,
    },
    inside::Interval,
    looks::past::Seen,
    measured::{
        at_rest::{AtRest, at_rest},
        heartbeats::{self, MAX_GAPS},
        monthly::{self, Tests},
    },
    status::{Component, components, pages},
};

/// The most components and outages that are listed.
const MAX_COMPONENTS: u32 = 50;
const MAX_OUTAGES: usize = 200;

/// How far around the month is looked for beginning and end of an outage that reaches over its edge, in milliseconds.
const AROUND: i64 = 7 * 86_400_000;

/// A month. Times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) page: String,
    /// What the page says above all else.
    pub(super) notice: Option<String>,
    pub(super) month: Month,
    pub(super) zone: TimeZone,
    pub(super) from: i64,
    pub(super) to: i64,
    /// When it was read.
    pub(super) as_of: i64,
    pub(super) components: Vec<OfComponent>,
    pub(super) components_left_out: usize,
    pub(super) outages_left_out: usize,
    pub(super) bandwidth: Vec<OfBandwidth>,
    pub(super) at_rest: AtRest,
    /// How much of the month nothing was recorded at home.
    pub(super) unrecorded: i64,
    /// Whether there were more looks than are read.
    pub(super) is_cut: bool,
    /// What it cannot know, in sentences.
    pub(super) unknown: Vec<String>,
}

/// A component's month.
#[derive(Debug)]
pub(super) struct OfComponent {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether somebody is expected to look; else it is this home's own word.
    pub(super) is_looked_at: bool,
    /// From where it was looked at.
    pub(super) locations: Vec<String>,
    /// When there was anything to be seen first; `None`: never.
    pub(super) first: Option<i64>,
    /// Its outages are in `outages`.
    pub(super) stretch: Stretch,
    /// The oldest first, as many as are listed.
    pub(super) outages: Vec<Listed>,
}

/// An outage, and what is known of it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) clipped: Clipped,
    /// The locations from which it was seen.
    pub(super) seen_from: Vec<String>,
    /// What the home's own records say.
    pub(super) at_home: Option<Evidence>,
    /// Why it was down, as both sides have it.
    pub(super) inside: Option<Interval>,
}

/// The bandwidth tests of one direction.
#[derive(Debug)]
pub(super) struct OfBandwidth {
    /// `Download`
    pub(super) name: &'static str,
    /// `down`
    pub(super) label: &'static str,
    /// What the contract promises, in Mbit/s.
    pub(super) promised: Option<f64>,
    pub(super) tests: Tests,
}

impl Report {
    pub(super) const fn is_future(&self) -> bool {
        self.as_of < self.from
    }

    pub(super) const fn is_over(&self) -> bool {
        self.to <= self.as_of
    }

    /// Whether there is anything to report.
    pub(super) fn has_data(&self) -> bool {
        let is_known = |component: &OfComponent| {
            let tally = &component.stretch.tally;
            tally.counted() + tally.maintenance > 0 || !component.locations.is_empty()
        };
        self.components.iter().any(is_known) || !self.bandwidth.is_empty() || self.at_rest != AtRest::default()
    }
}

/// The month as it is known now.
///
/// # Errors
/// When the storage fails.
pub(super) async fn read(state: &AppState, month: Month, now: Timestamp) -> Result<Report, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let zone = page.zone();
    let (from, to) = month.bounds(&zone).unwrap_or((Timestamp::MAX, Timestamp::MAX));
    let mut report = Report {
        page: page.name,
        notice: state.notice.clone(),
        month,
        zone,
        from: from.as_millisecond(),
        to: to.as_millisecond(),
        as_of: now.as_second() * 1000,
        components: Vec::new(),
        components_left_out: 0,
        outages_left_out: 0,
        bandwidth: Vec::new(),
        at_rest: AtRest::default(),
        unrecorded: 0,
        is_cut: false,
        unknown: Vec::new(),
    };
    if !report.is_future() {
        read_components(state, &mut report).await?;
        read_measured(state, &mut report).await?;
    }
    report.unknown = unknown::sentences(&report);
    Ok(report)
}

async fn read_components(state: &AppState, report: &mut Report) -> Result<(), KeeperError> {
    let window = report.from..report.to.min(report.as_of);
    let around = window.start - AROUND..window.end.saturating_add(AROUND).min(report.as_of);
    let home = evidence::of_home(state, None).await?;
    let gaps = gaps(state, around.start).await?;
    let overlap = |gap: &Range<i64>| (gap.end.min(window.end) - gap.start.max(window.start)).max(0);
    report.unrecorded = gaps.iter().map(overlap).sum();
    let mut components = components::list(&state.db, &state.page, 0, u32::MAX).await?;
    let listed = usize::try_from(MAX_COMPONENTS).unwrap_or(usize::MAX).min(components.len());
    report.components_left_out = components.split_off(listed).len();
    let mut room = MAX_OUTAGES;
    for component in &components {
        let records = home.as_ref().filter(|(id, _)| *id == component.id).map(|(_, records)| records);
        let (mut read, is_cut) = of_component(state, component, &window, &around, records).await?;
        report.is_cut |= is_cut;
        let left_out = read.outages.len().saturating_sub(room);
        read.outages.truncate(room);
        room -= read.outages.len();
        for listed in records.map_or(&mut [][..], |_| &mut read.outages) {
            let (whole, Some(records)) = (&listed.clipped.whole, records) else { break };
            listed.inside = inside::cause_of(state, &component.id, records, &(whole.from..whole.to)).await?;
        }
        report.outages_left_out += left_out;
        report.components.push(read);
    }
    Ok(())
}

/// When nothing was recorded at home since then, the newest first.
async fn gaps(state: &AppState, since: i64) -> Result<Vec<Range<i64>>, KeeperError> {
    let gaps = heartbeats::gaps(&state.db, Moment::try_from(since).ok(), MAX_GAPS).await?;
    Ok(gaps.iter().map(|gap| gap.began.millis()..gap.ended.millis()).collect())
}

async fn of_component(
    state: &AppState,
    component: &Component,
    window: &Range<i64>,
    around: &Range<i64>,
    records: Option<&HomeRecords>,
) -> Result<(OfComponent, bool), KeeperError> {
    let (db, id) = (&state.db, &component.id);
    let past = ComponentPast::read(state, component, around.clone()).await?;
    let first = if component.looks {
        state.recorder.looks().first(db, id).await?
    } else {
        components::first_status(db, id).await?
    };
    let stretch = Stretch::new(&segments(&past.record(), around.clone()), window, first);
    let seen = past.seen;
    let listed = |clipped: &Clipped| Listed {
        seen_from: seen_from(&seen, &clipped.whole),
        at_home: records.and_then(|records| evidence(&(clipped.whole.from..clipped.whole.to), records)),
        inside: None,
        clipped: clipped.clone(),
    };
    // Who could not look has not looked.
    let is_within = |look: &&Look| {
        look.began < window.end && look.ended >= window.start && !matches!(look.verdict, Some(Verdict::Unknown(_)))
    };
    let read = OfComponent {
        id: id.to_string(),
        name: component.name.clone(),
        is_looked_at: component.looks,
        locations: locations(&seen, seen.looks.iter().filter(is_within)),
        first,
        outages: stretch.outages.iter().map(listed).collect(),
        stretch,
    };
    Ok((read, seen.is_cut))
}

/// From where an outage was seen: the locations of those who saw it down meanwhile.
fn seen_from(seen: &Seen, outage: &Outage) -> Vec<String> {
    let meanwhile = seen.looks.iter().filter(|look| look.began < outage.to && look.ended >= outage.from);
    locations(seen, meanwhile.filter(|look| matches!(look.verdict, Some(Verdict::Down(_)))))
}

/// Each once.
fn locations<'a>(seen: &Seen, looks: impl Iterator<Item = &'a Look>) -> Vec<String> {
    let mut places: Vec<u32> = looks.map(|look| look.place).collect();
    places.sort_unstable();
    places.dedup();
    let name = |place: u32| seen.locations.get(usize::try_from(place).ok()?).cloned();
    places.into_iter().filter_map(name).collect()
}

async fn read_measured(state: &AppState, report: &mut Report) -> Result<(), KeeperError> {
    let moment = |millis| Moment::try_from(millis).unwrap_or(Moment::new(Timestamp::MAX));
    let between = (moment(report.from), moment(report.to.min(report.as_of)));
    for (reading, name, label) in [("bandwidth", "Download", "down"), ("upload", "Upload", "up")] {
        let promised = state.promised.of(reading);
        let tests = monthly::tests(&state.db, reading, promised, between).await?;
        report.bandwidth.extend(tests.map(|tests| OfBandwidth { name, label, promised, tests }));
    }
    report.at_rest = at_rest(&state.db, between).await?;
    Ok(())
}
