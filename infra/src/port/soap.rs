//! The calls of a UPnP router that are used here, and its answers (pure): `WANIPConnection`, sections 2.4 and 2.5, and
//! `WANIPv6FirewallControl:1`. Answers are read by the names of their elements alone; what an answer nests does not matter.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr, SocketAddrV6},
};

use super::{
    asked::{Answer, Holder, Refusal, shown},
    xml::{Part, walk},
};

/// The longest answer that is read, in bytes: that of `miniupnpd` has 600.
pub const MAX_BYTES: usize = 16 << 10;

/// What a router calls the port in its list.
pub const DESCRIBED: &str = "Porchlight";

/// The number of TCP among the protocols of IP.
const TCP: u8 = 6;

/// A call: the `SOAPAction` header, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The action, as the header has it.
    pub action: String,
    /// The envelope.
    pub body: String,
}

/// Asks for the address outside.
pub fn outside(service: &str) -> Call {
    call(service, "GetExternalIPAddress", "")
}

/// Opens a TCP port for so many seconds; 0 is until it is closed.
pub fn open(service: &str, external: u16, internal: SocketAddr, lease: u32) -> Call {
    let (client, port) = (internal.ip(), internal.port());
    let arguments = format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort><NewProtocol>TCP</NewProtocol>\
         <NewInternalPort>{port}</NewInternalPort><NewInternalClient>{client}</NewInternalClient><NewEnabled>1</NewEnabled>\
         <NewPortMappingDescription>{DESCRIBED}</NewPortMappingDescription><NewLeaseDuration>{lease}</NewLeaseDuration>"
    );
    call(service, "AddPortMapping", &arguments)
}

/// Closes a TCP port.
pub fn close(service: &str, port: u16) -> Call {
    call(service, "DeletePortMapping", &of_port(port))
}

/// Lets one TCP port through to one machine, for so many seconds.
pub fn let_through(service: &str, internal: SocketAddrV6, lease: u32) -> Call {
    let (client, port) = (internal.ip(), internal.port());
    let arguments = format!(
        "<RemoteHost></RemoteHost><RemotePort>0</RemotePort><InternalClient>{client}</InternalClient>\
         <InternalPort>{port}</InternalPort><Protocol>{TCP}</Protocol><LeaseTime>{lease}</LeaseTime>"
    );
    call(service, "AddPinhole", &arguments)
}

/// Keeps what is let through for so many seconds more.
pub fn keep(service: &str, pinhole: u16, lease: u32) -> Call {
    let arguments = format!("<UniqueID>{pinhole}</UniqueID><NewLeaseTime>{lease}</NewLeaseTime>");
    call(service, "UpdatePinhole", &arguments)
}

/// Lets it through no more.
pub fn shut(service: &str, pinhole: u16) -> Call {
    call(service, "DeletePinhole", &format!("<UniqueID>{pinhole}</UniqueID>"))
}

/// Asks who has a TCP port.
pub fn who_has(service: &str, port: u16) -> Call {
    call(service, "GetSpecificPortMappingEntry", &of_port(port))
}

/// Asks whether the line is up.
pub fn status(service: &str) -> Call {
    call(service, "GetStatusInfo", "")
}

fn of_port(port: u16) -> String {
    format!("<NewRemoteHost></NewRemoteHost><NewExternalPort>{port}</NewExternalPort><NewProtocol>TCP</NewProtocol>")
}

fn call(service: &str, action: &str, arguments: &str) -> Call {
    Call {
        action: format!("\"{service}#{action}\""),
        body: format!(
            "<?xml version=\"1.0\"?>\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:{action} xmlns:u=\"{service}\">\
             {arguments}</u:{action}></s:Body></s:Envelope>"
        ),
    }
}

/// The answer to [`who_has`].
pub fn holder(answer: &str) -> Answer {
    let fields = fields(answer);
    match (fields.get("NewInternalClient"), fields.get("NewInternalPort").and_then(|port| port.parse().ok())) {
        (Some(client), Some(port)) => {
            let text = |name| fields.get(name).cloned().unwrap_or_default();
            Answer::Held(Holder {
                client: client.clone(),
                port,
                description: text("NewPortMappingDescription"),
                lease: text("NewLeaseDuration").parse().unwrap_or(0),
            })
        }
        _ => match error(answer) {
            // Nobody; 713 is what some say of it.
            Some((713 | 714, _)) => Answer::NoMapping,
            // It has no such question, or not for us.
            Some(_) => Answer::Undetermined,
            None => Answer::Refused(Refusal::Garbled),
        },
    }
}

/// The answer to [`status`]: as the router calls it, like `Connected` or `Disconnected`.
pub fn connection(answer: &str) -> Option<String> {
    fields(answer).get("NewConnectionStatus").map(|status| shown(status)).filter(|status| !status.is_empty())
}

/// The number and the words of a router's refusal. Not every router has words.
pub fn error(answer: &str) -> Option<(u16, String)> {
    let fields = fields(answer);
    let code = fields.get("errorCode")?.parse().ok()?;
    Some((code, fields.get("errorDescription").map(|text| shown(text)).unwrap_or_default()))
}

/// The answer to [`outside`]; `None` where it names none.
pub fn address(answer: &str) -> Option<IpAddr> {
    fields(answer).get("NewExternalIPAddress")?.parse().ok()
}

/// The answer to [`let_through`]: its number.
///
/// # Errors
/// When it has none; says why.
pub fn number(answer: &str) -> Result<u16, Refusal> {
    done(answer)?;
    fields(answer).get("UniqueID").and_then(|number| number.parse().ok()).ok_or(Refusal::Garbled)
}

/// The answer to what is to be done.
///
/// # Errors
/// When it was not done; says why.
pub fn done(answer: &str) -> Result<(), Refusal> {
    match error(answer) {
        Some((code, words)) => Err(by_code(code, &words)),
        None if fields(answer).keys().any(|name| name.ends_with("Response")) => Ok(()),
        // What comes instead of an answer is not repeated: it may be a page.
        None => Err(Refusal::Garbled),
    }
}

/// The answer to [`keep`] and [`shut`]. Of a number that it does not know, miniupnpd says 402.
///
/// # Errors
/// When it was not done; says why.
pub fn of_pinhole(answer: &str) -> Result<(), Refusal> {
    match error(answer) {
        Some((402, _)) => Err(Refusal::NotThere),
        _ => done(answer),
    }
}

/// The numbers of `WANIPConnection:2` (section 2.5.20) and `WANIPv6FirewallControl:1` (2.5) that say what to do next.
fn by_code(code: u16, words: &str) -> Refusal {
    match code {
        606 | 703 => Refusal::Forbidden,
        713 | 714 | 704 => Refusal::NotThere,
        718 | 729 => Refusal::Taken,
        724 => Refusal::OnlySamePort,
        725 => Refusal::OnlyForEver,
        728 | 701 => Refusal::Full,
        702 => Refusal::Other("its firewall is off, so nothing has to be opened".into()),
        _ => Refusal::Other(format!("{} ({code})", shown(words)).trim_start().to_owned()),
    }
}

/// The texts of the elements, by their names without namespaces; none where it is no XML to its end.
fn fields(answer: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    if answer.len() > MAX_BYTES {
        return fields;
    }
    let read = walk(answer, |part| {
        if let Part::End(name, text) = part {
            fields.entry(name.to_owned()).or_insert_with(|| text.to_owned());
        }
    });
    if read.is_none() { HashMap::new() } else { fields }
}

#[cfg(test)]
mod tests;
