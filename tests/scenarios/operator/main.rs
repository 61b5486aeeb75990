//! The operator beside a stand-in of the API server and a real keeper.

mod life;
mod objects;
mod pod;
mod world;
mod wrong;
