//! Outages from their beginning to their end, as a keeper's page shows them: by one prober, by two at once, and by probers
//! that are cut off in the middle.

mod cut_off;
mod life;
mod overlap;
mod world;
