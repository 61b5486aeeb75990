//! Join codes as the outside machine has them: in memory, for a quarter of an hour by a clock that nobody sets and
//! that goes on while the host sleeps, and for one use.
//! What a join comes to is decided by who runs the keeper ([`Joining`]), which takes the first home and writes its files.

mod table;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{fingerprint::Fingerprint, random::NoRandomness};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use self::table::Table;
pub use self::table::VALID;
use crate::clock::BootClock;
use crate::join::{JoinAnswer, JoinCode, JoinRefusal, JoinRequest};

/// How long the owner may take: the listener gives the whole answer 30 s.
const OWNER: Duration = Duration::from_secs(20);

/// A home that would join, for who runs the keeper.
#[derive(Debug)]
pub struct Joining {
    /// What it asks for; it has been checked.
    pub request: JoinRequest,
    /// Where it comes from.
    pub from: IpAddr,
    /// What it is answered. Where that cannot be sent any more, the code was given back: what was done is to be undone.
    pub reply: oneshot::Sender<Result<JoinAnswer, JoinRefusal>>,
}

/// The codes of a keeper. Clones share them.
#[derive(Clone, Debug)]
pub struct Joins(Arc<Inner>);

/// Where homes find the keeper, and by which certificate.
type Whereabouts = dyn Fn() -> (String, Fingerprint) + Send + Sync;

