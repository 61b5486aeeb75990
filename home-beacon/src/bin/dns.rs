//! `dns`; see [`home_beacon::programs::dns`].

fn main() -> std::process::ExitCode {
    home_beacon::programs::dns::main()
}
