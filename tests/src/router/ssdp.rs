//! A router's answers to searches (UPnP Device Architecture 1.1, section 1.3). FACTS.md R7.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

pub(super) const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);

pub(super) async fn serve(socket: UdpSocket, described: SocketAddr, version: u8) {
    let mut buffer = [0; 2048];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let Some(target) = std::str::from_utf8(&buffer[..length]).ok().and_then(|text| searched(text, version)) else {
            continue;
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {target}\r\n\
             USN: uuid:00000000-0000-0000-0000-000000000001::{target}\r\nEXT:\r\nSERVER: emulated UPnP/1.1 router/1\r\n\
             LOCATION: http://{described}/rootDesc.xml\r\nBOOTID.UPNP.ORG: 1\r\nCONFIGID.UPNP.ORG: 1\r\n\r\n"
        );
        let _ = socket.send_to(answer.as_bytes(), peer).await;
    }
}

/// What is searched for, where this router has it: of its own version or an older one.
fn searched(text: &str, version: u8) -> Option<&str> {
    let mut lines = text.split("\r\n");
    let fields: Vec<_> =
        (lines.next()? == "M-SEARCH * HTTP/1.1").then(|| lines.filter_map(|line| line.split_once(':')))?.collect();
    let field = |name: &str| fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let is_search = field("MAN") == Some("\"ssdp:discover\"") && field("HOST").is_some() && text.ends_with("\r\n\r\n");
    let target = field("ST").filter(|_| is_search)?;
    let (name, wanted) = target.rsplit_once(':')?;
    let has = ["urn:schemas-upnp-org:device:InternetGatewayDevice", "urn:schemas-upnp-org:service:WANIPConnection"];
    (has.contains(&name) && wanted.parse().is_ok_and(|wanted: u8| wanted <= version)).then_some(target)
}
