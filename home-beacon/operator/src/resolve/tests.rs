//! Objects as files, each with what is said of it: `tests/corpus/objects`. `UPDATE_CORPUS=1` writes the sentences anew.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use kube::core::DynamicObject;
use serde_json::Value;

use super::*;
use crate::objects::VERSION;

fn corpus(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus/objects")).join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn kind_of(object: &Value) -> ObjectKind {
    let is = |kind: &ObjectKind| {
        object["apiVersion"] == format!("{}/{VERSION}", kind.group()) && object["kind"] == kind.kind()
    };
    ObjectKind::ALL.into_iter().find(is).expect("a kind that is known")
}

/// The objects of a file, each made a second after the one before, beside the Secrets that there are.
fn world(text: &str) -> World {
    let mut world = World::default();
    for (index, document) in text.split("---\n").enumerate() {
        let mut object: Value = serde_saphyr::from_str(document).unwrap();
        let kind = kind_of(&object);
        object["metadata"]["uid"] = format!("00000000-0000-4000-8000-{index:012}").into();
        object["metadata"]["creationTimestamp"] = format!("2026-11-30T12:00:{index:02}Z").into();
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let object = Object::of(kind, object).unwrap();
        world.objects.insert(object.key.clone(), object);
    }
    let secret =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).into(), Secret::new(*value))).collect();
    let nas = [("token", "s3cret"), ("short", "abc"), ("backup", "0123456789abcdefghijklmn")];
    world.secrets.insert(("checks".into(), "nas".into()), secret(&nas));
    world.secrets.insert(
        ("checks".into(), "bot".into()),
        secret(&[("botToken", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")]),
    );
    world
}

/// A file without what is said of it.
fn objects_of(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

fn noon() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

/// What is wrong with the objects, a line each.
fn said(world: &World) -> String {
    let outcomes = resolve(world, &Rules::default(), noon());
    let wrong = outcomes.iter().filter_map(|(key, outcome)| {
        let said = outcome.as_ref().err()?;
        Some(format!("# {} {}: {}: {}\n", key.kind.kind(), key.name, said.reason, said.message))
    });
    wrong.collect()
}

#[test]
fn each_wrong_object_has_one_sentence_that_says_what_where_and_what_to_do() {
    let files = corpus("wrong");
    assert!(files.len() >= 30);
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let objects = objects_of(&written);
        let said = said(&world(&objects));
        assert!(!said.is_empty(), "{} is right", file.display());
        assert!(!said.contains("hunter2") && !said.contains("s3cret"), "{said}");
        if env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&file, said + &objects).unwrap();
        } else {
            assert_eq!(said + &objects, written, "{}", file.display());
        }
    }
}

#[test]
fn what_is_right_runs_and_one_that_is_wrong_stops_none_of_the_others() {
    let good = fs::read_to_string(&corpus("good")[0]).unwrap();
    let mut world = world(&good);
    assert_eq!(said(&world), "");
    let checks = |world: &World| {
        let outcomes = resolve(world, &Rules::default(), noon());
        outcomes.into_values().filter_map(Result::ok).flatten().count()
    };
    assert_eq!(checks(&world), 8);
    let key = Key { kind: ObjectKind::Check, namespace: "checks".into(), name: "ssh".into() };
    world.objects.get_mut(&key).unwrap().spec = serde_json::json!({"tcp": 5});
    assert_eq!(checks(&world), 7);
    // What another one depends on is there, although it is wrong itself.
    let key = Key { name: "router".into(), ..key };
    world.objects.get_mut(&key).unwrap().spec = Value::Null;
    assert_eq!(checks(&world), 6);
}

#[test]
fn pinglows_objects_run_as_they_are() {
    let world = world(&fs::read_to_string(&corpus("good")[1]).unwrap());
    assert_eq!(said(&world), "");
    let outcomes = resolve(&world, &Rules::default(), noon());
    let of = |name: &str| {
        let key = Key { kind: ObjectKind::PinglowCheck, namespace: "checks".into(), name: name.into() };
        outcomes[&key].clone().unwrap().unwrap()
    };
    let web = of("web");
    let script = web.script.unwrap();
    assert_eq!(
        (script.requirements.as_slice(), script.whole_secrets.as_slice()),
        (&["requests==2.32.5".to_owned()][..], &["nas".to_owned()][..])
    );
    assert_eq!((web.check.every.as_secs(), web.channels.len(), web.check.notices.wanted), (300, 1, true));
    let often = of("web-often");
    assert_eq!(
        (often.check.every.as_secs(), often.check.notices.wanted, often.notes[0].reason),
        (60, false, "IntervalDefaulted")
    );
    let backup = of("backup");
    assert!(backup.script.is_none() && matches!(backup.check.kind, checks::check::Kind::Passive(_)));
}

#[test]
fn a_mute_ends_when_it_says() {
    let mut world = world(&fs::read_to_string(&corpus("good")[1]).unwrap());
    let key = Key { kind: ObjectKind::PinglowCheck, namespace: "checks".into(), name: "web".into() };
    world.objects.get_mut(&key).unwrap().spec["muteNotificationsUntil"] = "2026-11-30T13:00:00Z".into();
    for (at, wanted) in [("2026-11-30T12:59:59Z", false), ("2026-11-30T13:00:00Z", true)] {
        let outcomes = resolve(&world, &Rules::default(), at.parse().unwrap());
        assert_eq!(outcomes[&key].clone().unwrap().unwrap().check.notices.wanted, wanted, "{at}");
    }
}

#[test]
fn without_the_label_pinglows_checks_get_secrets_where_an_administrator_says_so() {
    let text = fs::read_to_string(
        corpus("wrong").into_iter().find(|it| it.ends_with("pinglow-secret-without-label.yaml")).unwrap(),
    );
    let objects = objects_of(&text.unwrap());
    let rules = Rules { pinglow_secrets: true, ..Rules::default() };
    let outcomes = resolve(&world(&objects), &rules, noon());
    assert!(outcomes.values().all(Result::is_ok), "{outcomes:?}");
}
