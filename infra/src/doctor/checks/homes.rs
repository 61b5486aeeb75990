//! At which homes the function looks when it is started (pure): at those of its own settings, or at those that a schedule's input
//! names instead.

use lambda_prober::target::{KeyNames, Target, Targets};
use serde_json::Value;
use url::Url;

use super::{
    super::{reply::Reply, wanted::Wanted, words::has_address},
    schedule::is_of,
};

/// The home that is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    /// Its component.
    pub component: Option<&'a str>,
    /// Its address.
    pub home: Option<&'a Url>,
    /// Where its own keys are, by the settings here.
    pub keys: Option<&'a KeyNames>,
}

/// Whose home the function's own settings name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfOwn {
    /// The one that is looked for.
    This,
    /// Others alone: they show another component.
    Others,
    /// What is known does not say.
    Unclear,
}

/// What a schedule has the function look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// The homes of its own settings.
    ByOwn,
    /// These alone.
    For(Targets),
    /// It is not told.
    Untold,
}

impl Started {
    /// As a schedule says it, of which all is known or only what the list of them tells.
    pub fn by(schedule: &Value) -> Self {
        // The list tells neither the rate nor the input.
        if schedule["ScheduleExpression"].is_null() {
            return Self::Untold;
        }
        let target = &schedule["Target"];
        // What a rule makes of the event that it was started by is not told by the rule.
        if ["InputPath", "InputTransformer"].iter().any(|field| !target[*field].is_null()) {
            return Self::Untold;
        }
        let Some(input) = target["Input"].as_str().filter(|input| !input.trim().is_empty()) else {
            return Self::ByOwn;
        };
        match serde_json::from_str::<Value>(input) {
            Ok(mut event) if !event["targets"].is_null() => {
                Targets::from_json(event["targets"].take()).map_or(Self::Untold, Self::For)
            }
            Ok(_) => Self::ByOwn,
            Err(_) => Self::Untold,
        }
    }
}

impl<'a> Whose<'a> {
    /// The home of the settings here.
    pub fn of(wanted: &'a Wanted) -> Self {
        let component = wanted.component.as_ref().map(shared::id::ComponentId::as_str);
        Self { component, home: wanted.home.as_ref(), keys: wanted.keys.as_ref() }
    }

