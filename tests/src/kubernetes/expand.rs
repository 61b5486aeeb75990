//! What a kubelet makes of `$(NAME)` and `$$` in a container's command, arguments and variables.
//!
//! Source: the reference of core/v1, `Container.command` and `EnvVar.value`, read 2026-11.

use std::collections::HashMap;

use serde_json::Value;

/// A Job as its containers see it.
pub(super) fn expanded(job: &Value) -> Value {
    let mut job = job.clone();
    for list in ["initContainers", "containers"] {
        let containers = job["spec"]["template"]["spec"][list].as_array_mut();
        containers.into_iter().flatten().for_each(container);
    }
    job
}

fn container(container: &mut Value) {
    let mut known = HashMap::new();
    for variable in container["env"].as_array_mut().into_iter().flatten() {
        let Some(value) = variable["value"].as_str().map(|value| expand(value, &known)) else { continue };
        known.insert(variable["name"].as_str().unwrap_or_default().to_owned(), value.clone());
        variable["value"] = value.into();
    }
    for list in ["command", "args"] {
        for word in container[list].as_array_mut().into_iter().flatten() {
            if let Some(text) = word.as_str() {
                *word = expand(text, &known).into();
            }
        }
    }
}

/// `$(NAME)` is the variable where there is one, and stays otherwise; `$$` is one `$`.
fn expand(text: &str, known: &HashMap<String, String>) -> String {
    let (mut made, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('$') {
        made.push_str(before);
        let reference = behind.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = if let Some(behind) = behind.strip_prefix('$') {
            made.push('$');
            behind
        } else if let Some((name, behind)) = reference {
            made.push_str(known.get(name).unwrap_or(&format!("$({name})")));
            behind
        } else {
            made.push('$');
            behind
        };
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_filled_in_and_two_dollars_are_one() {
        let known = HashMap::from([("HOME".to_owned(), "/tmp".to_owned())]);
        for (text, expected) in [
            ("$(HOME)/x", "/tmp/x"),
            ("$(NONE) $HOME", "$(NONE) $HOME"),
            ("$$(HOME) $$$$ $", "$(HOME) $$ $"),
            ("$(", "$("),
        ] {
            assert_eq!(expand(text, &known), expected, "{text}");
        }
    }
}
