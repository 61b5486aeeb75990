//! What stands at fast.com, or in its place.
#![no_main]

libfuzzer_sys::fuzz_target!(|page: &str| {
    let _ = home_beacon::bandwidth::parsers::script_of_page(page);
});
