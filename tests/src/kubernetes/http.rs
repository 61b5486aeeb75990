//! Requests and answers, over HTTP/1.1. One request a connection, but for what a client sends after an answer with a length.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::{
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Duration, sleep, timeout},
};
use url::form_urlencoded;

use super::{
    Faults, Kubernetes, TOKEN,
    answers::{chunk, found, refuse, reply, status},
    store::COLLECTIONS,
};

/// How long a watch is kept without news before it is told that there are none.
const BOOKMARK: Duration = Duration::from_secs(2);

/// The longest page of a list: short, so that few objects are several.
const PAGE: usize = 3;

pub(super) async fn serve(listener: TcpListener, server: Kubernetes) {
    while let Ok((stream, _)) = listener.accept().await {
        let server = server.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream);
            // A client that goes away is no fault.
            while let Ok(Some(request)) = Request::read(&mut stream).await {
                if server.answer(&mut stream, request).await.is_err() {
                    return;
                }
            }
        });
    }
}

pub(super) struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Value,
}

impl Request {
    async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (method, target) =
            (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Some(Self { method, path: path.to_owned(), query, headers, body }))
    }

    fn asks(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// What a path is of.
pub(super) struct Place {
    pub(super) collection: &'static str,
    pub(super) namespace: String,
    name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let ["namespaces", namespace, plural, rest @ ..] = rest else { return None };
        let is_it = |(name, of, _): &&(&str, &str, &str)| name.rsplit('/').next() == Some(*plural) && *of == version;
        let collection = COLLECTIONS.iter().find(is_it)?.0;
        let part = |index: usize| rest.get(index).map(|&part| part.to_owned());
        Some(Self { collection, namespace: (*namespace).to_owned(), name: part(0), subresource: part(1) })
    }
}