    /// The target that is this home: the one with its component, or at its address. `None` too where neither is known.
    pub fn among<'t>(&self, targets: &'t Targets) -> Option<&'t Target> {
        let is_this = |target: &&Target| match (self.component, self.home) {
            (Some(component), _) => target.component.as_str() == component,
            (None, Some(home)) => has_address(&target.home.addresses.to_string(), home),
            (None, None) => false,
        };
        targets.iter().find(is_this)
    }

    /// Whose home the function's own settings name. `list`: its list of targets, where it has one that could be read.
    pub fn of_own(&self, variables: &Value, list: Option<&Targets>) -> OfOwn {
        if let Some(list) = list {
            return match self.among(list) {
                Some(_) => OfOwn::This,
                None if self.component.is_some() => OfOwn::Others,
                None => OfOwn::Unclear,
            };
        }
        let set = |name: &str| variables[name].as_str().map(str::trim).filter(|text| !text.is_empty());
        let Some(url) = set("CANARY_URL") else { return OfOwn::Unclear };
        let is_there = self.home.map(|home| has_address(url, home));
        let is_shown = self.component.zip(set("COMPONENT_ID")).map(|(ours, theirs)| ours == theirs);
        match (is_there, is_shown) {
            (_, Some(false)) => OfOwn::Others,
            (Some(false), _) | (None, None) => OfOwn::Unclear,
            (Some(true), _) | (None, Some(true)) => OfOwn::This,
        }
    }

    /// Whether a schedule has the function look at this home; `None` where that is not known.
    pub fn is_started(&self, schedule: &Value, own: OfOwn) -> Option<bool> {
        match (Started::by(schedule), own) {
            (Started::For(_), _) if self.component.is_none() && self.home.is_none() => None,
            (Started::For(targets), _) => Some(self.among(&targets).is_some()),
            (Started::ByOwn, OfOwn::This) => Some(true),
            (Started::ByOwn, OfOwn::Others) => Some(false),
            (Started::ByOwn, OfOwn::Unclear) | (Started::Untold, _) => None,
        }
    }

    /// This home, as the input of one of the function's schedules or rules names it.
    pub fn in_inputs(&self, schedules: &Reply, rules: &Reply, function: &str) -> Option<Target> {
        self.named(schedules, rules, function).map(|(target, _)| target)
    }

    /// The event that the function is started with where its input names this home.
    pub fn event(&self, schedules: &Reply, rules: &Reply, function: &str) -> Option<Value> {
        let (_, trigger) = self.named(schedules, rules, function)?;
        serde_json::from_str(trigger["Target"]["Input"].as_str()?).ok()
    }

    /// The schedule or rule whose input names this home, and how.
    fn named<'t>(&self, schedules: &'t Reply, rules: &'t Reply, function: &str) -> Option<(Target, &'t Value)> {
        let lists = [(schedules, "Schedules"), (rules, "Rules")];
        let all = lists.into_iter().flat_map(|(reply, list)| reply.value()[list].as_array().into_iter().flatten());
        all.filter(|trigger| is_of(trigger, function)).find_map(|trigger| match Started::by(trigger) {
            Started::For(targets) => Some((self.among(&targets)?.clone(), trigger)),
            Started::ByOwn | Started::Untold => None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) const CABIN: &str = "8kbf7d35c071";
    pub(in super::super) const KEY_OF_CABIN: &str = "/porchlight/keys/mycabin";

    /// The schedule of a second home, as a setup beside another one makes it.
    pub(in super::super) fn of_cabin() -> Value {
        let target = json!({"name": "mycabin", "url": "http://mycabin.duckdns.org:30008", "page_id": "gytm4qzbx9t6",
            "component_id": CABIN, "key_parameter": KEY_OF_CABIN});
        json!({"Name": "porchlight-home-mycabin-Schedule-1", "State": "ENABLED", "ScheduleExpression": "rate(1 minute)",
            "Target": {"Arn": "arn:aws:lambda:eu-central-1:1:function:f", "Input": json!({"targets": [target]}).to_string()}})
    }

    fn whose(component: &str) -> Whose<'_> {
        Whose { component: Some(component), ..Whose::default() }
    }

    #[test]
    fn a_schedule_is_for_the_homes_of_its_input_or_for_the_functions_own() {
        let cabin = whose(CABIN);
        let first = whose("8kbf7d35c070");
        assert_eq!(cabin.is_started(&of_cabin(), OfOwn::Others), Some(true));
        assert_eq!(first.is_started(&of_cabin(), OfOwn::This), Some(false));
        let mut plain = of_cabin();
        for input in [json!(null), json!(""), json!("{}"), json!(r#"{"source":"aws.events"}"#)] {
            plain["Target"]["Input"] = input;
            assert_eq!(first.is_started(&plain, OfOwn::This), Some(true));
            assert_eq!(cabin.is_started(&plain, OfOwn::Others), Some(false));
            assert_eq!(cabin.is_started(&plain, OfOwn::Unclear), None);
        }
        for input in ["{", r#"{"targets":[]}"#] {
            plain["Target"]["Input"] = json!(input);
            assert_eq!(cabin.is_started(&plain, OfOwn::This), None, "{input}");
        }
        let mut listed = of_cabin();
        listed["ScheduleExpression"] = json!(null);
        assert_eq!(cabin.is_started(&listed, OfOwn::This), None, "the list does not tell it");
        let (reply, none) = (Reply::Is(json!({"Schedules": [plain, of_cabin()]})), Reply::Is(json!({"Rules": []})));
        let named = cabin.in_inputs(&reply, &none, "f").unwrap();
        assert_eq!(named.home.keys.unwrap().current.as_str(), KEY_OF_CABIN);
        assert_eq!((first.in_inputs(&reply, &none, "f"), cabin.in_inputs(&reply, &none, "g")), (None, None));
        assert_eq!(Whose::default().in_inputs(&reply, &none, "f"), None, "nothing says that this is the home");
        // A rule's input is as good.
        let ruled = Reply::Is(json!({"Rules": [{"Name": "other"}, of_cabin()]}));
        assert!(cabin.in_inputs(&none, &ruled, "f").is_some());
        let event = cabin.event(&none, &ruled, "f").unwrap();
        assert_eq!((&event["targets"][0]["component_id"], first.event(&none, &ruled, "f")), (&json!(CABIN), None));
        let mut made = of_cabin();
        made["Target"]["InputTransformer"] = json!({"InputTemplate": "{}"});
        assert_eq!(cabin.is_started(&made, OfOwn::This), None, "what it makes is not told");
    }

    #[test]
    fn the_functions_own_settings_name_this_home_others_or_it_is_not_clear() {
        let set = json!({"CANARY_URL": "http://myhome.duckdns.org:30008/", "COMPONENT_ID": "8kbf7d35c070"});
        let (mine, other): (Url, Url) =
            ("http://myhome.duckdns.org:30008".parse().unwrap(), "http://mycabin.duckdns.org:30008".parse().unwrap());
        let of = |component, home| Whose { component, home, keys: None }.of_own(&set, None);
        for (component, home, expected) in [
            (Some("8kbf7d35c070"), Some(&mine), OfOwn::This),
            (Some("8kbf7d35c070"), None, OfOwn::This),
            (None, Some(&mine), OfOwn::This),
            (Some(CABIN), Some(&mine), OfOwn::Others),
            (Some(CABIN), Some(&other), OfOwn::Others),
            (Some("8kbf7d35c070"), Some(&other), OfOwn::Unclear),
            (None, Some(&other), OfOwn::Unclear),
            (None, None, OfOwn::Unclear),
        ] {
            assert_eq!(of(component, home), expected, "{component:?} {home:?}");
        }
        assert_eq!(whose(CABIN).of_own(&json!({}), None), OfOwn::Unclear);
        let Started::For(list) = Started::by(&of_cabin()) else { panic!("it names one") };
        assert_eq!(whose(CABIN).of_own(&set, Some(&list)), OfOwn::This);
        assert_eq!(whose("8kbf7d35c070").of_own(&set, Some(&list)), OfOwn::Others);
    }
}
