//! Several web addresses of one thing: a home that is known by more than one name.

use std::{fmt, str::FromStr};

use url::Url;

use super::values::web_address;

/// How many there may be: all of them are tried in each run.
const MAX_ADDRESSES: usize = 4;

/// One to four web addresses, each once; the first is the one that people are shown.
///
/// Written one after the other, with a comma between them, which a file of variables takes as it is, or with blanks, which the
/// short form of AWS's command line takes: `http://myhome.duckdns.org:30008,http://myhome.dedyn.io:30008`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddresses {
    first: Url,
    others: Vec<Url>,
}

impl WebAddresses {
    /// The one that is shown.
    pub const fn first(&self) -> &Url {
        &self.first
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many there are: at least one.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Of addresses as they are written.
    ///
    /// # Errors
    /// When one is no web address, there is none or one too many, or one is there twice.
    pub fn of<'a>(written: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut all = Vec::new();
        for text in written {
            let address = web_address(text)?;
            if address.host_str().is_some_and(|host| host.contains(',')) {
                return Err("each of several addresses begins with http:// or https://".into());
            }
            if all.contains(&address) {
                return Err(format!("the address {address} is there twice"));
            }
            all.push(address);
        }
        let mut all = all.into_iter();
        let first = all.next().ok_or("there is no address")?;
        let others: Vec<Url> = all.collect();
        if others.len() >= MAX_ADDRESSES {
            return Err(format!("a home has {MAX_ADDRESSES} addresses at most, and these are {}", 1 + others.len()));
        }
        Ok(Self { first, others })
    }
}

impl From<Url> for WebAddresses {
    fn from(first: Url) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl fmt::Display for WebAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.others.iter().try_for_each(|other| write!(f, ",{other}"))
    }
}

impl FromStr for WebAddresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match separated(text) {
            // Its sentence is the parser's: nothing is there.
            parts if parts.is_empty() => web_address(text).map(Self::from),
            parts => Self::of(parts),
        }
    }
}

/// The parts between blanks, and between commas that another address follows: one in a query belongs to its address.
fn separated(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for mut word in text.split_whitespace() {
        let begins =
            |word: &str, at: usize| word[at + 1..].starts_with("http://") || word[at + 1..].starts_with("https://");
        while let Some(at) = word.match_indices(',').map(|(at, _)| at).find(|at| begins(word, *at)) {
            parts.push(&word[..at]);
            word = &word[at + 1..];
        }
        parts.push(word.trim_end_matches(','));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        text.parse().map(|all: WebAddresses| all.iter().map(Url::to_string).collect())
    }

    #[test]
    fn several_are_written_with_blanks_or_commas_between_them() {
        let two = Ok(vec!["http://a:1/".to_owned(), "https://b/x".to_owned()]);
        for text in [
            "http://a:1 https://b/x",
            "http://a:1,https://b/x",
            " http://a:1 ,\thttps://b/x\n",
            "http://a:1, https://b/x,",
        ] {
            assert_eq!(read(text), two, "{text:?}");
        }
        assert_eq!(read("http://a/?of=1,2"), Ok(vec!["http://a/?of=1,2".to_owned()]), "a comma of its own");
        let all: WebAddresses = "http://a:1,https://b/x".parse().unwrap();
        assert_eq!(all.to_string().parse(), Ok(all.clone()), "what is shown can be read");
        assert_eq!((all.first().as_str(), all.count(), all.are_several()), ("http://a:1/", 2, true));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (text, part) in [
            ("", "an address is written like"),
            ("home", "an address is written like"),
            ("http://a,b", "each of several addresses begins with http:// or https://"),
            ("http://a ftp://b", "begins with http:// or https://"),
            ("http://a http://u:p@b", "must not hold a user name or password"),
            ("http://a:80,http://A/", "the address http://a/ is there twice"),
            ("http://a http://b http://c http://d http://e", "4 addresses at most, and these are 5"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(read("http://a http://b http://c http://d").is_ok());
    }
}
