//! `node-metrics`; see [`home_beacon::programs::node`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::node::program(std::env::args_os().collect())
}
