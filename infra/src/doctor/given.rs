//! What the user has set, wherever: in files of settings, in the environment, in the folder of `porchlight up`. Files come before
//! the environment, because they were named for this.

mod of_setup;
mod units;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use shared::{file, secret::Secret, settings::OURS};

use super::{env_file, settings::DoctorSettings, wrong::Wrong};
use crate::up::folder::Folder;

/// The longest file of settings, in bytes.
const MAX_FILE: u64 = 256 << 10;

/// The files that are read where none is named: those of the guides.
const USUAL: [&str; 2] = ["prober.env", "porchlight.env"];

/// Where `porchlight setup` keeps its files, where no other folder is named.
const OF_SETUP: &str = "porchlight-setup";

/// All that is set.
#[derive(Clone, Default)]
pub struct Given {
    values: BTreeMap<String, Value>,
    /// Where settings were found, in words.
    pub sources: Vec<String>,
    /// What is wrong with that.
    pub wrong: Vec<Wrong>,
    /// The folder of `porchlight up`, where it has made one.
    pub(crate) folder: Option<Folder>,
    /// The account and region that `porchlight setup` has noted.
    pub account: Option<(String, String)>,
    /// The region to ask AWS in, where the environment names none.
    pub region: Option<String>,
    /// Whether it was chosen in there that AWS mails nobody.
    pub is_without_mail: bool,
}

/// Values may be secrets.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("names", &self.values.keys()).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Value {
    text: String,
    origin: String,
    /// What a file's name in it is relative to.
    base: Option<PathBuf>,
}

impl Given {
    /// Finds it all.
    pub fn find(settings: &DoctorSettings) -> Self {
        let mut given = Self::default();
        let variables =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        given.take(variables.filter(|(name, _)| OURS.contains(&name.as_str())), "the environment", None);
        let usual = || USUAL.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
        let files: Vec<PathBuf> = if settings.env.is_empty() { usual() } else { settings.env.clone() };
        if settings.env.is_empty() {
            given.read_units(Path::new(units::FOLDER), Path::new(units::ENABLED));
        }
        for path in &files {
            given.read_file(path);
        }
        // The guide keeps the key beside the file.
        if given.text("BEACON_KEY").is_none()
            && given.text("BEACON_KEY_FILE").is_none()
            && Path::new("beacon.key").exists()
        {
            given.set("BEACON_KEY_FILE", "beacon.key", "this folder");
        }
        given.read_setup(settings.folder.as_deref().unwrap_or(Path::new(OF_SETUP)), settings.folder.is_some());
        given.read_folder(settings.data.as_deref());
        given
    }

