//! Each link judged by what was seen of it (pure).

use jiff::Timestamp;
use serde_json::Value;
use shared::{
    id::{ComponentId, PageId},
    names::ServerAnswer,
    verdict::{DownCause, Verdict},
};
use url::Url;

use super::{
    checks::{
        self,
        address::Here,
        beacon::Hop,
        cloud::Place,
        cluster::node,
        drift::{Ours, TUNING},
        function::Around,
        keeper::{HomeOf, home_of, row_of},
        outside::OutsideLook,
        runs,
    },
    examine::Seen,
    finding::{Finding, Outcome},
    given::Given,
    link::Link,
    look::router,
    settings::DoctorSettings,
    told::Told,
    wanted::Wanted,
    words::ago,
};

/// Judges each link by what was seen.
pub(super) fn judge(settings: &DoctorSettings, given: &Given, wanted: &Wanted, seen: &Seen) -> Vec<Finding> {
    let now = Timestamp::now();
    let aws = &seen.aws;
    let (component, page) =
        (wanted.component.as_ref().map(ComponentId::as_str), wanted.page.as_ref().map(PageId::as_str));
    let host = wanted.home.as_ref().and_then(|url| url.domain());
    let own = seen.own.as_ref().ok().copied();
    let ran = runs::runs(&aws.log, now);
    let at_keeper = home_of(component, seen.keeper.metrics.as_deref().ok());
    let by_keeper = of_keeper(&seen.keeper.summary, &at_keeper);
    let has_run = ran.first().is_some_and(runs::Run::is_fresh);
    // Somebody looks, and it is not this function: it may be the wrong one that was asked about.
    let looks = !has_run && by_keeper.as_ref().is_some_and(OutsideLook::is_fresh);
    let look = newest(ran.iter().find_map(|run| run.look(component)), by_keeper);
    let triggers = checks::schedule::triggers(&aws.rules, &aws.rule_names, &aws.schedules, &settings.function);
    let place = Place::of(aws, &settings.function, Given::noted_account());
    let ours = ours(given);
    let is_well = |look: &OutsideLook| look.is_fresh() && look.verdict.answers();
    let leads_to = seen.public.iter().find_map(|it| match &it.answer {
        ServerAnswer::Addresses(all) => all.first().copied(),
        _ => None,
    });
    let here = Here {
        is_ipv6: leads_to.is_some_and(|address| address.is_ipv6()),
        is_home: wanted.has_beacon || given.folder.is_some() || seen.beacon.is_beacon() || seen.lan.1.is_beacon(),
        is_reached: look.as_ref().is_some_and(is_well),
        is_missed: look.as_ref().is_some_and(|look| look.is_fresh() && matches!(look.verdict, Verdict::Down(_))),
        outside: seen.router.outside,
    };
    let updated = runs::went_well(&ran, component);
    let in_cluster = node(&seen.cluster).is_some();
    // The hop that is nearest to the beacon says which key it has.
    let nearest = if seen.beacon.is_beacon() { &seen.beacon } else { &seen.lan.1 };
    let stored = checks::parameters::stored_keys(&aws.parameters, &aws.names);
    let keys = match &aws.parameters {
        Told::NotAsked(why) => Finding::unused(Link::Keys, format!("the prober's was not asked for: {why}")),
        _ => checks::outside::keys(wanted.key.as_ref(), stored.as_deref().map_err(String::as_str), &aws.names),
    };
    let short: Vec<String> = [&wanted.keeper, &wanted.home]
        .into_iter()
        .flatten()
        .filter_map(|url| url.domain())
        .filter(|name| !name.contains('.') && *name != "localhost")
        .map(str::to_owned)
        .collect();
    let origin = match ["STATUSPAGE_TOKEN", "TOKEN", "STATUSPAGE_TOKEN_FILE", "TOKEN_FILE"]
        .into_iter()
        .find(|name| given.text(name).is_some())
    {
        Some(name) => given.origin(name).to_owned(),
        None => aws.names.token.clone(),
    };
    let (metrics, why_no_metrics) = match &seen.keeper.metrics {
        Ok(text) => (Some(text.as_str()), Told::NotAsked(String::new())),
        Err(told) => (None, told.clone()),
    };
    let wrong: Vec<&str> = given.wrong.iter().map(|wrong| wrong.sentence.as_str()).collect();
    let mut findings = vec![
        checks::settings(&wrong, &given.sources, wanted.several),
        checks::machine::clock(&seen.clock),
        checks::names::servers(&seen.servers),
        checks::names::search(&seen.domains, &short),
        checks::address::address(&seen.own),
        checks::address::duckdns(wanted.duckdns.as_ref().map(home_beacon::dns::SubName::as_str), &seen.duckdns),
        checks::address::public_dns(host, &seen.public, own, here),
        checks::address::provider(router::outside(&seen.router, &seen.own).as_ref(), own, here),
        checks::beacon::process(wanted.beacon, &seen.beacon, wanted.has_beacon, in_cluster),
        checks::cluster::cluster(&seen.cluster, wanted.home.as_ref().and_then(Url::port_or_known_default)),
        checks::beacon::lan(
            seen.lan.0,
            &seen.lan.1,
            wanted.has_beacon || wanted.lan.is_some() || in_cluster,
            here.is_reached,
        ),
        checks::beacon::router(&seen.router.port, here.is_reached),
        checks::outside::public_name(look.as_ref(), &seen.inside, leads_to),
        checks::outside::proof(nearest, wanted.key.is_some()),
        keys,
        checks::cloud::account(&aws.all(), &place),
        checks::parameters::parameters(&aws.parameters, &aws.names, wanted.key.is_some()),
        checks::role::role(&aws.simulated, &aws.deeds, updated.is_some()),
        checks::function::function(
            &settings.function,
            &aws.function,
            wanted,
            Around {
                place: &place,
                knows_it: ran.iter().any(|run| run.is_about(component, wanted.home.as_ref().map(Url::as_str))),
                ours: &ours,
            },
        ),
        checks::schedule::schedule(
            &triggers,
            &[&aws.function, &aws.rules, &aws.rule_names, &aws.schedules],
            has_run,
            looks,
            now,
        ),
        checks::alarms::alarms(&settings.function, &aws.alarms, &aws.subscriptions),
        runs::last(&settings.function, &aws.log, &ran, component, looks),
        checks::page::token(&seen.page.pages, &origin),
        checks::page::page(&seen.page.pages, page),
        checks::page::component(&seen.page.components, component, page),
        checks::metrics::metrics(&seen.page.metrics, &wanted.metrics, now),
        checks::page::rate_limit(&[&seen.page.pages, &seen.page.components, &seen.page.metrics]),
        checks::keeper::keeper(&seen.keeper.health, &seen.keeper.notices),
        checks::keeper::looks(&seen.keeper.summary, &at_keeper),
        checks::relay::relay(&seen.keeper.health),
        checks::machine::disk(seen.disk.as_ref()),
        checks::machine::wear(&seen.wear),
        checks::jobs::jobs(metrics, &why_no_metrics, now.as_second()),
        checks::notices::notices(&seen.keeper.notices, wanted.channels, now),
    ];
    // Another cluster may have a beacon, too.
    let is_proven_here = wanted.has_beacon && seen.beacon == Hop::Proven;
    for finding in findings.iter_mut().filter(|finding| finding.outcome == Outcome::Failed) {
        match (finding.link, updated) {
            (Link::Cluster, _) if is_proven_here => finding.doubt(
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
    if place.may_be_elsewhere() {
        for finding in findings.iter_mut().filter(|finding| OF_THE_FUNCTION.contains(&finding.link)) {
            *finding = place.nothing_here(finding.link);
        }
    }
    findings
}

/// The links of which an account that has nothing of the function says nothing.
const OF_THE_FUNCTION: [Link; 6] = [Link::Keys, Link::Parameters, Link::Role, Link::Schedule, Link::Alarms, Link::Runs];

/// What the function saw, unless that is how it was and somebody else says how it is.
fn newest(by_function: Option<OutsideLook>, by_keeper: Option<OutsideLook>) -> Option<OutsideLook> {
    match (by_function, by_keeper) {
        (Some(function), Some(keeper)) if !function.is_fresh() && keeper.is_fresh() => Some(keeper),
        (Some(function), _) => Some(function),
        (None, keeper) => keeper,
    }
}

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

/// The newest look at the home that a keeper's page tells of: it says when, and the component's status says what.
fn of_keeper(summary: &Told, home: &HomeOf) -> Option<OutsideLook> {
    let summary = summary.value();
    let row = row_of(summary, home)?;
    let age = row["porchlight"]["looked_at_age_seconds"].as_i64()?;
    let is_about = |incident: &&Value| {
        incident["components"].as_array().into_iter().flatten().any(|component| component["id"] == row["id"])
    };
    let advice = || {
        let incident = summary["incidents"].as_array()?.iter().find(is_about)?;
        incident["incident_updates"][0]["body"].as_str().map(str::to_owned)
    };
    let (verdict, advice) = match row["status"].as_str()? {
        "operational" => (Verdict::Up, None),
        "major_outage" => (Verdict::Down(DownCause::Unreachable), advice()),
        _ => return None,
    };
    Some(OutsideLook { who: "who looks for the keeper".into(), age, verdict, advice })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_check_of_ones_own_saw_is_not_what_the_world_sees_of_the_home() {
        let looked = |age: i64| json!({"looked_at_age_seconds": age});
        let row = |id: &str, status: &str, age: i64| json!({"id": id, "status": status, "porchlight": looked(age)});
        let (home, nas) = ("8kbf7d35c070", "8kbf7d35c071");
        let update = |body: &str| json!([{"body": body}]);
        let of = |id: &str, body: &str| json!({"components": [{"id": id}], "incident_updates": update(body)});
        let summary = Told::Is(json!({
            "components": [row(nas, "operational", 3), row(home, "major_outage", 40)],
            "incidents": [of(nas, "the disk"), of(home, "the line")],
        }));
        let look = of_keeper(&summary, &HomeOf::Is(home.into())).unwrap();
        assert_eq!((look.age, look.advice.as_deref()), (40, Some("the line")));
        assert_eq!(look.verdict, Verdict::Down(DownCause::Unreachable));
        for home in [HomeOf::Several, HomeOf::OnlyChecked, HomeOf::Unknown, HomeOf::Is("other".into())] {
            assert_eq!(of_keeper(&summary, &home), None, "{home:?}");
        }
    }
}
