//! A network of one's own: a namespace with nothing in it but loopback, a name server and rules of the test's making.

use std::{
    fs::{self, File},
    io,
    net::SocketAddr,
    os::fd::AsFd,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::{
    net::{TcpListener, UdpSocket},
    process::Command,
};

use crate::{
    binaries::binary,
    process::{Process, command, run},
    skip::program,
};

/// Removed, with its processes' network, when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// `None` when none can be made on this machine: it takes root, `ip` and `nft`.
    ///
    /// # Panics
    /// When it could be made but not set up.
    pub async fn new(purpose: &str) -> Option<Self> {
        program("nft")?;
        let name = format!("porchlight-{purpose}-{}", std::process::id());
        let mut add = command(program("ip")?);
        add.args(["netns", "add", &name]);
        if run(add, Duration::from_secs(10)).await.code != Some(0) {
            return None;
        }
        let namespace = Self { name };
        fs::create_dir_all(namespace.etc()).expect("root may write below /etc");
        fs::write(namespace.etc().join("resolv.conf"), "nameserver 127.0.0.53\n").expect("root may write below /etc");
        namespace.run(&["ip", "link", "set", "lo", "up"]).await;
        Some(namespace)
    }

    /// As `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops what arrives and matches the rule.
    pub async fn drop_arriving(&self, rule: &[&str]) {
        self.run(&["nft", "add", "table", "inet", "t"]).await;
        self.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
        self.run(&[&["nft", "add", "rule", "inet", "t", "in"], rule, &["drop"]].concat()).await;
    }

    fn etc(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }

    /// The same command, inside.
    ///
    /// # Panics
    /// When it holds something that is not text.
    pub fn inside(&self, outside: &Command) -> Command {
        let outside = outside.as_std();
        let mut inside = command(program("ip").expect("it was there"));
        inside.args(["netns", "exec", &self.name]).arg(outside.get_program()).args(outside.get_args());
        for (name, value) in outside.get_envs() {
            if let Some(value) = value {
                inside.env(name, value);
            }
        }
        inside
    }

    /// Runs a program inside.
    ///
    /// # Panics
    /// When it fails.
    pub async fn run(&self, words: &[&str]) {
        let mut outside = command(program(words[0]).expect("the program is there"));
        outside.args(&words[1..]);
        let ended = run(self.inside(&outside), Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {}{}", ended.stdout, ended.stderr);
    }

    /// Gives a name an address that every program inside finds without a name server.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn host(&self, name: &str, address: &str) {
        self.hosts(&format!("127.0.0.1 localhost\n{address} {name}\n"));
    }

    /// What every program inside finds in `/etc/hosts`.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn hosts(&self, text: &str) {
        fs::write(self.etc().join("hosts"), text).expect("root may write below /etc");
    }

    /// Listens inside, for a service that runs in the test itself: a socket stays where it was made.
    ///
    /// # Panics
    /// When the address is not to be had.
    pub fn listen(&self, address: SocketAddr) -> TcpListener {
        let listener = self.made_inside(move || std::net::TcpListener::bind(address));
        listener.set_nonblocking(true).expect("a socket can be");
        TcpListener::from_std(listener).expect("tokio takes it")
    }

    /// As [`Namespace::listen`], for datagrams.
    ///
    /// # Panics
    /// When the address is not to be had.
    pub fn datagrams(&self, address: SocketAddr) -> UdpSocket {
        let socket = self.made_inside(move || std::net::UdpSocket::bind(address));
        socket.set_nonblocking(true).expect("a socket can be");
        UdpSocket::from_std(socket).expect("tokio takes it")
    }

    /// A thread of its own, because it never comes back.
    fn made_inside<T: Send + 'static>(&self, make: impl FnOnce() -> io::Result<T> + Send + 'static) -> T {
        let enter = self.entrance();
        let making = thread::spawn(move || {
            enter();
            make()
        });
        making.join().expect("it does not panic").expect("the address is free")
    }

    /// Takes the calling thread inside, for good: what it opens and starts from now on is there. A test has a thread of its
    /// own.
    ///
    /// # Panics
    /// When the namespace is gone.
    pub fn enter(&self) {
        self.entrance()();
    }

    /// As [`Namespace::enter`], for another thread.
    ///
    /// # Panics
    /// When the namespace is gone.
    pub fn entrance(&self) -> impl FnOnce() + Send + 'static {
        let namespace = File::open(Path::new("/run/netns").join(&self.name)).expect("it is there");
        move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may enter it");
        }
    }

    /// A name server at 127.0.0.53, which every program inside asks.
    pub async fn name_server(&self) -> Process {
        self.scripted_names("127.0.0.53").await
    }

    /// What every program inside finds in `/etc/resolv.conf`.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn resolv_conf(&self, text: &str) {
        fs::write(self.etc().join("resolv.conf"), text).expect("root may write below /etc");
    }

    /// A name server that answers by what the name begins with; see `scripted-names`.
    pub async fn scripted_names(&self, address: &str) -> Process {
        self.scripted_names_with(address, "").await
    }

    /// As [`Namespace::scripted_names`], in another manner.
    pub async fn scripted_names_with(&self, address: &str, manner: &str) -> Process {
        let mut command = command(binary("scripted-names"));
        command.args([address, manner]);
        let mut server = Process::start(self.inside(&command));
        server.wait_for("listening", |lines| lines.iter().any(|line| line == "listening").then_some(())).await;
        server
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let ip = program("ip").expect("it was there");
        let _ = std::process::Command::new(ip).args(["netns", "del", &self.name]).status();
        let _ = fs::remove_dir_all(self.etc());
    }
}
