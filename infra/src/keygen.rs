//! Makes a home's key.

use shared::{
    proof::Key,
    random::{self, NoRandomness},
};

/// A new key, in its written form of 43 characters.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn keygen() -> Result<String, NoRandomness> {
    Ok(Key::new(random::bytes()?).expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_different_and_can_be_parsed() {
        let (one, two) = (keygen().unwrap(), keygen().unwrap());
        assert_ne!(one, two);
        assert!(one.parse::<Key>().is_ok() && one.len() == 43, "{one}");
    }
}
