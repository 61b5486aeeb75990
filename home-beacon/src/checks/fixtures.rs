//! Checks for tests.

use std::time::Duration;

use checks::{
    check::{Check, Kind, Notices, Place, TcpCheck},
    thresholds::Thresholds,
};

/// A check of that name, every minute.
pub(super) fn check(name: &str) -> Check {
    Check {
        name: name.parse().unwrap(),
        was: None,
        title: name.to_owned(),
        group: None,
        kind: Kind::Tcp(TcpCheck {
            host: name.to_owned(),
            port: 80,
            send: None,
            banner: None,
            tls: false,
            verify: true,
        }),
        every: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
        retries: 0,
        thresholds: Thresholds { fail_after: 2, recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Own,
        notices: Notices::default(),
    }
}
