//! Two questions to a UPnP router that igd-next has no words for (pure): who has a port, and whether the line is up. Its answers
//! are read by the names of their elements alone; what an answer nests does not matter.

use std::collections::HashMap;

use xml::reader::{EventReader, XmlEvent};

use super::asked::{Answer, Holder, Refusal, shown};

/// The longest answer that is read, in bytes: that of `miniupnpd` has 600.
const MAX_BYTES: usize = 16 << 10;

/// A call: the `SOAPAction` header, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The action, as the header has it.
    pub action: String,
    /// The envelope.
    pub body: String,
}

/// Asks who has a TCP port.
pub fn who_has(service: &str, port: u16) -> Call {
    let arguments = format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{port}</NewExternalPort><NewProtocol>TCP</NewProtocol>"
    );
    call(service, "GetSpecificPortMappingEntry", &arguments)
}

/// Asks whether the line is up.
pub fn status(service: &str) -> Call {
    call(service, "GetStatusInfo", "")
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

/// The texts of the elements, by their names without namespaces; none where it is no XML to its end.
fn fields(answer: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    if answer.len() > MAX_BYTES {
        return fields;
    }
    let mut text = String::new();
    for event in EventReader::new(answer.as_bytes()) {
        match event {
            Ok(XmlEvent::StartElement { .. }) => text.clear(),
            Ok(XmlEvent::Characters(more) | XmlEvent::CData(more)) => text.push_str(&more),
            Ok(XmlEvent::EndElement { name }) => {
                fields.entry(name.local_name).or_insert_with(|| text.trim().to_owned());
                text.clear();
            }
            Ok(_) => (),
            Err(_) => return HashMap::new(),
        }
    }
    fields
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

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic(answer: String, cut in 0..ENTRY.trim_end().len()) {
            holder(&answer);
            let cut = ENTRY.get(..cut).unwrap_or_default();
            prop_assert!(!matches!(holder(cut), Answer::Held(_)), "half an answer is none");
        }
    }
}
