//! Whether the firmware of a Raspberry Pi holds the processor back, and why: the bits of `vcgencmd get_throttled`, as Raspberry
//! Pi's documentation has them: 0 to 3 for now, 16 to 19 for earlier. Its kernel has them in a file below the firmware's device;
//! other kernels know of too little voltage alone, as an alarm of the monitor `rpi_volt`.

use std::path::Path;

use super::{entries, text};

/// Where the bits for earlier begin.
const EARLIER: u32 = 16;

/// Why a processor is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The supply gives less than 4.63 V.
    UnderVoltage,
    /// Its frequency is capped.
    FrequencyCapped,
    /// It is throttled.
    Throttled,
    /// It is as hot as its soft limit.
    SoftTemperatureLimit,
}

/// By bit.
const REASONS: [Reason; 4] =
    [Reason::UnderVoltage, Reason::FrequencyCapped, Reason::Throttled, Reason::SoftTemperatureLimit];

/// For which reasons the processor is held back, of those that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttling {
    /// At this moment.
    pub now: Vec<(Reason, bool)>,
    /// At any time that the firmware remembers: since the boot, as a rule.
    pub earlier: Vec<(Reason, bool)>,
}

impl Reason {
    /// As a label has it.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnderVoltage => "under_voltage",
            Self::FrequencyCapped => "frequency_capped",
            Self::Throttled => "throttled",
            Self::SoftTemperatureLimit => "soft_temperature_limit",
        }
    }
}

impl Throttling {
    fn of(bits: u32) -> Self {
        let from = |first: u32| (first..).zip(REASONS).map(|(bit, reason)| (reason, bits & (1 << bit) != 0)).collect();
        Self { now: from(0), earlier: from(EARLIER) }
    }
}

pub(super) fn read(sys: &Path) -> Option<Throttling> {
    by_firmware(sys).or_else(|| by_monitor(sys))
}

/// `soc/soc:firmware` up to the Pi 4; a Pi 5 has an address in both names.
fn by_firmware(sys: &Path) -> Option<Throttling> {
    let buses = entries(&sys.join("devices/platform"), |name| name.starts_with("soc"));
    let mut devices = buses.into_iter().flat_map(|(_, bus)| entries(&bus, |name| name.ends_with(":firmware")));
    let bits = devices.find_map(|(_, device)| text(&device.join("get_throttled")))?;
    u32::from_str_radix(bits.strip_prefix("0x").unwrap_or(&bits), 16).ok().map(Throttling::of)
}

fn by_monitor(sys: &Path) -> Option<Throttling> {
    let monitors = entries(&sys.join("class/hwmon"), |_| true);
    let monitor = monitors.into_iter().find(|(_, path)| text(&path.join("name")).is_some_and(|it| it == "rpi_volt"));
    let alarm = match text(&monitor?.1.join("in0_lcrit_alarm"))?.as_str() {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    Some(Throttling { now: vec![(Reason::UnderVoltage, alarm)], earlier: Vec::new() })
}
