//! What a month's report cannot know, in sentences: what nobody saw, what is kept no more, and what looks cannot tell.

use super::{
    super::page::{length_words, percent},
    read::{OfComponent, Report},
    words::time,
};
use crate::keeper::{
    history::{Beginning, Ending},
    measured::ages,
};

/// The most important first.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    if report.is_future() {
        return vec!["This month has not begun yet.".into()];
    }
    if !report.is_over() {
        let as_of = time(report.as_of, &report.zone);
        all.push(format!("The month is not over: this is what is known up to {as_of}."));
    }
    if report.is_cut {
        all.push("More was seen than is read for one report: what is oldest is missing.".into());
    }
    let several = report.components.len() > 1;
    for component in &report.components {
        let of = if several { format!("{}: ", component.name) } else { String::new() };
        all.extend(of_component(report, component).into_iter().map(|sentence| format!("{of}{sentence}")));
    }
    if report.components.iter().any(|component| !component.locations.is_empty()) {
        all.extend(of_looks(report));
    }
    all.extend(of_measurements(report));
    all.extend(of_kinds(report));
    all.extend(of_age(report));
    all
}

fn of_component(report: &Report, component: &OfComponent) -> Vec<String> {
    let (stretch, mut all) = (&component.stretch, Vec::new());
    let (looked, first) = (component.is_looked_at, component.first.map(|first| time(first, &report.zone)));
    match (first, looked) {
        (None, true) => all.push("Nobody has ever looked.".into()),
        (None, false) => all.push("Nothing was ever reported.".into()),
        (Some(first), _) if stretch.before > 0 => {
            let what = if looked { "Nobody had looked" } else { "Nothing had been reported" };
            let length = length_words(stretch.before);
            all.push(format!("{what} before {first}: {length} of this month are not counted."));
        }
        _ => (),
    }
    let unseen = stretch.tally.not_looked_at;
    if let Some(share) = stretch.tally.unseen().filter(|share| *share > 0.0) {
        let what = if looked { "nobody looked" } else { "nothing was recorded" };
        let (length, share) = (length_words(unseen), percent(share, 1, f64::ceil));
        all.push(format!("For {length} ({share}) {what}: that counts neither as up nor as down."));
    }
    let count =
        |wanted: &dyn Fn(&super::read::Listed) -> bool| component.outages.iter().filter(|it| wanted(it)).count();
    let unended = count(&|it| matches!(it.clipped.whole.ending, Ending::Unseen | Ending::Maintenance));
    if unended > 0 {
        all.push(format!("{} may have lasted longer than is said: the end was not seen.", outages(unended)));
    }
    let unbegun = count(&|it| it.clipped.beginning == Beginning::Unseen);
    if unbegun > 0 {
        all.push(format!("{} may have begun earlier than is said: the beginning was not seen.", outages(unbegun)));
    }
    all
}

fn outages(count: usize) -> String {
    if count == 1 { "1 outage".into() } else { format!("{count} outages") }
}

/// What looks from outside cannot tell.
fn of_looks(report: &Report) -> Vec<String> {
    let mut all = vec![
        "A look is made about once a minute, so beginnings and ends are right to about a minute, and what was shorter may not \
         have been seen."
            .to_owned(),
    ];
    let mut locations: Vec<&String> = report.components.iter().flat_map(|component| &component.locations).collect();
    locations.sort_unstable();
    locations.dedup();
    all.push(match locations[..] {
        [one] => format!(
            "All looks came from one place ({one}): they tell whether the home answered there, and not whether line, router, \
             power or the route between was the reason."
        ),
        _ => "A time counts as down where no place that looked got an answer. Looks tell whether the home answered, and not \
              whether line, router, power or the routes between were the reason."
            .to_owned(),
    });
    all
}

fn of_measurements(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    let is_measured = !report.bandwidth.is_empty() || report.at_rest.latency.is_some();
    if is_measured && report.unrecorded > 0 {
        let length = length_words(report.unrecorded);
        all.push(format!("At home nothing was recorded for {length}: of that time there are no measurements."));
    }
    if report.bandwidth.iter().any(|it| it.tests.by_the_hour) {
        all.push(
            "Single tests are kept for 30 days: of earlier ones the hour is known, and of several in an hour only the slowest."
                .into(),
        );
    }
    all
}

/// Why it was down is concluded from single readings.
fn of_kinds(report: &Report) -> Option<String> {
    let kept = i64::try_from(ages::RAW.as_millis()).unwrap_or(i64::MAX);
    let is_old =
        |listed: &super::read::Listed| listed.at_home.is_some() && listed.clipped.whole.from < report.as_of - kept;
    let is_known = report.components.iter().flat_map(|component| &component.outages).any(is_old);
    is_known.then(|| {
        "Why it was down is concluded from measurements at home, which are kept one by one for 30 days.".into()
    })
}

/// What is kept no more.
fn of_age(report: &Report) -> Option<String> {
    let kept = i64::try_from(ages::HOURS.as_millis()).unwrap_or(i64::MAX);
    (report.from < report.as_of - kept)
        .then(|| "Looks and measurements are kept for two years: what is older is known no more.".into())
}
