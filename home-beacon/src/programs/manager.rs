//! What a service manager is told of a server (`sd_notify(3)`): that it can be asked now, that it is not stuck, and that it
//! ends. Where nobody wants to be told (`NOTIFY_SOCKET` is not set), nobody is.

use std::{
    convert::Infallible,
    env,
    ffi::OsStr,
    future::pending,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

/// How many signs of life fit into the time after which the manager takes the program for stuck.
const SIGNS: u32 = 3;

/// Who started this process, as far as it wants to be told.
#[derive(Debug)]
pub(super) struct Manager {
    socket: Option<SocketAddr>,
    /// How long it waits for a sign of life.
    patience: Option<Duration>,
}

impl Manager {
    pub(super) fn of_environment() -> Self {
        let variable = |name| env::var(name).ok();
        Self::of(
            env::var_os("NOTIFY_SOCKET").as_deref(),
            variable("WATCHDOG_USEC").as_deref(),
            variable("WATCHDOG_PID").as_deref(),
        )
    }

    fn of(socket: Option<&OsStr>, microseconds: Option<&str>, pid: Option<&str>) -> Self {
        // A child inherits the variable, but is not who is waited for.
        let of_another = pid.is_some_and(|pid| pid.parse() != Ok(process::id()));
        let patience = microseconds.and_then(|text| text.parse().ok()).filter(|time| *time > 0 && !of_another);
        Self { socket: socket.and_then(address), patience: patience.map(Duration::from_micros) }
    }

    /// Says that whoever asks from now on is answered: after the listener is open.
    pub(super) fn ready(&self) {
        if let Err(error) = self.tell("READY=1") {
            tracing::warn!(%error, "the service manager cannot be told that this is ready");
        }
    }

    /// The signal that asks for the end, passed on to the manager.
    pub(super) async fn passing_on(&self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        let _ = self.tell("STOPPING=1");
    }

    /// What `served` comes to. Signs of life are given by the task that serves, so a server that is stuck gives none.
    pub(super) async fn watching<T>(&self, served: impl Future<Output = T>) -> T {
        tokio::select! {
            served = served => served,
            never = self.signs() => match never {},
        }
    }

    async fn signs(&self) -> Infallible {
        let Some(patience) = self.patience else { return pending().await };
        let mut due = interval(patience / SIGNS);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            due.tick().await;
            // The next one tries again; without any the manager does what it is there for.
            let _ = self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, state: &str) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let sender = UnixDatagram::unbound()?;
        // The socket's buffer may be full; this task has more to do than to wait for it.
        sender.set_nonblocking(true)?;
        sender.send_to_addr(state.as_bytes(), socket).map(drop)
    }
}

/// A path, or behind an `@` a name that is in no file system. Others (`vsock:`) are not for a service.
fn address(told: &OsStr) -> Option<SocketAddr> {
    match told.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
        [b'/', ..] => SocketAddr::from_pathname(told).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).expect("something was said");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_manager_is_told_of_readiness_of_life_and_of_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let hidden = format!("porchlight-{}", process::id());
        let abstract_name = SocketAddr::from_abstract_name(&hidden).expect("a name");
        for (socket, told) in [
            (UnixDatagram::bind(&path), path.into_os_string()),
            (UnixDatagram::bind_addr(&abstract_name), format!("@{hidden}").into()),
        ] {
            let socket = socket.expect("a socket");
            socket.set_nonblocking(true).expect("it can be");
            let manager = Manager::of(Some(&told), Some("30000000"), Some(&process::id().to_string()));
            manager.ready();
            assert_eq!(heard(&socket), "READY=1");
            let serve = async {
                for _ in 0..3 {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    assert_eq!(heard(&socket), "WATCHDOG=1", "three times in what it waits for");
                }
                manager.passing_on(std::future::ready(())).await;
            };
            manager.watching(serve).await;
            let mut last = heard(&socket);
            while last == "WATCHDOG=1" {
                last = heard(&socket);
            }
            assert_eq!(last, "STOPPING=1");
        }
    }

    #[test]
    fn who_does_not_want_to_be_told_is_not() {
        let nobody = Manager::of(None, None, None);
        assert!(nobody.socket.is_none() && nobody.patience.is_none() && nobody.tell("READY=1").is_ok());
        for socket in ["", "relative", "vsock:2:1"] {
            assert!(Manager::of(Some(OsStr::new(socket)), None, None).socket.is_none(), "{socket}");
        }
        for (microseconds, pid) in [("0", None), ("soon", None), ("1000000", Some("1"))] {
            assert!(Manager::of(None, Some(microseconds), pid).patience.is_none(), "{microseconds}, {pid:?}");
        }
    }
}
