//! A report as a page, which is printed on one sheet where it fits.

use askama::Template;

use super::{
    super::page::{length_words, percent},
    kinds::by_kind,
    read::{Listed, OfBandwidth, OfComponent, Report},
    words,
};
use crate::keeper::{looks::checked::CHECKS, measured::at_rest::OverHours};

/// The most tests below the promise that are listed one by one.
const MAX_TESTS: usize = 24;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage<'a> {
    page: &'a str,
    notice: Option<&'a str>,
    /// `2026-11` and `November 2026`; those beside it, where they can be asked for.
    name: String,
    title: String,
    previous: Option<(String, String)>,
    next: Option<(String, String)>,
    zone: &'a str,
    from: TimeView,
    to: TimeView,
    as_of: TimeView,
    is_over: bool,
    /// What is said where there is nothing to report.
    nothing: Option<&'static str>,
    components: Vec<ComponentView<'a>>,
    outages_left_out: usize,
    components_left_out: usize,
    bandwidth: Vec<BandwidthView>,
    at_rest: Vec<String>,
    unknown: &'a [String],
}

pub(super) struct TimeView {
    machine: String,
    words: String,
}

struct ComponentView<'a> {
    id: &'a str,
    name: &'a str,
    /// From where it was looked at.
    seen: String,
    totals: Vec<(&'static str, String)>,
    /// Why it was down, where that is known of any outage.
    kinds: Option<String>,
    outages: Vec<OutageView>,
    /// Whether there were some that are not listed.
    has_more: bool,
}

struct OutageView {
    from: TimeView,
    began: Option<String>,
    /// `None` while it goes on.
    to: Option<TimeView>,
    ended: Option<String>,
    length: String,
    cause: Option<&'static str>,
    at_home: Option<String>,
    seen: String,
}

struct BandwidthView {
    name: &'static str,
    sentence: String,
    /// Times and speeds of those below the promise.
    listed: Vec<(TimeView, String)>,
    more: i64,
}

impl<'a> ReportPage<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let month = report.month;
        let beside =
            |month: crate::keeper::history::Month| month.can_be_asked_for().then(|| (month.name(), month.words()));
        Self {
            page: &report.page,
            notice: report.notice.as_deref(),
            name: month.name(),
            title: month.words(),
            previous: beside(month.previous()),
            next: beside(month.next()).filter(|_| report.is_over()),
            zone: report.zone.iana_name().unwrap_or("UTC"),
            from: time(report, report.from),
            to: time(report, report.to),
            as_of: time(report, report.as_of),
            is_over: report.is_over(),
            nothing: nothing(report),
            components: if report.has_data() {
                report.components.iter().map(|component| of_component(report, component)).collect()
            } else {
                Vec::new()
            },
            outages_left_out: report.outages_left_out,
            components_left_out: report.components_left_out,
            bandwidth: report.bandwidth.iter().map(|tests| of_bandwidth(report, tests)).collect(),
            at_rest: at_rest(report),
            unknown: &report.unknown,
        }
    }
}

fn time(report: &Report, millis: i64) -> TimeView {
    let (machine, words) = (words::machine(millis, &report.zone), words::time_of(report.month, millis, &report.zone));
    TimeView { machine, words }
}

fn nothing(report: &Report) -> Option<&'static str> {
    if report.is_future() {
        return Some("This month has not begun yet.");
    }
    (!report.has_data()).then_some("Nobody looked in this month, and nothing was measured: there is nothing to report.")
}

fn of_component<'a>(report: &Report, component: &'a OfComponent) -> ComponentView<'a> {
    let seen = match (component.is_looked_at, &component.locations[..]) {
        (false, _) => "As reported by this home.".into(),
        (true, []) => "Nobody looked in this month.".into(),
        (true, [location]) if location == CHECKS => "Checked from here.".into(),
        (true, locations) => format!("Looked at from the cloud ({}).", locations.join(", ")),
    };
    ComponentView {
        id: &component.id,
        name: &component.name,
        seen,
        totals: totals(component),
        kinds: kinds(component),
        outages: component.outages.iter().map(|listed| outage(report, component, listed)).collect(),
        has_more: component.outages.len() < component.stretch.outages.len(),
    }
}

