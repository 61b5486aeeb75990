//! Pinglow's objects, with what its README promised of them.

use std::time::Duration;

use checks::{
    check::{Check, CheckName, Kind, Notices, PassiveCheck, Place, ScriptCheck},
    thresholds::Thresholds,
};
use jiff::Timestamp;
use shared::{secret::SecretSource, wrong_setting::WrongSetting};

use super::{
    Resolved, Rules, Said, World, channel, ours,
    script::{MAX_SCRIPT, ScriptRun},
    secret, typed,
};
use crate::objects::{
    Key, Object, ObjectKind,
    pinglow::{CheckSpec, ScriptSpec},
};

/// Where `interval` is left out or empty.
const EVERY: Duration = Duration::from_secs(60);

/// The shortest interval: a Job each time.
const LEAST: u64 = 5;

/// How long a script may run; less where its interval is shorter.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How seldom a passive check without an interval may report: never too late, for practical purposes.
const NEVER: Duration = Duration::from_hours(366 * 24);

/// The script of an object.
pub(super) fn script(object: &Object) -> Result<ScriptSpec, Said> {
    let spec: ScriptSpec = typed(object)?;
    fits(&spec.content)?;
    Ok(spec)
}

pub(super) fn fits(content: &str) -> Result<(), Said> {
    let why = match content.len() {
        0 => "is empty: write the script".to_owned(),
        MAX_SCRIPT.. => format!("has more than {} KiB: put it into an image of its own", MAX_SCRIPT >> 10),
        _ if content.contains('\0') => "has a zero byte, so it is no text: write the script".to_owned(),
        _ => return Ok(()),
    };
    Err(Said::new("InvalidSpec", format!("the script's content {why}")))
}

pub(super) fn check(object: &Object, world: &World, rules: &Rules, now: Timestamp) -> Result<Resolved, Said> {
    let spec: CheckSpec = typed(object)?;
    let name: CheckName = object.key.name.parse().map_err(|_| {
        let message =
            "metadata.name is too long for the name of a check: use up to 50 lower-case letters, digits and - .";
        Said::new("InvalidSpec", message)
    })?;
    let mut notes = Vec::new();
    let every = match spec.interval {
        Some(short @ ..LEAST) => {
            return Err(Said::new(
                "InvalidSpec",
                format!("spec.interval is {short}, in seconds: write {LEAST} or more"),
            ));
        }
        Some(seconds) => Duration::from_secs(seconds.min(NEVER.as_secs())),
        None if spec.passive => NEVER,
        None => {
            let message = format!(
                "spec.interval is empty, so it runs every {} s: write how often it is to run, in seconds",
                EVERY.as_secs()
            );
            notes.push(Said::new("IntervalDefaulted", message));
            EVERY
        }
    };
    let script = match &spec.script_ref {
        _ if spec.passive => None,
        None => return Err(Said::new("InvalidSpec", "spec.scriptRef is missing: name a Script, or set passive: true")),
        Some(script) => Some(run_of(&spec, script, object, world, rules)?),
    };
    let channels = channels(&spec, object, world)?;
    notes.extend(unusable(&channels, world));
    let kind = match &script {
        None => {
            Kind::Passive(PassiveCheck { period: every, grace: Duration::from_hours(1), secret: by_key_alone(&name) })
        }
        Some(script) => Kind::Script(ScriptCheck {
            command: ours::in_a_pod(object, script),
            environment: Vec::new(),
            folder: None,
            uid: None,
        }),
    };
    let check = Check {
        title: name.to_string(),
        name,
        was: None,
        group: None,
        kind,
        every,
        timeout: TIMEOUT.min(every),
        retries: 0,
        // As Pinglow had it, a failure is one at once.
        thresholds: Thresholds { fail_after: 1, recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Own,
        notices: Notices { wanted: !is_muted(&spec, now)?, ..Notices::default() },
    };
    Ok(Resolved { check, script, channels, notes })
}

fn run_of(spec: &CheckSpec, script: &str, object: &Object, world: &World, rules: &Rules) -> Result<ScriptRun, Said> {
    let script = ours::referred(script, object, world)?;
    if !rules.pinglow_secrets {
        for name in &spec.secret_refs {
            let known = (object.key.namespace.clone(), name.clone());
            if !world.secrets.contains_key(&known) {
                // The same sentence, whichever key is asked for.
                secret(world, &object.key.namespace, name, "")?;
            }
        }
    }
    let keys = spec.secret_refs.iter().filter_map(|name| {
        let values = world.secrets.get(&(object.key.namespace.clone(), name.clone()))?;
        Some(values.keys().cloned())
    });
    let keys = keys.flatten().collect();
    let run = ScriptRun {
        image: rules.images.of(script.language).to_owned(),
        requirements: script.requirements(),
        content: script.content,
        language: script.language,
        arguments: Vec::new(),
        environment: Vec::new(),
        secrets: Vec::new(),
        whole_secrets: spec.secret_refs.clone(),
        whole_secret_keys: keys,
        egress: rules.pinglow_egress,
    };
    run.check_requirements()?;
    Ok(run)
}

fn channels(spec: &CheckSpec, object: &Object, world: &World) -> Result<Vec<Key>, Said> {
    let key = |name: &String| Key {
        kind: ObjectKind::TelegramChannel,
        namespace: object.key.namespace.clone(),
        name: name.clone(),
    };
    let channels: Vec<Key> = spec.telegram_channel_refs.iter().map(key).collect();
    match channels.iter().find(|key| !world.objects.contains_key(key)) {
        None => Ok(channels),
        Some(missing) => {
            let message = format!(
                "there is no TelegramChannel {} in this namespace: apply it, or take the name out",
                missing.name
            );
            Err(Said::new("ChannelNotFound", message))
        }
    }
}

/// That nobody is written to over the first of the channels that are wrong.
fn unusable(channels: &[Key], world: &World) -> Option<Said> {
    let is_wrong = |key: &&Key| world.objects.get(*key).is_some_and(|object| channel(object, world).is_err());
    let wrong = channels.iter().find(is_wrong)?;
    let message = format!("nobody is written to over the TelegramChannel {}: its status says why", wrong.name);
    Some(Said::new("ChannelNotReady", message))
}

/// Its results come by the keeper's API, whose key is what may report them: there is no address that could be called.
fn by_key_alone(name: &CheckName) -> SecretSource {
    let why = WrongSetting(format!("{name} is reported by the API's key, and has no address of its own"));
    SecretSource::Missing { name: name.to_string(), why }
}

/// Whether nobody is to be written to now.
fn is_muted(spec: &CheckSpec, now: Timestamp) -> Result<bool, Said> {
    let until = spec.mute_notifications_until.as_deref().map(str::parse::<Timestamp>).transpose();
    let until = until.map_err(|_| {
        let message = "spec.muteNotificationsUntil is no time like 2026-12-24T18:00:00Z: write one, or take it out";
        Said::new("InvalidSpec", message)
    })?;
    // A time by itself mutes, too; and with it, no longer than until then.
    Ok(until.map_or(spec.mute_notifications == Some(true), |until| now < until))
}
