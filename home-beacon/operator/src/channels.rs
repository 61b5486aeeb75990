//! `TelegramChannel` objects as channels of the keeper, which writes the notices: when a check changes, as a reminder, and when it is
//! over. What each object comes to is a line, as in `NOTIFY_URLS`; all of them are one key of one Secret, which the keeper has as a
//! file.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use k8s_openapi::{ByteString, api::core::v1::Secret as KubeSecret};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use notify::channel::MAX_CHANNELS;
use serde_json::json;
use shared::secret::Secret;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use url::Url;

use crate::{
    objects::{Key, ObjectKind},
    resolve::{Outcomes, World, channel},
};

/// The key that the keeper has as a file.
pub const URLS: &str = "URLS";

/// How long one call of the API server may take.
const CALL: Duration = Duration::from_secs(15);

/// How often they are written although nothing has changed.
const AGAIN: Duration = Duration::from_secs(300);

/// How long after a call that failed the next one comes, at least and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The channels of these objects, one a line, for the checks that name them. `server` is a Bot API server of one's own. Pure.
///
/// One chat of one bot is one channel, however many objects there are of it; one that no check names is none. Of more than
/// [`MAX_CHANNELS`], the first by namespace and name are taken.
pub fn urls(world: &World, outcomes: &Outcomes, server: Option<&Url>) -> Secret {
    let mut checks: BTreeMap<Key, BTreeSet<&str>> = BTreeMap::new();
    for (key, outcome) in outcomes {
        match outcome {
            Ok(Some(resolved)) => {
                for channel in &resolved.channels {
                    checks.entry(channel.clone()).or_default().insert(resolved.check.name.as_str());
                }
            }
            // One that is wrong just now goes on at the keeper: who is to be told that nothing comes of it is named all the same.
            Err(_) if key.kind == ObjectKind::PinglowCheck => {
                let named = world.objects.get(key).and_then(|object| object.spec["telegramChannelRefs"].as_array());
                for name in named.into_iter().flatten().filter_map(|name| name.as_str()) {
                    let channel = Key { kind: ObjectKind::TelegramChannel, name: name.to_owned(), ..key.clone() };
                    checks.entry(channel).or_default().insert(&key.name);
                }
            }
            _ => (),
        }
    }
    let mut lines: Vec<(String, BTreeSet<&str>)> = Vec::new();
    for (key, names) in checks {
        let Some(Ok((spec, token))) = world.objects.get(&key).map(|object| channel(object, world)) else { continue };
        let address = address(&token, spec.chat_id.trim());
        match lines.iter_mut().find(|(other, _)| *other == address) {
            Some((_, of)) => of.extend(names),
            None => lines.push((address, names)),
        }
    }
    let server = server.map(|server| format!("&server={server}")).unwrap_or_default();
    let lines = lines.into_iter().take(MAX_CHANNELS).map(|(address, names)| {
        let names: Vec<_> = names.into_iter().collect();
        format!("{address}{server}&events=check&checks={}\n", names.join(","))
    });
    Secret::new(format!("# porchlight-operator writes this, of TelegramChannel objects\n{}", lines.collect::<String>()))
}

/// A chat in the form that the keeper reads.
pub(crate) fn address(token: &Secret, chat: &str) -> String {
    format!("telegram://{}@telegram?chats={chat}", token.expose().trim())
}

