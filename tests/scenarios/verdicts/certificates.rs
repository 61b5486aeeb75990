//! Certificates as `openssl` makes them, with something wrong of each kind, behind OpenSSL's own TLS: a proof counts all the
//! same, and what is wrong is said in words.

use std::path::Path;

use serde_json::Value;
use tests::{
    beacon::Beacon,
    keeper::Keeper,
    prober::prober_command,
    process::{Process, command, file},
    skip::skip,
};

use super::world::KEY;

/// Hands requests on to a beacon, as whatever certificate it is given.
const FRONT: &str = r#"
import socket, ssl, sys, threading
name, version, host, port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.set_ciphers("ALL:@SECLEVEL=0")
context.maximum_version = ssl.TLSVersion[version]
context.load_cert_chain(name + ".crt", name + ".key")
if name == "only-p521":
    context.set_ecdh_curve("secp521r1")
listener = socket.create_server(("127.0.0.1", 0))
print("listening", listener.getsockname()[1], flush=True)
def serve(plain):
    try:
        stream = context.wrap_socket(plain, server_side=True)
        with stream, socket.create_connection((host, int(port))) as beacon:
            beacon.sendall(stream.recv(65536))
            while piece := beacon.recv(65536):
                stream.sendall(piece)
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

/// A name, the arguments of `openssl req -x509`, and a word of what is said of it.
const KINDS: [(&str, &str, &str); 10] = [
    (
        "authority",
        "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext basicConstraints=critical,CA:TRUE",
        "certificate",
    ),
    ("weak", "-newkey rsa:1024", "certificate"),
    ("sha1", "-newkey rsa:2048 -sha1", "certificate"),
    ("ed25519", "-newkey ed25519", "certificate"),
    ("ed448", "-newkey ed448", "certificate"),
    ("pss", "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048", "certificate"),
    ("p521", "-newkey ec -pkeyopt ec_paramgen_curve:P-521", "certificate"),
    // Keys are agreed on over that curve, too.
    ("only-p521", "-newkey ec -pkeyopt ec_paramgen_curve:P-521", "certificate"),
    ("zero", "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -set_serial 0", "certificate"),
    ("critical", "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext 1.2.3.4=critical,ASN1:NULL", "certificate"),
];

async fn openssl(folder: &Path, words: &str) {
    let mut openssl = command("openssl");
    let out = openssl.current_dir(folder).args(words.split(' ')).output().await.expect("openssl is there");
    assert!(out.status.success(), "{words}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The kinds of which another one is needed where a server speaks TLS 1.2 alone: it has nothing else to sign with, and the
/// library knows nothing to check it by.
const ONLY_1_3: [&str; 1] = ["pss"];

/// Probes a beacon behind that certificate, over TLS of at most that version.
async fn behind(folder: &Path, name: &str, version: &str, key: bool) -> Value {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", KEY).await);
    let (_front, port) = loop {
        let mut front = command("python3");
        front.current_dir(folder).args(["front.py", name, version]);
        front.args([beacon.public.ip().to_string(), beacon.public.port().to_string()]);
        let mut front = Process::start(front);
        let port = |lines: &[String]| lines.iter().find_map(|line| line.strip_prefix("listening ").map(str::to_owned));
        let port = front.wait_for("listening", port).await;
        // The keeper is a witness, by this name, and is at another address: that its port is the same may happen.
        if !keeper.api().contains(&format!(":{port}/")) {
            break (front, port);
        }
    };
    let mut prober = prober_command(&format!("https://localhost:{port}/"), &keeper.api());
    prober.env("ATTEMPTS", "2");
    if key {
        prober.env("BEACON_KEY", KEY);
    }
    tests::prober::probe_with(prober).await.target
}

fn is_degraded(target: &Value, kind: &str, word: &str) {
    assert_eq!(
        (target["verdict"].as_str(), target["cause"].as_str()),
        (Some("degraded"), Some("certificate")),
        "{kind}: {target:#}"
    );
    let exchanges = target["attempts"][0]["exchanges"].as_array().expect("exchanges");
    let said = exchanges.iter().find_map(|it| it["certificate"].as_str()).unwrap_or_default();
    assert!(said.contains(word) && !said.contains("Other") && !said.contains("Error"), "{kind}: {said}");
    // A person reads the complaint itself, whatever it is.
    let advice = target["advice"].as_str().unwrap_or_default();
    assert!(advice[1..] == format!("{}.", &said[1..]), "{kind}: {advice}: {said}");
}

fn is_down(target: &Value, word: &str) {
    assert_eq!((target["verdict"].as_str(), target["cause"].as_str()), (Some("down"), Some("tls")), "{target:#}");
    assert!(target["advice"].as_str().is_some_and(|advice| advice.contains(word)), "{target:#}");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_certificate_a_proof_counts() {
    if ["openssl", "python3"].iter().any(|name| tests::skip::program(name).is_none()) {
        return skip("certificates", "openssl makes them, and python3 serves with them");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    // Once: one that is written anew while python reads it is an empty program.
    file(folder, "front.py", FRONT);
    let common = "-nodes -subj /CN=localhost -days 30";
    for (name, words, _) in KINDS {
        openssl(folder, &format!("req -x509 {common} {words} -keyout {name}.key -out {name}.crt")).await;
    }
    // Without extensions, and so of version 1.
    openssl(folder, "req -new -nodes -subj /CN=localhost -newkey rsa:2048 -keyout v1.key -out v1.csr").await;
    openssl(folder, "x509 -req -in v1.csr -signkey v1.key -days 30 -out v1.crt").await;
    let v1 = ("v1", "", "X.509 version 1");
    let kinds = KINDS.iter().chain([&v1]).flat_map(|kind| [(kind, "TLSv1_3"), (kind, "TLSv1_2")]);
    let probes = kinds.map(async |((name, _, word), version)| {
        let target = behind(folder, name, version, true).await;
        if version == "TLSv1_2" && ONLY_1_3.contains(name) {
            is_down(&target, "a way that is not known here over TLS 1.2: make a new one");
        } else {
            is_degraded(&target, &format!("{name} over {version}"), word);
        }
    });
    futures_util::future::join_all(probes).await;
    is_down(&behind(folder, "v1", "TLSv1_3", false).await, "X.509 version 1");
}
