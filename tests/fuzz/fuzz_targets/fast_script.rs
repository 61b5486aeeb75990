//! The script of fast.com.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &str| {
    let _ = home_beacon::bandwidth::parsers::keys_of_script(script);
});
