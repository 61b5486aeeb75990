//! Bytes that cannot be guessed, for keys and challenges.

use aws_lc_rs::rand;

/// As many random bytes.
///
/// # Errors
/// When this machine has no randomness to give, which is not a machine to go on with.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The operating system's generator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no random bytes to give")]
pub struct NoRandomness;
