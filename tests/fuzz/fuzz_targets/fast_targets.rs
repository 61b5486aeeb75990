//! What the API of fast.com answers, in both its versions.
#![no_main]

libfuzzer_sys::fuzz_target!(|answer: &str| {
    let _ = home_beacon::bandwidth::parsers::targets(answer);
});
