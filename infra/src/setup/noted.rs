//! What a setup has noted, for who looks at the chain later. No secret is in it.

use std::path::{Path, PathBuf};

use shared::statuspage::STATUSPAGE_IO;

use super::{home::KEY_FILE, record::Record};

/// What was chosen, as the settings of the programs.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    /// Where it stands.
    pub(crate) file: PathBuf,
    /// Names of settings with their values.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// The file of the beacon's key, where it is there.
    pub(crate) key: Option<PathBuf>,
    /// The account and region.
    pub(crate) account: Option<(String, String)>,
    /// Whether it was chosen that AWS mails nobody.
    pub(crate) is_without_mail: bool,
}

impl Noted {
    /// What the setup of that folder has noted; `None` where there was none. Nothing is made or locked.
    ///
    /// # Errors
    /// When the record cannot be read, or is none.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Option<Self>> {
        let record = Record::of(folder, true)?;
        if record.is_empty() {
            return Ok(None);
        }
        let chosen = record.chosen();
        let home = chosen.home.as_ref();
        let url = chosen.statuspage_url.as_ref().filter(|url| url.as_str().trim_end_matches('/') != STATUSPAGE_IO);
        let settings = [
            ("CANARY_URL", home.zip(chosen.port).map(|(home, port)| format!("http://{home}:{port}"))),
            ("COMPONENT_ID", chosen.component.as_ref().map(ToString::to_string)),
            ("DOMAIN", home.map(|home| home.as_str().to_owned())),
            ("PORT_INTERNAL", chosen.other_port().map(|port| port.to_string())),
            ("PAGE_ID", chosen.page.as_ref().map(ToString::to_string)),
            ("STATUSPAGE_URL", url.map(ToString::to_string)),
        ];
        Ok(Some(Self {
            file: record.path(super::record::FILE),
            settings: settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            key: Some(record.path(KEY_FILE)).filter(|path| path.exists()),
            account: chosen.account.as_ref().map(|account| (account.id.clone(), account.region.clone())),
            is_without_mail: chosen.alarm_email.as_ref().is_some_and(String::is_empty),
        }))
    }
}
