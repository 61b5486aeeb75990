//! Notifications to a service manager (`sd_notify(3)`): that the server is ready, that it is not stuck, and that it stops.
//! Without `NOTIFY_SOCKET` none are sent.

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

/// How many keep-alives are sent within the time after which the manager takes the program for stuck.
const KEEP_ALIVES: u32 = 3;

/// The service manager that started this process, where it wants notifications.
#[derive(Debug)]
pub struct Manager {
    socket: Option<SocketAddr>,
    /// How long it waits for a keep-alive.
    watchdog: Option<Duration>,
}

impl Manager {
    /// As `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` name it.
    pub fn of_environment() -> Self {
        let variable = |name| env::var(name).ok();
        Self::of(
            env::var_os("NOTIFY_SOCKET").as_deref(),
            variable("WATCHDOG_USEC").as_deref(),
            variable("WATCHDOG_PID").as_deref(),
        )
    }

    /// Of a program that another one wants nothing of.
    pub const fn none() -> Self {
        Self { socket: None, watchdog: None }
    }

    fn of(socket: Option<&OsStr>, microseconds: Option<&str>, pid: Option<&str>) -> Self {
        // A child inherits the variable, but is not the process that is waited for.
        let of_another = pid.is_some_and(|pid| pid.parse() != Ok(process::id()));
        let watchdog = microseconds.and_then(|text| text.parse().ok()).filter(|time| *time > 0 && !of_another);
        Self { socket: socket.and_then(address), watchdog: watchdog.map(Duration::from_micros) }
    }

    /// Reports that clients are answered from now on: after the listener is open.
    pub fn ready(&self) {
        if let Err(error) = self.notify("READY=1") {
            tracing::warn!(%error, "the service manager cannot be notified that this is ready");
        }
    }

    /// The signal that asks for the end, passed on to the manager.
    pub async fn passing_on(&self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        let _ = self.notify("STOPPING=1");
    }

    /// What `served` comes to. Keep-alives are sent by the task that serves, so a server that is stuck sends none.
    pub async fn watching<T>(&self, served: impl Future<Output = T>) -> T {
        tokio::select! {
            served = served => served,
            never = self.keep_alive() => match never {},
        }
    }

    async fn keep_alive(&self) -> Infallible {
        let Some(watchdog) = self.watchdog else { return pending().await };
        let mut due = interval(watchdog / KEEP_ALIVES);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            due.tick().await;
            // The next one tries again; without any the manager does what it is there for.
            let _ = self.notify("WATCHDOG=1");
        }
    }

    fn notify(&self, state: &str) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let sender = UnixDatagram::unbound()?;
        // The socket's buffer may be full; this task has more to do than to wait for it.
        sender.set_nonblocking(true)?;
        sender.send_to_addr(state.as_bytes(), socket).map(drop)
    }
}

/// A path, or behind an `@` a name that is in no file system. Others (`vsock:`) are not for a service.
fn address(socket: &OsStr) -> Option<SocketAddr> {
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
        [b'/', ..] => SocketAddr::from_pathname(socket).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_manager_is_notified_of_readiness_of_life_and_of_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let hidden = format!("porchlight-{}", process::id());
        let abstract_name = SocketAddr::from_abstract_name(&hidden).expect("a name");
        for (socket, name) in [
            (UnixDatagram::bind(&path), path.into_os_string()),
            (UnixDatagram::bind_addr(&abstract_name), format!("@{hidden}").into()),
        ] {
            let socket = socket.expect("a socket");
            socket.set_nonblocking(true).expect("it can be");
            let manager = Manager::of(Some(&name), Some("30000000"), Some(&process::id().to_string()));
            manager.ready();
            assert_eq!(received(&socket), "READY=1");
            let serve = async {
                for _ in 0..3 {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    assert_eq!(received(&socket), "WATCHDOG=1", "three times in what it waits for");
                }
                manager.passing_on(std::future::ready(())).await;
            };
            manager.watching(serve).await;
            let mut last = received(&socket);
            while last == "WATCHDOG=1" {
                last = received(&socket);
            }
            assert_eq!(last, "STOPPING=1");
        }
    }

    #[test]
    fn without_a_socket_nothing_is_sent() {
        let none = Manager::of(None, None, None);
        assert!(none.socket.is_none() && none.watchdog.is_none() && none.notify("READY=1").is_ok());
        for socket in ["", "relative", "vsock:2:1"] {
            assert!(Manager::of(Some(OsStr::new(socket)), None, None).socket.is_none(), "{socket}");
        }
        for (microseconds, pid) in [("0", None), ("soon", None), ("1000000", Some("1"))] {
            assert!(Manager::of(None, Some(microseconds), pid).watchdog.is_none(), "{microseconds}, {pid:?}");
        }
    }
}
