//! `keeper`; see [`home_beacon::programs::keeper`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::keeper::program(std::env::args_os().collect())
}
