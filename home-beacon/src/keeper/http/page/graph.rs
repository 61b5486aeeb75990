//! A metric's curve as the page draws it: an average line within a band from the least to the most, gaps as gaps, failed
//! measurements and loss marked. Pure: buckets in, coordinates out. The template makes them SVG.

use jiff::{Timestamp, tz::TimeZone};

use super::range::Range;
use crate::keeper::measured::series::Bucket;

/// The size of the drawing, in its own units: the style sheet scales it.
pub(super) const WIDTH: f64 = 600.0;
pub(super) const HEIGHT: f64 = 120.0;

/// Which part of the readings a graph shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The value, with its band.
    Value,
    Jitter,
    Loss,
}

/// What the template draws. Coordinates are of a drawing of [`WIDTH`] by [`HEIGHT`], written with one decimal.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Graph {
    /// Polygons from the least to the most, one for each stretch without a gap.
    pub(super) bands: Vec<String>,
    /// Polylines of the average.
    pub(super) lines: Vec<String>,
    /// Where a stretch is a single bucket, which no line shows.
    pub(super) dots: Vec<(String, String)>,
    /// Where measurements failed, from the left.
    pub(super) failures: Vec<String>,
    /// Where packets were lost.
    pub(super) losses: Vec<String>,
    /// The contract's line, from the top.
    pub(super) promise: Option<String>,
    /// The value at the top of the drawing.
    pub(super) top: f64,
    /// Labels of the time axis: where, and what.
    pub(super) ticks: Vec<(String, String)>,
    /// The least and the most that were measured, and the average; for who cannot see the drawing.
    pub(super) summary: Option<Summary>,
    /// How many measurements failed.
    pub(super) failed: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) least: f64,
    pub(super) average: f64,
    pub(super) most: f64,
}

/// What is to be drawn.
pub(super) struct Drawing<'a> {
    pub(super) buckets: &'a [Bucket],
    pub(super) part: Part,
    pub(super) range: Range,
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    /// What the contract promises, in the metric's unit.
    pub(super) promise: Option<f64>,
}

/// A bucket's place and values.
#[derive(Clone, Copy)]
struct Mark {
    at: i64,
    value: f64,
    least: f64,
    most: f64,
}

