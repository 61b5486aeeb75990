//! User name and password in an address, which belong in a header.

use base64::{Engine, engine::general_purpose::STANDARD};
use shared::secret::Secret;
use url::Url;

use crate::check::Text;

/// Takes them out of the address; the value of `Authorization` that they stand for.
pub(super) fn taken_from(url: &mut Url) -> Option<Text> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (!user.is_empty() || !password.is_empty()).then(|| basic(&user, &password))
}

/// The value of `Authorization` for these.
pub(super) fn basic(user: &str, password: &str) -> Text {
    Text::Secret(Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))).into())
}
