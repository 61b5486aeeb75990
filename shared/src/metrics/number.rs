//! The value of a sample.

use std::fmt;

use prometheus_client::encoding::{CounterValueEncoder, EncodeCounterValue, EncodeGaugeValue, GaugeValueEncoder};

/// The value of a gauge or a counter. Whole numbers are written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count, or seconds since 1970.
    Whole(i64),
    /// Anything measured.
    Real(f64),
}

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => EncodeGaugeValue::encode(value, encoder),
            Self::Real(value) => EncodeGaugeValue::encode(value, encoder),
        }
    }
}

/// What is below nothing is nothing.
impl EncodeCounterValue for Number {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => EncodeCounterValue::encode(&u64::try_from(*value).unwrap_or_default(), encoder),
            Self::Real(value) => EncodeCounterValue::encode(&value.max(0.0), encoder),
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
