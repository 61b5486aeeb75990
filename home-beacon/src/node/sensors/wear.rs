//! How worn flash memory is: `life_time` of an eMMC, two estimates in steps of ten per cent (JEDEC JESD84-B51, `EXT_CSD` 268 and
//! 269). SD cards and `NVMe` disks have no such file.

use std::path::Path;

use super::{entries, text};

/// How many disks are read.
const MOST_DISKS: usize = 16;

/// More than all of its life is used.
const EXCEEDED: u8 = 11;

/// How worn a disk is.
#[derive(Clone, Debug, PartialEq)]
pub struct Wear {
    /// As `mmcblk0`.
    pub disk: String,
    /// Its estimates: `a` of the memory with one bit a cell, `b` of that with more. At most this share of its life is used; 1.1
    /// stands for more than all of it.
    pub used: Vec<(&'static str, f64)>,
}

pub(super) fn read(sys: &Path) -> Vec<Wear> {
    let disks = entries(&sys.join("block"), |name| name.starts_with("mmcblk"));
    let worn = |(disk, path): (String, std::path::PathBuf)| {
        let estimates = text(&path.join("device/life_time"))?;
        let used: Vec<_> = ["a", "b"].into_iter().zip(estimates.split_whitespace().map(share)).collect();
        let used: Vec<_> = used.into_iter().filter_map(|(name, share)| Some((name, share?))).collect();
        (!used.is_empty()).then_some(Wear { disk, used })
    };
    disks.into_iter().take(MOST_DISKS).filter_map(worn).collect()
}

/// `0x01` is up to a tenth; `0x00` is not known.
fn share(estimate: &str) -> Option<f64> {
    let steps = u8::from_str_radix(estimate.strip_prefix("0x")?, 16).ok()?;
    (1..=EXCEEDED).contains(&steps).then(|| f64::from(steps) / 10.0)
}
