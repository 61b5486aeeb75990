//! What a source of addresses answers: an address of the family that was asked for, or none.
#![no_main]

use home_beacon::dns::{address::Family, source};

libfuzzer_sys::fuzz_target!(|answer: &[u8]| {
    for family in [Family::V4, Family::V6] {
        if let Ok(address) = source::address(answer, family) {
            assert_eq!(address.is_ipv4(), family == Family::V4);
        }
    }
});
