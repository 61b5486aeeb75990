//! What is wrong with a setting.

/// Settings that cannot work, in one sentence that names the setting, the value and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(pub String);
