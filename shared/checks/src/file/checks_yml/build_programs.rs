//! From what `checks.yml` says of programs, those that are run and those that call us, to what is asked.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use shared::{secret::SecretSource, wrong_setting::WrongSetting};

use super::{
    definition::Texts,
    kinds::{Passive, Script},
};
use crate::{
    check::{Kind, PassiveCheck, ScriptCheck, Text},
    file::{
        expect::lift,
        problems::At,
        reading::Reading,
        words::{TextOrSecret, Words, written},
    },
};

const GRACE: Duration = Duration::from_hours(1);
const LEAST_PERIOD: Duration = Duration::from_secs(60);
/// 128 bits in base64url.
const LEAST_SECRET: usize = 22;
const MOST_ARGUMENTS: usize = 200;

pub(super) fn script(reading: &mut Reading<'_>, at: &At<'_>, shape: &Script) -> Option<Kind> {
    program(reading, &at.key("command"), &shape.command);
    let secrets = at.key("secrets");
    let mut environment: Vec<_> = (shape.secrets.iter().enumerate())
        .map(|(index, words)| {
            let source = reading.secret(&secrets.item(index), &words.0)?;
            Some((words.0.clone(), Text::Secret(source)))
        })
        .collect();
    environment.extend(variables(reading, &at.key("environment"), &shape.environment));
    let folder = shape.folder.as_ref().map(|words| {
        let folder = PathBuf::from(words.0.trim());
        if !folder.is_absolute() {
            reading.wrong(&at.key("folder"), "folder: write the whole path of a folder");
            return None;
        }
        if !reading.machine().is_folder(&folder) {
            reading.missing(&at.key("folder"), "folder: it is not there: make it, or write where it is");
        }
        Some(folder)
    });
    Some(Kind::Script(ScriptCheck {
        command: shape.command.iter().map(|words| words.0.clone()).collect(),
        environment: environment.into_iter().collect::<Option<_>>()?,
        folder: lift(folder)?,
        uid: shape.uid,
    }))
}

fn program(reading: &mut Reading<'_>, at: &At<'_>, command: &[Words]) {
    let Some(Words(program)) = command.first() else {
        return reading.wrong(at, "command is empty: write the program and its arguments");
    };
    let path = Path::new(program);
    if !path.is_absolute() {
        reading.wrong(
            &at.item(0),
            format!("command: {program} is no whole path: write one, like /usr/lib/nagios/plugins/check_disk"),
        );
    } else if let Err(why) = reading.machine().program(path) {
        reading.missing(&at.item(0), format!("command: {program} {why}: install it, or write where it is"));
    }
    if command.len() > MOST_ARGUMENTS || command.iter().any(|words| words.0.contains('\0')) {
        reading
            .wrong(at, format!("command has more than {MOST_ARGUMENTS} parts, or one with a zero byte: write fewer"));
    }
}

fn variables(reading: &mut Reading<'_>, at: &At<'_>, texts: &Texts) -> Vec<Option<(String, Text)>> {
    let mut found = Vec::new();
    for (name, text) in texts {
        let at = at.key(name);
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.bytes().all(known) {
            reading.wrong(&at, "environment: a variable's name has letters, digits and _, and begins with no digit");
        }
        if matches!(text, TextOrSecret::Plain(text) if text.contains('\0')) {
            reading.wrong(&at, format!("{name}: a variable cannot hold a zero byte: take it out"));
        }
        found.push(reading.text(&at, text).map(|text| (name.clone(), text)));
    }
    found
}

pub(super) fn passive(reading: &mut Reading<'_>, at: &At<'_>, shape: &Passive) -> Option<Kind> {
    let period = reading.span(&at.key("period"), Some(&shape.period));
    if let Some(short) = period.filter(|period| *period < LEAST_PERIOD) {
        reading.wrong(&at.key("period"), format!("period is {}: write 60s or more", written(short)));
    }
    let grace = shape.grace.as_ref().map(|span| reading.span(&at.key("grace"), Some(span)));
    let mut secret = reading.secret(&at.key("secret"), &shape.secret.0);
    if let Some(current) = secret.as_ref().and_then(|source| source.current().ok()) {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if current.expose().len() < LEAST_SECRET || !current.expose().bytes().all(known) {
            let name = &shape.secret.0;
            let why =
                format!("secret: {name} must have {LEAST_SECRET} or more letters, digits, - and _: make a longer one");
            reading.missing(&at.key("secret"), &why);
            // One that can be guessed is as good as none, whatever it is by now.
            secret = Some(SecretSource::Missing { name: name.clone(), why: WrongSetting(why) });
        }
    }
    Some(Kind::Passive(PassiveCheck { period: period?, grace: lift(grace)?.unwrap_or(GRACE), secret: secret? }))
}
