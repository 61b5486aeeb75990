//! The targets that the settings name, one by itself or several in a list.

use shared::{
    id::{ComponentId, PageId},
    settings::WrongSetting,
};

use super::{ProberSettings, both};
use crate::target::{Home, Target, Targets, Ways};

impl ProberSettings {
    /// The targets, which a function may do without: its events can name them.
    ///
    /// # Errors
    /// When they are given twice or in part, or one is its own witness.
    pub fn targets(&self) -> Result<Option<Targets>, WrongSetting> {
        let targets = self.named_targets()?;
        targets.as_ref().map_or(Ok(()), |targets| self.check_heartbeat_targets(targets))?;
        for target in targets.iter().flatten() {
            let checked = self.probing.witnesses.check_against(&target.home.addresses);
            checked.map_err(|error| WrongSetting(format!("WITNESSES: {error}")))?;
        }
        Ok(targets)
    }

    fn named_targets(&self) -> Result<Option<Targets>, WrongSetting> {
        let single = [
            ("CANARY_URL", self.canary_url.is_some()),
            ("PAGE_ID", self.page_id.is_some()),
            ("COMPONENT_ID", self.component_id.is_some()),
        ];
        let metric = [("METRIC_ID_RESPONSE", self.metric_id_response.is_some())];
        let read = |text: &String| text.parse().map_err(|error| WrongSetting(format!("TARGETS: {error}")));
        let listed = self.targets.as_ref().map(read).transpose()?;
        let lists = [("TARGETS", self.targets.is_some()), ("TARGETS_PARAMETER", self.targets_parameter.is_some())];
        let mut set = lists.iter().chain(&single).chain(&metric).filter(|(_, set)| *set).map(|(name, _)| *name);
        if let (Some(list @ ("TARGETS" | "TARGETS_PARAMETER")), other) = (set.next(), set.next()) {
            if let Some(name) = other {
                return Err(both(list, name));
            }
            return Ok(listed);
        }
        match (&self.canary_url, &self.page_id, &self.component_id) {
            (addresses, Some(page), Some(component)) if self.heartbeats.heartbeat_table.is_some() => {
                let home = match addresses {
                    Some(addresses) => Some(Home { ways: Ways::Both, ..Home::at(addresses.clone()) }),
                    None => Home::by_heartbeat(component),
                };
                self.one(home, page, component)
            }
            (Some(url), Some(page), Some(component)) => self.one(Some(Home::at(url.clone())), page, component),
            (None, None, None) if self.metric_id_response.is_none() => Ok(None),
            _ => {
                let missing: Vec<_> = single.iter().filter(|(_, set)| !set).map(|(name, _)| *name).collect();
                Err(WrongSetting(format!(
                    "{} not set: a target needs CANARY_URL, PAGE_ID and COMPONENT_ID",
                    are(&missing)
                )))
            }
        }
    }

    fn one(&self, home: Option<Home>, page: &PageId, component: &ComponentId) -> Result<Option<Targets>, WrongSetting> {
        let Some(home) = home else { return Ok(None) };
        let target = Target {
            home,
            page: page.clone(),
            component: component.clone(),
            response_metric: self.metric_id_response.clone(),
            depends_on: None,
        };
        Targets::new(vec![target]).map(Some).map_err(|error| WrongSetting(error.to_string()))
    }
}

fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(arguments: &[&str]) -> ProberSettings {
        ProberSettings::try_parse_from([&["lambda-prober"], arguments].concat()).unwrap()
    }

    const URL: &[&str] = &["--canary-url", "http://home.example:30008"];

    #[test]
    fn a_target_in_part_is_refused_with_what_is_missing() {
        let error = settings(URL).targets().unwrap_err().to_string();
        assert!(error.starts_with("PAGE_ID and COMPONENT_ID are not set"), "{error}");
    }

    #[test]
    fn one_way_of_naming_targets_at_a_time() {
        let list = r#"[{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#;
        let error = settings(&[URL, &["--targets", list]].concat()).targets().unwrap_err().to_string();
        assert_eq!(error, "TARGETS and CANARY_URL are both set: keep one of them");
        assert_eq!(settings(&["--targets", list]).targets().unwrap().unwrap().iter().count(), 1);
        assert_eq!(settings(&[]).targets(), Ok(None));
    }

    #[test]
    fn a_target_that_is_its_own_witness_is_refused() {
        let page = ["--page-id", "gytm4qzbx9t6", "--component-id", "8kbf7d35c070"];
        let witnesses = ["--witnesses", "9.9.9.9:443,home.example:443"];
        let error = settings(&[URL, &page, &witnesses].concat()).targets().unwrap_err().to_string();
        assert!(error.starts_with("WITNESSES: the witness home.example:443 is the target itself"), "{error}");
        assert!(settings(&[URL, &page].concat()).targets().unwrap().is_some());
    }

    #[test]
    fn the_metric_belongs_to_the_one_target() {
        let metric = ["--metric-id-response", "8kbf7d35c07m"];
        let page = ["--page-id", "gytm4qzbx9t6", "--component-id", "8kbf7d35c070"];
        let targets = settings(&[URL, &page, &metric].concat()).targets().unwrap().unwrap();
        assert_eq!(targets.iter().next().unwrap().response_metric, "8kbf7d35c07m".parse().ok());
        let list = ["--targets", r#"[{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#];
        for list in [list, ["--targets-parameter", "/porchlight/targets"]] {
            let error = settings(&[list, metric].concat()).targets().unwrap_err().to_string();
            assert!(error.ends_with(" and METRIC_ID_RESPONSE are both set: keep one of them"), "{error}");
        }
        let error = settings(&metric).targets().unwrap_err().to_string();
        assert!(error.starts_with("CANARY_URL and PAGE_ID and COMPONENT_ID are not set"), "{error}");
    }
}
