//! Which target depends on which. Pure.

use shared::{id::ComponentId, settings::nearness};

use super::{Target, WrongTargets};

/// Finds what each target depends on, which `named` has by name or component.
///
/// # Errors
/// When there is none of that name, there are several, or it is the target itself.
pub(super) fn resolve(targets: &mut [Target], named: &[Option<String>]) -> Result<(), WrongTargets> {
    for (index, name) in named.iter().enumerate() {
        let Some(name) = name else { continue };
        let found = find(targets, index, name);
        let found = found.map_err(|error| WrongTargets(format!("target {}: depends_on: {error}", index + 1)))?;
        targets[index].depends_on = Some(found);
    }
    Ok(())
}

fn find(targets: &[Target], of: usize, name: &str) -> Result<ComponentId, String> {
    let by_component = targets.iter().find(|target| target.component.as_str() == name);
    let by_name: Vec<&Target> = match by_component {
        Some(target) => vec![target],
        None => targets.iter().filter(|target| target.home.name == name).collect(),
    };
    match by_name[..] {
        [found] if found.component == targets[of].component => {
            Err("it is the target itself: take it out, or write another one".into())
        }
        [found] => Ok(found.component.clone()),
        [] => {
            let name = name.chars().take(80).collect::<String>();
            let meant = nearness::question(&name, targets.iter().map(|target| target.home.name.as_str()));
            let what = if meant.is_empty() { ": write the name or the component_id of another one" } else { &meant };
            Err(format!("there is no target {name}{what}"))
        }
        _ => Err(format!("{} targets are called {name}: write the component_id of one of them", by_name.len())),
    }
}

/// The place of what each target depends on.
///
/// # Errors
/// When it is not in the list, or they depend on each other in a circle.
pub(super) fn places(targets: &[Target]) -> Result<Vec<Option<usize>>, WrongTargets> {
    let place = |target: &Target| match &target.depends_on {
        None => Ok(None),
        Some(component) => {
            let place = targets.iter().position(|other| other.component == *component);
            let missing = || WrongTargets(format!("{} depends on {component}, which is no target", target.home.name));
            place.ok_or_else(missing).map(Some)
        }
    };
    let places: Vec<Option<usize>> = targets.iter().map(place).collect::<Result<_, _>>()?;
    for start in 0..targets.len() {
        let chain = std::iter::successors(Some(start), |at| places[*at]);
        // A chain without a circle is no longer than the list.
        if let Some(back) = chain.skip(1).take(targets.len()).position(|at| at == start) {
            let circle = std::iter::successors(Some(start), |at| places[*at]).take(back + 1);
            let names: Vec<&str> = circle.map(|at| targets[at].home.name.as_str()).collect();
            let names = names.join(", ");
            return Err(WrongTargets(format!("depends_on goes in a circle ({names}): take one of them out")));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use crate::target::Targets;

    /// Targets of these names, each with what it depends on.
    fn list(targets: &[(&str, Option<&str>)]) -> Result<Vec<Option<usize>>, String> {
        let target = |(index, (name, depends_on)): (usize, &(&str, Option<&str>))| {
            serde_json::json!({"name": name, "url": "http://home.example/", "page_id": "gytm4qzbx9t6",
                "component_id": format!("8kbf7d35c07{index}"), "depends_on": depends_on})
        };
        let json = targets.iter().enumerate().map(target).collect();
        Targets::from_json(json).map(|targets| targets.dependencies().to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_depends_on_another_by_name_or_component() {
        assert_eq!(list(&[("Home", None), ("Cloud", Some("Home"))]), Ok(vec![None, Some(0)]));
        assert_eq!(list(&[("Cloud", Some("8kbf7d35c071")), ("Home", None)]), Ok(vec![Some(1), None]));
        let chain = [("a", Some("b")), ("b", Some("c")), ("c", None), ("d", Some("b"))];
        assert_eq!(list(&chain), Ok(vec![Some(1), Some(2), None, Some(1)]));
        // A component is meant before a name that looks like one.
        assert_eq!(list(&[("8kbf7d35c071", None), ("Home", None), ("x", Some("8kbf7d35c071"))]).unwrap()[2], Some(1));
    }

    #[test]
    fn a_dependency_that_leads_nowhere_or_in_a_circle_is_refused() {
        for (targets, refused) in [
            (
                &[("Home", None), ("Cloud", Some("Hoem"))][..],
                "target 2: depends_on: there is no target Hoem: was Home meant?",
            ),
            (
                &[("Cloud", Some("8kbf7d35c079"))],
                "target 1: depends_on: there is no target 8kbf7d35c079: write the name or the component_id of another \
                 one",
            ),
            (
                &[("Cloud", Some("Cloud"))],
                "target 1: depends_on: it is the target itself: take it out, or write another one",
            ),
            (
                &[("Home", None), ("Home", None), ("Cloud", Some("Home"))],
                "target 3: depends_on: 2 targets are called Home: write the component_id of one of them",
            ),
            (
                &[("a", Some("b")), ("b", Some("c")), ("c", Some("b"))],
                "depends_on goes in a circle (b, c): take one of them out",
            ),
        ] {
            assert_eq!(list(targets).unwrap_err(), refused);
        }
    }
}