impl Kubernetes {
    async fn answer(&self, stream: &mut BufReader<TcpStream>, request: Request) -> io::Result<()> {
        let late = self.shared.faults.lock().expect("nobody panics with it").late;
        sleep(late).await;
        if request.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")[..]) {
            return refuse(stream, 401, "Unauthorized").await;
        }
        if self.spends(|faults| &mut faults.busy) {
            return refuse(stream, 429, "too many requests, please try again later").await;
        }
        let Some(place) = Place::of(&request.path) else {
            return refuse(stream, 404, "the server could not find the requested resource").await;
        };
        let Place { collection, namespace, name, subresource } = &place;
        if self.shared.faults.lock().expect("nobody panics with it").forbidden == Some(namespace) {
            let message = format!("{collection} is forbidden: there is no role for it in the namespace {namespace}");
            return refuse(stream, 403, &message).await;
        }
        let resource =
            subresource.as_ref().map_or_else(|| (*collection).to_owned(), |sub| format!("{collection}/{sub}"));
        let is_watch = request.asks("watch") == "true";
        let verb = match (request.method.as_str(), name) {
            ("GET", None) if is_watch => "watch",
            ("GET", None) => "list",
            ("GET", Some(_)) => "get",
            ("POST", None) => "create",
            ("PUT", Some(_)) => "update",
            ("PATCH", Some(_)) => "patch",
            ("DELETE", Some(_)) => "delete",
            _ => return refuse(stream, 405, "the server does not allow this method on the requested resource").await,
        };
        self.store().called(verb, &resource);
        let selector = request.asks("labelSelector").to_owned();
        match (verb, name.as_deref().unwrap_or_default()) {
            ("watch", _) => {
                self.watch(stream, &place, &selector, request.asks("resourceVersion").parse().unwrap_or(0)).await
            }
            ("list", _) => {
                let slow = self.shared.faults.lock().expect("nobody panics with it").slow;
                if let Some((_, late)) = slow.filter(|(slow, _)| slow == collection) {
                    sleep(late).await;
                }
                self.list(stream, &place, &request).await
            }
            ("create", _) => {
                let mut object = request.body.clone();
                // As the address has it.
                object["metadata"]["namespace"] = namespace.as_str().into();
                let made = self.store().create(collection, object);
                self.changed();
                let Some(made) = made else {
                    return refuse(stream, 409, &format!("{collection} already exists")).await;
                };
                if *collection == "batch/jobs" {
                    self.begin(made.clone());
                }
                if self.spends(|faults| &mut faults.lost_answers) {
                    return refuse(stream, 504, "request did not complete within the requested timeout").await;
                }
                reply(stream, 201, &made).await
            }
            ("patch", name) => self.patch(stream, &place, name, &request).await,
            ("update", _) => {
                let replaced = self.store().replace(collection, &request.body);
                self.changed();
                match replaced {
                    Some(Err(())) => {
                        refuse(
                            stream,
                            409,
                            "the object has been modified; please apply your changes to the latest version",
                        )
                        .await
                    }
                    replaced => found(stream, replaced.and_then(Result::ok)).await,
                }
            }
            ("get", name) => {
                let object = self.get(collection, namespace, name);
                found(stream, object).await
            }
            ("delete", name) => {
                let gone = self.remove(collection, namespace, name);
                found(stream, gone).await
            }
            _ => refuse(stream, 405, "the server does not allow this method on the requested resource").await,
        }
    }

    /// A page of a list: as long as was asked for, and no longer than a real one would be for its many objects.
    async fn list(&self, stream: &mut BufReader<TcpStream>, place: &Place, request: &Request) -> io::Result<()> {
        let newest = self.store().version();
        // Of many objects there are twenty pages.
        let page = PAGE.max(self.store().count(place.collection) / 20);
        let limit = request.asks("limit").parse().map_or(usize::MAX, |limit: usize| limit.min(page));
        // Later pages are of the version of the first one.
        let (version, from) = request.asks("continue").split_once('/').unwrap_or(("", ""));
        let version = version.parse().unwrap_or(newest);
        if !self.store().remembers(version) {
            return refuse(
                stream,
                410,
                "the provided continue parameter is too old to display a consistent list result",
            )
            .await;
        }
        let selector = request.asks("labelSelector");
        let (items, has_more) = self.store().page(place.collection, &place.namespace, selector, from, limit);
        let mut meta = json!({"resourceVersion": version.to_string()});
        if let Some(last) = items.last().filter(|_| has_more) {
            meta["continue"] = format!("{version}/{}", last["metadata"]["name"].as_str().unwrap_or_default()).into();
        }
        reply(stream, 200, &json!({"apiVersion": "v1", "kind": "List", "metadata": meta, "items": items})).await
    }

    /// Takes one of a number of faults, where any is left.
    fn spends(&self, which: impl Fn(&mut Faults) -> &mut u32) -> bool {
        let mut faults = self.shared.faults.lock().expect("nobody panics with it");
        let left = which(&mut faults);
        let is_left = *left > 0;
        *left = left.saturating_sub(1);
        is_left
    }

    async fn watch(
        &self,
        stream: &mut BufReader<TcpStream>,
        place: &Place,
        selector: &str,
        from: u64,
    ) -> io::Result<()> {
        let mut changes = self.shared.version.subscribe();
        let closed = changes.borrow().1;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        let mut seen = from;
        loop {
            let news = self.store().since(seen, place.collection, &place.namespace, selector);
            let Some(news) = news else {
                let status = status(410, "too old resource version");
                chunk(stream, &json!({"type": "ERROR", "object": status})).await?;
                stream.write_all(b"0\r\n\r\n").await?;
                return stream.flush().await;
            };
            for event in news {
                seen = event.version;
                chunk(stream, &json!({"type": event.kind, "object": event.object})).await?;
            }
            if changes.borrow_and_update().1 != closed {
                stream.write_all(b"0\r\n\r\n").await?;
                return stream.flush().await;
            }
            if timeout(BOOKMARK, changes.changed()).await.is_err() {
                let (_, version, kind) = COLLECTIONS.iter().find(|it| it.0 == place.collection).expect("it is one");
                let object = json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": seen.max(1).to_string()}});
                chunk(stream, &json!({"type": "BOOKMARK", "object": object})).await?;
            }
        }
    }
}
