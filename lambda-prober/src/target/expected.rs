//! What the answers of a target must be, as its JSON has it.

use std::sync::Arc;

use checks::check::{CertificateAges, Expect};
use serde_json::Value;

/// What an answer must be; cheap to clone. Two are the same where they are written the same.
#[derive(Clone, Debug)]
pub struct Expected(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    written: Value,
    expect: Expect,
}

impl Expected {
    /// Reads `expect`, in the form that it has in `checks.yml`; `https` is whether the target is asked over TLS.
    ///
    /// # Errors
    /// All that is wrong with it, for people.
    pub fn read(written: Value, https: bool) -> Result<Self, String> {
        let expect = checks::file::expect(&written).map_err(|wrong| format!("expect: {}", wrong.join("; ")))?;
        if !https && expect.certificate != CertificateAges::default() {
            return Err("expect: certificate: an http:// address shows none: write https://, or take it out".into());
        }
        Ok(Self(Arc::new(Inner { written, expect })))
    }

    pub(crate) fn expect(&self) -> &Expect {
        &self.0.expect
    }
}

impl PartialEq for Expected {
    fn eq(&self, other: &Self) -> bool {
        self.0.written == other.0.written
    }
}

impl Eq for Expected {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_without_a_certificate_has_none_that_could_end() {
        let value = json!({"certificate": {"warning": "14d"}});
        assert!(Expected::read(value.clone(), true).is_ok());
        let refused = Expected::read(value, false).unwrap_err();
        assert_eq!(refused, "expect: certificate: an http:// address shows none: write https://, or take it out");
        assert!(Expected::read(json!({}), false).is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let refused = Expected::read(json!({"statsu": 200, "body": {"matches": "("}}), true).unwrap_err();
        assert!(refused.starts_with("expect: statsu: "), "{refused}");
        assert!(refused.contains("; body.matches: "), "{refused}");
    }

    #[test]
    fn two_that_are_written_the_same_are_the_same() {
        let read = |status: u16| Expected::read(json!({ "status": status }), false).unwrap();
        assert_eq!(read(200), read(200));
        assert_ne!(read(200), read(204));
    }
}
