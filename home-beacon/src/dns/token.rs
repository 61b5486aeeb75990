//! DuckDNS's token: a UUID in lower-case hexadecimal digits, the secret of an account.

use shared::{
    secret::{Secret, SecretSetting},
    settings::WrongSetting,
};

/// The token of DuckDNS.
pub const DUCKDNS_TOKEN: SecretSetting = SecretSetting {
    name: "DUCKDNS_TOKEN",
    help: "DuckDNS's token, which www.duckdns.org shows once you are signed in",
};

/// Checks a token by its shape.
///
/// # Errors
/// When it is something else; the message never repeats it.
pub fn check_token(name: &str, secret: &Secret) -> Result<(), WrongSetting> {
    Token::read(name, secret).map(drop)
}

/// The lengths of a UUID's groups of digits.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// A token that has the shape of one.
#[derive(Clone, Debug)]
pub(super) struct Token(Secret);

impl Token {
    /// Reads a token, by its shape only. `name` is where it comes from.
    ///
    /// # Errors
    /// When it is something else; the message never repeats it.
    pub(super) fn read(name: &str, secret: &Secret) -> Result<Self, WrongSetting> {
        let text = secret.expose().to_ascii_lowercase();
        let group =
            |(group, length): (&str, usize)| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit());
        if text.split('-').count() == GROUPS.len() && text.split('-').zip(GROUPS).all(group) {
            return Ok(Self(Secret::new(text)));
        }
        Err(WrongSetting(format!(
            "{name}: this is no token of DuckDNS, which looks like 01234567-89ab-cdef-0123-456789abcdef: sign in at \
             www.duckdns.org and copy it from there"
        )))
    }

    /// The value itself, for the address of a call.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Token, WrongSetting> {
        Token::read("DUCKDNS_TOKEN", &Secret::new(text))
    }

    #[test]
    fn a_token_is_a_uuid_and_never_repeated() {
        let good = read("A7C4D0AD-114e-40ef-ba1d-d217904a50f2").unwrap();
        assert_eq!(good.expose(), "a7c4d0ad-114e-40ef-ba1d-d217904a50f2");
        assert!(!format!("{good:?}").contains("a7c4"));
        for wrong in [
            "hunter2",
            "a7c4d0ad114e40efba1dd217904a50f2",
            "a7c4d0ad-114e-40ef-ba1d-d217904a50f",
            "a7c4d0ad-114e-40ef-ba1d-d217904a50f2-",
            "a7c4d0ag-114e-40ef-ba1d-d217904a50f2",
            "a7c4d0ad-114e-40ef-ba1d",
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(
                error.starts_with("DUCKDNS_TOKEN: this is no token of DuckDNS") && !error.contains(wrong),
                "{error}"
            );
        }
    }
}
