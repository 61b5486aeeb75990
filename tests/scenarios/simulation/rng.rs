//! Chance, always the same for the same seed. Only operations that every machine rounds alike: no logarithms.

/// Milliseconds since the simulated year began, or a length in them.
pub(crate) type Ms = i64;

pub(crate) const SECOND: Ms = 1_000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;
pub(crate) const DAY: Ms = 24 * HOUR;

/// A generator of its own for each purpose, so that what one draws changes nothing for another.
#[derive(Debug)]
pub(crate) struct SeededRng(fastrand::Rng);

impl SeededRng {
    pub(crate) fn of(seed: u64, purpose: u64) -> Self {
        // Neighbouring seeds must not give similar sequences (the mixing of SplitMix64).
        let mut mixed =
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(purpose.wrapping_mul(0xD1B5_4A32_D192_ED03));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(fastrand::Rng::with_seed(mixed ^ (mixed >> 31)))
    }

    /// From `least` up to, but not, `most`.
    pub(crate) fn between(&mut self, least: Ms, most: Ms) -> Ms {
        self.0.i64(least..most)
    }

    pub(crate) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }

    /// A length of any magnitude: each doubling between the two is as likely as any other.
    pub(crate) fn length(&mut self, least: Ms, most: Ms) -> Ms {
        let mut doublings = Vec::new();
        let mut low = least;
        while low < most {
            doublings.push((low, (low * 2).min(most)));
            low *= 2;
        }
        let (low, high) = self.one_of(&doublings);
        self.between(low, high)
    }
}
