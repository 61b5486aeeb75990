//! `porchlight up --outside`: a prober and a public keeper on a machine elsewhere, which a home joins by a code.

use std::{io, net::SocketAddr, process};

use anyhow::Context;
use home_beacon::{
    clock::{BootClock, Host},
    join::{JoinAnswer, JoinRefusal},
    keeper::{
        Joining, Joins, Keeper, KeeperConfig, Listeners, Tls, TlsListener, TlsSettings,
        db::Db,
        http::front::Front,
        measured::line_quality::Promised,
        seed::{Branding, Seed},
    },
    programs::manager::Manager,
};
use jiff::Timestamp;
use shared::{keeper_token, message::UpFault, secret::SecretSource, settings::WrongSetting};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use url::Url;

use super::{
    address::page_address,
    admit::{Admitted, Open, admitted},
    choices::Choices,
    files::OLD_KEY_FILE,
    folder::Folder,
    home::{local, start_error},
    jobs::stopped,
    listening::{self, everywhere, keep_place, loopback},
    lookout::{Lookout, keep_looking},
    running::Running,
    say, seed,
    settings::UpSettings,
};

/// The private API, for `porchlight code` and `tokens`; the page for everybody; and both for who has joined, with TLS.
const PRIVATE_PORT: u16 = 8030;
const PUBLIC_PORT: u16 = 8031;
pub(super) const TLS_PORT: u16 = 8443;

/// One home joins at a time.
const JOINING: usize = 1;

/// Why a keeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Asked,
    /// A home has joined: its page and its key are taken up.
    Joined,
}

/// Where everything of an outside machine listens.
#[derive(Clone, Copy)]
struct Places {
    private: SocketAddr,
    public: SocketAddr,
    tls: SocketAddr,
}

/// What stays open when the keeper begins anew with the page of the home that has joined: who comes meanwhile waits.
struct Sockets {
    private: std::net::TcpListener,
    public: std::net::TcpListener,
    secure: std::net::TcpListener,
    tls: Tls,
}

impl Sockets {
    fn listeners(&self) -> io::Result<Listeners> {
        let again = |socket: &std::net::TcpListener| TcpListener::from_std(socket.try_clone()?);
        Ok(Listeners {
            private: again(&self.private)?,
            public: Some(again(&self.public)?),
            tls: Some(TlsListener { listener: again(&self.secure)?, tls: self.tls.clone() }),
        })
    }
}

/// Runs prober and keeper until `stop`, and takes a home that joins.
///
/// # Errors
/// When something of that cannot be, in a sentence.
pub(super) async fn run(
    folder: &Folder,
    before: &Choices,
    mut choices: Choices,
    settings: &UpSettings,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    tokio::pin!(stop);
    let token = folder.secret("KEEPER_TOKEN", "keeper.token", keeper_token::new)?;
    let with_tls = TlsSettings {
        keeper_tls_addr: choices.tls.or(Some(everywhere(TLS_PORT))),
        keeper_tls_certificate: choices.certificate.clone(),
        keeper_tls_key: choices.certificate_key.clone(),
    };
    let (asked, tls) = with_tls.open(&folder.database_url())?.context("there is no listener with TLS")?;
    // Opened once to find out what is free; what is found is kept.
    let private = listening::open(None, choices.page.unwrap_or(loopback(PRIVATE_PORT)), "private API")?;
    let public = listening::open(settings.page_addr, choices.public.unwrap_or(everywhere(PUBLIC_PORT)), "page")?;
    let asked_for = settings.tls.keeper_tls_addr;
    let secure = listening::open(asked_for, asked, "listener with TLS")?;
    let places = Places { private: private.address, public: public.address, tls: secure.address };
    keep_place(&mut choices.page, places.private);
    keep_place(&mut choices.public, places.public);
    keep_place(&mut choices.tls, places.tls);
    choices.keep(before, folder)?;
    let sockets = Sockets {
        private: private.listener.into_std()?,
        public: public.listener.into_std()?,
        secure: secure.listener.into_std()?,
        tls: tls.clone(),
    };
    let address = page_address(choices.address.as_deref(), places.tls);
    let (named, shown) = (choices.address.clone(), tls.clone());
    let whereabouts = move || (page_address(named.as_deref(), places.tls).text, shown.fingerprint());
    let (joins, mut joining) = Joins::new(whereabouts, JOINING, BootClock::since_boot());
    say(format_args!("Porchlight runs as the outside machine, and keeps everything in {}.", folder.path().display()));
    for moved in [private.moved, public.moved, secure.moved, address.note].into_iter().flatten() {
        say(format_args!("  note    {moved}"));
    }
    let page =
        Url::parse(&format!("http://{}:{}/", address.host, places.public.port())).context("the page has no address")?;
    say(format_args!("  page    {page}, for everybody"));
    say(format_args!("  join    port {} (TLS): open it, and the page's, in the firewall", places.tls.port()));
    let running = Running {
        process: process::id(),
        since: Timestamp::now(),
        page: local(places.private)?,
        beacon: None,
        shown: Some(page.clone()),
    };
    if let Err(error) = running.write(folder) {
        tracing::warn!("other commands cannot be told what runs: {error}");
    }
    let manager = Manager::of_environment();
    manager.ready();
    let served = async {
        loop {
            let one = One { folder, token: &token, joins: &joins, places: &places, page: &page };
            match Box::pin(one.serve(&mut choices, sockets.listeners()?, &mut joining, &mut stop)).await? {
                End::Asked => return Ok(()),
                End::Joined => (),
            }
        }
    };
    manager.watching(served).await
}

