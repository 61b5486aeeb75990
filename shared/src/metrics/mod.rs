//! One exposition for all servers: values that are read at the scrape, as Prometheus' text format or as OpenMetrics.

mod format;
mod histogram;
mod number;

use std::{borrow::Cow, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::MetricType,
    registry::Registry,
};

pub use self::{
    format::Format,
    histogram::{Histogram, SECONDS},
    number::Number,
};

/// The metrics of one scrape, in the order in which they were added.
///
/// Names are given without the `porchlight_` that they begin with, and counters without `_total`.
#[derive(Debug, Default)]
pub struct Snapshot(Vec<MetricFamily>);

/// What a metric is called.
#[derive(Clone, Debug)]
pub struct Name(Cow<'static, str>);

/// A metric, with a sample for each set of labels.
#[derive(Debug)]
struct MetricFamily {
    name: Name,
    help: &'static str,
    kind: MetricType,
    samples: Vec<(Labels, Value)>,
}

type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
enum Value {
    Counter(Number),
    Gauge(Number),
    Histogram(Histogram),
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self(format!("porchlight_{name}").into())
    }
}

impl Name {
    /// A name that dashboards of others know, and that does not begin as ours do.
    pub const fn of_others(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl Snapshot {
    /// Adds a count that only grows while the process runs.
    pub fn counter(&mut self, name: impl Into<Name>, help: &'static str, value: impl Into<Number>) {
        self.counters(name, help, [], [([], value.into())]);
    }

    /// Adds counts with labels: a sample for each of their values.
    pub fn counters<const N: usize>(
        &mut self,
        name: impl Into<Name>,
        help: &'static str,
        labels: [&'static str; N],
        samples: impl IntoIterator<Item = ([String; N], Number)>,
    ) {
        let samples = samples.into_iter().map(|(values, number)| (values, Value::Counter(number)));
        self.add(name.into(), help, MetricType::Counter, labels, samples);
    }

    /// Adds a value that can fall. Its name ends in its base unit where it has one.
    pub fn gauge(&mut self, name: impl Into<Name>, help: &'static str, value: impl Into<Number>) {
        self.gauges(name, help, [], [([], value.into())]);
    }

    /// Adds a gauge with one label, and a sample for each of its values; without samples the metric is still described.
    pub fn labelled_gauge(
        &mut self,
        name: impl Into<Name>,
        help: &'static str,
        label: &'static str,
        samples: impl IntoIterator<Item = (String, Number)>,
    ) {
        self.gauges(name, help, [label], samples.into_iter().map(|(value, number)| ([value], number)));
    }

    /// The same with several labels, or none.
    pub fn gauges<const N: usize>(
        &mut self,
        name: impl Into<Name>,
        help: &'static str,
        labels: [&'static str; N],
        samples: impl IntoIterator<Item = ([String; N], Number)>,
    ) {
        let samples = samples.into_iter().map(|(values, number)| (values, Value::Gauge(number)));
        self.add(name.into(), help, MetricType::Gauge, labels, samples);
    }

    /// Adds histograms with labels, in classic buckets.
    pub fn histograms<const N: usize>(
        &mut self,
        name: impl Into<Name>,
        help: &'static str,
        labels: [&'static str; N],
        samples: impl IntoIterator<Item = ([String; N], Histogram)>,
    ) {
        let samples = samples.into_iter().map(|(values, histogram)| (values, Value::Histogram(histogram)));
        self.add(name.into(), help, MetricType::Histogram, labels, samples);
    }

    fn add<const N: usize>(
        &mut self,
        name: Name,
        help: &'static str,
        kind: MetricType,
        labels: [&'static str; N],
        samples: impl Iterator<Item = ([String; N], Value)>,
    ) {
        let samples = samples.map(|(values, value)| (labels.into_iter().zip(values).collect(), value)).collect();
        self.0.push(MetricFamily { name, help, kind, samples });
    }

    /// What a scraper reads, to be sent as [`Format::content_type`].
    pub fn written(self, format: Format) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        format.write(&registry)
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

impl MetricFamily {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(&self.name.0, self.help, None, self.kind)?;
        self.samples.iter().try_for_each(|(labels, value)| {
            // A set of no labels would be written as one.
            if labels.is_empty() { value.encode(&mut metric) } else { value.encode(&mut metric.encode_family(labels)?) }
        })
    }
}

impl Value {
    fn encode(&self, metric: &mut MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(number) => metric.encode_counter::<Labels, _, u64>(number, None),
            Self::Gauge(number) => metric.encode_gauge(number),
            Self::Histogram(histogram) => {
                metric.encode_histogram::<Labels>(histogram.sum(), histogram.count(), &histogram.buckets(), None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.counter("calls", "Calls.", 3_u64);
        snapshot.gauge("up", "Whether it is up.", true);
        let samples = [("ping".to_owned(), 12.5.into()), ("a \"b\" \\\n".to_owned(), 0.25.into())];
        snapshot.labelled_gauge("reading", "The value.", "metric", samples);
        snapshot.labelled_gauge("at_seconds", "When.", "metric", [("ping".to_owned(), 1_800_000_000_i64.into())]);
        snapshot.labelled_gauge("none", "Nothing.", "metric", []);
        let requests = [(["a", "b"], 0.5), (["a", "c"], 0.0)];
        let requests = requests.map(|(labels, number)| (labels.map(ToOwned::to_owned), Number::from(number)));
        snapshot.counters(Name::of_others("requests"), "Requests.", ["caller", "network"], requests);
        let mut took = Histogram::new(&[0.005, 1.0]);
        took.observe(0.5);
        took.observe(30.0);
        snapshot.histograms("took_seconds", "How long it took.", ["check"], [(["nas".to_owned()], took)]);
        snapshot
    }

    #[test]
    fn a_snapshot_is_written_in_its_order_with_labels_escaped() {
        assert_eq!(
            snapshot().written(Format::Text),
            "# HELP porchlight_calls_total Calls.\n# TYPE porchlight_calls_total counter\nporchlight_calls_total 3\n\
             # HELP porchlight_up Whether it is up.\n# TYPE porchlight_up gauge\nporchlight_up 1\n\
             # HELP porchlight_reading The value.\n# TYPE porchlight_reading gauge\n\
             porchlight_reading{metric=\"ping\"} 12.5\nporchlight_reading{metric=\"a \\\"b\\\" \\\\\\n\"} 0.25\n\
             # HELP porchlight_at_seconds When.\n# TYPE porchlight_at_seconds gauge\n\
             porchlight_at_seconds{metric=\"ping\"} 1800000000\n\
             # HELP porchlight_none Nothing.\n# TYPE porchlight_none gauge\n\
             # HELP requests_total Requests.\n# TYPE requests_total counter\n\
             requests_total{caller=\"a\",network=\"b\"} 0.5\nrequests_total{caller=\"a\",network=\"c\"} 0.0\n\
             # HELP porchlight_took_seconds How long it took.\n# TYPE porchlight_took_seconds histogram\n\
             porchlight_took_seconds_bucket{check=\"nas\",le=\"0.005\"} 0\n\
             porchlight_took_seconds_bucket{check=\"nas\",le=\"1\"} 1\n\
             porchlight_took_seconds_bucket{check=\"nas\",le=\"+Inf\"} 2\n\
             porchlight_took_seconds_sum{check=\"nas\"} 30.5\nporchlight_took_seconds_count{check=\"nas\"} 2\n"
        );
    }

    #[test]
    fn as_openmetrics_it_has_the_same_samples_and_an_end() {
        let samples = |text: &str| {
            let samples = text.lines().filter(|line| !line.starts_with('#'));
            // A bound is a whole number in the one and has a fraction in the other, and stands before or behind the labels.
            let moved = |line: &str| match line.split_once("{le=\"") {
                Some((name, rest)) => {
                    let (bound, rest) = rest.split_once("\",").expect("a label");
                    format!("{name}{{{}", rest.replacen('}', &format!(",le=\"{}\"}}", bound.trim_end_matches(".0")), 1))
                }
                None => line.to_owned(),
            };
            let mut samples: Vec<_> = samples.map(moved).collect();
            samples.sort();
            samples
        };
        let open = snapshot().written(Format::OpenMetrics);
        assert_eq!(samples(&open), samples(&snapshot().written(Format::Text)));
        assert!(open.contains("# TYPE porchlight_calls counter\n") && open.ends_with("\n# EOF\n"), "{open}");
    }
}
