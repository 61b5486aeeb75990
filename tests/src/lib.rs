//! What the scenarios in `tests/scenarios` are made of: the real binaries as processes, and scripted stand-ins for what is
//! outside our walls. Everything listens on port 0 of the loopback interface and ends with its test.
//!
//! - [`atom`]: feeds, validated
//! - [`aws`]: AWS, as moto and as a script; [`versions`]: Parameter Store with versions
//! - [`fast`], [`cloudflare`]: the services that bandwidth is measured against; [`web`]: the server under both
//! - [`binaries`]: where the binaries are
//! - [`process`]: one of them, running; [`cost`]: what that takes
//! - [`checks`]: checks as a keeper is handed them; [`node`]: `node-metrics` over folders like the kernel's
//! - [`clock`], [`history`]: time that is moved by hand, and a database that has seen much of it
//! - [`in_process`]: a keeper's parts without its listeners
//! - [`image`]: the container image, and programs in it
//! - [`keeper`], [`beacon`], [`prober`]: the three as scenarios see them
//! - [`kubernetes`]: an API server of Kubernetes, with a kubelet
//! - [`lambda`]: the function under an emulator
//! - [`guide`]: the commands of a guide, run as its reader would
//! - [`heartbeats`]: a function that takes heartbeats
//! - [`home`]: homes that misbehave; [`noting_home`]: one that notes what it was asked
//! - [`notices`]: services that take notices
//! - [`statuspage`]: a statuspage that misbehaves, in front of a keeper
//! - [`namespace`], [`link`]: a network of one's own, and two that are joined
//! - [`disk`]: a small disk of one's own
//! - [`duckdns`], [`address_source`], [`name_server`]: the services that `dns` calls, over [`exchange`]
//! - [`front`]: TLS in front of a service; [`tls`]: what all that speak it have in common
//! - [`router`]: a router that opens ports; [`lan`]: a home's network with one
//! - [`readme`]: its settings, written from the binaries; [`release`]: what can be downloaded
//! - [`years`]: what the simulation came to
//! - [`seccomp`]: what the kernel refuses a program
//! - [`skip`]: tests that cannot run here, reported loudly

pub mod address_source;
pub mod atom;
pub mod aws;
pub mod beacon;
pub mod binaries;
pub mod checks;
pub mod clock;
pub mod cloudflare;
pub mod cost;
pub mod disk;
pub mod duckdns;
pub mod dyndns;
pub mod exchange;
pub mod fast;
pub mod front;
pub mod guide;
pub mod heartbeats;
pub mod history;
pub mod home;
pub mod image;
pub mod in_process;
pub mod keeper;
pub mod kubernetes;
pub mod lambda;
pub mod lan;
pub mod link;
pub mod machine;
pub mod messages;
pub mod name_server;
pub mod namespace;
pub mod node;
pub mod notices;
pub mod noting_home;
pub mod outage;
pub mod past;
pub mod prober;
pub mod process;
pub mod readme;
pub mod release;
pub mod resident_aws;
pub mod router;
pub mod seccomp;
pub mod skip;
pub mod statuspage;
pub mod tls;
pub mod upstream;
pub mod versions;
pub mod web;
pub mod years;