impl Drawing<'_> {
    pub(super) fn graph(&self) -> Graph {
        let marks: Vec<Mark> = self.buckets.iter().filter_map(|bucket| self.mark(bucket)).collect();
        let highest = marks.iter().map(|mark| mark.value).chain(self.promise).fold(0.0, f64::max);
        let top = round_up((highest * 1.1).max(usual_most(&marks)));
        let mut graph = Graph { top, ticks: self.ticks(), ..Graph::default() };
        graph.promise = self.promise.map(|promise| written(height(promise, top)));
        let joined = self.joined(&marks);
        for stretch in marks.chunk_by(|one, next| next.at - one.at <= joined) {
            self.draw(stretch, top, &mut graph);
        }
        let shown = |bucket: &&Bucket| self.x(bucket.at.millis()).is_some();
        for bucket in self.buckets.iter().filter(shown) {
            let Some(x) = self.x(bucket.at.millis()) else { continue };
            if bucket.failed > 0 {
                graph.failures.push(written(x));
                graph.failed += bucket.failed;
            }
            if self.part == Part::Value && bucket.loss.is_some_and(|loss| loss > 0.0) {
                graph.losses.push(written(x));
            }
        }
        graph.summary = summary(&marks);
        graph
    }

    /// How far apart two neighbours of one stretch may be: what is measured once an hour has no gap in each hour.
    fn joined(&self, marks: &[Mark]) -> i64 {
        let mut apart: Vec<i64> = marks.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        apart.sort_unstable();
        apart.get(apart.len().saturating_sub(1) / 2).map_or(0, |median| median * 3 / 2).max(self.step())
    }

    fn mark(&self, bucket: &Bucket) -> Option<Mark> {
        let at = bucket.at.millis();
        self.x(at)?;
        let value = match self.part {
            Part::Value => bucket.value,
            Part::Jitter => bucket.jitter,
            Part::Loss => bucket.loss,
        }?;
        let of_band = |bound: Option<f64>| bound.filter(|_| self.part == Part::Value).unwrap_or(value);
        Some(Mark { at, value, least: of_band(bucket.min).min(value), most: of_band(bucket.max).max(value) })
    }

    fn draw(&self, stretch: &[Mark], top: f64, graph: &mut Graph) {
        let point = |at: i64, value: f64| Some(format!("{},{}", written(self.x(at)?), written(height(value, top))));
        if let [one] = stretch {
            let x = self.x(one.at).map(written).unwrap_or_default();
            graph.dots.push((x, written(height(one.value, top))));
            return;
        }
        let line: Vec<String> = stretch.iter().filter_map(|mark| point(mark.at, mark.value)).collect();
        graph.lines.push(line.join(" "));
        if stretch.iter().any(|mark| mark.most > mark.least) {
            let upper = stretch.iter().filter_map(|mark| point(mark.at, mark.most));
            let lower = stretch.iter().rev().filter_map(|mark| point(mark.at, mark.least));
            graph.bands.push(upper.chain(lower).collect::<Vec<_>>().join(" "));
        }
    }

    /// The place of a bucket's middle; `None` outside the drawing.
    fn x(&self, at: i64) -> Option<f64> {
        let place = fraction(at + self.step() / 2 - self.from(), self.to() - self.from());
        (0.0..=1.0).contains(&place).then_some(place * WIDTH)
    }

    fn ticks(&self) -> Vec<(String, String)> {
        let time = |millis: i64| Timestamp::from_millisecond(millis).unwrap_or(self.now);
        let label = |(at, label): (Timestamp, String)| {
            let place = fraction(at.as_millisecond() - self.from(), self.to() - self.from()) * WIDTH;
            (written(place), label)
        };
        self.range.ticks(time(self.from()), time(self.to()), self.zone).into_iter().map(label).collect()
    }

    fn from(&self) -> i64 {
        self.to() - i64::try_from(self.range.length().as_millis()).unwrap_or(i64::MAX)
    }

    /// The end of the last bucket, so that a drawing changes once a bucket and not with every look at it.
    fn to(&self) -> i64 {
        (self.now.as_millisecond() / self.step() + 1) * self.step()
    }

    fn step(&self) -> i64 {
        i64::try_from(self.range.step().as_millis()).unwrap_or(i64::MAX)
    }
}

fn summary(marks: &[Mark]) -> Option<Summary> {
    let count = u32::try_from(marks.len()).ok().filter(|count| *count > 0)?;
    Some(Summary {
        least: marks.iter().map(|mark| mark.least).fold(f64::INFINITY, f64::min),
        average: marks.iter().map(|mark| mark.value).sum::<f64>() / f64::from(count),
        most: marks.iter().map(|mark| mark.most).fold(0.0, f64::max),
    })
}

/// From the top; what lies beyond the drawing is cut off by it.
fn height(value: f64, top: f64) -> f64 {
    HEIGHT - (value / top * HEIGHT).clamp(-HEIGHT, 4.0 * HEIGHT)
}

/// What nine of ten highest values stay below: the band of a usual day is to be seen, and a spike that would press all else
/// together is cut off.
fn usual_most(marks: &[Mark]) -> f64 {
    let mut most: Vec<f64> = marks.iter().map(|mark| mark.most).collect();
    most.sort_by(f64::total_cmp);
    most.get(most.len() * 9 / 10).copied().unwrap_or_default()
}

