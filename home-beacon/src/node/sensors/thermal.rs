//! Temperatures: `/sys/class/thermal/thermal_zone*` (Linux, `Documentation/driver-api/thermal/sysfs-api.rst`). Zone 0 of a
//! Raspberry Pi is its processor.

use std::path::Path;

use super::{entries, text};

/// How many zones are read: a Pi has one, a laptop some ten.
const MOST_ZONES: usize = 32;

const ZONE: &str = "thermal_zone";

/// What a sensor can say without being broken, in °C. Drivers report one that is off as -274 or 2147483.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = -60.0..=200.0;

/// The temperature of a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// The zone's number.
    pub zone: u16,
    /// What the kernel calls it, as `cpu-thermal`.
    pub kind: String,
    /// In °C.
    pub celsius: f64,
}

pub(super) fn read(sys: &Path) -> Vec<Temperature> {
    let number = |name: &str| name.strip_prefix(ZONE)?.parse::<u16>().ok();
    let mut zones: Vec<_> = entries(&sys.join("class/thermal"), |name| number(name).is_some())
        .into_iter()
        .filter_map(|(name, path)| Some((number(&name)?, path)))
        .collect();
    zones.sort();
    zones.iter().take(MOST_ZONES).filter_map(|(zone, path)| zone_in(*zone, path)).collect()
}

fn zone_in(zone: u16, path: &Path) -> Option<Temperature> {
    let thousandths: i32 = text(&path.join("temp"))?.parse().ok()?;
    let celsius = f64::from(thousandths) / 1000.0;
    let kind = text(&path.join("type")).unwrap_or_default();
    PLAUSIBLE.contains(&celsius).then_some(Temperature { zone, kind, celsius })
}
