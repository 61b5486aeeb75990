//! `checks`; see [`home_beacon::programs::checks`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::checks::program(std::env::args_os().collect())
}