/// A number of few digits that is easy to read, with as many zeros as it takes.
fn round_up(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let found =
        [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0].into_iter().map(|digit| digit * power).find(|round| *round >= value);
    found.unwrap_or(10.0 * power)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a month are far below 2^53")]
fn fraction(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

fn written(coordinate: f64) -> String {
    let written = format!("{coordinate:.1}");
    written.strip_suffix(".0").map_or_else(|| written.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::keeper::db::Moment;

    const NOW: &str = "2026-11-28T12:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn bucket(minutes_ago: i64, value: Option<f64>) -> Bucket {
        Bucket {
            at: Moment::new(now() - SignedDuration::from_mins(minutes_ago)),
            measured: i64::from(value.is_some()),
            failed: i64::from(value.is_none()),
            skipped: 0,
            marked: 0,
            value,
            min: value.map(|value| value - 5.0),
            max: value.map(|value| value + 5.0),
            jitter: value.map(|_| 1.0),
            loss: None,
        }
    }

    fn graph(buckets: &[Bucket], part: Part) -> Graph {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Drawing { buckets, part, range: Range::Day, now: now(), zone: &zone, promise: None }.graph()
    }

    #[test]
    fn a_gap_is_a_gap_and_a_failed_measurement_is_marked() {
        let drawn: Vec<Bucket> =
            [(60, Some(20.0)), (50, Some(30.0)), (40, None), (30, Some(20.0)), (20, Some(20.0)), (0, Some(40.0))]
                .map(|(ago, value)| bucket(ago, value))
                .into();
        let graph = graph(&drawn, Part::Value);
        assert_eq!(graph.lines, ["572.9,72 577.1,48", "585.4,72 589.6,72"], "{graph:?}");
        assert_eq!((graph.bands.len(), graph.dots.len(), graph.failed), (2, 1, 1));
        assert_eq!((graph.failures, graph.top), (vec!["581.2".to_owned()], 50.0));
        assert_eq!(graph.summary, Some(Summary { least: 15.0, average: 26.0, most: 45.0 }));
    }

    #[test]
    fn what_is_measured_once_an_hour_is_one_line() {
        let drawn: Vec<Bucket> = [300, 240, 180, 120, 60].map(|ago| bucket(ago, Some(90.0))).into();
        assert_eq!(graph(&drawn, Part::Value).lines.len(), 1);
        let without_one = [&drawn[..2], &drawn[3..]].concat();
        assert_eq!(graph(&without_one, Part::Value).lines.len(), 2);
    }

    #[test]
    fn what_is_older_than_the_range_is_left_out() {
        let graph = graph(&[bucket(25 * 60, Some(900.0)), bucket(10, Some(20.0))], Part::Value);
        assert_eq!((graph.dots.len(), graph.top), (1, 30.0));
    }

    #[test]
    fn jitter_has_no_band_and_the_axis_is_in_the_pages_time() {
        let graph = graph(&[bucket(20, Some(9.0)), bucket(10, Some(9.0))], Part::Jitter);
        assert!(graph.bands.is_empty() && graph.lines.len() == 1);
        let labels: Vec<&str> = graph.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["18:00", "00:00", "06:00", "12:00"]);
    }

    #[test]
    fn nothing_measured_is_an_empty_drawing() {
        let graph = graph(&[], Part::Loss);
        assert_eq!((graph.summary, graph.top, graph.lines.len()), (None, 1.0, 0));
    }

    #[test]
    fn the_band_of_a_usual_day_is_seen_and_a_spike_is_cut_off() {
        let mut drawn: Vec<Bucket> = (1..20).map(|step| bucket(step * 10, Some(18.0))).collect();
        let top = |drawn: &[Bucket]| written(graph(drawn, Part::Value).top);
        assert_eq!(top(&drawn), "30", "the highest value of each is 23");
        drawn[3].max = Some(900.0);
        assert_eq!(top(&drawn), "30");
    }

    #[test]
    fn the_scale_ends_at_a_round_value() {
        for (value, round) in
            [(0.0, 1.0), (0.011, 0.015), (1.0, 1.0), (1.1, 1.5), (4.9, 5.0), (5.1, 6.0), (940.0, 1000.0)]
        {
            assert!((round_up(value) - round).abs() < 1e-9, "{value}: {}", round_up(value));
        }
        assert!((round_up(f64::NAN) - 1.0).abs() < 1e-9);
    }
}