struct Inner {
    /// Asked for each code: addresses change, and certificates are renewed.
    whereabouts: Box<Whereabouts>,
    owner: mpsc::Sender<Joining>,
    uptime: BootClock,
    table: Mutex<Table>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Joins {
    /// Codes for a keeper that homes find where `whereabouts` says: a host with its port, and the fingerprint of the certificate
    /// there. Up to `capacity` homes wait for the owner, who reads them from the receiver. Codes age by `uptime`.
    ///
    /// # Panics
    /// When the capacity is 0.
    pub fn new(
        whereabouts: impl Fn() -> (String, Fingerprint) + Send + Sync + 'static,
        capacity: usize,
        uptime: BootClock,
    ) -> (Self, mpsc::Receiver<Joining>) {
        let (owner, joining) = mpsc::channel(capacity);
        let (whereabouts, table) = (Box::new(whereabouts), Mutex::default());
        (Self(Arc::new(Inner { whereabouts, owner, uptime, table })), joining)
    }

    /// A new code. The oldest of many is forgotten.
    ///
    /// # Errors
    /// When this machine has no random bytes to give.
    pub fn code(&self) -> Result<JoinCode, NoRandomness> {
        let (address, fingerprint) = (self.0.whereabouts)();
        let code = JoinCode::new(address, fingerprint)?;
        self.table().add(code.secret.clone(), self.0.uptime.now());
        Ok(code)
    }

    /// Takes the code of that secret, for as long as what is returned lives.
    ///
    /// # Errors
    /// When it cannot be used, or none is of this secret.
    pub(super) fn take(&self, secret: &[u8]) -> Result<Taken, JoinRefusal> {
        let number = self.table().take(secret, self.0.uptime.now())?;
        Ok(Taken { joins: self.clone(), number })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code panics while it holds the table.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A code that one home has; given back when this is dropped, unless the home has joined.
#[derive(Debug)]
pub(super) struct Taken {
    joins: Joins,
    number: u64,
}

impl Taken {
    /// Asks the owner. What comes of it does not depend on whether the home waits for it.
    ///
    /// # Errors
    /// When the owner refuses, or does not answer.
    pub(super) async fn ask(self, request: JoinRequest, from: IpAddr) -> Result<JoinAnswer, JoinRefusal> {
        tokio::spawn(self.decided(request, from)).await.unwrap_or(Err(JoinRefusal::Busy))
    }

    async fn decided(self, request: JoinRequest, from: IpAddr) -> Result<JoinAnswer, JoinRefusal> {
        let (reply, replied) = oneshot::channel();
        let joining = Joining { request, from, reply };
        self.joins.0.owner.try_send(joining).map_err(|_| JoinRefusal::Busy)?;
        match timeout(OWNER, replied).await {
            Ok(Ok(Ok(answer))) => {
                self.joins.table().used(self.number);
                Ok(answer)
            }
            Ok(Ok(Err(refusal))) => Err(refusal),
            Ok(Err(_)) | Err(_) => Err(JoinRefusal::Busy),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.joins.table().give_back(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::PROTOCOL;

    fn joins() -> (Joins, mpsc::Receiver<Joining>) {
        joins_by(BootClock::since_boot())
    }

    fn joins_by(uptime: BootClock) -> (Joins, mpsc::Receiver<Joining>) {
        Joins::new(|| ("vps.example.com:8443".into(), Fingerprint::of(b"certificate")), 2, uptime)
    }

    fn request() -> JoinRequest {
        serde_json::from_value(serde_json::json!({
            "protocol": PROTOCOL,
            "page": {"id": "gytm4qzbx9t6", "name": "My home", "time_zone": "UTC"},
            "component": {"id": "8kbf7d35c070", "name": "Home internet"},
            "beacon_key": "key",
            "beacon_port": 8080,
        }))
        .unwrap()
    }

    fn answer() -> JoinAnswer {
        serde_json::from_value(serde_json::json!({"token": "token", "api": "/v1"})).unwrap()
    }

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn taken(joins: &Joins, code: &JoinCode) -> Result<Taken, JoinRefusal> {
        joins.take(code.secret.expose().as_bytes())
    }

    #[tokio::test]
    async fn a_code_is_used_once() {
        let (joins, mut owner) = joins();
        let code = joins.code().unwrap();
        let asked = tokio::spawn(taken(&joins, &code).unwrap().ask(request(), FROM));
        let joining = owner.recv().await.unwrap();
        assert_eq!((joining.request, joining.from), (request(), FROM));
        assert_eq!(taken(&joins, &code).unwrap_err(), JoinRefusal::Used, "while the other one is being answered");
        joining.reply.send(Ok(answer())).unwrap();
        assert_eq!(asked.await.unwrap(), Ok(answer()));
        assert_eq!(taken(&joins, &code).unwrap_err(), JoinRefusal::Used);
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_given_back_when_the_owner_refuses_or_says_nothing() {
        let (joins, mut owner) = joins();
        let code = joins.code().unwrap();
        let asked = tokio::spawn(taken(&joins, &code).unwrap().ask(request(), FROM));
        let joining = owner.recv().await.unwrap();
        joining.reply.send(Err(JoinRefusal::Failed("the disk is full".into()))).unwrap();
        assert_eq!(asked.await.unwrap(), Err(JoinRefusal::Failed("the disk is full".into())));
        let asked = taken(&joins, &code).unwrap().ask(request(), FROM).await;
        assert_eq!(asked, Err(JoinRefusal::Busy), "after a while");
        assert!(owner.recv().await.unwrap().reply.send(Ok(answer())).is_err(), "the owner learns that it was too late");
        drop(owner);
        assert_eq!(taken(&joins, &code).unwrap().ask(request(), FROM).await, Err(JoinRefusal::Busy));
        assert!(taken(&joins, &code).is_ok());
    }

    #[tokio::test]
    async fn a_home_that_hangs_up_has_joined_all_the_same() {
        let (joins, mut owner) = joins();
        let code = joins.code().unwrap();
        let mut asked = Box::pin(taken(&joins, &code).unwrap().ask(request(), FROM));
        tokio::select! {
            biased;
            _ = &mut asked => panic!("nobody answers"),
            () = tokio::task::yield_now() => (),
        }
        drop(asked);
        owner.recv().await.unwrap().reply.send(Ok(answer())).unwrap();
        tokio::task::yield_now().await;
        assert_eq!(taken(&joins, &code).unwrap_err(), JoinRefusal::Used);
    }

    #[test]
    fn a_code_ends_after_a_quarter_of_an_hour() {
        let uptime = Arc::new(Mutex::new(Duration::from_mins(3)));
        let shown = uptime.clone();
        let (joins, _owner) = joins_by(BootClock::new(move || *shown.lock().unwrap()));
        let code = joins.code().unwrap();
        *uptime.lock().unwrap() += VALID.saturating_sub(Duration::from_secs(1));
        drop(taken(&joins, &code).unwrap());
        *uptime.lock().unwrap() += Duration::from_secs(1);
        assert_eq!(taken(&joins, &code).unwrap_err(), JoinRefusal::TooOld);
    }
}
