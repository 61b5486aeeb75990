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
    assert_eq!(holder(&fault("714", "<errorDescription>NoSuchEntryInArray</errorDescription>")), Answer::NoMapping);
    assert_eq!(holder(&fault("714", "")), Answer::NoMapping, "without any words");
    assert_eq!(holder(&fault("401", "")), Answer::Undetermined);
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
