//! Where secrets are.

use shared::secret::SecretSource;

use crate::target::ParameterName;

/// Where one secret is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a variable or a file of this machine.
    Local(SecretSource),
    /// In Parameter Store.
    Parameter(ParameterName),
}

/// Where the secrets are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The page's token; `None` where no page is written.
    pub token: Option<Place>,
    /// The key of homes that name none of their own.
    pub key: Option<Place>,
    /// The previous key, while it is being replaced. A parameter that does not exist counts as none.
    pub old_key: Option<Place>,
    /// The list of targets, where that is in Parameter Store.
    pub targets: Option<ParameterName>,
}

impl Place {
    /// What to call the secret of that setting in a message.
    pub(super) fn name(&self, setting: &str) -> String {
        match self {
            Self::Local(source) => source.name(setting),
            Self::Parameter(name) => format!("the parameter {name}"),
        }
    }
}

impl Places {
    /// A token and a key on this machine, with the key that it replaces.
    pub fn local(token: SecretSource, key: Option<SecretSource>, old_key: Option<SecretSource>) -> Self {
        let [key, old_key] = [key, old_key].map(|key| key.map(Place::Local));
        Self { token: Some(Place::Local(token)), key, old_key, targets: None }
    }
}
