//! What a rule came to in a year: whole numbers, so that they are the same everywhere.

use shared::statuspage::ComponentStatus;

use super::{
    page::{Page, Said, Who},
    rng::{Ms, SECOND},
    spell::Spells,
    truth::Truth,
    weather::YEAR,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// That should have been noticed.
    pub(crate) outages: usize,
    pub(crate) missed: usize,
    /// The page said so although the home had been up for longer than a run.
    pub(crate) false_down_seconds: Ms,
    /// Outages whose published length is compared with the true one.
    pub(crate) measured: usize,
    pub(crate) error_seconds: Ms,
    pub(crate) worst_error_seconds: Ms,
    /// Of the component, by the rule.
    pub(crate) changes: usize,
    pub(crate) incidents: usize,
    /// Human states.
    pub(crate) overwritten: usize,
    pub(crate) calls: usize,
    pub(crate) most_calls_a_minute: usize,
    /// To people; of the other rules, one for each change of the page.
    pub(crate) notices: usize,
}

impl Figures {
    pub(crate) fn of(page: &Page<'_>, truth: &Truth, notices: Option<usize>) -> Self {
        let changes = page.history.iter().filter(|said| said.who != Who::Human).count();
        let down = published(&page.history);
        let noticeable: Vec<_> =
            truth.down.iter().filter(|outage| truth.able_within(outage.from, outage.to).len() >= 2).collect();
        let missed = noticeable.iter().filter(|outage| !down.touch(outage.from, truth.right_by(outage.to)));
        let errors: Vec<Ms> = truth
            .measured()
            .map(|(from, to, until)| (overlap(&down, from, until) - (to - from)).abs() / SECOND)
            .collect();
        let excused = [&truth.down, &truth.grey, &truth.maintenance].into_iter().flat_map(|spells| spells.iter());
        let excused = Spells::joined(excused.map(|spell| (spell.from, truth.right_by(spell.to))), 0);
        let wrong = |spell: (Ms, Ms)| spell.1 - spell.0 - overlap(&excused, spell.0, spell.1);
        Self {
            outages: noticeable.len(),
            missed: missed.count(),
            false_down_seconds: down.iter().map(|spell| wrong((spell.from, spell.to))).sum::<Ms>() / SECOND,
            measured: errors.len(),
            error_seconds: errors.iter().sum(),
            worst_error_seconds: errors.iter().copied().max().unwrap_or(0),
            changes,
            incidents: page.opened.iter().filter(|opened| !opened.deleted).count(),
            overwritten: page.overwritten.len(),
            calls: page.calls,
            most_calls_a_minute: page.most_a_minute,
            notices: notices.unwrap_or(changes),
        }
    }

    pub(crate) const NAMES: &str = "outages missed false_down_s measured error_s worst_s changes incidents overwritten calls most_a_minute notices";

    pub(crate) fn line(&self) -> String {
        let Self { outages, missed, false_down_seconds, measured, error_seconds, worst_error_seconds, .. } = self;
        let Self { changes, incidents, overwritten, calls, most_calls_a_minute, notices, .. } = self;
        format!(
            "{outages} {missed} {false_down_seconds} {measured} {error_seconds} {worst_error_seconds} {changes} \
             {incidents} {overwritten} {calls} {most_calls_a_minute} {notices}"
        )
    }
}

/// When the page said that the home is down.
pub(crate) fn published(history: &[Said]) -> Spells<()> {
    let ends = history.iter().skip(1).map(|said| said.at).chain([YEAR]);
    let said = history.iter().zip(ends).filter(|(said, _)| said.status == ComponentStatus::MajorOutage);
    Spells::joined(said.map(|(said, end)| (said.at, end)), 0)
}

/// How much of `from..to` they hold.
pub(crate) fn overlap(spells: &Spells<()>, from: Ms, to: Ms) -> Ms {
    spells.within(from, to).iter().map(|spell| spell.to.min(to) - spell.from.max(from)).sum()
}
