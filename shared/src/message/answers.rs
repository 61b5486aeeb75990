//! Answers from the home's address that are not its beacon's, and what each of them is about.

use super::Entry;

/// What answers in the beacon's place, as its answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrangeAnswer {
    /// A proof of before, out of a cache.
    Cached,
    /// A redirect.
    Redirect,
    /// A server that wants https.
    WantsHttps,
    /// A page that asks for a login.
    Login,
    /// A proxy or tunnel that does not reach the home.
    BadGateway,
    /// A server that does not know the name.
    OtherSite,
    /// Anything else without a proof.
    NoProof,
    /// A port that speaks TLS, where HTTP was spoken.
    SpeaksTls,
}

impl StrangeAnswer {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Cached,
        Self::Redirect,
        Self::WantsHttps,
        Self::Login,
        Self::BadGateway,
        Self::OtherSite,
        Self::NoProof,
        Self::SpeaksTls,
    ];

    /// What an answer without a proof is about, by its HTTP status.
    pub const fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            400 | 497 => Self::WantsHttps,
            401 | 403 | 407 | 511 => Self::Login,
            502..=504 | 520..=530 => Self::BadGateway,
            404 | 421 => Self::OtherSite,
            _ => Self::NoProof,
        }
    }

    /// The prober's sentence: `answers` is the status, with what the answer says of its sender.
    pub fn sentence(self, answers: &str) -> String {
        let rest = match self {
            Self::Cached => {
                return format!(
                    "The answer is perhaps an old one out of a cache{answers}, so the home was not asked: let the \
                     proxy in front of the beacon pass every request on, and cache no answer."
                );
            }
            Self::SpeaksTls => return "The port speaks TLS: write https:// instead of http://.".into(),
            Self::Redirect => {
                ", a redirect, which is not followed: name the address at which the beacon itself answers, or \
                 remove the redirect."
            }
            Self::WantsHttps => {
                ", as an https server does to http://: write https:// where it speaks TLS, else check what listens \
                 there."
            }
            Self::Login => {
                " and asks for a login: a router's own page, or a proxy's. Let requests reach the beacon without a \
                 login, or correct the port forwarding."
            }
            Self::BadGateway => {
                ": a proxy or tunnel that does not reach the home. The line or the power is cut there, or what it \
                 connects to (the tunnel's end, the beacon) is stopped."
            }
            Self::OtherSite => ": a web server or proxy that does not hand this name on to the beacon.",
            Self::NoProof => {
                " without a proof: check what listens there, the port forwarding, and whether the beacon has its \
                 BEACON_KEY."
            }
        };
        format!("It answers {answers}{rest}")
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, answers, steps): (_, _, &'static [&'static str]) = match self {
            Self::Cached => (
                "answer-cached",
                "",
                &["Turn the cache off for this host; the beacon says `Cache-Control: no-store`, which this one \
                     did not heed."],
            ),
            Self::Redirect => (
                "answer-redirect",
                "3xx",
                &["The line shows whereto (`Location`). Mostly it is from http:// to https://: write https:// in \
                     `CANARY_URL`."],
            ),
            Self::WantsHttps => (
                "answer-wants-https",
                "400 or 497",
                &["Try `curl -v https://NAME:PORT/`: if that answers, write https:// in `CANARY_URL`."],
            ),
            Self::Login => (
                "answer-login",
                "401, 403, 407 or 511",
                &[
                    "If it is the router's own page, its remote access has taken the port: choose another one for \
                     the beacon, and turn the remote access off.",
                    "If it is your proxy or tunnel, let this one host pass without its login.",
                ],
            ),
            Self::BadGateway => (
                "answer-bad-gateway",
                "502 to 504 or 520 to 530",
                &["From the proxy's machine, ask the beacon: `curl http://HOME:PORT/`. If that fails, it is the \
                     home's outage."],
            ),
            Self::OtherSite => (
                "answer-other-site",
                "404 or 421",
                &["Add the host of `CANARY_URL` to the proxy's configuration, with the beacon behind it."],
            ),
            Self::NoProof => (
                "answer-no-proof",
                "anything else",
                &["Open the address in a browser, without your Wi-Fi, to see what answers."],
            ),
            Self::SpeaksTls => {
                ("answer-speaks-tls", "", &["Write https:// in `CANARY_URL`, with a name that its certificate is for."])
            }
        };
        Entry { id, meaning: self.sentence(answers), steps }
    }
}
