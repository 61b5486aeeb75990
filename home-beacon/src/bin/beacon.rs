//! `beacon`; see [`home_beacon::programs::beacon`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::beacon::program(std::env::args_os().collect())
}
