//! The operator beside a stand-in of the API server and a real keeper.

mod channels;
mod chaos;
mod definitions;
mod leader;
mod life;
mod objects;
mod packages;
mod pod;
mod roles;
mod speed;
mod statuses;
mod ways;
mod world;
mod wrong;
