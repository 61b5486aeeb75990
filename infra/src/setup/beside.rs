//! A home beside another one: the function that looks at that one looks at this one too, by a schedule of its own, and nothing that
//! the other setup has made is changed but the right of the function to read this home's key.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use url::Url;

use super::{
    Outcome,
    function::FUNCTION,
    made::Made,
    record::{Chosen, Record},
    say,
    stack::{self, BASE, BASE_TEMPLATE, SCHEDULE_TEMPLATE},
    tool::Tool,
};

/// Where homes have keys of their own.
const KEYS: &str = "/porchlight/keys";

/// What only this home has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beside {
    /// The parameter with the beacon's key.
    pub(super) key: String,
    stack: String,
    name: String,
    /// Below which name the function may read keys.
    keys: String,
}

/// How the stacks are called that have the function look at one home.
pub(super) const HOMES: &str = "porchlight-home-";

/// The parameter of the base stack that says where homes have keys of their own.
const PREFIX: &str = "HomeKeysPrefix";

impl Beside {
    /// Whether the function that is there looks at another home, of another setup.
    ///
    /// # Errors
    /// When that home is shown by the component that was chosen for this one.
    pub(super) fn of(function: Option<&Value>, record: &mut Record) -> anyhow::Result<Option<Self>> {
        let chosen = record.chosen().clone();
        let Some(home) = &chosen.home else { return Ok(None) };
        let set = |name: &str| function.and_then(|it| it["Environment"]["Variables"][name].as_str());
        let looks_at = set("CANARY_URL").and_then(|url| Url::parse(url).ok());
        let is_ours = record.has_made(&Made::Function(FUNCTION.to_owned()));
        let other = looks_at.as_ref().and_then(Url::host_str).filter(|host| *host != home.to_string() && !is_ours);
        let Some(other) = other.filter(|_| function.is_some()) else { return Ok(None) };
        let is_same = |name, id: Option<&str>| id.is_some() && set(name) == id;
        let component = chosen.component.as_ref().map(shared::id::ComponentId::as_str);
        if is_same("PAGE_ID", chosen.page.as_ref().map(shared::id::PageId::as_str))
            && is_same("COMPONENT_ID", component)
        {
            bail!(
                "the component that was chosen shows {other} already: name another one for {home} by --component-name"
            );
        }
        let name = home.as_str().to_owned();
        Ok(Some(Self { key: format!("{KEYS}/{name}"), stack: format!("{HOMES}{name}"), name, keys: KEYS.to_owned() }))
    }

    /// The same where the function's role may read keys elsewhere already: then this home's is there.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    pub(super) async fn where_allowed(self, aws: &Tool) -> anyhow::Result<Self> {
        let base = stack::described(aws, BASE).await?;
        let keys = base.as_ref().and_then(|base| stack::parameter(base, PREFIX)).filter(|keys| !keys.is_empty());
        Ok(match keys {
            Some(keys) => Self { key: format!("{keys}/{}", self.name), keys: keys.to_owned(), ..self },
            None => self,
        })
    }

    /// Removes the schedule of a home that was beside another one, and is the function's own now: it would be looked at twice a minute.
    ///
    /// # Errors
    /// When it stays.
    pub(super) async fn no_more(aws: &Tool, record: &mut Record) -> anyhow::Result<()> {
        for made in record.made() {
            if let Made::Stack(name) = &made
                && name.starts_with(HOMES)
            {
                stack::delete(aws, name).await?;
                if !aws.is_dry() {
                    record.forget(&made)?;
                    say(&format!("removed  {made}: {FUNCTION} looks at this home by itself now"));
                }
            }
        }
        Ok(())
    }

    /// Lets the function read the keys of homes that have their own.
    ///
    /// # Errors
    /// When its role is not that of a setup.
    pub(super) async fn allow(&self, aws: &Tool, record: &mut Record) -> anyhow::Result<Outcome> {
        let parameters = [(PREFIX, self.keys.clone())];
        let Some(base) = stack::described(aws, BASE).await? else {
            bail!(
                "{FUNCTION} is there without the stack {BASE}: let its role read {}, and give this home a schedule, by hand \
                 (infra/README.md, More homes)",
                self.key
            );
        };
        if stack::has(&base, &parameters) {
            return Ok(Outcome::Already(format!("{FUNCTION} may read {}", self.key)));
        }
        stack::change(aws, BASE, BASE_TEMPLATE, &parameters, record).await.map(|(outcome, _)| outcome)
    }

    /// What the function is called with for this home alone.
    ///
    /// # Errors
    /// When something of it is not known yet.
    pub(super) fn input(&self, chosen: &Chosen) -> anyhow::Result<Value> {
        let missing = "the home, its port, the page or the component is not known: run this again";
        let (home, port) = chosen.home.as_ref().zip(chosen.port).context(missing)?;
        let (page, component) = chosen.page.as_ref().zip(chosen.component.as_ref()).context(missing)?;
        let url = format!("http://{home}:{port}");
        let target = json!({"name": self.name, "url": url, "page_id": page, "component_id": component, "key_parameter": self.key});
        Ok(json!({ "targets": [target] }))
    }

    /// What starts the function every minute for this home.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) async fn schedule(&self, aws: &Tool, record: &mut Record) -> anyhow::Result<Outcome> {
        let input = self.input(record.chosen())?.to_string();
        let parameters = [("Scope", "trigger-only".to_owned()), ("Input", input)];
        stack::deploy(aws, &self.stack, SCHEDULE_TEMPLATE, &parameters, record).await.map(|(outcome, _)| outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_looks_at_another_home_is_used_and_that_home_keeps_its_component() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        let (page, component) = ("gytm4qzbx9t6".parse().ok(), "8kbf7d35c070".parse().ok());
        record
            .choose(|it| {
                (it.home, it.port, it.page, it.component) = ("away".parse().ok(), Some(30008), page, component);
            })
            .unwrap();
        let function = |canary: &str, component: &str| {
            let set = json!({"CANARY_URL": canary, "PAGE_ID": "gytm4qzbx9t6", "COMPONENT_ID": component});
            json!({"Environment": {"Variables": set}})
        };
        let other = function("http://home.duckdns.org:30008", "9lcg8e46d181");
        let beside = Beside::of(Some(&other), &mut record).unwrap().unwrap();
        assert_eq!((&*beside.key, &*beside.stack), ("/porchlight/keys/away", "porchlight-home-away"));
        assert_eq!(beside.input(record.chosen()).unwrap()["targets"][0]["url"], "http://away.duckdns.org:30008");
        let same = function("http://home.duckdns.org:30008", "8kbf7d35c070");
        let why = Beside::of(Some(&same), &mut record).unwrap_err().to_string();
        assert!(why.contains("shows home.duckdns.org already: name another one for away.duckdns.org"), "{why}");
        for ours in [None, Some(function("http://away.duckdns.org:30009", "8kbf7d35c070"))] {
            assert_eq!(Beside::of(ours.as_ref(), &mut record).unwrap(), None);
        }
        record.note(Made::Function(FUNCTION.into())).unwrap();
        assert_eq!(Beside::of(Some(&other), &mut record).unwrap(), None, "its home has another name now");
    }
}
