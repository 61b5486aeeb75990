//! What to do about each verdict. What it means is the verdict's own sentence.

use super::Entry;
use crate::verdict::{DegradedCause, DownCause, UnknownCause, Verdict};

/// The message of a verdict; `None` where all is well.
pub fn cause(verdict: Verdict) -> Option<Entry> {
    let (id, steps) = match verdict {
        Verdict::Up => return None,
        Verdict::Degraded(cause) => degraded(cause),
        Verdict::Down(cause) => down(cause),
        Verdict::Unknown(cause) => unknown(cause),
    };
    Some(Entry { id, meaning: verdict.sentence().to_owned(), steps })
}

const fn degraded(cause: DegradedCause) -> (&'static str, &'static [&'static str]) {
    match cause {
        DegradedCause::Slow => (
            "degraded-slow",
            &[
                "See what fills the line at that time: a backup, an update, a film. The keeper's page has latency, \
                 loss and the latency under load.",
                "If it stays although the line is idle, restart modem and router, then show your provider the \
                 month's report.",
                "If your line is always so far away (a satellite, another continent), raise `DEGRADED_ABOVE`, up to \
                 4s.",
            ],
        ),
        DegradedCause::CertificateEnds => (
            "degraded-certificate-ends",
            &[
                "The line below the verdict says when it ends. Renew it where TLS ends: at the proxy or the Ingress in \
                 front of the service.",
                "If it should renew itself, see why it did not: `kubectl describe certificate`, or the log of certbot, \
                 Caddy or Traefik.",
                "If it is never valid for as long, lower `warning` in the target's `expect.certificate`.",
            ],
        ),
        DegradedCause::Certificate => (
            "degraded-certificate",
            &[
                "The line below the verdict says what is wrong: expired, for another name, or by an issuer that is \
                 not known.",
                "Renew it where TLS ends (the proxy in front of the beacon), or name in `CANARY_URL` a host that it \
                 is for.",
                "With a key, `http://` is as safe: the beacon proves itself, and nothing secret is sent.",
            ],
        ),
        DegradedCause::NameService => (
            "degraded-only-name-service",
            &[
                "The home is up; visitors who have its name only cannot reach it. See whether DuckDNS, or whoever \
                 serves the name, has an outage.",
                "Ask by hand: `dig +short NAME @1.1.1.1` and `@9.9.9.9`.",
                "Give the home a second name at another service, which `dns` keeps (`DYNDNS_URL`), and put both into \
                 `CANARY_URL`.",
            ],
        ),
        DegradedCause::Late => (
            "degraded-late",
            &[
                "See in the log of the keeper, or of `porchlight heartbeat`, whether heartbeats are sent and what the \
                 answers say.",
                "If it stays although they are sent, send them more often: every 60s.",
            ],
        ),
    }
}

const fn down(cause: DownCause) -> (&'static str, &'static [&'static str]) {
    match cause {
        DownCause::Inbound => (
            "down-inbound",
            &[
                "The home is up and has internet, so it is the way in: see in the router whether the port is still \
                 forwarded, and to the address that this machine has now.",
                "See whether the name leads to the address that the router has now, and whether `dns` runs.",
                "Where the router's own address is one of 100.64.0.0/10, the provider has put the home behind CGNAT: ask \
                 for an address of your own, use IPv6, or make it a target of `kind: heartbeat` alone.",
            ],
        ),
        DownCause::Impostor => (
            "down-impostor",
            &[
                "Compare the keys: `BEACON_KEY` must be the same 43 characters at beacon and prober. While you \
                 replace it, the prober has the previous one in `BEACON_KEY_OLD`.",
                "If they are the same, the name leads to another home of this kind: see whether it has your address \
                 of now, and whether `dns` runs.",
                "If a proxy answers in front of the beacon, see that it caches nothing.",
            ],
        ),
        DownCause::Unproven => (
            "down-unproven",
            &[
                "Open the address in a browser, without your Wi-Fi: what you see there is what the prober sees.",
                "See whether the name leads to the address that the router has now; if not, see why `dns` did not \
                 change it.",
                "See in the router whether the port is forwarded to the beacon's machine and port, and not to the \
                 router's own page.",
                "See whether the beacon has its key: it logs `proves=true` when it starts.",
            ],
        ),
        DownCause::Unexpected => (
            "down-unexpected",
            &[
                "The line below the verdict says what was expected, and what came instead.",
                "Ask by hand, without your Wi-Fi: `curl -v ADDRESS` shows status, headers and body as the prober sees \
                 them. A redirect is not followed.",
                "A status of 502, 503 or 504 comes from the proxy or the Ingress: see whether the service behind it \
                 runs.",
                "If the answer is as it should be, correct the target's `expect`.",
            ],
        ),
        DownCause::Refused => (
            "down-refused",
            &[
                "At home, ask the beacon itself: `curl http://127.0.0.1:8080/` says porchlight. If it does not, \
                 start it: `systemctl status porchlight-beacon`, `docker compose ps` or `kubectl -n porchlight get \
                 pods`.",
                "See in the router whether the port is still forwarded, and to the address that this machine has now.",
                "See whether the name leads to the address that the router has now.",
            ],
        ),
        DownCause::Reset => (
            "down-reset",
            &[
                "See in the router to which port of which machine the port is forwarded: something there takes \
                 connections, and it is not the beacon.",
                "If it is the beacon, see whether it is overloaded: its log, and `MAX_CONNECTIONS`.",
            ],
        ),
        DownCause::Tls => (
            "down-tls",
            &[
                "The beacon itself speaks no TLS. Without a proxy in front of it, write `http://` in `CANARY_URL`.",
                "With one, see whether it runs, and ask it by hand: `curl -v https://NAME:PORT/`.",
            ],
        ),
        DownCause::Unreachable => (
            "down-unreachable",
            &[
                "If you are at home and have no internet: modem, router and provider. The keeper's page tells \
                 afterwards whether power, router or provider was gone.",
                "If you have internet there, the way in is cut: see the port forwarding, a firewall of the router \
                 or of the machine, and whether the name leads to the address of now.",
                "If it never worked, your provider may share one IPv4 address among many (CGNAT): ask for an \
                 address of your own, use IPv6, let the home send heartbeats, or take a tunnel as the way in (infra/TUNNEL.md).",
            ],
        ),
        DownCause::Name => (
            "down-name",
            &[
                "See how the name is written in `CANARY_URL`.",
                "Sign in where the name is served (www.duckdns.org) and see whether it is still there.",
            ],
        ),
        DownCause::Silent => (
            "down-silent",
            &[
                "If you are at home and have no internet: modem, router and provider. The keeper's page tells \
                 afterwards whether power, router or provider was gone.",
                "If you have internet there, see whether what sends the heartbeats runs, and what it says of the answers: \
                 `HEARTBEAT_URL` and the key must be those of the function.",
            ],
        ),
    }
}

const fn unknown(cause: UnknownCause) -> (&'static str, &'static [&'static str]) {
    match cause {
        UnknownCause::Key => (
            "unknown-key",
            &[
                "The prober's log says why: a parameter that does not exist, a role that may not read it, a file \
                 that is gone.",
                "Nothing is written to the page until it can be read, and each run fails so that an alarm sees it.",
            ],
        ),
        UnknownCause::NameService => (
            "unknown-name-service",
            &[
                "It mostly ends by itself. See whether whoever serves the name has an outage.",
                "If it stays, see which name servers the prober's machine has (`/etc/resolv.conf`), and ask them by \
                 hand with `dig`.",
            ],
        ),
        UnknownCause::OtherLocation => (
            "unknown-other-location",
            &[
                "Nothing is wrong with the home, as far as the other prober sees. If it stays, see whether this prober's \
                 address is blocked on the way: by the router, the provider, or a list of addresses.",
                "Probe by hand from both: `aws lambda invoke` in each region, with `{\"dry_run\":true}`.",
            ],
        ),
        UnknownCause::NoRoute => (
            "unknown-no-route",
            &[
                "Give the home's name an address of the other kind too: mostly an A record, for IPv4.",
                "Or let the prober run where it has IPv6: on a server, or as a function in a VPC with IPv6.",
            ],
        ),
        UnknownCause::Dependency => (
            "unknown-dependency",
            &[
                "See to what it depends on first: the target that `depends_on` names, in the same report.",
                "If it does not need that, take `depends_on` out of the target.",
            ],
        ),
        UnknownCause::Heartbeats => (
            "unknown-heartbeats",
            &[
                "The prober sends a heartbeat of its own by the same way in every run; its log says what became of it: \
                 the URL, the function behind it, or its table.",
                "If no heartbeat has ever come from this home, see whether one is sent: `HEARTBEAT_URL` and the key at \
                 home, and its component's id.",
                "After a pause of the prober it takes three minutes until silence counts.",
            ],
        ),
        UnknownCause::Blind => (
            "unknown-blind",
            &[
                "The prober reached nobody, so it says nothing of the home. See whether its own machine has internet.",
                "If it has, see whether `WITNESSES` names hosts that it may reach: a firewall that lets out few \
                 ports needs witnesses at those.",
            ],
        ),
    }
}
