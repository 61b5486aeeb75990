//! The home side.
//!
//! - [`beacon`]: the public face; answers, and offers nothing else
//! - [`keeper`]: the private log; a statuspage.io-compatible server over one embedded database
//! - [`serve`]: the accept loop under both, which strangers cannot exhaust
//! - [`clock`]: where the time comes from

pub mod beacon;
pub mod clock;
pub mod keeper;
pub mod serve;
