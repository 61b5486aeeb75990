//! UPnP's calls of a router: its description, and SOAP. FACTS.md R3 to R6, R8.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    Shared, State,
    table::{Entry, ends},
    v4,
};

const MOST: usize = 64 << 10;

const LIST: &str = "GetSpecificPortMappingEntry";
const ADD: &str = "AddPortMapping";
const DELETE: &str = "DeletePortMapping";
const ENTRY: [&str; 8] = [
    "NewRemoteHost",
    "NewExternalPort",
    "NewProtocol",
    "NewInternalPort",
    "NewInternalClient",
    "NewEnabled",
    "NewPortMappingDescription",
    "NewLeaseDuration",
];

pub(super) async fn serve(listener: TcpListener, version: u8, state: Shared) {
    while let Ok((stream, peer)) = listener.accept().await {
        let state = std::sync::Arc::clone(&state);
        tokio::spawn(async move { exchange(stream, peer, version, &state).await });
    }
}

async fn exchange(mut stream: TcpStream, peer: SocketAddr, version: u8, state: &Shared) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut piece = [0; 2048];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0 && bytes.len() < MOST)?;
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = field(&head, "content-length").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
            bytes.drain(..end + 4);
            break (head, length.min(MOST));
        }
    };
    while bytes.len() < length {
        let mut piece = [0; 2048];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    let (stalls, (status, answer)) = {
        let mut state = state.lock().expect("no question panics");
        (state.manner.stalls, answer(&mut state, peer, version, &head, &body))
    };
    let kind = if answer.starts_with("<html") { "text/html" } else { "text/xml; charset=\"utf-8\"" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\nEXT:\r\n\r\n",
        answer.len()
    );
    if stalls {
        stream.write_all((head + &answer[..answer.len() / 2]).as_bytes()).await.ok()?;
        return std::future::pending().await;
    }
    stream.write_all((head + &answer).as_bytes()).await.ok()
}

fn answer(state: &mut State, peer: SocketAddr, version: u8, head: &str, body: &str) -> (&'static str, String) {
    if state.manner.is_a_web_page {
        return ("200 OK", "<html><body><form>Password: <input></form></body></html>".into());
    }
    match head.lines().next().unwrap_or_default() {
        "GET /rootDesc.xml HTTP/1.1" if state.manner.is_long_winded => {
            let elements =
                (0..100_000).map(|n| format!("<a xmlns:n{n}=\"urn:of:nobody\"/>")).collect::<Vec<_>>().concat();
            ("200 OK", description(version).replacen("<device>", &format!("{elements}<device>"), 1))
        }
        "GET /rootDesc.xml HTTP/1.1" => ("200 OK", description(version)),
        "POST /ctl/IPConn HTTP/1.1" => {
            let service = format!("urn:schemas-upnp-org:service:WANIPConnection:{version}");
            let action = field(head, "soapaction").unwrap_or_default().trim_matches('"').to_owned();
            let called = action.strip_prefix(&format!("{service}#")).unwrap_or_default().to_owned();
            // The body must say the same as the header, in the service's own words.
            if called.is_empty() || !body.contains(&format!(":{called} xmlns:")) || !body.contains(&service) {
                return fault(state, 401, "Invalid Action");
            }
            match call(state, peer, version, &called, body) {
                Ok(fields) => {
                    let answer = format!("<u:{called}Response xmlns:u=\"{service}\">{fields}</u:{called}Response>");
                    ("200 OK", envelope(&answer))
                }
                Err((code, words)) => fault(state, code, words),
            }
        }
        _ => ("404 Not Found", "<html><body>404</body></html>".into()),
    }
}