/// `As seen from home: line: 2 outages, 45 min down; power: 1 outage, 3 min down.`
fn kinds(component: &OfComponent) -> Option<String> {
    let of = by_kind(component);
    let words = of.iter().map(|of| {
        let s = if of.outages == 1 { "" } else { "s" };
        format!("{}: {} outage{s}, {} down", of.name(), of.outages, length_words(of.down))
    });
    let words = words.collect::<Vec<_>>().join("; ");
    (!of.is_empty()).then(|| format!("Why, as seen from home: {words}."))
}

fn totals(component: &OfComponent) -> Vec<(&'static str, String)> {
    let (stretch, tally) = (&component.stretch, &component.stretch.tally);
    let availability = tally.uptime().map_or_else(|| "not known".into(), |share| percent(share, 3, f64::floor));
    let unseen = tally.unseen().map(|share| format!(" ({})", percent(share, 1, f64::ceil))).unwrap_or_default();
    let mut totals = vec![
        ("Availability", availability),
        ("Outages", stretch.outages.len().to_string()),
        ("Down in all", length_words(tally.down)),
        ("Longest outage", length_words(stretch.longest())),
        ("Degraded", length_words(tally.degraded)),
        (
            if component.is_looked_at { "Not looked at" } else { "Not recorded" },
            format!("{}{unseen}", length_words(tally.not_looked_at)),
        ),
    ];
    if tally.maintenance > 0 {
        totals.push(("Under maintenance", length_words(tally.maintenance)));
    }
    if stretch.before > 0 {
        totals.push(("Before the first look", length_words(stretch.before)));
    }
    totals
}

fn outage(report: &Report, component: &OfComponent, listed: &Listed) -> OutageView {
    let within = &listed.clipped.within;
    let is_ongoing = words::ending(report, listed) == "ongoing" && !listed.clipped.went_on();
    OutageView {
        from: time(report, within.start),
        began: words::began(report, component, listed),
        to: (!is_ongoing).then(|| time(report, within.end)),
        ended: words::ended(report, component, listed),
        length: words::length(report, listed),
        cause: words::cause(listed.clipped.whole.verdict),
        at_home: words::why(listed),
        seen: words::seen_from(component, listed),
    }
}

fn of_bandwidth(report: &Report, of: &OfBandwidth) -> BandwidthView {
    let tests = &of.tests;
    let mut parts = vec![match of.promised {
        Some(promised) => format!(
            "{} of {} tests were below the {promised} Mbit/s of the contract",
            words::below(tests.below),
            tests.measured
        ),
        None => format!("{} tests", tests.measured),
    }];
    parts.extend(tests.average.map(|average| format!("{} Mbit/s on average", words::number(average))));
    parts.extend(tests.worst.map(|worst| {
        let (value, at) = (words::number(worst.value), words::time_of(report.month, worst.at, &report.zone));
        format!("the slowest {value} Mbit/s ({}{at})", if worst.is_hour { "in the hour from " } else { "" })
    }));
    if tests.failed > 0 {
        parts.push(format!("{} could not be made", tests.failed));
    }
    let mut shown = tests.listed.iter().take(MAX_TESTS);
    let listed: Vec<_> = shown
        .by_ref()
        .map(|test| {
            let hour = if test.is_hour { ", slowest of that hour" } else { "" };
            (time(report, test.at), format!("{} Mbit/s{hour}", words::number(test.value)))
        })
        .collect();
    let more = tests.below.0 - i64::try_from(listed.len()).unwrap_or(i64::MAX);
    BandwidthView { name: of.name, sentence: format!("{}.", parts.join("; ")), listed, more: more.max(0) }
}

fn at_rest(report: &Report) -> Vec<String> {
    let kinds = [("Latency", "ms", report.at_rest.latency), ("Packet loss", "%", report.at_rest.loss)];
    let sentence = |(name, unit, measured): (&str, &str, Option<OverHours>)| {
        let over = measured?;
        let (average, worst) = (small(over.average), small(over.worst));
        let at = words::time_of(report.month, over.worst_at, &report.zone);
        Some(format!("{name}: {average} {unit} on average; {worst} {unit} in the worst hour, from {at}."))
    };
    kinds.into_iter().filter_map(sentence).collect()
}

/// With two decimals where it is small, so that a loss of 0.02 % is not written as none.
fn small(value: f64) -> String {
    if value > 0.0 && value < 0.005 {
        return "under 0.01".into();
    }
    let written = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.').to_owned() } else { written }
}
