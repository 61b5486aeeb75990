//! Whose a port is that a router has in its list (pure): only what we have opened ourselves is opened anew, moved or closed.

use std::net::SocketAddr;

use super::{
    asked::{Holder, Leads},
    mapping::Mapping,
    soap::DESCRIBED,
};

/// Whose a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Ours, and it leads where it should.
    Ours,
    /// It leads where it should, and we have not opened it: a person has, in the settings.
    ByHand,
    /// Ours, and it leads to where it was to lead before: this machine has another address now, or another place is asked for.
    Former,
    /// Somebody else's.
    Others,
}

/// Whose that port is, which is to lead to that place, beside what we have opened at this router. What is called as we call ours, and
/// leads where it should, is ours also where nothing was written down of it: the record may be lost.
pub(super) fn whose(holder: &Holder, port: Option<u16>, internal: SocketAddr, ours: &[Mapping]) -> Whose {
    let leads = holder.leads(internal);
    let at_port = || ours.iter().filter(|ours| Some(ours.external) == port);
    let is_noted = at_port().any(|ours| ours.internal == internal);
    match leads {
        Leads::Here | Leads::Unclear if holder.description == DESCRIBED || is_noted => Whose::Ours,
        Leads::Here => Whose::ByHand,
        _ if at_port().any(|ours| holder.leads(ours.internal) == Leads::Here) => Whose::Former,
        Leads::Unclear | Leads::Elsewhere => Whose::Others,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::mapping::sample, *};

    #[test]
    fn only_what_we_have_opened_is_ours_and_what_leads_here_by_hand_is_not() {
        let here: SocketAddr = "192.168.1.7:8080".parse().unwrap();
        let noted = vec![sample()];
        let former = vec![Mapping { internal: "192.168.1.6:8080".parse().unwrap(), ..sample() }];
        for (client, port, description, ours, expected) in [
            ("192.168.1.7", 8080, "", &noted, Whose::Ours),
            ("192.168.1.7", 8080, "Porchlight", &Vec::new(), Whose::Ours),
            ("192.168.1.7", 8080, "my beacon", &Vec::new(), Whose::ByHand),
            ("192.168.1.7", 8080, "my beacon", &former, Whose::ByHand),
            ("192.168.1.6", 8080, "Porchlight", &former, Whose::Former),
            // It was ours, and another machine has the address by now: it is asked for by nobody else.
            ("192.168.1.6", 8081, "Porchlight", &former, Whose::Others),
            ("192.168.1.6", 8080, "Porchlight", &noted, Whose::Others),
            ("192.168.1.9", 443, "nas", &noted, Whose::Others),
            // Routers that list their machines by name.
            ("pi.lan", 8080, "upnp", &noted, Whose::Ours),
            ("pi.lan", 8080, "Porchlight", &Vec::new(), Whose::Ours),
            ("pi.lan", 8080, "upnp", &Vec::new(), Whose::Others),
            ("pi.lan", 443, "Porchlight", &noted, Whose::Others),
        ] {
            let holder = Holder { client: client.into(), port, description: description.into(), lease: 0 };
            assert_eq!(whose(&holder, Some(30008), here, ours), expected, "{holder}");
            if expected == Whose::Former || description != "Porchlight" && expected == Whose::Ours {
                assert_ne!(whose(&holder, Some(30009), here, ours), expected, "{holder}: it is noted for another port");
            }
        }
    }
}
