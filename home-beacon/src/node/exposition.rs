//! The sensors as metrics. One of them has the name and label of a predecessor (`pi_temperature{name}`), so that dashboards go on.

use shared::metrics::{Name, Number, Snapshot};

use super::sensors::{Reason, Sensors};

/// The zone that is a Pi's processor.
const PROCESSOR: u16 = 0;

/// What a scraper reads. A metric without a value is described all the same.
pub(super) fn snapshot(node: &str, sensors: &Sensors) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let temperatures = sensors
        .temperatures
        .iter()
        .map(|it| ([node.to_owned(), it.zone.to_string(), it.kind.clone()], Number::from(it.celsius)));
    let help = "The temperature of a thermal zone of the node.";
    snapshot.gauges("node_temperature_celsius", help, ["node", "zone", "type"], temperatures);
    let held_back = |reasons: &[(Reason, bool)]| -> Vec<([String; 2], Number)> {
        reasons.iter().map(|(reason, is)| ([node.to_owned(), reason.label().to_owned()], Number::from(*is))).collect()
    };
    let (now, earlier) =
        sensors.throttling.as_ref().map(|it| (held_back(&it.now), held_back(&it.earlier))).unwrap_or_default();
    snapshot.gauges(
        "node_throttled",
        "Whether the firmware holds the node's processor back now, by reason; under_voltage is the power supply's fault.",
        ["node", "reason"],
        now,
    );
    snapshot.gauges(
        "node_throttled_since_boot",
        "Whether it has done so at any time that the firmware remembers, which is since the boot.",
        ["node", "reason"],
        earlier,
    );
    let wear = sensors.wear.iter().flat_map(|disk| {
        let of_disk = |(estimate, used): &(_, f64)| {
            ([node.to_owned(), disk.disk.clone(), String::from(*estimate)], Number::from(*used))
        };
        disk.used.iter().map(of_disk)
    });
    snapshot.gauges(
        "node_disk_life_used_ratio",
        "At most this share of the life of the node's flash memory is used, in tenths; 1.1 is beyond its end.",
        ["node", "disk", "estimate"],
        wear,
    );
    let processor = sensors.temperatures.iter().filter(|it| it.zone == PROCESSOR);
    let samples = processor.map(|it| ([node.to_owned()], Number::from(it.celsius)));
    let help = "The temperature of the processor, in degrees Celsius.";
    snapshot.gauges(Name::of_others("pi_temperature"), help, ["name"], samples);
    snapshot
}
