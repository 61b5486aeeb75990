//! What a transfer may still ask for. Nothing beyond it is ever asked for, so nothing beyond it can come.

use std::cell::Cell;

/// What a request costs beside its payload: the heads of both sides, roughly.
const HEADS: u64 = 1 << 10;
/// What a connection costs: TLS sends certificates.
pub(crate) const HANDSHAKE: u64 = 8 << 10;

/// Smaller pieces would measure round trips instead of the line.
const MIN_PIECE: u64 = 1 << 20;

/// The bytes that are left to a transfer.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: Cell<u64>,
    streams: u64,
}

impl Allowance {
    /// For so many streams; TLS adds 29 bytes to each 16 kB, and TCP's own share is the line's business.
    pub(crate) fn new(bytes: u64, streams: usize) -> Self {
        Self { left: Cell::new(bytes - bytes / 400), streams: streams.max(1) as u64 }
    }

    /// Takes a piece of at most `largest` bytes; `None` when too little is left for a request. Pieces become
    /// smaller towards the end, so that the streams end together.
    pub(crate) fn take(&self, largest: u64) -> Option<u64> {
        let left = self.left.get().saturating_sub(HEADS);
        let piece = (left / (2 * self.streams)).max(MIN_PIECE.min(largest)).min(largest).min(left);
        let enough = piece >= HEADS;
        enough.then(|| {
            self.left.set(left - piece);
            piece
        })
    }

    /// Gives back what was taken and will not come.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.left.set(self.left.get() + bytes);
    }

    /// Something beside the payload cost so much.
    pub(crate) fn charge(&self, bytes: u64) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_never_add_up_to_more_than_is_allowed_and_hardly_to_less() {
        for (bytes, streams, largest) in [
            (500_000_000, 5, 26_214_400),
            (500_000_000, 8, 9_000_000),
            (100_000_000, 1, 26_214_400),
            (5_000_000, 8, 26_214_400),
            (1_000_000, 1, 9_000_000),
        ] {
            let allowance = Allowance::new(bytes, streams);
            let pieces: Vec<u64> = std::iter::from_fn(|| allowance.take(largest)).collect();
            let sum: u64 = pieces.iter().sum();
            assert!(sum <= bytes && sum * 100 >= bytes * 98, "{sum} of {bytes}");
            assert!(pieces.iter().all(|piece| *piece <= largest));
            assert!(pieces.is_sorted_by(|a, b| a >= b), "{pieces:?}");
        }
    }

    #[test]
    fn what_does_not_come_can_be_asked_for_again_and_what_else_came_cannot() {
        let allowance = Allowance::new(2_000_000, 1);
        let piece = allowance.take(u64::MAX).unwrap();
        allowance.give_back(piece);
        assert_eq!(allowance.take(u64::MAX), Some(piece));
        allowance.charge(u64::MAX);
        assert_eq!(allowance.take(u64::MAX), None);
    }
}
