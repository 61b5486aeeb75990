//! What a folder of `up` may hold.

/// Root's own folder: the state folder of a unit of the system's.
pub(super) const SYSTEM_FOLDER: &str = "/var/lib/porchlight";

/// Says which layout a folder has. It is made first.
pub(super) const LAYOUT_FILE: &str = "layout";

/// The database's file.
pub(super) const DATABASE: &str = "porchlight.db";

/// That of an outside machine without a home.
pub(super) const WAITING: &str = "waiting.db";

/// On an outside machine: the key that the home had before it joined again, until the new one has proven itself.
pub(super) const OLD_KEY_FILE: &str = "beacon.key.old";

/// The channels of notices, where the owner has written some.
pub(crate) const NOTICES_FILE: &str = "notify.urls";

/// Where heartbeats go, where the home sends some.
pub(super) const HEARTBEAT_FILE: &str = "heartbeat.url";

/// What is to be checked, where the owner has written that.
pub(super) const CHECKS_FILE: &str = "checks.yml";

/// The secrets that it names, where an import has brought them.
pub(super) const CHECKS_SECRETS: &str = "checks.yml.secrets";

/// What a folder of ours may hold. A lock stays behind, and a draft where a write was cut off.
pub(super) const OURS: &[&str] = &[
    LAYOUT_FILE,
    "up.toml",
    "up.lock",
    "port.json",
    "port.lock",
    "running.json",
    "beacon.key",
    OLD_KEY_FILE,
    "keeper.token",
    "upstream.token",
    "duckdns.token",
    "seed.toml",
    "prober.json",
    "prober.json.lock",
    "prober.json.notices",
    "prober.json.notices.lock",
    NOTICES_FILE,
    HEARTBEAT_FILE,
    CHECKS_FILE,
    DATABASE,
    "porchlight.db-journal",
    "porchlight.db-wal",
    "porchlight.db-shm",
    "porchlight.db.lock",
    "porchlight.db.tls.pem",
    "waiting.db",
    "waiting.db-journal",
    "waiting.db-wal",
    "waiting.db-shm",
    "waiting.db.lock",
];
