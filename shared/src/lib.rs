//! What the programs of both sides have in common.
//!
//! - [`api`]: calls of JSON services with a token, and what can go wrong with them
//! - [`backoff`]: the pauses between attempts
//! - [`certificates`]: certificates that are recorded and not refused, and what stands in one
//! - [`connection`]: what the system says of a connection, sorted by what it says of the other side
//! - [`heartbeat`]: how a home that nobody can reach says that it is there
//! - [`id`]: identifiers of a status page's things, so that a page is never taken for a component
//! - [`proof`]: how a prober knows that its own beacon answered
//! - [`keeper_token`]: a token that is recognised, and stays away from statuspage.io
//! - [`lock`]: lock files, so that two processes do not write one file
//! - [`message`]: what programs tell an operator, and what to do about it
//! - [`metrics`]: what Prometheus reads
//! - [`token_prefix`]: the prefix of such a token
//! - [`random`]: bytes that cannot be guessed
//! - [`secret`]: values that must not be printed, and where they come from
//! - [`settings`]: one way to read settings, and one sentence when they are wrong
//! - [`wrong_setting`]: that sentence
//! - [`dial`]: connections to names that have several addresses
//! - [`complaints`]: what is wrong with a certificate or a handshake, in words
//! - [`fingerprint`]: by what a certificate is known that no authority vouches for
//! - [`chain`]: the root cause of an error
//! - [`mod@file`]: small files, never waited for
//! - [`http`]: the policy that every HTTP client here follows
//! - [`names`]: the addresses behind names
//! - [`network`]: which networks are a home's, a provider's or nobody's
//! - [`online`]: what `--check --online` finds
//! - [`statuspage`]: the client and the types of the statuspage.io Manage API
//! - [`verdict`]: what a prober concludes, with cause and sentence
//! - [`look`]: that a prober looked, as it says so to the beacon and to a keeper
//! - [`shutdown`]: the signals that ask a program to end
//! - [`retry`]: a bounded way to try a call again
//! - [`telemetry`]: where log lines go, and in which shape
//!
//! What one crate decides (how to judge, what is stored) stays in that crate.

#![warn(missing_docs)]

pub mod api;
pub mod backoff;
pub mod certificates;
pub mod chain;
pub mod complaints;
pub mod connection;
pub mod dial;
pub mod file;
pub mod fingerprint;
pub mod heartbeat;
pub mod http;
pub mod id;
pub mod keeper_token;
pub mod lock;
pub mod look;
pub mod message;
pub mod metrics;
pub mod names;
pub mod network;
pub mod online;
pub mod proof;
pub mod random;
pub mod retry;
pub mod secret;
pub mod settings;
pub mod shutdown;
pub mod statuspage;
pub mod telemetry;
pub mod token_prefix;
pub mod verdict;
pub mod wrong_setting;
