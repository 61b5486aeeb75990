//! What a range of a component's past came to, in the API's terms. Pure.

use std::ops::Range;

use shared::statuspage::ComponentStatus;

use crate::keeper::history::{Record, Segment, State, Tally, segments};

/// Times in milliseconds, of one component or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    tally: Tally,
    /// The part of the downtime that was a partial outage by somebody's word, and not by a look.
    partial: i64,
    /// Whether there were more looks than are read, so that the oldest count as time in which nobody looked.
    is_cut: bool,
}

impl Figures {
    pub(super) fn of(record: &Record<'_>, window: Range<i64>) -> Self {
        let segments = segments(record, window);
        let by_word = segments.iter().filter(|segment| segment.state == State::Down && segment.verdict.is_none());
        Self {
            tally: Tally::of(&segments),
            partial: by_word.map(|segment| partial(record, segment)).sum(),
            is_cut: false,
        }
    }

    /// Of a record that lacks its oldest looks.
    pub(super) const fn cut(self) -> Self {
        Self { is_cut: true, ..self }
    }

    /// Adds another component's.
    pub(super) fn add(&mut self, other: &Self) {
        let Self { tally, partial, is_cut } = self;
        *is_cut |= other.is_cut;
        tally.up += other.tally.up;
        tally.degraded += other.tally.degraded;
        tally.down += other.tally.down;
        tally.maintenance += other.tally.maintenance;
        tally.not_looked_at += other.tally.not_looked_at;
        *partial += other.partial;
    }

    /// As the page's, rounded down to hundredths: 100 is said only where there was no downtime. `None` where no time counts.
    pub(super) fn percentage(&self) -> Option<f64> {
        let counted = self.tally.counted();
        let hundredths = (self.tally.up + self.tally.degraded).saturating_mul(10_000).checked_div(counted)?;
        Some(f64::from(i32::try_from(hundredths).ok()?) / 100.0)
    }

    /// In seconds.
    pub(super) const fn major_outage(&self) -> i64 {
        (self.tally.down - self.partial) / 1000
    }

    /// In seconds.
    pub(super) const fn partial_outage(&self) -> i64 {
        self.partial / 1000
    }

    /// What the figures do not tell.
    pub(super) fn warning(&self) -> Option<String> {
        let unseen = self.tally.not_looked_at / 1000;
        if self.tally.counted() == 0 && self.tally.maintenance == 0 {
            return Some("Nobody looked in this range, so nothing is known of it.".into());
        }
        let why = if self.is_cut { " There were more looks than are read, and the oldest are missing." } else { "" };
        let counts = "they count as neither up nor down.";
        (unseen > 0).then(|| format!("Nobody looked for {unseen} seconds of this range; {counts}{why}"))
    }
}

/// For how long within a segment the status was a partial outage.
fn partial(record: &Record<'_>, segment: &Segment) -> i64 {
    let ends = record.statuses.iter().skip(1).map(|(since, _)| *since).chain([i64::MAX]);
    let of_status = record.statuses.iter().zip(ends).map(|((since, status), until)| {
        let length = until.min(segment.to) - (*since).max(segment.from);
        if *status == Some(ComponentStatus::PartialOutage) { length.max(0) } else { 0 }
    });
    of_status.sum()
}

#[cfg(test)]
mod tests {
    use shared::verdict::{DownCause, Verdict};

    use super::*;
    use crate::keeper::history::Look;

    const SECOND: i64 = 1000;

    fn figures(needs_looks: bool, looks: &[Look], statuses: &[(i64, Option<ComponentStatus>)]) -> Figures {
        Figures::of(&Record { statuses, looks, needs_looks }, 0..1000 * SECOND)
    }

    #[test]
    fn partial_and_major_outages_are_told_apart_by_the_status() {
        use ComponentStatus::{MajorOutage, Operational, PartialOutage};
        let statuses = [
            (0, Some(Operational)),
            (100 * SECOND, Some(PartialOutage)),
            (300 * SECOND, Some(MajorOutage)),
            (400 * SECOND, Some(Operational)),
            (950 * SECOND, Some(PartialOutage)),
        ];
        let figures = figures(false, &[], &statuses);
        assert_eq!((figures.major_outage(), figures.partial_outage()), (100, 250));
        assert_eq!((figures.percentage(), figures.warning()), (Some(65.0), None));
    }

    #[test]
    fn what_was_seen_is_a_major_outage_and_what_nobody_saw_is_said() {
        let look = |began: i64, ended: i64, verdict| Look {
            began: began * SECOND,
            ended: ended * SECOND,
            verdict: Some(verdict),
            place: 0,
        };
        let down = Verdict::Down(DownCause::Refused);
        let looks = [look(0, 100, Verdict::Up), look(100, 200, down)];
        let statuses = [(0, Some(ComponentStatus::PartialOutage))];
        let figures = figures(true, &looks, &statuses);
        assert_eq!((figures.major_outage(), figures.partial_outage()), (400, 0));
        assert_eq!(figures.percentage(), Some(20.0));
        let warning = "Nobody looked for 500 seconds of this range; they count as neither up nor down.";
        assert_eq!(figures.warning().as_deref(), Some(warning));
    }

    #[test]
    fn nearly_all_is_not_all_and_nothing_is_no_number() {
        let tally = |up, down| Figures { tally: Tally { up, down, ..Tally::default() }, ..Figures::default() };
        assert_eq!(tally(99_999_999, 1).percentage(), Some(99.99));
        assert_eq!(tally(972, 28).percentage(), Some(97.2));
        assert_eq!(tally(1, 0).percentage(), Some(100.0));
        assert_eq!(tally(0, 0).percentage(), None);
        assert_eq!(tally(0, 0).warning().as_deref(), Some("Nobody looked in this range, so nothing is known of it."));
    }

    #[test]
    fn a_group_is_all_its_components_together() {
        let mut all = Figures { tally: Tally { up: 900, down: 100, ..Tally::default() }, partial: 100, is_cut: false };
        all.add(
            &Figures {
                tally: Tally { up: 500, down: 500, not_looked_at: 7000, ..Tally::default() },
                ..Figures::default()
            }
            .cut(),
        );
        assert_eq!(all.percentage(), Some(70.0));
        assert_eq!((all.tally.down, all.partial, all.tally.not_looked_at), (600, 100, 7000));
        assert!(all.warning().is_some_and(|warning| warning.ends_with("the oldest are missing.")));
    }
}
