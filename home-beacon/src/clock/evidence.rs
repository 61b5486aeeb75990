//! What the system says of its own clock: whether a time service keeps it synchronised, and whether it runs on without
//! power.

use std::{fs, path::Path};

use jiff::Timestamp;

/// There since systemd-timesyncd has set the clock in this boot (systemd-timesyncd.service(8)).
#[cfg(target_os = "linux")]
const TIMESYNCD: &str = "/run/systemd/timesync/synchronized";

/// How far a clock that runs without power may be from the system's, in seconds, and the largest and the smallest step by
/// which it may be off on purpose: some are set to a local time.
const NEAR: i64 = 60;
const FARTHEST_ZONE: i64 = 14 * 3600;
const ZONES_APART: i64 = 900;

/// What the time service has set in the kernel (`STA_UNSYNC`, adjtimex(2)); where the kernel may not be asked, what
/// systemd-timesyncd says.
#[cfg(target_os = "linux")]
pub(super) fn is_synchronised() -> bool {
    /// adjtimex(2): the clock is not synchronised.
    const STA_UNSYNC: i32 = 0x40;
    // With no mode set nothing is changed, which takes no privilege.
    let mut timex = rtime_clock::adjtime::Timex::new();
    match rtime_clock::adjtime::adjtimex(&mut timex) {
        Ok(_) => timex.0.status & STA_UNSYNC == 0,
        Err(_) => Path::new(TIMESYNCD).exists(),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_synchronised() -> bool {
    false
}

/// Whether the clock may have begun with a saved time. Boards like the Pi have nothing that keeps the time without power,
/// or (the Pi 5) something that has no battery; what a PC has, or the host of a virtual machine, shows the time.
pub(super) fn saves_its_clock(now: Timestamp) -> bool {
    let found = fs::read_dir("/sys/class/rtc").map(|all| {
        let shown = all.flatten().filter_map(|clock| fs::read_to_string(clock.path().join("since_epoch")).ok());
        shown.filter_map(|text| text.trim().parse().ok()).collect::<Vec<i64>>()
    });
    let board = cfg!(all(target_os = "linux", not(any(target_arch = "x86", target_arch = "x86_64"))));
    nothing_keeps_time(&found.unwrap_or_default(), now.as_second(), board)
}

/// `shown`: what the clocks that should run without power show, in seconds since 1970.
fn nothing_keeps_time(shown: &[i64], now: i64, board: bool) -> bool {
    let keeps_time = |shown: &i64| {
        let off = shown - now;
        let rest = off.rem_euclid(ZONES_APART);
        off.abs() <= FARTHEST_ZONE + NEAR && rest.min(ZONES_APART - rest) <= NEAR
    };
    if shown.is_empty() { board } else { !shown.iter().any(keeps_time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_battery_keeps_time_and_a_board_without_one_goes_on_from_what_was_saved() {
        for (shown, board, saves) in [
            (&[NOW - 1][..], false, false),
            (&[NOW + 2], true, false),
            // Set to local time.
            (&[NOW + 7200 - 1], false, false),
            (&[NOW - 5 * 3600 - 1800], false, false),
            // A Pi 5 without a battery, and an empty one in a PC.
            (&[35], true, true),
            (&[NOW - 20 * 365 * 86400], false, true),
            // A third of an hour is no zone's local time.
            (&[NOW - 1200 - 150], false, true),
            (&[35, NOW], true, false),
            (&[], true, true),
            (&[], false, false),
        ] {
            assert_eq!(nothing_keeps_time(shown, NOW, board), saves, "{shown:?} {board}");
        }
    }
}
