//! What a Prometheus reads of keeper and beacon, and what becomes of it: alerts and dashboards, by the real Prometheus.
//!
//! - `rules`: when each alert rings, by promtool
//! - `scraped`: every expression of alerts and dashboards has data behind it, in a real Prometheus
//! - `home`: what the keeper says of the home, from the first scrape on and over its restart
//! - `formats`: both forms in which metrics are written
//! - `logs`: the queries for Loki name fields that there are
//! - `uptimepulse`: what its dashboard asks, and the rule that it had
//! - `world`: keeper, relay, beacon and a Pi's sensors with something to tell

mod formats;
mod home;
mod logs;
mod rules;
mod scraped;
mod uptimepulse;
mod world;
