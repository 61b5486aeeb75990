//! `heartbeat`; see [`home_beacon::programs::job`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::job::heartbeat(std::env::args_os().collect())
}
