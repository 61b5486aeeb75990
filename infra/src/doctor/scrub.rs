//! What is taken out of everything that leaves this machine (pure): the secrets that are known, wherever they stand.

use shared::{secret::Secret, settings::without_credentials};
use url::form_urlencoded;

use super::given::Given;

/// A shorter text is a word of any language, and no secret.
const SHORTEST: usize = 6;

/// What stands in the place of a secret.
const INSTEAD: &str = "(hidden)";

/// Parts of a name by which its value is taken for a secret.
const OF_SECRETS: [&str; 9] =
    ["TOKEN", "KEY", "SECRET", "PASSWORD", "PASS", "CREDENTIAL", "NOTIFY_URLS", "HEARTBEAT_URL", "JOIN_CODE"];

/// Knows secrets, and takes them out.
#[derive(Clone, Default)]
pub struct Scrubber(Vec<String>);

/// It knows secrets.
impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scrubber").field("secrets", &self.0.len()).finish()
    }
}

/// Whether a setting of that name is a secret. Those that only name where it is are not.
pub fn is_secret(name: &str) -> bool {
    let is_place = name.ends_with("_FILE") || name.ends_with("_PARAMETER");
    !is_place && OF_SECRETS.iter().any(|part| name.contains(part))
}

impl Scrubber {
    /// The secrets among the settings, and in the whole environment.
    pub fn of(given: &Given) -> Self {
        let set = given.all().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let around =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut scrubber = Self::default();
        for (name, value) in set.chain(around) {
            if is_secret(&name) {
                scrubber.add(&value);
            }
            scrubber.add_credentials(&value);
        }
        let mut given = given.clone();
        for name in [
            "BEACON_KEY",
            "BEACON_KEY_OLD",
            "STATUSPAGE_TOKEN",
            "TOKEN",
            "KEEPER_TOKEN",
            "DUCKDNS_TOKEN",
            "UPSTREAM_TOKEN",
            "PINGLOW_API_KEY",
            "NOTIFY_URLS",
            "HEARTBEAT_URL",
        ] {
            if let Some(secret) = given.secret(name) {
                scrubber.add(secret.expose());
            }
        }
        scrubber
    }

    /// Also these.
    #[must_use]
    pub fn knowing(mut self, secrets: &[Secret]) -> Self {
        for secret in secrets {
            self.add(secret.expose());
        }
        self
    }

    /// Each line of it is a secret, as it is written, and as addresses have it.
    fn add(&mut self, secret: &str) {
        for line in secret.lines().map(str::trim).chain([secret.trim()]) {
            if line.len() >= SHORTEST && !self.0.iter().any(|known| known == line) {
                self.0.push(line.to_owned());
                let encoded: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
                if encoded != line {
                    self.0.push(encoded);
                }
                let in_json = serde_json::Value::from(line).to_string();
                let in_json = in_json.trim_matches('"').to_owned();
                if in_json != line {
                    self.0.push(in_json);
                }
            }
        }
        // A longer one may hold a shorter one.
        self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }

    /// The name and password of an address.
    fn add_credentials(&mut self, text: &str) {
        if let Some((_, rest)) = text.split_once("://")
            && let Some((before, _)) = rest.split(['/', '?', '#']).next().unwrap_or_default().rsplit_once('@')
        {
            let password = before.split_once(':').map_or(before, |(_, password)| password).to_owned();
            self.add(&password);
        }
    }

    /// The text without any of them.
    pub fn scrub(&self, text: &str) -> String {
        let scrubbed = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), INSTEAD));
        scrubbed.lines().map(|line| without_credentials(line) + "\n").collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_as_they_are_written_and_as_addresses_have_them() {
        let mut given = Given::default();
        given.set("STATUSPAGE_TOKEN", "to/ken+1", "test");
        given.set("NOTIFY_URLS", "ntfy://ntfy.sh/my-topic\ntelegram://123456:abc@chat", "test");
        given.set("PAGE_ID", "gytm4qzbx9t6", "test");
        given.set("DATABASE_URL", "postgres://me:pass word@db/x", "test");
        let scrubber = Scrubber::of(&given).knowing(&[Secret::new("from-aws-7")]);
        let text = "to/ken+1 to%2Fken%2B1 ntfy://ntfy.sh/my-topic from-aws-7 gytm4qzbx9t6 pass word telegram://123456:abc@chat";
        let clean = scrubber.scrub(text);
        for secret in ["to/ken", "to%2Fken", "my-topic", "from-aws-7", "pass word", "123456:abc"] {
            assert!(!clean.contains(secret), "{secret}: {clean}");
        }
        assert!(clean.contains("gytm4qzbx9t6"), "{clean}");
        assert!(!format!("{scrubber:?}").contains("token"));
    }

    #[test]
    fn where_a_secret_is_kept_is_none_itself() {
        for (name, secret) in [
            ("BEACON_KEY", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("NOTIFY_URLS", true),
            ("BEACON_KEY_FILE", false),
            ("BEACON_KEY_PARAMETER", false),
            ("PAGE_ID", false),
        ] {
            assert_eq!(is_secret(name), secret, "{name}");
        }
    }
}
