//! Readings: what is read can be written, and read again as the same.
#![no_main]

use home_beacon::reading::Reading;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let Ok(reading) = serde_json::from_slice::<Reading>(text) else { return };
    let written = serde_json::to_vec(&reading).expect("a reading can be written");
    assert_eq!(serde_json::from_slice::<Reading>(&written).expect("and read"), reading);
});
