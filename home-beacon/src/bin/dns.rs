//! `dns`; see [`home_beacon::programs::job`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::job::dns(std::env::args_os().collect())
}
