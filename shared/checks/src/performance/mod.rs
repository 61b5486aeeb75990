//! The figures beside an outcome: what monitoring plugins call performance data.
//!
//! - `parse`: reading them, as forgiving as what reads plugins elsewhere
//! - `number`: one number as plugins write it
//! - `range`: what beyond which a figure is a warning, or critical
//! - `unit`: base units, for who stores figures

mod number;
mod parse;
mod range;
mod unit;

#[cfg(test)]
mod corpus;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    parse::{MAX_FIGURES, MAX_LABEL, Parsed, parse},
    range::{NoRange, Range},
};

/// One figure. Its `Display` is that of a plugin: `'label'=1.5ms;2;3;0;10`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is of, as the program wrote it, quotes taken off.
    pub label: String,
    /// The value; `None` where it could not be determined (`U`).
    pub value: Option<f64>,
    /// Its unit as written, like `s`, `ms`, `%`, `B` or `c`; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The range beyond which it is a warning, as written: a [`Range`] where it keeps the guidelines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// The range beyond which it is critical, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<String>,
    /// The least value there can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Figure {
    /// A value without limits.
    pub fn new(label: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: Some(value),
            unit: unit.into(),
            warning: None,
            critical: None,
            min: None,
            max: None,
        }
    }

    /// The same in seconds or bytes, where its unit is a part or a multiple of these; any other unit stays. Ranges that do not keep
    /// the guidelines are left out where the unit changes.
    ///
    /// The guidelines do not say whether `KB` are 1000 or 1024 bytes. They are 1024 here, as in the plugins that write them
    /// (`check_disk`, `check_swap`, and whatever calls `free` or `df`).
    #[must_use]
    pub fn in_base_unit(&self) -> Self {
        let Some((unit, scale)) = unit::base(&self.unit) else { return self.clone() };
        let range = |written: &Option<String>| {
            let range: Range = written.as_deref()?.parse().ok()?;
            Some(range.map(|bound| scale.of(bound)).to_string())
        };
        Self {
            label: self.label.clone(),
            value: self.value.map(|value| scale.of(value)),
            unit: unit.to_owned(),
            warning: range(&self.warning),
            critical: range(&self.critical),
            min: self.min.map(|min| scale.of(min)),
            max: self.max.map(|max| scale.of(max)),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.label.chars().all(|c| c.is_alphanumeric() || "_-./:".contains(c)) {
            write!(f, "{}=", self.label)?;
        } else {
            write!(f, "'{}'=", self.label.replace('\'', "''"))?;
        }
        match self.value {
            Some(value) => write!(f, "{value}{}", self.unit)?,
            None => f.write_str("U")?,
        }
        let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = [text(&self.warning), text(&self.critical), number(self.min), number(self.max)];
        let used = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        fields[..used].iter().try_for_each(|field| write!(f, ";{field}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        let figure = parse(text).figures.remove(0);
        figure.in_base_unit().to_string()
    }

    #[test]
    fn seconds_and_bytes_are_stored_as_such_and_other_units_stay() {
        for (written, stored) in [
            ("a=1.5ms", "a=0.0015s"),
            ("a=0.129000ms;100;500;0", "a=0.000129s;0.1;0.5;0"),
            ("a=250us;@10:20;~:30", "a=0.00025s;@0.00001:0.00002;~:0.00003"),
            ("a=250µs", "a=0.00025s"),
            ("a=2KB", "a=2048B"),
            ("a=2kB;1:;;0;4", "a=2048B;1024:;;0;4096"),
            ("a=1.5MB", "a=1572864B"),
            ("a=1MiB", "a=1048576B"),
            ("a=1GB", "a=1073741824B"),
            ("a=2TB", "a=2199023255552B"),
            ("a=3s;soon", "a=3s;soon"),
            ("a=3ms;soon;4", "a=0.003s;;0.004"),
            ("a=5%;;;0;100", "a=5%;;;0;100"),
            ("a=7c", "a=7c"),
            ("a=21.5°C", "a=21.5°C"),
            ("a=U;1;2", "a=U;1;2"),
        ] {
            assert_eq!(base(written), stored, "{written}");
        }
    }

    #[test]
    fn it_is_written_as_a_plugin_writes_it() {
        let mut figure = Figure::new("a'b =", 1.0, "s");
        figure.max = Some(2.0);
        assert_eq!(figure.to_string(), "'a''b ='=1s;;;;2");
        assert_eq!(parse(&figure.to_string()).figures, [figure]);
    }
}
