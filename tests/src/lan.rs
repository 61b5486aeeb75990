//! A home's network: the home behind a router, and the world outside, each in a namespace of its own, with Debian's miniupnpd on the
//! router, which forwards for real.

use std::{path::PathBuf, time::Duration};

use tokio::process::Command;

use crate::{
    namespace::Namespace,
    process::{Ended, Process, command, run},
    skip::{program, skip},
};

pub const ROUTER: &str = "192.168.50.1";
pub const HOME: &str = "192.168.50.7";
pub const OUTSIDE: &str = "81.2.69.142";
pub const HOME_V6: &str = "2a02:8109:1:1::7";

/// What the router does without being asked: it lets out, and in only what belongs to that; miniupnpd fills the other chains.
const RULES: &str = r#"
table inet filter {
 chain forward { type filter hook forward priority 0; policy drop;
  ct state established,related accept
  meta l4proto ipv6-icmp accept
  iifname "lan" accept
  jump miniupnpd
 }
 chain miniupnpd {
 }
 chain prerouting { type nat hook prerouting priority -100;
  jump prerouting_miniupnpd
 }
 chain postrouting { type nat hook postrouting priority 100;
  jump postrouting_miniupnpd
  oifname "wan" ip saddr 192.168.50.0/24 masquerade
 }
 chain prerouting_miniupnpd {
 }
 chain postrouting_miniupnpd {
 }
}
"#;

#[derive(Debug)]
pub struct Lan {
    pub home: Namespace,
    pub router: Namespace,
    pub world: Namespace,
    folder: tempfile::TempDir,
}

impl Lan {
    /// A network whose router has that address outside; `None`, and a skip, where that cannot be.
    ///
    /// # Panics
    /// When it could be made but not set up.
    pub async fn new(test: &str, outside: &str) -> Option<Self> {
        let made = async {
            program("miniupnpd")?;
            let name = |of: &str| format!("{of}-{}", &test[..8.min(test.len())]);
            let home = Namespace::new(&name("home")).await?;
            Some((home, Namespace::new(&name("box")).await?, Namespace::new(&name("world")).await?))
        };
        let Some((home, router, world)) = made.await else {
            skip(test, "it takes root, ip, nft and miniupnpd; tests/run installs these");
            return None;
        };
        let network = outside.rsplit_once('.').expect("an IPv4 address").0;
        for (end, there, device) in [(&home, "lan", "eth"), (&world, "wan", "eth")] {
            router
                .run(&["ip", "link", "add", there, "type", "veth", "peer", "name", device, "netns", end.name()])
                .await;
        }
        let addresses = [
            (&router, "lan", format!("{ROUTER}/24"), "2a02:8109:1:1::1/64"),
            (&router, "wan", format!("{outside}/24"), "2a02:8109:2::1/64"),
            (&home, "eth", format!("{HOME}/24"), "2a02:8109:1:1::7/64"),
            (&world, "eth", format!("{network}.1/24"), "2a02:8109:2::2/64"),
        ];
        for (on, device, v4, v6) in &addresses {
            on.run(&["sysctl", "-qw", &format!("net.ipv6.conf.{device}.accept_dad=0")]).await;
            on.run(&["ip", "address", "add", v4, "dev", device]).await;
            on.run(&["ip", "address", "add", v6, "dev", device, "nodad"]).await;
            on.run(&["ip", "link", "set", device, "up"]).await;
        }
        // The router has the same address on its link as a real one: nobody is told the one that reaches further.
        router.run(&["ip", "address", "add", "fe80::1/64", "dev", "lan", "nodad"]).await;
        home.run(&["ip", "route", "add", "default", "via", ROUTER]).await;
        home.run(&["ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth"]).await;
        world.run(&["ip", "-6", "route", "add", "default", "via", "2a02:8109:2::1"]).await;
        router.run(&["ip", "route", "add", "default", "via", &format!("{network}.1")]).await;
        router.run(&["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]).await;
        let lan = Self { home, router, world, folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(lan.file("rules"), RULES).expect("the folder can be written");
        lan.router.run(&["nft", "-f", &lan.file("rules").display().to_string()]).await;
        Some(lan)
    }

    /// A file beside those of the network.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// miniupnpd on the router, with further lines of its settings: `enable_upnp=yes`, `enable_natpmp=yes` (which is PCP, too), or
    /// both.
    ///
    /// # Panics
    /// When it does not begin.
    pub async fn miniupnpd(&self, more: &str) -> Process {
        let settings = format!(
            "ext_ifname=wan\next_ifname6=wan\nlistening_ip=lan\nport=5000\nsecure_mode=yes\nmin_lifetime=120\n\
             max_lifetime=86400\nuuid=00000000-0000-0000-0000-000000000001\n{more}\n\
             allow 1024-65535 192.168.50.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
        );
        std::fs::write(self.file("miniupnpd.conf"), settings).expect("the folder can be written");
        // One that was killed has left it.
        let _ = std::fs::remove_file(self.file("pid"));
        let mut server = command(program("miniupnpd").expect("it was there"));
        server.args(["-d", "-f"]).arg(self.file("miniupnpd.conf")).arg("-P").arg(self.file("pid"));
        let mut server = Process::start(self.router.inside(&server));
        for (setting, words) in
            [("enable_upnp=yes", "HTTP listening"), ("enable_natpmp=yes", "Listening for NAT-PMP/PCP")]
        {
            if more.contains(setting) {
                let is_there = |line: &String| line.contains(words);
                server.wait_for(words, |lines| lines.iter().any(is_there).then_some(())).await;
            }
        }
        server
    }

    /// What upnpc does at home with these words.
    ///
    /// # Panics
    /// When there is no upnpc.
    pub async fn upnpc(&self, words: &[&str]) -> Ended {
        let mut upnpc = command(program("upnpc").expect("tests/run installs it"));
        upnpc.args(["-m", "eth"]).args(words);
        self.at_home(&upnpc).await
    }

    /// What upnpc has of the router's list.
    pub async fn listed(&self) -> String {
        self.upnpc(&["-l"]).await.stdout
    }

    /// Runs something at home.
    pub async fn at_home(&self, command: &Command) -> Ended {
        run(self.home.inside(command), Duration::from_secs(60)).await
    }

    /// What the world gets from an address, over HTTP; empty where nothing answers.
    ///
    /// # Panics
    /// When there is no curl.
    pub async fn from_the_world(&self, url: &str) -> String {
        let mut curl = command(program("curl").expect("tests/run installs it"));
        curl.args(["-s", "-g", "--max-time", "3", url]);
        run(self.world.inside(&curl), Duration::from_secs(10)).await.stdout
    }
}
