//! This machine: its clock, its disk, and how worn that is.

use std::{path::PathBuf, time::Duration};

use home_beacon::node::sensors::Wear;

use super::super::{finding::Finding, link::Link};

/// How far a clock may be off: the looks that are signed have five minutes.
const MAX_SKEW: Duration = Duration::from_mins(2);

/// What a keeper needs to go on: a day of readings has some megabytes, and a migration copies.
const MIN_FREE: u64 = 100 << 20;

/// From here on flash memory may fail at any time.
const WORN: f64 = 0.9;

/// What says what time it is.
#[derive(Clone, Debug, Default)]
pub struct ClockSeen {
    /// Whether a time service keeps the clock.
    pub is_synchronised: bool,
    /// Who was asked, and by how many seconds this clock is ahead of theirs; below 0 it is behind.
    pub ahead: Option<(String, i64)>,
    /// Whether that is another machine: one's own clock agrees with itself.
    pub is_elsewhere: bool,
}

/// The clock.
pub fn clock(seen: &ClockSeen) -> Finding {
    let next = "let a time service set it: timedatectl set-ntp true, and see timedatectl timesync-status";
    match &seen.ahead {
        Some((whose, ahead)) if ahead.unsigned_abs() > MAX_SKEW.as_secs() => {
            let side = if *ahead > 0 { "ahead of" } else { "behind" };
            Finding::failed(Link::Clock, format!("it is {} s {side} that of {whose}", ahead.unsigned_abs()), next)
        }
        Some((whose, ahead)) if seen.is_elsewhere => {
            Finding::ok(Link::Clock, format!("within {} s of that of {whose}", ahead.unsigned_abs() + 1))
        }
        _ if seen.is_synchronised => Finding::ok(Link::Clock, "a time service keeps it"),
        _ => Finding::unknown(Link::Clock, "no time service keeps it, and nobody outside told the time", next),
    }
}

/// A disk that something of ours is on.
#[derive(Clone, Debug)]
pub struct DiskSeen {
    /// The folder.
    pub folder: PathBuf,
    /// Its free bytes and its size, or why they are not known.
    pub room: Result<(u64, u64), String>,
    /// Whether it can only be read.
    pub is_read_only: bool,
}

/// The disk.
pub fn disk(seen: Option<&DiskSeen>) -> Finding {
    let Some(DiskSeen { folder, room, is_read_only }) = seen else {
        return Finding::unused(Link::Disk, "nothing of Porchlight's is kept on this machine");
    };
    let folder = folder.display();
    match room {
        Err(why) => {
            Finding::unknown(Link::Disk, format!("{folder}: {why}"), "run this as the user that runs the keeper")
        }
        Ok(_) if *is_read_only => Finding::failed(
            Link::Disk,
            format!("{folder} can only be read"),
            "see dmesg: a card that fails is mounted so; copy it, and replace it",
        ),
        Ok((free, size)) if *free < MIN_FREE => Finding::failed(
            Link::Disk,
            format!("{folder} has {} MB left of {} MB", free >> 20, size >> 20),
            "make room: the journal (journalctl --vacuum-size=100M) and old images are what usually fills a disk",
        ),
        Ok((free, size)) => {
            Finding::ok(Link::Disk, format!("{folder} has {} MB left of {} MB", free >> 20, size >> 20))
        }
    }
}

/// The wear.
pub fn wear(worn: &[Wear]) -> Finding {
    let shares = worn.iter().flat_map(|disk| disk.used.iter().map(|(_, used)| (disk.disk.as_str(), *used)));
    match shares.max_by(|one, other| one.1.total_cmp(&other.1)) {
        None => Finding::unused(Link::Wear, "no disk here tells how worn it is (SD cards do not)"),
        Some((disk, used)) if used >= WORN => Finding::failed(
            Link::Wear,
            format!("{disk} has used {:.0} % of its life", used * 100.0),
            "copy what is on it, and replace it: porchlight export saves what the keeper knows",
        ),
        Some((disk, used)) => {
            Finding::ok(Link::Wear, format!("{disk} has used at most {:.0} % of its life", used * 100.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_clock_is_right_wrong_or_not_known() {
        let seen = |is_synchronised, ahead: Option<i64>| {
            let ahead = ahead.map(|by| ("example.org".into(), by));
            clock(&ClockSeen { is_synchronised, ahead, is_elsewhere: true })
        };
        let own = ClockSeen { ahead: Some(("127.0.0.1".into(), 0)), ..ClockSeen::default() };
        assert_eq!(clock(&own).outcome, Outcome::NotConclusive, "it agrees with itself");
        assert_eq!(seen(false, Some(-3)).outcome, Outcome::Ok);
        assert_eq!(seen(true, None).outcome, Outcome::Ok);
        assert_eq!(seen(false, None).outcome, Outcome::NotConclusive);
        // A service that keeps it may keep it wrong.
        let failed = seen(true, Some(-86_400));
        assert_eq!(
            (failed.outcome, failed.saw.as_str()),
            (Outcome::Failed, "it is 86400 s behind that of example.org")
        );
        assert!(seen(false, Some(500)).saw.contains("ahead of"));
    }

    #[test]
    fn a_disk_has_room_is_full_or_cannot_be_written() {
        let seen = |room: Result<(u64, u64), &str>, is_read_only| {
            let room = room.map_err(str::to_owned);
            disk(Some(&DiskSeen { folder: "/data".into(), room, is_read_only })).outcome
        };
        assert_eq!(seen(Ok((1 << 30, 4 << 30)), false), Outcome::Ok);
        assert_eq!(seen(Ok((1 << 20, 4 << 30)), false), Outcome::Failed);
        assert_eq!(seen(Ok((1 << 30, 4 << 30)), true), Outcome::Failed);
        assert_eq!(seen(Err("forbidden"), false), Outcome::NotConclusive);
        assert_eq!(disk(None).outcome, Outcome::NotUsed);
    }

    #[test]
    fn flash_memory_that_is_worn_out_is_named() {
        let worn = |used| wear(&[Wear { disk: "mmcblk0".into(), used: vec![("a", 0.1), ("b", used)] }]);
        assert_eq!(worn(0.3).outcome, Outcome::Ok);
        assert_eq!((worn(0.9).outcome, worn(1.1).outcome), (Outcome::Failed, Outcome::Failed));
        assert!(worn(1.0).saw.contains("mmcblk0 has used 100 %"));
        assert_eq!(wear(&[]).outcome, Outcome::NotUsed);
    }
}
