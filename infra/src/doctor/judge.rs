//! Each link judged by what was seen of it (pure).

mod looked;

use std::net::IpAddr;

use home_beacon::heartbeat::settings::HEARTBEAT_URL;
use jiff::Timestamp;
use shared::{
    id::{ComponentId, PageId},
    names::ServerAnswer,
    secret::Secret,
};
use url::Url;

use self::looked::{from_outside, newest, of_keeper};
use super::{
    checks::{
        self,
        address::Here,
        beacon::Hop,
        cloud::Place,
        cluster::node,
        drift::{Ours, TUNING},
        function::Around,
        homes::Whose,
        keeper::{HomeOf, home_of},
        outside::OutsideLook,
        runs,
    },
    examine::Seen,
    finding::{Finding, Outcome},
    given::Given,
    link::Link,
    look::router,
    reply::Reply,
    settings::DoctorSettings,
    wanted::Wanted,
    words::ago,
};

/// Judges each link by what was seen.
pub(super) fn judge(settings: &DoctorSettings, given: &Given, wanted: &Wanted, seen: &Seen) -> Vec<Finding> {
    let known = Known::of(settings, given, wanted, seen);
    let findings = [known.at_home(), known.on_the_way(), known.at_aws(), known.at_the_page(), known.at_the_keeper()];
    let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
    for finding in &mut findings {
        known.doubt(finding);
    }
    findings
}

/// All that is known, and what follows from it for more than one link.
struct Known<'a> {
    settings: &'a DoctorSettings,
    given: &'a Given,
    wanted: &'a Wanted,
    seen: &'a Seen,
    now: Timestamp,
    component: Option<&'a str>,
    /// The function's runs, the newest first, and whether that was within minutes.
    ran: Vec<runs::Run>,
    has_run: bool,
    /// How long ago one updated the page, if that was within minutes.
    updated: Option<i64>,
    at_keeper: HomeOf,
    look: Option<OutsideLook>,
    /// Why the function, which was to look just now, did not tell what it sees.
    unprobed: Option<String>,
    /// Somebody looks, and it is not this function: it may be the wrong one that was asked about.
    looks: bool,
    leads_to: Option<IpAddr>,
    here: Here,
    in_cluster: bool,
    place: Place,
}

impl<'a> Known<'a> {
    fn of(settings: &'a DoctorSettings, given: &'a Given, wanted: &'a Wanted, seen: &'a Seen) -> Self {
        let now = Timestamp::now();
        let component = wanted.component.as_ref().map(ComponentId::as_str);
        let ran = runs::runs(&seen.aws.log, now);
        let at_keeper = home_of(component, seen.keeper.metrics.as_deref().ok());
        let by_keeper = of_keeper(&seen.keeper.summary, &at_keeper);
        // Another home's schedule may run the same function.
        let has_run = ran.iter().any(|run| run.is_fresh() && run.is_of(component));
        let looks = !has_run && by_keeper.as_ref().is_some_and(OutsideLook::is_fresh);
        let probed = runs::probed(&seen.aws.probe, component);
        let (probed, unprobed) = match probed {
            Some(Ok(look)) => (Some(look), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, None),
        };
        let look = probed.or_else(|| newest(ran.iter().find_map(|run| run.look(component)), by_keeper));
        let leads_to = seen.public.iter().flat_map(|(_, seen)| seen).find_map(|it| match &it.answer {
            ServerAnswer::Addresses(all) => all.first().copied(),
            _ => None,
        });
        let here = Here {
            is_ipv6: leads_to.is_some_and(|address| address.is_ipv6()),
            is_home: wanted.has_beacon || given.folder.is_some() || seen.beacon.is_beacon() || seen.lan.1.is_beacon(),
            from_outside: from_outside(look.as_ref()),
            outside: seen.router.outside,
        };
        Self {
            settings,
            given,
            wanted,
            seen,
            now,
            component,
            has_run,
            updated: runs::went_well(&ran, component),
            ran,
            at_keeper,
            look,
            unprobed,
            looks,
            leads_to,
            here,
            in_cluster: node(&seen.cluster).is_some(),
            place: Place::of(&seen.aws, &settings.function, given.account.clone()),
        }
    }

