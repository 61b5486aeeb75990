//! What is seen (the edges): each look has a deadline of its own, changes nothing, and decides nothing.

pub mod api;
pub mod aws;
pub mod hops;
pub mod kubernetes;
pub mod machine;
pub mod names;
pub mod router;