/// A keeper with its prober, until the end or until a home joins.
struct One<'a> {
    folder: &'a Folder,
    token: &'a SecretSource,
    joins: &'a Joins,
    places: &'a Places,
    page: &'a Url,
}

impl One<'_> {
    async fn serve(
        &self,
        choices: &mut Choices,
        listeners: Listeners,
        joining: &mut mpsc::Receiver<Joining>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> anyhow::Result<End> {
        let (seed, branding) = match self.folder.read(seed::FILE)? {
            Some(_) => Seed::read(&self.folder.file(seed::FILE)).map(|(seed, branding)| (Some(seed), branding))?,
            None => Default::default(),
        };
        let api = local(self.places.private)?.join("v1")?;
        let lookout = match (&seed, &choices.home) {
            (Some(seed), Some(home)) => {
                let api = (api, self.token.clone());
                Some(Lookout::new(self.folder, api, (seed, home), (&choices.looking, &choices.writing))?)
            }
            _ => None,
        };
        let is_for_home = seed.is_some();
        self.announce(seed.as_ref(), choices)?;
        if seed.is_some() {
            self.folder.forget_waiting();
        }
        let keeper = Keeper::open(self.config(seed, branding), Host::system()).await.map_err(start_error)?;
        let db = keeper.db().clone();
        let (stop_servers, servers_stopped) = watch::channel(());
        let playing = async {
            let ended = tokio::select! {
                () = &mut *stop => End::Asked,
                () = keep_looking(lookout) => End::Asked,
                () = take(self, (&db, is_for_home), choices, joining) => End::Joined,
            };
            drop(stop_servers);
            ended
        };
        let (ended, ()) = tokio::join!(playing, Box::pin(keeper.run(listeners, stopped(servers_stopped))));
        Ok(ended)
    }

    fn config(&self, seed: Option<Seed>, branding: Branding) -> KeeperConfig {
        KeeperConfig {
            database_url: if seed.is_some() { self.folder.database_url() } else { self.folder.waiting_database_url() },
            seed,
            token: self.token.clone(),
            pinglow_key: None,
            joins: Some(self.joins.clone()),
            rate_limit: 0,
            strict_points: false,
            upstream: None,
            notices: None,
            promised: Promised::default(),
            beacon: None,
            heartbeat: None,
            at_home: false,
            front: Front { branding, ..Front::default() },
            notice: None,
            without_looks: None,
        }
    }

    /// Says which home is looked at, or by which code one joins.
    fn announce(&self, seed: Option<&Seed>, choices: &Choices) -> anyhow::Result<()> {
        if let (Some(seed), Some(home)) = (seed, &choices.home) {
            say(format_args!(
                "Looking at {} ({}) every {:?}; its page is at {}.",
                seed.page.name,
                home.url,
                choices.looking.interval(),
                self.page
            ));
            say(format_args!("`porchlight code` prints a code by which it joins again, with another key and token."));
            return Ok(());
        }
        let code = self.joins.code()?;
        say(format_args!(
            "At home, run `porchlight up --join` within 15 minutes, and paste this code, which can be used once:"
        ));
        say(format_args!("{}", code.to_text()));
        say(format_args!("`porchlight code` prints another one."));
        Ok(())
    }
}

/// Answers homes that want to join, until one has, or has left another key behind.
async fn take(
    one: &One<'_>,
    (db, is_for_home): (&Db, bool),
    choices: &mut Choices,
    joining: &mut mpsc::Receiver<Joining>,
) {
    while let Some(Joining { request, from, reply }) = joining.recv().await {
        let name = request.page.name.clone();
        let admitted = admitted(one.folder, Open { db, is_for_home }, choices, &request, from).await;
        let answer = admitted.map(|Admitted { token, url }| JoinAnswer {
            token,
            api: "/v1".into(),
            page_url: Some(one.page.clone()),
            location: Some(choices.looking.place().to_string()),
            beacon_url: Some(url),
            time: Some(Timestamp::now()),
        });
        let has_joined = answer.is_ok();
        if let Err(JoinRefusal::Failed(what)) = &answer {
            tracing::warn!("a home could not be taken: {what}");
        }
        // Where nobody waits for it any more, the home joins again; what was written then stands in nobody's way.
        let is_answered = reply.send(answer).is_ok();
        if has_joined && is_answered {
            say(format_args!("{name} has joined."));
            return;
        }
        // The prober that runs knows one key alone, and the file may hold another by now: it begins anew, with both.
        if is_for_home && one.folder.file(OLD_KEY_FILE).exists() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Refuses flags that belong to the other side.
///
/// # Errors
/// When a folder that was made for one side is started as the other.
pub(super) fn check(choices: &Choices, folder: &Folder) -> Result<(), WrongSetting> {
    if choices.is_outside || !folder.has_database() {
        return Ok(());
    }
    Err(folder.fault(UpFault::OtherSide, "it is a home's"))
}