type Refused = (u16, &'static str);

fn call(state: &mut State, peer: SocketAddr, version: u8, called: &str, body: &str) -> Result<String, Refused> {
    let argument = |name: &str| text(body, name).ok_or((402, "Invalid Args"));
    let number = |name: &str| argument(name)?.parse::<u16>().map_err(|_| (402, "Invalid Args"));
    match called {
        "GetExternalIPAddress" => {
            state.asked.push("ASK outside".into());
            // R8: one without an address says an empty one.
            let outside = state.manner.outside.map(|outside| outside.to_string()).unwrap_or_default();
            Ok(format!("<NewExternalIPAddress>{outside}</NewExternalIPAddress>"))
        }
        "GetStatusInfo" => {
            state.asked.push("ASK status".into());
            Ok("<NewConnectionStatus>Connected</NewConnectionStatus>\
                <NewLastConnectionError>ERROR_NONE</NewLastConnectionError><NewUptime>9</NewUptime>"
                .into())
        }
        LIST if !state.manner.has_no_list => {
            let external = number("NewExternalPort")?;
            argument("NewRemoteHost")?;
            state.asked.push(format!("LOOK {external}"));
            if argument("NewProtocol")? != "TCP" {
                return Err((402, "Invalid Args"));
            }
            let Some(entry) = state.table.at(external) else { return Err((714, "NoSuchEntryInArray")) };
            let client = entry.client.to_string();
            let client = if state.manner.lists_names { format!("pc-{}.lan", client.replace('.', "-")) } else { client };
            Ok(format!(
                "<NewInternalPort>{}</NewInternalPort><NewInternalClient>{}</NewInternalClient><NewEnabled>1</NewEnabled>\
                 <NewPortMappingDescription>{}</NewPortMappingDescription><NewLeaseDuration>{}</NewLeaseDuration>",
                entry.internal,
                client,
                entry.description,
                entry.left()
            ))
        }
        ADD => {
            let asked: Vec<_> = ENTRY.iter().map(|name| argument(name)).collect::<Result<_, _>>()?;
            let (external, internal) = (number("NewExternalPort")?, number("NewInternalPort")?);
            let lease: u32 = argument("NewLeaseDuration")?.parse().map_err(|_| (402, "Invalid Args"))?;
            let client: IpAddr = argument("NewInternalClient")?.parse().map_err(|_| (402, "Invalid Args"))?;
            state.asked.push(format!("OPEN UPnP {external} {internal} {lease}"));
            if asked[2] != "TCP" || external == 0 || (version == 2 && lease > 604_800) {
                return Err((402, "Invalid Args"));
            }
            add(state, peer, (external, client, internal), lease, &asked[6])
        }
        DELETE => {
            let external = number("NewExternalPort")?;
            argument("NewRemoteHost")?;
            state.asked.push(format!("CLOSE UPnP {external}"));
            if state.table.remove(external) { Ok(String::new()) } else { Err((714, "NoSuchEntryInArray")) }
        }
        _ => Err((401, "Invalid Action")),
    }
}

fn add(
    state: &mut State,
    peer: SocketAddr,
    (external, client, internal): (u16, IpAddr, u16),
    lease: u32,
    description: &str,
) -> Result<String, Refused> {
    let manner = state.manner;
    let there = state.table.at(external);
    if manner.forbids {
        return Err((606, "Action not authorized"));
    }
    if manner.outside.is_none() {
        return Err((501, "ActionFailed"));
    }
    // R3: miniupnpd says of another machine's what it says of a port that is taken.
    if manner.is_secure && client != IpAddr::V4(v4(peer)) {
        return Err((718, "ConflictInMappingEntry"));
    }
    if manner.only_same_port && external != internal {
        return Err((724, "SamePortValuesRequired"));
    }
    if manner.only_for_ever && lease > 0 {
        return Err((725, "OnlyPermanentLeasesSupported"));
    }
    if there.is_some_and(|there| there.client != client || manner.opens_once) {
        return Err((718, "ConflictInMappingEntry"));
    }
    if !manner.pretends {
        let ends = (lease > 0).then(|| ends(lease.min(manner.longest)));
        state.table.put(Entry { ends, by: "UPnP", ..Entry::new(external, client, internal, description) });
    }
    Ok(String::new())
}

fn fault(state: &State, code: u16, words: &str) -> (&'static str, String) {
    let words =
        if state.manner.is_wordless { String::new() } else { format!("<errorDescription>{words}</errorDescription>") };
    let fault = format!(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
         <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>{words}</UPnPError></detail></s:Fault>"
    );
    ("500 Internal Server Error", envelope(&fault))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{body}</s:Body></s:Envelope>\r\n"
    )
}

/// The devices in each other, as the standard has them.
fn description(version: u8) -> String {
    let device = |kind: &str, inner: &str| {
        format!(
            "<device><deviceType>urn:schemas-upnp-org:device:{kind}:{version}</deviceType><friendlyName>router</friendlyName>\
             <manufacturer>none</manufacturer><modelName>emulated</modelName>\
             <UDN>uuid:00000000-0000-0000-0000-000000000001</UDN>{inner}</device>"
        )
    };
    let connection = format!(
        "<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:{version}</serviceType>\
         <serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/WANIPCn.xml</SCPDURL>\
         <controlURL>/ctl/IPConn</controlURL><eventSubURL>/evt/IPConn</eventSubURL></service></serviceList>"
    );
    let list = |inner: String| format!("<deviceList>{inner}</deviceList>");
    let connection = list(device("WANConnectionDevice", &connection));
    let root = device("InternetGatewayDevice", &list(device("WANDevice", &connection)));
    format!(
        "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\"><specVersion><major>1</major>\
         <minor>1</minor></specVersion>{root}</root>"
    )
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn text(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
}