    /// This machine, and the home's name.
    fn at_home(&self) -> Vec<Finding> {
        let Self { given, wanted, seen, here, .. } = self;
        let hosts = [&wanted.keeper, &wanted.home].into_iter().flatten().filter_map(|url| url.domain());
        let short = hosts.filter(|name| !name.contains('.') && *name != "localhost").map(str::to_owned);
        let own = seen.own.as_ref().ok().copied();
        let duckdns = wanted.duckdns.as_ref().map(home_beacon::dns::SubName::as_str);
        vec![
            checks::settings(&given.wrong, &given.sources, wanted.several),
            checks::machine::clock(&seen.clock),
            checks::names::servers(&seen.servers),
            checks::names::search(&seen.domains, &short.collect::<Vec<_>>()),
            checks::address::address(&seen.own),
            checks::address::duckdns(duckdns, &seen.duckdns),
            checks::address::public_names(&seen.public, own, *here),
            checks::provider::provider(router::outside(&seen.router, &seen.own).as_ref(), own, *here),
            checks::machine::disk(seen.disk.as_ref()),
            checks::machine::wear(&seen.wear),
        ]
    }

    /// The beacon over its hops, and its key.
    fn on_the_way(&self) -> Vec<Finding> {
        let Self { wanted, seen, here, in_cluster, .. } = self;
        let is_said = wanted.has_beacon || wanted.lan.is_some() || *in_cluster;
        // The hop that is nearest to the beacon says which key it has.
        let nearest = if seen.beacon.is_beacon() { &seen.beacon } else { &seen.lan.1 };
        let aws = &seen.aws;
        let stored = checks::parameters::stored_keys(&aws.parameters, &aws.names);
        let keys = match &aws.parameters {
            Reply::NotAsked(why) => Finding::unused(Link::Keys, format!("the prober's was not asked for: {why}")),
            _ => checks::outside::keys(wanted.key.as_ref(), stored.as_deref().map_err(String::as_str), &aws.names),
        };
        vec![
            checks::beacon::process(wanted.beacon, &seen.beacon, wanted.has_beacon, *in_cluster),
            checks::cluster::cluster(&seen.cluster, wanted.home.as_ref().and_then(Url::port_or_known_default)),
            checks::beacon::lan(seen.lan.0, &seen.lan.1, is_said, here.is_reached()),
            checks::beacon::router(&seen.router.port, here.from_outside),
            self.the_public_name(),
            checks::outside::proof(nearest, wanted.key.is_some()),
            keys,
        ]
    }

    fn the_public_name(&self) -> Finding {
        let finding = checks::outside::public_name(self.look.as_ref(), &self.seen.inside, self.leads_to);
        match &self.unprobed {
            Some(why) => checks::outside::without_probe(finding, why),
            None => finding,
        }
    }

    fn at_aws(&self) -> Vec<Finding> {
        let Self { wanted, ran, place, component, now, .. } = self;
        let (aws, name) = (&self.seen.aws, &self.settings.function);
        let (whose, own) = (Whose::of(wanted), aws.own);
        let triggers = checks::schedule::triggers(&aws.rules, &aws.rule_names, &aws.schedules, name, whose, own);
        let reply = [&aws.function, &aws.rules, &aws.rule_names, &aws.schedules];
        let knows_it = ran.iter().any(|run| run.is_about(*component, wanted.home.as_ref().map(Url::as_str)));
        let around = Around { place, knows_it, own, input: aws.input.as_ref(), ours: &ours(self.given) };
        vec![
            checks::cloud::account(&aws.all(), place),
            checks::parameters::parameters(&aws.parameters, &aws.names, wanted.key.is_some()),
            checks::role::role(&aws.simulated, &aws.deeds, self.updated.is_some()),
            checks::function::function(name, &aws.function, wanted, around),
            checks::schedule::schedule(&triggers, &reply, self.has_run, self.looks, *now),
            checks::alarms::alarms(name, &aws.alarms, &aws.subscriptions, self.given.is_without_mail),
            checks::receiver::receiver(name, aws, wanted.heartbeat_url.as_ref().map(Secret::expose)),
            runs::last(name, &aws.log, ran, *component, self.looks),
        ]
    }

