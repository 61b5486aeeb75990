//! Two networks of one's own, joined by a cable: what crosses it can be dropped, slowed and counted.

use crate::namespace::Namespace;

/// The addresses at either end, reserved for documentation.
pub const NEAR: &str = "192.0.2.1";
pub const FAR: &str = "192.0.2.2";
pub const NEAR_V6: &str = "2001:db8::1";
pub const FAR_V6: &str = "2001:db8::2";

/// The name of the cable, at both ends.
pub const CABLE: &str = "cable";

#[derive(Debug)]
pub struct Link {
    pub near: Namespace,
    pub far: Namespace,
}

impl Link {
    /// `None` when none can be made on this machine: it takes root, `ip` and `nft`.
    ///
    /// # Panics
    /// When it could be made but not set up.
    pub async fn new(purpose: &str) -> Option<Self> {
        let near = Namespace::new(&format!("{purpose}-near")).await?;
        let far = Namespace::new(&format!("{purpose}-far")).await?;
        let add = ["ip", "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", far.name()];
        near.run(&add).await;
        for (end, v4, v6) in [(&near, NEAR, NEAR_V6), (&far, FAR, FAR_V6)] {
            end.run(&["ip", "address", "add", &format!("{v4}/24"), "dev", CABLE]).await;
            end.run(&["ip", "address", "add", &format!("{v6}/64"), "dev", CABLE, "nodad"]).await;
            end.run(&["ip", "link", "set", CABLE, "up"]).await;
        }
        Some(Self { near, far })
    }
}
