//! Ranges as the guidelines of monitoring plugins have them: `10`, `10:`, `~:10`, `10:20`, `@10:20`.

use std::{fmt, str::FromStr};

use super::number;

/// A range of values, both ends included, and on which side of it something is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    alerts_inside: bool,
}

/// A text that is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range is written like 10, 10:, ~:10, 10:20 or @10:20, its lower end first")]
pub struct NoRange;

impl Range {
    /// Whether a value is within it, the ends included.
    pub fn contains(self, value: f64) -> bool {
        self.start <= value && value <= self.end
    }

    /// Whether a value is one that it warns of: outside of it, or within where it begins with `@`.
    pub fn alerts(self, value: f64) -> bool {
        self.contains(value) == self.alerts_inside
    }

    /// The same range in another unit; `change` keeps the order of values.
    #[must_use]
    pub(super) fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self { start: change(self.start), end: change(self.end), alerts_inside: self.alerts_inside }
    }
}

impl FromStr for Range {
    type Err = NoRange;

    fn from_str(text: &str) -> Result<Self, NoRange> {
        let (bounds, alerts_inside) = text.strip_prefix('@').map_or((text, false), |bounds| (bounds, true));
        let bound = |text| number::whole(text).ok_or(NoRange);
        let (start, end) = match bounds.split_once(':') {
            Some(("", "")) => return Err(NoRange),
            None => (0.0, bound(bounds)?),
            Some((start, end)) => {
                let start = match start {
                    "" => 0.0,
                    "~" => f64::NEG_INFINITY,
                    start => bound(start)?,
                };
                (start, if end.is_empty() { f64::INFINITY } else { bound(end)? })
            }
        };
        if start > end { Err(NoRange) } else { Ok(Self { start, end, alerts_inside }) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alerts_inside {
            f.write_str("@")?;
        }
        if self.start == f64::NEG_INFINITY {
            f.write_str("~:")?;
        } else if self.start != 0.0 || self.end == f64::INFINITY {
            write!(f, "{}:", self.start)?;
        }
        if self.end == f64::INFINITY { Ok(()) } else { write!(f, "{}", self.end) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn the_guidelines_examples_alert_as_they_say() {
        for (text, alerts, is_quiet) in [
            ("10", &[-0.1, 10.1][..], &[0.0, 5.0, 10.0][..]),
            ("10:", &[9.9, f64::NEG_INFINITY], &[10.0, 1e300]),
            ("~:10", &[10.1], &[10.0, -1e300]),
            ("10:20", &[9.9, 20.1], &[10.0, 15.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.9, 20.1]),
            (":10", &[-0.1, 10.1], &[0.0, 10.0]),
            ("0", &[-0.1, 0.1], &[0.0]),
            ("~:", &[], &[-1e300, 1e300]),
            ("-10:-5,5", &[-5.4, -10.1], &[-5.5, -10.0]),
        ] {
            let range = range(text);
            assert!(alerts.iter().all(|value| range.alerts(*value)), "{text}");
            assert!(!is_quiet.iter().any(|value| range.alerts(*value)), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_not_taken_for_one() {
        for text in ["", "@", ":", "@:", "~", "20:10", "-5", "a", "1:b", "10:20:30", "1 :2", "@@1", "1%", "nan", "~:~"]
        {
            assert_eq!(text.parse::<Range>(), Err(NoRange), "{text}");
        }
    }

    /// A range as a person writes it, and the values from which on it holds.
    fn written() -> impl Strategy<Value = (String, f64, f64, bool)> {
        let bounds = prop_oneof![
            (0.0..1e9_f64).prop_map(|end| (end.to_string(), 0.0, end)),
            (-1e9..1e9_f64).prop_map(|start| (format!("{start}:"), start, f64::INFINITY)),
            (-1e9..1e9_f64).prop_map(|end| (format!("~:{end}"), f64::NEG_INFINITY, end)),
            (-1e9..1e9_f64, 0.0..1e9_f64).prop_map(|(start, more)| {
                let end = start + more;
                (format!("{start}:{end}"), start, end)
            }),
        ];
        (bounds, any::<bool>()).prop_map(|((text, start, end), inside)| {
            (if inside { format!("@{text}") } else { text }, start, end, inside)
        })
    }

    proptest! {
        #[test]
        fn it_alerts_on_the_one_side_and_never_on_the_other((text, start, end, inside) in written(), value in -2e9..2e9_f64) {
            let read = range(&text);
            for value in [value, start, end] {
                let within = value >= start && value <= end;
                prop_assert_eq!(read.contains(value), within);
                prop_assert_eq!(read.alerts(value), within == inside);
            }
        }

        #[test]
        fn it_is_written_as_it_is_read((text, ..) in written()) {
            let read = range(&text);
            prop_assert_eq!(range(&read.to_string()), read);
        }

        #[test]
        fn no_text_is_too_much_for_it(text in "\\PC*") {
            let _ = text.parse::<Range>();
        }
    }
}
