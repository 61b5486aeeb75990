//! Puts the build time into the program, in seconds since 1970: a clock that shows an earlier time is not set.

use std::{env, time::SystemTime};

fn main() {
    // The customary way to build the same bytes twice.
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo:rerun-if-changed=build.rs");
    let epoch = env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo:rustc-env=BUILT_AT={}", epoch.unwrap_or_else(now));
}
