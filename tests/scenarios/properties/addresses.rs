//! Addresses of a server and of its API: however one is written, both are read as the same place.

use proptest::prelude::*;
use shared::settings::{api_address, server_address};

/// Where a server is: scheme, host, port and the path below which it is shown, which is not itself called `v1`.
fn place() -> impl Strategy<Value = String> {
    let host = prop::sample::select(vec![
        "https://api.statuspage.io",
        "http://127.0.0.1:8030",
        "http://[::1]:8030",
        "https://keeper.example",
        "http://keeper.monitoring:8030",
    ]);
    let part = "[a-z0-9._~-]{1,8}".prop_filter("a path of dots is none", |part| !part.trim_matches('.').is_empty());
    (host, prop::collection::vec(part, 0..3)).prop_filter_map("that is the API", |(host, path)| {
        let last = path.last().is_some_and(|last| last == "v1");
        (!last).then(|| path.iter().fold(host.to_owned(), |place, part| format!("{place}/{part}")))
    })
}

proptest! {
    #[test]
    fn a_server_and_its_api_are_read_from_each_form_alike(place in place(), slashes in "/{0,3}", api in any::<bool>()) {
        let written = format!(" {place}{}{slashes} ", if api { "/v1" } else { "" });
        let server = server_address(&written).expect("an address").to_string();
        prop_assert_eq!(server.trim_end_matches('/'), &place);
        let api = api_address(&written).expect("an address").to_string();
        prop_assert_eq!(&api, &format!("{place}/v1"));
        // What was read and is read again, as from a file that a program has written, stays.
        prop_assert_eq!(server_address(&server).expect("an address").to_string(), server);
        prop_assert_eq!(api_address(&api).expect("an address").to_string(), api);
    }
}
