//! `bandwidth`; see [`home_beacon::programs::bandwidth`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::bandwidth::main()
}
