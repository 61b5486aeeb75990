//! Our `Check`: what it says is read as an item of `checks.yml` is, so that both have the same words and the same sentences.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use checks::file::{Machine, checks_yml};
use serde_json::{Map, Value, json};
use shared::secret::Secret;

use super::{Resolved, Rules, Said, World, pinglows, script::ScriptRun, secret};
use crate::objects::{
    Key, Object, ObjectKind,
    pinglow::ScriptSpec as PinglowScript,
    porchlight::{ScriptSpec, SecretSpec},
};

/// What stands in the place of a script's program, which is not run here: the object, as people are shown what is checked. What the
/// script is stands behind it: another one is another check to what runs them.
pub(super) fn in_a_pod(object: &Object, script: &ScriptRun) -> Vec<String> {
    vec![format!("/{}/{}", object.key.namespace, object.key.name), script.fingerprint()]
}

/// Where `{ secret: NAME }` is looked up.
struct Secrets(BTreeMap<String, Secret>);

impl Machine for Secrets {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(|secret| secret.expose().into())
    }

    fn program(&self, _: &Path) -> Result<(), String> {
        Ok(())
    }

    fn is_folder(&self, _: &Path) -> bool {
        true
    }
}

pub(super) fn check(object: &Object, world: &World, rules: &Rules) -> Result<Resolved, Said> {
    let Value::Object(mut spec) = object.spec.clone() else {
        return Err(Said::new("InvalidSpec", "spec is missing: write a check, like spec: {http: {url: …}}"));
    };
    let secrets: Vec<SecretSpec> = part(object, &mut spec, "secrets")?.unwrap_or_default();
    let script: Option<ScriptSpec> = part(object, &mut spec, "script")?;
    let script = script.map(|script| run_of(&script, secrets.clone(), object, world, rules)).transpose()?;
    let mut values = BTreeMap::new();
    for wanted in &secrets {
        let value = secret(world, &object.key.namespace, &wanted.secret, &wanted.key)?;
        values.insert(wanted.name.clone(), value);
    }
    if let Some(script) = &script {
        spec.insert("script".into(), json!({"command": in_a_pod(object, script)}));
    }
    spec.entry("name").or_insert_with(|| object.key.name.clone().into());
    let one = checks_yml::one(Value::Object(spec), &Secrets(values)).map_err(|wrong| Said::spec(&wrong))?;
    if let Some(missing) = one.missing.first() {
        // What is missing on a machine is a variable; here it is an entry of the object, or a secret that will not do.
        let (place, why) = missing.split_once(": ").unwrap_or(("spec", missing));
        let is_listed = !why.contains(" is not set: ");
        let why = if is_listed { why } else { "it names a secret that spec.secrets does not list: add it there" };
        return Err(Said::new("SecretNotAvailable", format!("{place}: {why}")));
    }
    Ok(Resolved { check: one.check, script, channels: Vec::new(), notes: Vec::new() })
}

/// A part of the spec that is Kubernetes' own, taken out of it.
fn part<T: serde::de::DeserializeOwned>(
    object: &Object,
    spec: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, Said> {
    let Some(value) = spec.remove(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let within = Object { spec: value, ..object.clone() };
    super::typed(&within)
        .map(Some)
        .map_err(|said| Said { message: said.message.replacen("spec", &format!("spec.{key}"), 1), ..said })
}

fn run_of(
    script: &ScriptSpec,
    secrets: Vec<SecretSpec>,
    object: &Object,
    world: &World,
    rules: &Rules,
) -> Result<ScriptRun, Said> {
    let referred = script.script_ref.as_ref().map(|name| referred(name, object, world)).transpose()?;
    let (content, language, mut requirements) = match (script, referred) {
        (ScriptSpec { content: Some(content), language: Some(language), .. }, None) => {
            (content.clone(), *language, Vec::new())
        }
        (ScriptSpec { content: None, .. }, Some(script)) => {
            (script.content.clone(), script.language, script.requirements())
        }
        (ScriptSpec { content: Some(_), language: None, .. }, None) => {
            return Err(Said::new("InvalidSpec", "spec.script.language is missing: write Python or Bash"));
        }
        _ => return Err(Said::new("InvalidSpec", "spec.script needs either content or script_ref: write one of them")),
    };
    pinglows::fits(&content)?;
    requirements.extend(script.requirements.iter().cloned());
    let run = ScriptRun {
        content,
        language,
        arguments: script.arguments.clone(),
        environment: script.environment.clone().into_iter().collect(),
        secrets,
        whole_secrets: Vec::new(),
        whole_secret_keys: Vec::new(),
        requirements,
        image: script.image.clone().unwrap_or_else(|| rules.images.of(language).to_owned()),
        egress: script.egress,
    };
    run.check_requirements()?;
    Ok(run)
}

/// The script of that name, in the same namespace.
pub(super) fn referred(name: &str, object: &Object, world: &World) -> Result<PinglowScript, Said> {
    let key = Key { kind: ObjectKind::Script, namespace: object.key.namespace.clone(), name: name.to_owned() };
    let Some(script) = world.objects.get(&key) else {
        return Err(Said::new(
            "ScriptNotFound",
            format!("there is no Script {name} in this namespace: apply it, or name another one"),
        ));
    };
    pinglows::script(script)
        .map_err(|said| Said::new("ScriptNotFound", format!("the Script {name} cannot be used: {}", said.message)))
}
