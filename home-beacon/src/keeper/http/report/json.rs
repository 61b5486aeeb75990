//! A report for programs: lengths in whole seconds, times in RFC 3339 with the page's offset.

use serde_json::{Value, json};

use super::{
    kinds::by_kind,
    read::{Listed, OfBandwidth, OfComponent, Report},
    words,
};
use crate::keeper::measured::{at_rest::OverHours, monthly::Test};

/// The whole document.
pub(super) fn document(report: &Report) -> Value {
    let time = |millis| words::machine(millis, &report.zone);
    let over = |measured: Option<OverHours>| {
        let of = |it: OverHours| json!({"average": it.average, "worst_hour": {"from": time(it.worst_at), "average": it.worst}});
        measured.map(of)
    };
    json!({
        "page": report.page,
        "notice": report.notice,
        "month": report.month.name(),
        "time_zone": report.zone.iana_name().unwrap_or("UTC"),
        "from": time(report.from),
        "to": time(report.to),
        "as_of": time(report.as_of),
        "is_over": report.is_over(),
        "components": report.components.iter().map(|it| of_component(report, it)).collect::<Vec<_>>(),
        "components_left_out": report.components_left_out,
        "outages_left_out": report.outages_left_out,
        "bandwidth": report.bandwidth.iter().map(|it| of_bandwidth(report, it)).collect::<Vec<_>>(),
        "latency_ms": over(report.at_rest.latency),
        "loss_percent": over(report.at_rest.loss),
        "cannot_know": report.unknown,
    })
}

fn of_component(report: &Report, component: &OfComponent) -> Value {
    let (stretch, time) = (&component.stretch, |millis| words::machine(millis, &report.zone));
    let tally = &stretch.tally;
    json!({
        "id": component.id,
        "name": component.name,
        "seen_from": component.is_looked_at.then_some(&component.locations),
        "counted_from": time(stretch.counted.start),
        "counted_to": time(stretch.counted.end),
        "availability": tally.uptime(),
        "not_looked_at": tally.unseen(),
        "seconds": {
            "up": tally.up / 1000,
            "degraded": tally.degraded / 1000,
            "down": tally.down / 1000,
            "maintenance": tally.maintenance / 1000,
            "not_looked_at": tally.not_looked_at / 1000,
            "before_first_look": stretch.before / 1000,
            "longest_outage": stretch.longest() / 1000,
        },
        "outage_count": stretch.outages.len(),
        "by_kind": by_kind(component).iter().map(|of| json!({
            "kind": of.label(), "outages": of.outages, "seconds_down": of.down / 1000,
        })).collect::<Vec<_>>(),
        "outages": component.outages.iter().map(|it| outage(report, component, it)).collect::<Vec<_>>(),
    })
}

fn outage(report: &Report, component: &OfComponent, listed: &Listed) -> Value {
    let (clipped, time) = (&listed.clipped, |millis| words::machine(millis, &report.zone));
    let is_ongoing = words::ending(report, listed) == "ongoing";
    let verdict = clipped.whole.verdict;
    json!({
        // The part within the month, and the outage as a whole as far as it is known.
        "from": time(clipped.within.start),
        "to": if is_ongoing && report.as_of < report.to { Value::Null } else { time(clipped.within.end).into() },
        "seconds": clipped.length() / 1000,
        "seconds_down": clipped.down / 1000,
        "began": time(clipped.whole.from),
        "ended": if is_ongoing { Value::Null } else { time(clipped.whole.to).into() },
        "began_before_month": clipped.began_before(),
        "went_on_after_month": clipped.went_on(),
        "beginning": words::beginning(listed),
        "ending": words::ending(report, listed),
        "cause": verdict.and_then(shared::verdict::Verdict::cause),
        "cause_words": words::cause(verdict),
        "at_home": listed.at_home.map(|evidence| json!({
            "kind": evidence.kind.label(),
            "words": words::at_home(evidence, listed),
            "unrecorded_seconds": evidence.unrecorded / 1000,
        })),
        "inside": listed.inside.as_ref().map(|it| json!({
            "kind": it.kind.label(),
            "words": it.sentence(),
            "confidence": it.confidence.label(),
        })),
        "seen_from": component.is_looked_at.then_some(&listed.seen_from),
    })
}

fn of_bandwidth(report: &Report, of: &OfBandwidth) -> Value {
    let tests = &of.tests;
    let test = |test: &Test| {
        let at = words::machine(test.at, &report.zone);
        json!({"at": at, "mbps": test.value, "is_hour": test.is_hour})
    };
    let is_known = of.promised.is_some();
    json!({
        "direction": of.label,
        "promised_mbps": of.promised,
        "tests": tests.measured,
        "failed": tests.failed,
        "average_mbps": tests.average,
        "slowest": tests.worst.as_ref().map(test),
        "below_promise": is_known.then(|| json!({
            "at_least": tests.below.0,
            "at_most": tests.below.1,
            "listed": tests.listed.iter().map(test).collect::<Vec<_>>(),
        })),
    })
}
