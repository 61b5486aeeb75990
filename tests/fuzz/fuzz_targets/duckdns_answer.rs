//! What DuckDNS answers, or another server in its place.
#![no_main]

libfuzzer_sys::fuzz_target!(|answer: &[u8]| {
    let (status, body) = answer.split_at(answer.len().min(2));
    let status = status.try_into().map_or(200, u16::from_le_bytes);
    for status in [status, 200] {
        let _ = home_beacon::dns::answer::read(status, body);
    }
});
