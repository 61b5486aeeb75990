//! From where this prober looks at an address: the addresses of this machine, found as far as they are needed.

use std::net::{IpAddr, UdpSocket};

use shared::{http::Client, look::Vantage, names::Family};

use super::{
    OutsideAddresses,
    vantage::{VantageSetting, is_of_the_world, vantage},
};

/// Any port: nothing is sent there.
const DISCARD: u16 = 9;

/// Where a prober is, as far as the settings and its addresses say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewpoint<'run> {
    pub(crate) setting: VantageSetting,
    /// `None` where they are not asked for: the cloud is nobody's home.
    pub(crate) outside: Option<&'run OutsideAddresses>,
    /// With which they are asked for.
    pub(crate) http: &'run Client,
}

impl Viewpoint<'_> {
    /// From where a home at `targets` is looked at, see [`vantage`]. Only where this machine's own addresses do not show it
    /// is it asked which the world sees.
    pub(crate) async fn of(&self, targets: &[IpAddr]) -> Vantage {
        let own: Vec<IpAddr> = match self.setting {
            VantageSetting::Auto => targets.iter().filter_map(|target| address_towards(*target)).collect(),
            VantageSetting::Inside | VantageSetting::Outside => Vec::new(),
        };
        let by_own = vantage(self.setting, targets, &own, &[]);
        let (VantageSetting::Auto, Vantage::Outside, Some(outside)) = (self.setting, by_own, self.outside) else {
            return by_own;
        };
        let mut known = Vec::new();
        for family in [Family::V4, Family::V6] {
            if targets.iter().any(|target| Family::of(*target) == family && is_of_the_world(*target)) {
                // A look counts as one from outside only where that is known.
                let Some(address) = outside.address(family, self.http).await else { return Vantage::Inside };
                known.push(address);
            }
        }
        vantage(self.setting, targets, &own, &known)
    }
}

/// The address from which this machine would send to `target`, which is `target` itself where that is its own. Nothing is
/// sent.
fn address_towards(target: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((Family::of(target).unspecified(), 0)).ok()?;
    socket.connect((target, DISCARD)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_address_is_reached_from_itself() {
        let own: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(address_towards(own), Some(own));
    }
}
