//! `ping`; see [`home_beacon::programs::ping`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::ping::main()
}
