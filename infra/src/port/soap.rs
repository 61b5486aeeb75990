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
            Some((713 | 714, _)) => Answer::Nobody,
            // It has no such question, or not for us.
            Some(_) => Answer::CannotTell,
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IP: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

    /// As miniupnpd 2.3.1 writes it.
    const ENTRY: &str = "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:GetSpecificPortMappingEntryResponse \
        xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:2\"><NewInternalPort>8081</NewInternalPort>\
        <NewInternalClient>192.168.50.7</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>a &amp; b\
        </NewPortMappingDescription><NewLeaseDuration>700</NewLeaseDuration></u:GetSpecificPortMappingEntryResponse>\
        </s:Body></s:Envelope>\r\n";

    fn fault(code: &str, words: &str) -> String {
        format!(
            "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring>\
             <detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>{words}</UPnPError>\
             </detail></s:Fault></s:Body></s:Envelope>"
        )
    }

    #[test]
    fn what_is_to_be_opened_is_named_whole() {
        let call = open(IP, 30008, "192.168.1.7:8080".parse().unwrap(), 7200);
        let fields = fields(&call.body);
        for (name, value) in [
            ("NewExternalPort", "30008"),
            ("NewInternalPort", "8080"),
            ("NewInternalClient", "192.168.1.7"),
            ("NewProtocol", "TCP"),
            ("NewEnabled", "1"),
            ("NewPortMappingDescription", DESCRIBED),
            ("NewLeaseDuration", "7200"),
        ] {
            assert_eq!(fields[name], value);
        }
        let call = let_through("six", "[2a02:8109::7]:8080".parse().unwrap(), 60);
        let fields = self::fields(&call.body);
        assert_eq!((&*fields["InternalClient"], &*fields["InternalPort"]), ("2a02:8109::7", "8080"));
        assert_eq!((&*fields["Protocol"], &*fields["LeaseTime"]), ("6", "60"));
    }

    #[test]
    fn a_call_names_service_and_action_in_header_and_body() {
        let call = who_has(IP, 30008);
        assert_eq!(call.action, format!("\"{IP}#GetSpecificPortMappingEntry\""));
        assert!(call.body.contains("<NewExternalPort>30008</NewExternalPort>"), "{}", call.body);
        assert_eq!(fields(&call.body)["NewProtocol"], "TCP", "it is XML");
        assert!(status(IP).body.contains("<u:GetStatusInfo xmlns:u=\"urn:"));
    }

    #[test]
    fn an_answer_says_who_has_the_port_or_that_nobody_has() {
        let expected = Holder { client: "192.168.50.7".into(), port: 8081, description: "a & b".into(), lease: 700 };
        assert_eq!(holder(ENTRY), Answer::Held(expected));
        assert_eq!(holder(&fault("714", "<errorDescription>NoSuchEntryInArray</errorDescription>")), Answer::Nobody);
        assert_eq!(holder(&fault("714", "")), Answer::Nobody, "without any words");
        assert_eq!(holder(&fault("401", "")), Answer::CannotTell);
        for page in ["", "<html><body><h1>Login</h1></body></html>", "<html><p>Login", "{}", "714"] {
            assert_eq!(holder(page), Answer::Refused(Refusal::Garbled), "{page}");
        }
        let long = format!("{ENTRY}{}", " ".repeat(MAX_BYTES));
        assert_eq!(holder(&long), Answer::Refused(Refusal::Garbled));
    }

    #[test]
    fn a_refusal_is_read_with_and_without_words() {
        let words = fault("718", "<errorDescription>\x1b[1mConflict</errorDescription>".replace('\x1b', "").as_str());
        assert_eq!(error(&words), Some((718, "[1mConflict".to_owned())));
        assert_eq!(error(&fault("718", "")), Some((718, String::new())));
        assert_eq!(error(&fault("many", "")), None);
        let up = "<a><NewConnectionStatus> Connected </NewConnectionStatus></a>";
        assert_eq!(connection(up).as_deref(), Some("Connected"));
        assert_eq!(connection("<a/>"), None);
    }

    #[test]
    fn an_answer_that_nests_without_end_is_read_or_refused_and_ends() {
        let deep = "<a>".repeat(5_000);
        assert_eq!(holder(&deep), Answer::Refused(Refusal::Garbled));
    }

    #[test]
    fn what_was_done_or_not_is_told_by_the_answer_and_a_page_is_not_repeated() {
        let answer =
            |fields: &str| format!("<e><b><u:AddPinholeResponse xmlns:u=\"x\">{fields}</u:AddPinholeResponse></b></e>");
        assert_eq!(number(&answer("<UniqueID>7</UniqueID>")), Ok(7));
        assert_eq!((number(&answer("")), done(&answer(""))), (Err(Refusal::Garbled), Ok(())));
        for (code, refusal) in [
            ("725", Refusal::OnlyForEver),
            ("718", Refusal::Taken),
            ("714", Refusal::NotThere),
            ("606", Refusal::Forbidden),
            ("501", Refusal::Other("(501)".into())),
        ] {
            assert_eq!(done(&fault(code, "")), Err(refusal), "{code}");
        }
        let words = "<errorDescription>Action Failed</errorDescription>";
        assert_eq!(done(&fault("501", words)).unwrap_err().to_string(), "it says: Action Failed (501)");
        assert_eq!(of_pinhole(&fault("402", "")), Err(Refusal::NotThere));
        assert_eq!(done("<html>password: hunter2</html>"), Err(Refusal::Garbled));
        let outside = answer("<NewExternalIPAddress>81.2.69.142</NewExternalIPAddress>");
        assert_eq!(address(&outside), Some([81, 2, 69, 142].into()));
        assert_eq!(address(&answer("<NewExternalIPAddress></NewExternalIPAddress>")), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic(answer: String, cut in 0..ENTRY.trim_end().len()) {
            holder(&answer);
            let cut = ENTRY.get(..cut).unwrap_or_default();
            prop_assert!(!matches!(holder(cut), Answer::Held(_)), "half an answer is none");
        }
    }
}
