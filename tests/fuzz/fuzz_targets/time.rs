//! Times as clients write them to the keeper.
#![no_main]

use jiff::tz::TimeZone;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    if let Ok(time) = home_beacon::keeper::http::time::read(text, &zone) {
        // What the API writes, it reads as the same.
        assert_eq!(home_beacon::keeper::http::time::read(&time.to_string(), &zone), Ok(time));
    }
});
