//! Seconds and bytes, and what is counted in parts and multiples of them.

/// How a value comes to its base unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    Times(f64),
    /// A division by a whole number rounds once, a multiplication by its inverse twice.
    Over(f64),
}

impl Scale {
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Times(factor) => value * factor,
            Self::Over(divisor) => value / divisor,
        }
    }
}

const KIB: f64 = 1024.0;

/// The base of a unit that has another one. Capitals count, but for the `k` that some write as `K`: `Mb` may be bits.
pub(super) fn base(unit: &str) -> Option<(&'static str, Scale)> {
    Some(match unit {
        "ms" => ("s", Scale::Over(1e3)),
        // The micro sign, and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => ("s", Scale::Over(1e6)),
        "ns" => ("s", Scale::Over(1e9)),
        "KB" | "kB" | "KiB" | "kiB" => ("B", Scale::Times(KIB)),
        "MB" | "MiB" => ("B", Scale::Times(KIB * KIB)),
        "GB" | "GiB" => ("B", Scale::Times(KIB * KIB * KIB)),
        "TB" | "TiB" => ("B", Scale::Times(KIB * KIB * KIB * KIB)),
        "PB" | "PiB" => ("B", Scale::Times(KIB * KIB * KIB * KIB * KIB)),
        _ => return None,
    })
}
