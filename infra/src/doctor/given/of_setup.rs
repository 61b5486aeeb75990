//! What was chosen in `porchlight setup`.

use std::path::Path;

use lambda_prober::target::Targets;
use shared::settings::WebAddresses;

use super::{super::wrong::Wrong, Given};
use crate::setup::Noted;

/// The settings that say which home is meant.
const NAMES_THE_HOME: [&str; 4] = ["CANARY_URL", "COMPONENT_ID", "DOMAIN", "PAGE_ID"];

impl Given {
    /// What the setup of that folder has chosen, where nothing else says otherwise. Whose settings name another home is asking about
    /// that one: nothing of this one is mixed into it. `is_named`: the folder was named, so that it is to be there.
    pub(super) fn read_setup(&mut self, folder: &Path, is_named: bool) {
        let noted = match Noted::of(folder) {
            Ok(Some(noted)) => noted,
            Ok(None) if is_named => {
                let wrong = Wrong::unread(format!("{} is no folder of porchlight setup", folder.display()));
                return self.wrong.push(
                    wrong.then("name the folder that a setup has made: porchlight doctor --folder porchlight-setup"),
                );
            }
            Ok(None) => return,
            Err(error) => return self.wrong.push(Wrong::unread(format!("{error:#}"))),
        };
        self.account.clone_from(&noted.account);
        if self.is_of_another(&noted) {
            return;
        }
        self.is_without_mail = noted.is_without_mail;
        self.region = noted.account.map(|(_, region)| region);
        let shown = noted.file.display().to_string();
        let key = noted.key.as_ref().map(|path| ("BEACON_KEY_FILE", path.display().to_string()));
        let has_key = self.text("BEACON_KEY").is_some() || self.text("BEACON_KEY_FILE").is_some();
        let has_list = self.text("TARGETS").is_some();
        let new = noted.settings.iter().map(|(name, text)| (*name, text.clone())).chain(key.filter(|_| !has_key));
        let new: Vec<_> = new.filter(|(name, _)| self.text(name).is_none()).collect();
        for (name, text) in new {
            // A list has all of that for itself.
            if !(has_list && NAMES_THE_HOME.contains(&name)) || name == "COMPONENT_ID" {
                self.set(name, &text, &shown);
            }
        }
        self.sources.push(shown);
    }

    /// Whether what is set already is about another home.
    fn is_of_another(&self, noted: &Noted) -> bool {
        let of_setup = |name: &str| noted.settings.iter().find(|(it, _)| *it == name).map(|(_, text)| text.as_str());
        let differs = |name: &str| match (self.text(name), of_setup(name)) {
            (Some(set), Some(noted)) => is_other(name, set.trim(), noted),
            _ => false,
        };
        let targets = self.text("TARGETS").and_then(|list| list.parse::<Targets>().ok());
        let is_listed = targets.is_none_or(|targets| {
            let component = of_setup("COMPONENT_ID");
            targets.iter().any(|target| component.is_none_or(|id| target.component.as_str() == id))
        });
        NAMES_THE_HOME.into_iter().any(differs) || !is_listed
    }
}

