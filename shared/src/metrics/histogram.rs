//! How often something took how long.

/// Upper bounds in seconds for what is asked over a network: the classic ones of Prometheus' libraries.
pub const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Observations by classic buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, not cumulative, and the last for what is above all of them.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Without observations. `bounds` are upper bounds, which belong to their bucket, in ascending order.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts one; what is no number counts for nothing.
    pub fn observe(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.counts[self.bounds.partition_point(|bound| *bound < value)] += 1;
        self.sum += value;
    }

    pub(super) const fn sum(&self) -> f64 {
        self.sum
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Upper bounds with what is in each bucket, the infinite one included.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_in_the_first_bucket_that_reaches_it() {
        let mut histogram = Histogram::new(&[0.1, 1.0]);
        for value in [0.0, 0.1, 0.5, 1.0, 1.1, f64::NAN] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets(), [(0.1, 2), (1.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(histogram.count(), 5);
        assert!((histogram.sum() - 2.7).abs() < 1e-9);
    }
}
