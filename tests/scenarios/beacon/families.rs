//! IPv4 and IPv6: where a beacon without an address of its own listens.

use std::{net::SocketAddr, time::Duration};

use tests::{
    namespace::Namespace,
    process::{Process, ours, run},
    seccomp::{IPV6, refusing},
    skip::skip,
};

/// What a beacon without an address of its own says inside, and which of these get an answer.
async fn answers(namespace: &Namespace, asked: &[&str]) -> (String, Vec<bool>) {
    let mut command = ours("beacon");
    command.env("BEACON_KEY", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk");
    let mut process = Process::start(namespace.inside(&command));
    let line = process.wait_for_message("listening").await;
    let mut answered = Vec::new();
    for address in asked {
        let (address, enter) = (address.parse::<SocketAddr>().expect("an address"), namespace.entrance());
        let connecting = std::thread::spawn(move || {
            enter();
            std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
        });
        answered.push(connecting.join().expect("it does not panic"));
    }
    let said = process.lines().join("\n");
    process.terminate().await;
    (format!("{}\n{said}", line["public"].as_str().expect("an address")), answered)
}

#[tokio::test]
async fn without_an_address_it_answers_over_both_families_whatever_the_system_prefers() {
    let test = "without_an_address_it_answers";
    let Some(namespace) = Namespace::new("both").await else { return skip(test, "it takes root, ip and nft") };
    for only_v6 in ["0", "1"] {
        namespace.run(&["sysctl", "-qw", &format!("net.ipv6.bindv6only={only_v6}")]).await;
        let (said, answered) = answers(&namespace, &["127.0.0.1:8080", "[::1]:8080"]).await;
        assert_eq!(answered, [true, true], "{said}");
        assert!(said.starts_with("[::]:8080"), "{said}");
    }
    // Without an address of IPv6 it answers over IPv4 all the same.
    namespace.run(&["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]).await;
    let (said, answered) = answers(&namespace, &["127.0.0.1:8080"]).await;
    assert_eq!(answered, [true], "{said}");
    // What is set is obeyed.
    let mut command = ours("beacon");
    command.args(["--public-addr", "127.0.0.1:0"]);
    let mut process = Process::start(namespace.inside(&command));
    let line = process.wait_for_message("listening").await;
    assert!(line["public"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")), "{line}");
}

/// A kernel without IPv6 has no such sockets; neither has a unit that is not given them.
#[tokio::test]
async fn where_there_are_no_ipv6_sockets_it_says_so_and_answers_over_ipv4() {
    let test = "where_there_are_no_ipv6_sockets";
    let Some(namespace) = Namespace::new("without-v6").await else { return skip(test, "it takes root, ip and nft") };
    let Some(command) = refusing(IPV6, &ours("beacon")) else { return skip(test, "python3 is missing") };
    let mut process = Process::start(namespace.inside(&command));
    let line = process.wait_for_message("listening").await;
    assert_eq!(line["public"], "0.0.0.0:8080", "{:#?}", process.lines());
    assert!(process.lines().iter().any(|line| line.contains("this machine has no IPv6")), "{:#?}", process.lines());
    let mut command = ours("beacon");
    command.args(["--public-addr", "[::]:8081", "--private-addr", "127.0.0.1:0"]);
    let command = refusing(IPV6, &command).expect("it was there");
    let ended = run(namespace.inside(&command), Duration::from_secs(10)).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("cannot listen on [::]:8081") && ended.stderr.contains("0.0.0.0"), "{ended:?}");
}