/// Whether a value means something else than the one of a setup.
fn is_other(name: &str, set: &str, noted: &str) -> bool {
    let hosts = |text: &str| {
        let addresses: Option<WebAddresses> = text.parse().ok();
        let hosts = addresses.iter().flat_map(|all| all.iter().filter_map(|url| url.host_str()).map(str::to_owned));
        hosts.map(|host| host.trim_end_matches('.').to_owned()).collect::<Vec<_>>()
    };
    match name {
        // Its port may be another one meanwhile.
        "CANARY_URL" => {
            let (set, noted) = (hosts(set), hosts(noted));
            !set.is_empty() && !set.iter().any(|host| noted.contains(host))
        }
        "DOMAIN" => !set.split(',').any(|name| name.trim().trim_end_matches(".duckdns.org") == noted),
        _ => set != noted,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::folder, *};

    const RECORD: &str = "made = []\n[chosen]\nhome = \"myhome\"\nport = 30008\npage = \"gytm4qzbx9t6\"\n\
                          component = \"8kbf7d35c070\"\nalarm_email = \"\"\nstatuspage_url = \"http://127.0.0.1:1/v1\"\n\
                          [chosen.account]\nid = \"123456789012\"\nregion = \"eu-west-1\"\n";

    fn read(set: &[(&str, &str)]) -> (Given, String) {
        let folder = folder(&[("setup.toml", RECORD), ("beacon.key", "key\n")]);
        let mut given = Given::default();
        for (name, text) in set {
            given.set(name, text, "a test");
        }
        given.read_setup(folder.path(), true);
        assert!(given.wrong.is_empty(), "{:?}", given.wrong);
        assert_eq!(given.account, Some(("123456789012".into(), "eu-west-1".into())));
        let key = given.secret("BEACON_KEY").map(|key| key.expose().to_owned());
        (given, key.unwrap_or_default())
    }

    #[test]
    fn what_was_chosen_in_a_setup_is_what_is_looked_at() {
        let (given, key) = read(&[]);
        for (name, text) in [
            ("CANARY_URL", "http://myhome.duckdns.org:30008"),
            ("DOMAIN", "myhome"),
            ("PAGE_ID", "gytm4qzbx9t6"),
            ("COMPONENT_ID", "8kbf7d35c070"),
            ("STATUSPAGE_URL", "http://127.0.0.1:1/v1"),
        ] {
            assert_eq!(given.text(name), Some(text));
            assert!(given.origin(name).ends_with("/setup.toml"));
        }
        assert!(key == "key" && given.is_without_mail && given.sources[0].ends_with("/setup.toml"), "{given:?}");
    }

    #[test]
    fn what_is_set_wins_and_settings_of_another_home_get_nothing_of_this_one() {
        let (given, _) =
            read(&[("CANARY_URL", "http://MYHOME.duckdns.org:30009"), ("DOMAIN", "myhome.duckdns.org,more")]);
        assert_eq!(given.text("CANARY_URL"), Some("http://MYHOME.duckdns.org:30009"));
        assert_eq!(given.text("COMPONENT_ID"), Some("8kbf7d35c070"));
        let listed = |id: &str| format!(r#"[{{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"{id}"}}]"#);
        let (ours, other) = (listed("8kbf7d35c070"), listed("8kbf7d35c071"));
        let (given, _) = read(&[("TARGETS", &ours)]);
        assert_eq!((given.text("COMPONENT_ID"), given.text("CANARY_URL")), (Some("8kbf7d35c070"), None));
        for another in [
            ("CANARY_URL", "http://mycabin.duckdns.org:30008"),
            ("COMPONENT_ID", "8kbf7d35c071"),
            ("DOMAIN", "mycabin"),
            ("PAGE_ID", "gytm4qzbx9t7"),
            ("TARGETS", &other),
        ] {
            let (given, key) = read(&[another]);
            assert_eq!((given.all().count(), key.as_str(), given.sources.len()), (1, "", 0), "{another:?}");
        }
    }

    #[test]
    fn a_folder_without_a_record_is_none_and_a_wrong_record_is_one_sentence() {
        let (none, wrong) = (folder(&[]), folder(&[("setup.toml", "[chosen]\nhome = 'my_home'\n")]));
        for (folder, is_named, sentence) in [
            (&none, false, None),
            (&none, true, Some("is no folder of porchlight setup")),
            (&wrong, false, Some("setup.toml: a name at DuckDNS has letters")),
        ] {
            let mut given = Given::default();
            given.read_setup(folder.path(), is_named);
            let said = given.wrong.first().map(|wrong| wrong.sentence.as_str());
            assert_eq!(said.is_some(), sentence.is_some(), "{said:?}");
            assert!(sentence.is_none_or(|part| said.is_some_and(|said| said.contains(part))), "{said:?}");
            assert!(given.all().next().is_none() && given.account.is_none());
        }
    }
}
