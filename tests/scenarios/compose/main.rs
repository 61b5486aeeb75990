//! The compose files below `infra`, each started by the commands of its README as they stand there, in a network of the test's
//! own: it is seen what the README says, a program hangs and another one dies, all is restarted, and the image is replaced.
//!
//! - `composed`: a reader and their containers; `seen`: what is seen of these; `stands`: what every example is to stand
//! - one module for each example; `plain`: `infra/compose.yaml`, with Docker's Compose too

mod composed;
mod health;
mod one_machine;
mod plain;
mod prometheus;
mod relay;
mod seen;
mod stands;
mod traefik;
mod vps;