/// Writes what `urls` has into the Secret of that name in the operator's own namespace, for as long as there may be more of it.
pub(crate) async fn keep(client: Client, secret: &str, mut urls: watch::Receiver<Option<Secret>>) {
    let api = Api::<KubeSecret>::default_namespaced(client);
    loop {
        // Again now and then: an upgrade or a person may have emptied it.
        if let Ok(Err(_)) = timeout(AGAIN, urls.changed()).await {
            return;
        }
        let mut wait = RETRY.0;
        loop {
            let Some(text) = urls.borrow_and_update().clone() else { break };
            match timeout(CALL, put(&api, secret, &text)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => {
                    tracing::warn!(secret, %error, "the channels cannot be written: is it the Secret that the chart makes?");
                }
                Err(_) => tracing::warn!(secret, "the API server takes too long to write the channels"),
            }
            tokio::select! {
                () = sleep(wait) => wait = (wait * 2).min(RETRY.1),
                // There may be other ones by now.
                changed = urls.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// The Secret is there: whoever could make Secrets could make more than this one.
async fn put(api: &Api<KubeSecret>, secret: &str, text: &Secret) -> Result<(), kube::Error> {
    let value = ByteString(text.expose().as_bytes().to_vec());
    let patch = json!({"data": {URLS: value}});
    api.patch_metadata(secret, &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::Object,
        resolve::{Rules, resolve},
    };

    const TOKEN: &str = "123456:ABC-def_ghi";

    fn object(kind: ObjectKind, name: &str, spec: serde_json::Value) -> Object {
        let key = Key { kind, namespace: "home".into(), name: name.into() };
        let (uid, status) = (format!("{kind:?}-{name}"), serde_json::Value::Null);
        Object { key, uid, generation: 1, created: None, spec, status }
    }

    fn world(chats: &[(&str, &str)], checks: &[(&str, &[&str])]) -> World {
        let mut world = World::default();
        let mut put = |object: Object| drop(world.objects.insert(object.key.clone(), object));
        for (name, chat) in chats {
            let spec = json!({"chatId": chat, "botTokenRef": "bot"});
            put(object(ObjectKind::TelegramChannel, name, spec));
        }
        for (name, channels) in checks {
            let spec = json!({"passive": true, "interval": 60, "telegramChannelRefs": channels});
            put(object(ObjectKind::PinglowCheck, name, spec));
        }
        let token = BTreeMap::from([("botToken".to_owned(), Secret::new(TOKEN))]);
        world.secrets.insert(("home".into(), "bot".into()), token);
        world
    }

    fn lines(world: &World, server: Option<&Url>) -> Vec<String> {
        let outcomes = resolve(world, &Rules::default(), jiff::Timestamp::UNIX_EPOCH);
        let text = urls(world, &outcomes, server);
        text.expose().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn a_channel_is_for_the_checks_that_name_it_and_one_chat_is_one_channel() {
        let chats = [("family", "-1001"), ("same", "-1001"), ("mine", "@mine"), ("unused", "7")];
        let checks: [(&str, &[&str]); 3] = [("disk", &["family", "mine"]), ("nas", &["same"]), ("door", &[])];
        let world = world(&chats, &checks);
        let expected = [
            format!("telegram://{TOKEN}@telegram?chats=-1001&events=check&checks=disk,nas"),
            format!("telegram://{TOKEN}@telegram?chats=@mine&events=check&checks=disk"),
        ];
        assert_eq!(lines(&world, None), expected);
        let own = "http://127.0.0.1:8081/".parse().unwrap();
        for line in lines(&world, Some(&own)) {
            assert!(line.contains("&server=http://127.0.0.1:8081/&events="), "{line}");
            notify::channel::Channel::read(&line).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_or_too_much_is_no_channel() {
        let names: Vec<String> = (0..25).map(|number| format!("chat{number:02}")).collect();
        let numbers: Vec<String> = (100..125).map(|number| number.to_string()).collect();
        let chats: Vec<_> = names.iter().zip(&numbers).map(|(name, chat)| (name.as_str(), chat.as_str())).collect();
        let all: Vec<_> = names.iter().map(String::as_str).collect();
        let mut world = world(&chats, &[("disk", &all)]);
        assert_eq!(lines(&world, None).len(), MAX_CHANNELS);
        // A check that is wrong just now is told of all the same.
        let wrong = Key { kind: ObjectKind::PinglowCheck, namespace: "home".into(), name: "disk".into() };
        world.objects.get_mut(&wrong).unwrap().spec["interval"] = 1.into();
        assert_eq!(lines(&world, None).len(), MAX_CHANNELS);
        world.secrets.clear();
        assert_eq!(lines(&world, None), Vec::<String>::new());
    }
}
