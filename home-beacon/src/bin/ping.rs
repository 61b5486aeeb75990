//! `ping`; see [`home_beacon::programs::job`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::job::ping(std::env::args_os().collect())
}
