//! The prober: looks at homes from outside and keeps their status page true.
//!
//! A run is observe → judge → plan → apply. The pure core decides: [`judge`](judge::judge) turns what was seen into
//! a [`verdict`], [`plan`](plan::plan) turns verdicts and a page as read into the calls that it needs: components by
//! [`statuses`], and incidents; a [`second_look`] tells what is left alone. Thin edges do: [`observe`] opens sockets and asks
//! each [`witness`], [`page`] reads the page, [`apply`] writes it. [`run`] joins them within the deadlines of a [`pace`], with
//! [`secrets`] and [`state`] that may be in Parameter Store ([`parameters`]), an [`identity`] for each answer, whose [`head`] is
//! read leniently and its [`marks`] kept for [`advice`], and an [`access`] to the page that survives a replaced token. [`online`]
//! asks whether what the settings name is there. [`command`] and [`function`] are its two fronts, and [`report`] is what both
//! tell.

pub mod access;
pub mod advice;
pub mod apply;
pub mod command;
pub mod event;
pub mod explain;
#[cfg(feature = "aws")]
pub mod function;
pub mod head;
pub mod identity;
pub mod judge;
pub mod marks;
pub mod mode;
pub mod observation;
pub mod observe;
pub mod online;
pub mod pace;
pub mod page;
pub mod parameters;
pub mod plan;
pub mod report;
pub mod run;
pub mod second_look;
pub mod secrets;
pub mod seen;
pub mod settings;
pub mod state;
pub mod statuses;
pub mod target;
pub mod verdict;
pub mod witness;
