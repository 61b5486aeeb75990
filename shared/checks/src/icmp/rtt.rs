//! What round-trip times come to.

use std::{fmt, time::Duration};

/// The samples of one target in the order in which they were sent; `None` was lost.
pub type Samples = [Option<Duration>];

/// In milliseconds, but for the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The mean of the samples that were answered.
    pub average: f64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
    /// Mean absolute difference of neighbouring samples; `None` with fewer than two. Samples that were lost are left
    /// out, so that their neighbours become neighbours.
    pub jitter: Option<f64>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms (min {:.3}, max {:.3}", self.average, self.min, self.max)?;
        match self.jitter {
            Some(jitter) => write!(f, ", jitter {jitter:.3})"),
            None => f.write_str(")"),
        }
    }
}

/// Percent of the samples that were lost.
pub fn loss(samples: &Samples) -> f64 {
    let lost = samples.iter().filter(|sample| sample.is_none()).count();
    100.0 * count(lost) / count(samples.len().max(1))
}

/// `None` when all were lost.
pub fn summary(samples: &Samples) -> Option<Summary> {
    let times: Vec<f64> = samples.iter().flatten().map(|time| time.as_secs_f64() * 1e3).collect();
    let min = times.iter().copied().reduce(f64::min)?;
    let max = times.iter().copied().reduce(f64::max)?;
    let differences: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    Some(Summary { average: mean(&times)?, min, max, jitter: mean(&differences) })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

#[expect(clippy::cast_precision_loss, reason = "there are at most thousands")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(times: &[Option<u64>]) -> Vec<Option<Duration>> {
        times.iter().map(|time| time.map(Duration::from_millis)).collect()
    }

    #[test]
    fn samples_come_to_average_min_max_jitter_and_loss() {
        let taken = samples(&[Some(10), Some(14), None, Some(12), Some(12)]);
        let expected = Summary { average: 12.0, min: 10.0, max: 14.0, jitter: Some(2.0) };
        assert_eq!((summary(&taken), loss(&taken)), (Some(expected), 20.0));
    }

    #[test]
    fn one_sample_has_no_jitter() {
        assert_eq!(summary(&samples(&[None, Some(3)])).unwrap().jitter, None);
    }

    #[test]
    fn nothing_but_loss_comes_to_nothing() {
        let lost = samples(&[None, None]);
        assert_eq!((summary(&lost), loss(&lost)), (None, 100.0));
    }
}
