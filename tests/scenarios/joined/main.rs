//! A home and its outside machine, as far as keepers have to do with it: TLS by the keeper itself, join codes, and tokens of one
//! page.

mod certificates;
mod clocks;
mod codes;
mod outside;
mod relayed;
mod scopes;
