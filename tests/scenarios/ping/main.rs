//! `ping`: beside other pings on a cable of the test's own, and what becomes of its readings.

mod beside;
mod costs;
mod handing_over;
mod lines;
mod marked;
mod running;
mod settings;
mod vantages;
mod way;
mod world;
