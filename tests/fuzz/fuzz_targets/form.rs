//! Bodies that are forms, as shell clients send them to the keeper.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let _ = home_beacon::keeper::http::form::parse(body);
});