    fn at_the_page(&self) -> Vec<Finding> {
        let Self { given, wanted, component, .. } = self;
        let (seen, page) = (&self.seen.page, wanted.page.as_ref().map(PageId::as_str));
        let tokens = ["STATUSPAGE_TOKEN", "TOKEN", "STATUSPAGE_TOKEN_FILE", "TOKEN_FILE"];
        let set = tokens.into_iter().find(|name| given.text(name).is_some());
        let origin = set.map_or(self.seen.aws.names.token.as_str(), |name| given.origin(name));
        vec![
            checks::page::token(&seen.pages, origin),
            checks::page::page(&seen.pages, page),
            checks::page::component(&seen.components, *component, page),
            checks::metrics::metrics(&seen.metrics, &wanted.metrics, self.now),
            checks::page::rate_limit(&[&seen.pages, &seen.components, &seen.metrics]),
        ]
    }

    fn at_the_keeper(&self) -> Vec<Finding> {
        let (seen, now) = (&self.seen.keeper, self.now);
        let (metrics, why_not) = match &seen.metrics {
            Ok(text) => (Some(text.as_str()), &Reply::NotAsked(String::new())),
            Err(reply) => (None, reply),
        };
        vec![
            checks::keeper::keeper(&seen.health, &seen.notices),
            checks::keeper::looks(&seen.summary, &self.at_keeper),
            checks::heartbeat::heartbeat(&seen.health, self.sends_heartbeats(), now.as_second()),
            checks::relay::relay(&seen.health),
            checks::jobs::jobs(metrics, why_not, now.as_second()),
            checks::inside::inside(metrics, why_not, now.as_second()),
            checks::notices::notices(&seen.notices, self.wanted.channels, now),
        ]
    }

    /// Whether a place of heartbeats is set here.
    fn sends_heartbeats(&self) -> bool {
        HEARTBEAT_URL.variables().any(|name| self.given.text(&name).is_some())
    }

    /// What something else refutes is not known to be broken.
    fn doubt(&self, finding: &mut Finding) {
        if self.place.may_be_elsewhere() && OF_THE_FUNCTION.contains(&finding.link) {
            *finding = self.place.nothing_here(finding.link);
        }
        if finding.outcome != Outcome::Failed {
            return;
        }
        match (finding.link, self.updated) {
            // Another cluster may have a beacon, too.
            (Link::Cluster, _) if self.wanted.has_beacon && self.seen.beacon == Hop::Proven => finding.doubt(
                "the beacon answers here, with the right key",
                "see whether kubectl leads to the home's cluster: kubectl config current-context",
            ),
            (Link::Token | Link::Page | Link::Component | Link::RateLimit, Some(age)) => finding.doubt(
                &format!("the function has updated the page {} ago all the same", ago(age)),
                "correct what is set here: the function has it otherwise, and right",
            ),
            _ => (),
        }
    }
}

/// The links of which an account that has nothing of the function says nothing.
const OF_THE_FUNCTION: [Link; 6] = [Link::Keys, Link::Parameters, Link::Role, Link::Schedule, Link::Alarms, Link::Runs];

/// What the file of the prober's settings sets for it beside the home: the one that names the home, or its page.
fn ours(given: &Given) -> Vec<Ours> {
    let Some(name) = ["CANARY_URL", "TARGETS", "PAGE_ID"].into_iter().find(|name| given.text(name).is_some()) else {
        return Vec::new();
    };
    let file = given.origin(name).to_owned();
    let of_file = TUNING.into_iter().filter(|name| given.origin(name) == file);
    let set = of_file.filter_map(|name| Some((name, given.text(name)?)));
    set.map(|(name, text)| Ours { name: name.into(), text: text.trim().into(), file: file.clone() }).collect()
}