    fn read_file(&mut self, path: &Path) {
        let shown = path.display();
        let text = match file::read(path, MAX_FILE).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return self.wrong.push(Wrong::no_file(format!("{shown} is not text"))),
            Err(error) => return self.wrong.push(Wrong::no_file(format!("{shown} cannot be read ({error})"))),
        };
        let read = env_file::parse(&text);
        let lines = read.wrong_lines.iter();
        self.wrong.extend(lines.map(|line| Wrong::unread(format!("{shown}: line {line} is not NAME=value"))));
        let names: Vec<_> = read.settings.iter().map(|(name, _)| name.clone()).collect();
        let own: Vec<String> = OURS.iter().map(|name| (*name).to_owned()).collect();
        let slips = shared::settings::nearness::misspelt(&own, &names);
        self.wrong.extend(slips.iter().map(|slip| Wrong::setting(&slip.meant, format!("{shown}: {slip}"))));
        self.take(read.settings.into_iter(), &shown.to_string(), path.parent());
    }

    fn read_folder(&mut self, named: Option<&Path>) {
        let folder = match Folder::named(named) {
            Ok(folder) => folder,
            Err(error) if named.is_some() => {
                return self.wrong.push(Wrong::setting("PORCHLIGHT_DATA", error.to_string()));
            }
            Err(_) => return,
        };
        match folder.is_ours() {
            Ok(true) => (),
            Ok(false) => {
                if named.is_some() {
                    let sentence = format!("{} is no folder of porchlight up", folder.path().display());
                    let next = "name the folder that porchlight up has made (--data), or leave it out";
                    self.wrong.push(Wrong::setting("PORCHLIGHT_DATA", sentence).then(next));
                }
                return;
            }
            Err(error) => return self.wrong.push(Wrong::setting("PORCHLIGHT_DATA", error.to_string())),
        }
        let shown = folder.path().display().to_string();
        self.sources.push(shown.clone());
        let read = |name: &str| folder.read(name).ok().flatten();
        let toml: toml::Table = read("up.toml").and_then(|text| toml::from_str(&text).ok()).unwrap_or_default();
        let running: serde_json::Value =
            read("running.json").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let chosen = |name: &str| toml.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        let secrets = [
            ("BEACON_KEY_FILE", "beacon.key"),
            ("KEEPER_TOKEN_FILE", "keeper.token"),
            ("DUCKDNS_TOKEN_FILE", "duckdns.token"),
        ];
        let files = secrets
            .map(|(name, file)| (name, folder.file(file).exists().then(|| folder.file(file).display().to_string())));
        let named = [
            (
                "KEEPER_URL",
                running["page"].as_str().map(str::to_owned).or_else(|| chosen("page").map(|at| format!("http://{at}"))),
            ),
            ("PUBLIC_ADDR", chosen("beacon")),
            ("DOMAIN", chosen("dns")),
            ("CANARY_URL", chosen("home_url")),
        ];
        for (name, value) in files.into_iter().chain(named) {
            let secret = name.strip_suffix("_FILE").unwrap_or(name);
            if let Some(value) = value.filter(|_| self.text(name).is_none() && self.text(secret).is_none()) {
                self.set(name, &value, &shown);
            }
        }
        self.folder = Some(folder);
    }

    fn take(&mut self, values: impl Iterator<Item = (String, String)>, origin: &str, base: Option<&Path>) {
        let before = self.values.len();
        let mut is_used = false;
        for (name, text) in values {
            is_used = true;
            self.values.insert(name, Value { text, origin: origin.into(), base: base.map(Path::to_owned) });
        }
        if is_used || self.values.len() > before {
            self.sources.push(origin.to_owned());
        }
    }

    /// Sets one.
    pub fn set(&mut self, name: &str, text: &str, origin: &str) {
        self.values.insert(name.into(), Value { text: text.into(), origin: origin.into(), base: None });
    }

    /// The value of a setting that is no secret; an empty one is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Where it was set.
    pub fn origin(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |value| &value.origin)
    }

    /// A secret: its variable, or the file that the one with `_FILE` names. What is wrong with it is noted.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        if let Some(text) = self.text(name) {
            let checked = Secret::checked(name, text);
            return checked.map_err(|error| self.wrong.push(Wrong::setting(name, error.to_string()))).ok();
        }
        let variable = format!("{name}_FILE");
        let value = self.values.get(&variable).filter(|value| !value.text.is_empty())?;
        let path = value.base.as_deref().unwrap_or(Path::new("")).join(&value.text);
        let text = file::read(&path, MAX_FILE).map_err(|error| error.to_string());
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not text".into()));
        match text {
            Ok(text) => {
                let checked = Secret::checked(name, text.trim_end_matches(['\r', '\n']));
                let wrong = |error| Wrong::setting(name, format!("{error} (in {})", path.display()));
                checked.map_err(|error| self.wrong.push(wrong(error))).ok()
            }
            Err(why) => {
                let sentence = format!("{variable}: {} cannot be read ({why})", path.display());
                self.wrong.push(Wrong::setting(name, sentence));
                None
            }
        }
    }

    /// Whether what is wrong is about that setting.
    pub fn is_wrong(&self, name: &str) -> bool {
        let is_set = self.text(name).is_some() || self.text(&format!("{name}_FILE")).is_some();
        self.wrong.iter().any(|wrong| wrong.is_about(name, is_set))
    }

    /// Every name that is set, with its value.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_file_is_read_with_the_secrets_that_lie_beside_it() {
        let folder = folder(&[("a.env", "PAGE_ID=gytm4qzbx9t6\nBEACON_KEY_FILE=key\nEMPTY=\n"), ("key", "sesame\n")]);
        let mut given = Given::default();
        given.read_file(&folder.path().join("a.env"));
        assert_eq!(given.text("PAGE_ID"), Some("gytm4qzbx9t6"));
        assert_eq!(given.text("EMPTY"), None);
        assert_eq!(given.secret("BEACON_KEY").unwrap().expose(), "sesame");
        assert!(given.wrong.is_empty() && given.origin("PAGE_ID").ends_with("a.env"));
        assert!(!format!("{given:?}").contains("gytm4qzbx9t6"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_in_a_sentence_each() {
        let folder = folder(&[("a.env", "CANARY_ULR=http://h\nBEACON_KEY_FILE=gone\n"), ("b.env", "hunter2\n")]);
        let mut given = Given::default();
        for name in ["a.env", "b.env", "c.env"] {
            given.read_file(&folder.path().join(name));
        }
        assert!(given.secret("BEACON_KEY").is_none());
        let all = given.wrong.iter().map(|wrong| wrong.sentence.as_str()).collect::<Vec<_>>().join("\n");
        assert!(given.is_wrong("CANARY_URL") && given.is_wrong("BEACON_KEY"));
        for part in ["was CANARY_URL meant?", "line 1 is not NAME=value", "c.env cannot be read", "gone cannot be read"]
        {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("hunter2"));
    }

    #[test]
    fn the_folder_of_up_says_where_keeper_and_beacon_are_unless_that_is_set() {
        let folder = folder(&[
            ("layout", "1\n"),
            ("up.toml", "beacon = \"127.0.0.1:8081\"\npage = \"127.0.0.1:8032\"\ndns = \"myhome\"\n"),
            ("beacon.key", "key\n"),
        ]);
        let mut given = Given::default();
        given.set("DOMAIN", "other", "a test");
        given.read_folder(Some(folder.path()));
        assert_eq!(given.text("KEEPER_URL"), Some("http://127.0.0.1:8032"));
        assert_eq!((given.text("PUBLIC_ADDR"), given.text("DOMAIN")), (Some("127.0.0.1:8081"), Some("other")));
        assert_eq!(given.secret("BEACON_KEY").unwrap().expose(), "key");
        let mut none = Given::default();
        none.read_folder(Some(Path::new("/nowhere/at/all")));
        assert!(none.wrong[0].sentence.contains("is no folder of porchlight up"), "{:?}", none.wrong);
    }
}
