//! What is deployed, run: the zip as it went over the wire, its arm64 binary under qemu, with secrets from moto.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    aws::{ACCOUNT, Moto, point, pointed_at},
    beacon::Beacon,
    binaries::{python, root},
    keeper::{Keeper, TOKEN},
    lambda::{Lambda, probes, rule},
    process::{command, run},
    skip::{program, skip},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

/// Passes connections on, and keeps what the clients said.
struct Recorder {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    async fn before(endpoint: &str) -> Self {
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let recorder = Self { address, received: Arc::clone(&received) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream).await.expect("moto listens");
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                let received = Arc::clone(&received);
                tokio::spawn(async move {
                    let mut piece = vec![0; 1 << 16];
                    while let Ok(read @ 1..) = from_client.read(&mut piece).await {
                        received.lock().expect("no holder panics").extend_from_slice(&piece[..read]);
                        if to_server.write_all(&piece[..read]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        recorder
    }

    /// The zip of the call that made the function.
    fn zip(&self) -> Vec<u8> {
        let received = String::from_utf8_lossy(&self.received.lock().expect("no holder panics")).into_owned();
        let (_, rest) = received.split_once("\"ZipFile\":\"").expect("a zip was sent");
        let (encoded, _) = rest.split_once('"').expect("it has an end");
        BASE64_STANDARD.decode(encoded).expect("it is base64")
    }
}

/// Deploys the function as it is built, and unpacks what was sent.
async fn deployed(moto: &Moto, folder: &Path) -> PathBuf {
    let recorder = Recorder::before(&moto.endpoint).await;
    let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    moto.ok(&["iam", "create-role", "--role-name", "prober", "--assume-role-policy-document", &trust]).await;
    let mut deploy = command(program("cargo-lambda").expect("it built the function"));
    deploy.args(["lambda", "deploy", "lambda-prober", "--role", &format!("arn:aws:iam::{ACCOUNT}:role/prober")]);
    deploy.envs(pointed_at(&format!("http://{}", recorder.address))).current_dir(root());
    let ended = run(deploy, Duration::from_secs(60)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);

    let zip = recorder.zip();
    println!("the zip has {} bytes", zip.len());
    assert!(zip.len() < 4_000_000, "{} bytes", zip.len());
    fs::write(folder.join("function.zip"), zip).expect("it is written");
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); z.extractall(sys.argv[2]); \
                print([(i.filename, oct(i.external_attr >> 16 & 0o777)) for i in z.infolist()])";
    let mut unpack = command(python().expect("moto runs on it"));
    unpack.args(["-c", script]).arg(folder.join("function.zip")).arg(folder);
    let ended = run(unpack, Duration::from_secs(20)).await;
    assert_eq!(ended.stdout.trim(), "[('bootstrap', '0o755')]", "{}", ended.stderr);
    let bootstrap = folder.join("bootstrap");
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).expect("it may be run");
    bootstrap
}

#[tokio::test]
async fn the_deployed_function_proves_a_beacon_and_flips_a_page() {
    const TEST: &str = "the deployed function";
    let (Some(qemu), true) = (program("qemu-aarch64-static"), Path::new("/usr/aarch64-linux-gnu/lib").is_dir()) else {
        return skip(TEST, "qemu-user-static or libc6-arm64-cross is missing; tests/run installs both");
    };
    if !root().join("target/lambda/lambda-prober/bootstrap").is_file() || program("cargo-lambda").is_none() {
        return skip(TEST, "the arm64 function has not been built; tests/run builds it");
    }
    let Some(moto) = Moto::start(TEST).await else { return };
    let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a folder"));
    let bootstrap = deployed(&moto, folder.path()).await;
    let key = Key::new([1; 32]).expose();
    moto.put_secret("/porchlight/statuspage-token", TOKEN).await;
    moto.put_secret("/porchlight/beacon-key", &key).await;
    let beacon = Beacon::with_key("127.0.0.1:0", &key).await;

    // What cargo lambda set at AWS is what it gets, and the user's own beside it.
    let configuration = moto.ok(&["lambda", "get-function-configuration", "--function-name", "lambda-prober"]).await;
    let variables = configuration["Environment"]["Variables"].as_object().expect("variables");
    let mut function = command(qemu);
    function.args(["-L", "/usr/aarch64-linux-gnu"]).arg(bootstrap).env("STATUSPAGE_URL", keeper.api());
    function.env("WITNESSES", tests::prober::witnesses(&keeper.api()));
    function.envs(variables.iter().map(|(name, value)| (name, value.as_str().unwrap_or_default())));
    probes(&beacon.url())(&mut function);
    point(&mut function, &moto.endpoint);
    let Some(lambda) = Lambda::run(TEST, function).await else { return };

    let (at, beacon_at) = (beacon.public.to_string(), beacon.public.ip());
    let report = lambda.invoke(&rule()).await;
    let exchange = &report["targets"][0]["attempts"][0]["exchanges"][0];
    assert_eq!(
        (&report["targets"][0]["outcome"], &exchange["identity"]),
        (&json!("agrees"), &json!("proven")),
        "{report:#}"
    );
    beacon.process.terminate().await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["cause"], "refused", "{report:#}");
    assert_eq!(keeper.status().await, "major_outage");
    let _beacon = Beacon::with_key(&at, &key).await;
    lambda.invoke(&rule()).await;
    assert_eq!(keeper.status().await, "operational");
    let record = moto.parameter("/porchlight/state/8kbf7d35c070").await.expect("it remembers");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(
        (&record["cause"], &record["last_proven_address"]),
        (&json!("refused"), &json!(beacon_at.to_string())),
        "{record:#}"
    );
    assert!(record["down_since"].is_string() && record["up_since"].is_string(), "{record:#}");
}
