//! Makes a home's key.

use shared::{
    proof::Key,
    random::{self, NoRandomness},
};

/// A new key as people keep it: 43 characters.
///
/// # Errors
/// When this machine has no random bytes to give.
pub fn keygen() -> Result<String, NoRandomness> {
    Ok(Key::new(random::bytes()?).expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_another_one_and_can_be_read() {
        let (one, two) = (keygen().unwrap(), keygen().unwrap());
        assert_ne!(one, two);
        assert!(one.parse::<Key>().is_ok() && one.len() == 43, "{one}");
    }
}
