//! A row of the table `monitor`, whichever columns this version has.

use std::time::Duration;

use serde_json::{Map, Value};

/// A monitor.
#[derive(Debug)]
pub(super) struct Monitor<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Monitor<'a> {
    /// A text that is not empty.
    pub(super) fn text(&self, column: &str) -> Option<&'a str> {
        self.0.get(column).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// A whole number.
    pub(super) fn number(&self, column: &str) -> Option<i64> {
        let value = self.0.get(column)?;
        // A column without a type keeps numbers as they were written.
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// Yes or no; `None` where the column is not there.
    pub(super) fn flag(&self, column: &str) -> Option<bool> {
        self.number(column).map(|number| number != 0)
    }

    /// Seconds, more than none.
    pub(super) fn seconds(&self, column: &str) -> Option<Duration> {
        let value = self.0.get(column)?;
        let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        // No longer than a year.
        let seconds = seconds.min(366.0 * 86_400.0);
        Duration::try_from_secs_f64(seconds)
            .ok()
            .map(|span| Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
            .filter(|span| !span.is_zero())
    }

    /// What people call it.
    pub(super) fn title(&self) -> &'a str {
        self.text("name").unwrap_or("a monitor without a name")
    }

    /// Its type.
    pub(super) fn kind(&self) -> &'a str {
        self.text("type").unwrap_or("nothing")
    }
}
