//! This machine's clock, disk and flash memory.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use home_beacon::{clock::Host, node::sensors::Sensors};
use jiff::{Timestamp, fmt::rfc2822};
use rustix::fs::{StatVfsMountFlags, statvfs};
use shared::{http::client_for, network::public};
use tokio::{sync::oneshot, time::timeout};
use url::Url;

use super::super::{
    checks::machine::{ClockSeen, DiskSeen},
    given::Given,
    until::Until,
};

/// Whoever tells the time tells it within this long.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Where the keeper of the Debian package keeps its database.
const OF_THE_UNIT: &str = "/var/lib/porchlight";

/// The kernel's sensors.
pub fn sensors(sys: &Path) -> Sensors {
    Sensors::read(sys)
}

/// The clock, beside those of `servers`: of others in the world, where one of them says what time it is.
pub async fn clock(servers: &[Url], until: Until) -> ClockSeen {
    let is_synchronised = Host::system().synchronised.now();
    let reply = futures_util::future::join_all(servers.iter().map(|server| ahead(server, until))).await;
    let reply: Vec<(String, i64, bool)> = reply.into_iter().flatten().collect();
    let is_elsewhere = reply.iter().any(|(_, _, is_elsewhere)| *is_elsewhere);
    let mut reply: Vec<_> = reply.into_iter().filter(|(_, _, elsewhere)| *elsewhere == is_elsewhere).collect();
    // One that is wrong itself is outvoted.
    reply.sort_by_key(|(_, ahead, _)| *ahead);
    let middle = reply.len() / 2;
    ClockSeen {
        is_synchronised,
        ahead: reply.into_iter().nth(middle).map(|(host, ahead, _)| (host, ahead)),
        is_elsewhere,
    }
}

async fn ahead(server: &Url, until: Until) -> Option<(String, i64, bool)> {
    let client = client_for([server], until.deadlines(TIMEOUT, TIMEOUT, TIMEOUT)).ok()?;
    let answer = client.get(server).send().await.ok()?;
    let now = Timestamp::now();
    let date = answer.headers().get("date")?.to_str().ok()?;
    // Its own time zone is written as GMT, which RFC 2822 knows as obsolete.
    let theirs = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date).ok()?;
    let host = server.host_str()?;
    let is_elsewhere = match server.host()? {
        url::Host::Ipv4(address) => public(address.into()).is_ok(),
        url::Host::Ipv6(address) => public(address.into()).is_ok(),
        url::Host::Domain(name) => name.contains('.'),
    };
    Some((host.to_owned(), now.duration_since(theirs).as_secs(), is_elsewhere))
}

/// How long a disk may take to say how full it is: one of the network whose server is gone never does.
const OF_DISKS: Duration = Duration::from_secs(3);

/// The disk of what is kept here: the folder of `porchlight up`, a database, or the unit's folder.
pub async fn disk(given: &Given, until: Until) -> Option<DiskSeen> {
    let database = given.text("DATABASE_URL").and_then(|url| url.strip_prefix("sqlite:")).map(PathBuf::from);
    let database =
        database.map(|path| path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned());
    let folder = given.folder.as_ref().map(|folder| folder.path().to_owned()).or(database);
    let folder = folder.or_else(|| Some(PathBuf::from(OF_THE_UNIT)).filter(|path| path.is_dir()))?;
    let (sender, reply) = oneshot::channel();
    let asked = folder.clone();
    // A thread of its own, for which nobody waits at the end.
    thread::spawn(move || sender.send(statvfs(&asked).map_err(|error| error.to_string())));
    let room = match timeout(until.left(OF_DISKS), reply).await {
        Ok(Ok(room)) => room,
        _ => Err("it does not answer in time".into()),
    };
    let is_read_only = room.as_ref().is_ok_and(|room| room.f_flag.contains(StatVfsMountFlags::RDONLY));
    let room =
        room.map(|room| (room.f_bavail.saturating_mul(room.f_frsize), room.f_blocks.saturating_mul(room.f_frsize)));
    Some(DiskSeen { folder, room, is_read_only })
}
