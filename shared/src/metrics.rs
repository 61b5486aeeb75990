//! One Prometheus exposition for all servers: values that are read at the scrape, in the text format 0.0.4.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, GaugeValueEncoder, prometheus_text},
    metrics::MetricType,
    registry::Registry,
};

/// The `Content-Type` of the text.
pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// What every name here begins with.
const PREFIX: &str = "porchlight";

/// The metrics of one scrape, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Snapshot(Vec<MetricFamily>);

/// A metric, with a sample for each set of labels.
#[derive(Debug)]
struct MetricFamily {
    name: &'static str,
    help: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Counter(u64),
    Gauge(Number),
    /// One label, and a sample for each of its values.
    LabelledGauge(&'static str, Vec<(String, Number)>),
}

/// The value of a gauge. Whole numbers are written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count, or seconds since 1970.
    Whole(i64),
    /// Anything measured.
    Real(f64),
}

impl Snapshot {
    /// Adds a count that only grows while the process runs. `name` is without `porchlight_` and without `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.0.push(MetricFamily { name, help, kind: Kind::Counter(value) });
    }

    /// Adds a value that can fall. `name` is without `porchlight_`, and ends in its base unit where it has one.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: impl Into<Number>) {
        self.0.push(MetricFamily { name, help, kind: Kind::Gauge(value.into()) });
    }

    /// Adds a gauge with one label, and a sample for each of its values; without samples the metric is still described.
    pub fn labelled_gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        samples: impl IntoIterator<Item = (String, Number)>,
    ) {
        self.0.push(MetricFamily { name, help, kind: Kind::LabelledGauge(label, samples.into_iter().collect()) });
    }

    /// The text that Prometheus reads, to be sent as [`CONTENT_TYPE`].
    pub fn into_text(self) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

impl MetricFamily {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Counter(_) => MetricType::Counter,
            Kind::Gauge(_) | Kind::LabelledGauge(..) => MetricType::Gauge,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        match &self.kind {
            Kind::Counter(value) => metric.encode_counter::<[(&str, &str); 0], _, u64>(value, None),
            Kind::Gauge(value) => metric.encode_gauge(value),
            Kind::LabelledGauge(label, samples) => samples
                .iter()
                .try_for_each(|(name, value)| metric.encode_family(&[(*label, name.as_str())])?.encode_gauge(value)),
        }
    }
}

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.encode(encoder),
            Self::Real(value) => value.encode(encoder),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

/// 1 of what is so, 0 of what is not.
impl From<bool> for Number {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_written_in_its_order_with_labels_escaped() {
        let mut snapshot = Snapshot::default();
        snapshot.counter("calls", "Calls.", 3);
        snapshot.gauge("up", "Whether it is up.", true);
        let samples = [("ping".to_owned(), 12.5.into()), ("a \"b\" \\\n".to_owned(), 0.25.into())];
        snapshot.labelled_gauge("reading", "The value.", "metric", samples);
        snapshot.labelled_gauge("at_seconds", "When.", "metric", [("ping".to_owned(), 1_800_000_000_i64.into())]);
        snapshot.labelled_gauge("none", "Nothing.", "metric", []);
        assert_eq!(
            snapshot.into_text(),
            "# HELP porchlight_calls_total Calls.\n# TYPE porchlight_calls_total counter\nporchlight_calls_total 3\n\
             # HELP porchlight_up Whether it is up.\n# TYPE porchlight_up gauge\nporchlight_up 1\n\
             # HELP porchlight_reading The value.\n# TYPE porchlight_reading gauge\n\
             porchlight_reading{metric=\"ping\"} 12.5\nporchlight_reading{metric=\"a \\\"b\\\" \\\\\\n\"} 0.25\n\
             # HELP porchlight_at_seconds When.\n# TYPE porchlight_at_seconds gauge\n\
             porchlight_at_seconds{metric=\"ping\"} 1800000000\n\
             # HELP porchlight_none Nothing.\n# TYPE porchlight_none gauge\n"
        );
    }
}
