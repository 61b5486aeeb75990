//! An outside machine's keeper in this process, with an owner who takes every home.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use home_beacon::{
    clock::{BootClock, Host},
    join::{JoinAnswer, JoinCode, JoinRefusal, JoinRequest, PROTOCOL},
    keeper::{
        Keeper, KeeperConfig, Listeners, TlsListener,
        db::Db,
        http::front::Front,
        joins::{Joining, Joins},
        measured::line_quality::Promised,
        seed::Seed,
        tls::Tls,
        tokens,
    },
};
use jiff::Timestamp;
use reqwest::{
    Method, Response,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::{Value, json};
use shared::{
    fingerprint::Fingerprint,
    http::{CallError, Deadlines, client, pinned_tls},
    secret::Secret,
};
use tempfile::TempDir;
use tests::{
    keeper::{COMPONENT, PAGE, TOKEN},
    process::{file, own_address},
    upstream::{LATENCY, seed},
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use url::Url;

const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(10), total: Duration::from_secs(20) };

/// A keeper with all that an outside machine's has.
pub(crate) struct Outside {
    /// Its private address.
    pub(crate) url: String,
    /// Where it listens with TLS.
    pub(crate) address: SocketAddr,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) joins: Joins,
    /// How long codes have been ageing besides.
    pub(crate) later: Arc<Mutex<Duration>>,
    pub(crate) db: Db,
    tasks: [JoinHandle<()>; 2],
    _folder: TempDir,
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind((own_address(), 0)).await.expect("a port")
}

impl Outside {
    /// One that makes a token for each home.
    pub(crate) async fn start() -> Self {
        Self::start_with(async |db, Joining { reply, .. }| {
            let page = PAGE.parse().expect("an id");
            let token = tokens::create(db, Timestamp::now(), &page, "home").await.expect("a token");
            let (api, location, time) = ("/v1".into(), Some("vps".into()), Some(Timestamp::now()));
            let answer = JoinAnswer { token, api, page_url: None, location, beacon_url: None, time };
            let _ = reply.send(Ok(answer));
        })
        .await
    }

    /// One that refuses every home.
    pub(crate) async fn refusing(refusal: JoinRefusal) -> Self {
        Self::start_with(async move |_, Joining { reply, .. }| {
            let _ = reply.send(Err(refusal.clone()));
        })
        .await
    }

    async fn start_with<F>(owner: F) -> Self
    where
        F: AsyncFn(&Db, Joining) + 'static,
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [private, over_tls] = [listen().await, listen().await];
        let address = over_tls.local_addr().expect("an address");
        let url = format!("http://{}", private.local_addr().expect("an address"));
        let tls = Tls::own(&folder.path().join("tls.pem")).expect("a certificate");
        let fingerprint = tls.fingerprint();
        let later = Arc::<Mutex<Duration>>::default();
        let (since_boot, added) = (BootClock::since_boot(), later.clone());
        let uptime = BootClock::new(move || since_boot.now() + *added.lock().expect("no panic"));
        let (joins, joining) = Joins::new(move || (address.to_string(), fingerprint), 4, uptime);
        let keeper = Keeper::open(config(folder.path(), joins.clone()), Host::system()).await.expect("it opens");
        let db = keeper.db().clone();
        let listeners = Listeners { private, public: None, tls: Some(TlsListener { listener: over_tls, tls }) };
        let serving = tokio::spawn(async move { Box::pin(keeper.run(listeners, std::future::pending())).await });
        let its = db.clone();
        let local = tokio::task::spawn_local(decide(its, joining, owner));
        Self { url, address, fingerprint, joins, later, db, tasks: [serving, local], _folder: folder }
    }

    /// A new code, as it was pasted.
    pub(crate) fn code(&self) -> JoinCode {
        JoinCode::read(&self.joins.code().expect("a code").to_text()).expect("it is what was printed")
    }

    /// A call over TLS with that token.
    pub(crate) async fn call(&self, token: &str, method: &Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = pinned(self.address, self.fingerprint, token, method, path, body).await.expect("it answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// A call at its private address, with its own token.
    pub(crate) async fn own(&self, method: Method, path: &str) -> (u16, Value) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = http.request(method, format!("{}{path}", self.url));
        let answer = request.header("authorization", format!("OAuth {TOKEN}")).send().await.expect("it answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

async fn decide<F: AsyncFn(&Db, Joining)>(db: Db, mut joining: mpsc::Receiver<Joining>, owner: F) {
    while let Some(next) = joining.recv().await {
        owner(&db, next).await;
    }
}

fn config(folder: &Path, joins: Joins) -> KeeperConfig {
    let (seed, _) = Seed::read(Path::new(&file(folder, "seed.toml", &seed(false)))).expect("a seed");
    KeeperConfig {
        database_url: format!("sqlite:{}", folder.join("keeper.db").display()),
        seed: Some(seed),
        token: Secret::new(TOKEN).into(),
        pinglow_key: None,
        joins: Some(joins),
        rate_limit: 0,
        strict_points: false,
        upstream: None,
        notices: None,
        promised: Promised::default(),
        beacon: None,
        heartbeat: None,
        at_home: false,
        front: Front::default(),
        notice: None,
        without_looks: None,
    }
}

/// A call over TLS, to whoever has that certificate.
pub(crate) async fn pinned(
    address: SocketAddr,
    fingerprint: Fingerprint,
    token: &str,
    method: &Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Response, CallError> {
    let http = client(&pinned_tls(fingerprint).expect("TLS"), DEADLINES);
    let url: Url = format!("https://{address}{path}").parse().expect("an address");
    let token = HeaderValue::try_from(format!("OAuth {token}")).expect("a header");
    let call = http.call(method.clone(), url).header(AUTHORIZATION, token);
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

/// What a home asks for.
pub(crate) fn request() -> JoinRequest {
    serde_json::from_value(json!({
        "protocol": PROTOCOL,
        "page": {"id": PAGE, "name": "My home", "time_zone": "Europe/Berlin"},
        "component": {"id": COMPONENT, "name": "Home internet"},
        "metrics": [{"id": LATENCY, "name": "Latency", "suffix": "ms", "reading": "ping"}],
        "beacon_key": "the-key-of-the-home",
        "beacon_port": 8080,
    }))
    .expect("a request")
}
