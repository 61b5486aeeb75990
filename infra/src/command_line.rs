//! `porchlight completions` and `porchlight man`: what is generated from the programs' command lines.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use home_beacon::{
    bandwidth::BandwidthSettings, beacon::BeaconSettings, checks::ChecksSettings, dns::DnsSettings,
    heartbeat::HeartbeatSettings, keeper::KeeperSettings, node::NodeSettings, ping::PingSettings,
};
use lambda_prober::settings::ProberSettings;
use shared::{secret::SecretSetting, settings::Settings};

use crate::{
    program::Program,
    settings::{CompletionsSettings, ManSettings, PorchlightSettings, secrets},
};

/// Prints a shell's completions for a program.
///
/// # Errors
/// When stdout cannot be written.
pub fn completions(settings: &CompletionsSettings) -> anyhow::Result<()> {
    let (mut command, _) = command_line(settings.program);
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(settings.shell, &mut command, name, &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}

/// Writes a man page for each program and each subcommand, and prints their paths.
///
/// # Errors
/// When the folder or stdout cannot be written.
pub fn man(settings: &ManSettings) -> anyhow::Result<()> {
    let folder = &settings.out;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    // The other programs are commands of the tool, and `ping` alone would hide the system's own page of that name.
    for program in [Program::Porchlight, Program::LambdaProber] {
        let (command, secrets) = command_line(program);
        let mut command = command.disable_help_subcommand(true);
        command.build();
        write_pages(&command, secrets, folder)?;
    }
    Ok(())
}

/// A program's command line, and its secrets, which are no arguments.
fn command_line(program: Program) -> (Command, &'static [SecretSetting]) {
    fn of<S: Settings>() -> (Command, &'static [SecretSetting]) {
        (S::command(), S::SECRETS)
    }
    match program {
        Program::Porchlight => (PorchlightSettings::full_command(), &[]),
        Program::Beacon => of::<BeaconSettings>(),
        Program::Keeper => of::<KeeperSettings>(),
        Program::Ping => of::<PingSettings>(),
        Program::Bandwidth => of::<BandwidthSettings>(),
        Program::Dns => of::<DnsSettings>(),
        Program::Checks => of::<ChecksSettings>(),
        Program::Heartbeat => of::<HeartbeatSettings>(),
        Program::NodeMetrics => of::<NodeSettings>(),
        Program::LambdaProber => of::<ProberSettings>(),
    }
}

/// Writes the page of a command that has been built, and those of its subcommands.
fn write_pages(command: &Command, secrets_of_it: &[SecretSetting], folder: &Path) -> anyhow::Result<()> {
    let page = Man::new(command.clone()).source(concat!("Porchlight ", env!("CARGO_PKG_VERSION")));
    let path = folder.join(page.get_filename());
    fs::write(&path, rendered(&page, command, secrets_of_it)?)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    writeln!(io::stdout(), "{}", path.display())?;
    for subcommand in command.get_subcommands() {
        write_pages(subcommand, secrets(subcommand.get_name()), folder)?;
    }
    Ok(())
}

/// The page's text, with a section for the secrets.
fn rendered(page: &Man, command: &Command, secrets: &[SecretSetting]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    // Long defaults cannot be justified, and flags are not to be hyphenated.
    let mut layout = Roff::default();
    layout.control("ad", ["l"]).control("nh", []);
    layout.to_writer(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    if !secrets.is_empty() {
        let mut section = Roff::default();
        section.control("SH", ["SECRETS"]);
        section
            .text([roman("Each is an environment variable, or a file that the variable with _FILE behind it names.")]);
        for secret in secrets {
            section.control("TP", []);
            section.text([bold(secret.name), roman(", "), bold(format!("{}_FILE", secret.name))]);
            section.text([roman(secret.description())]);
        }
        section.to_writer(&mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn each_program_is_called_what_its_command_line_says() {
        for program in Program::value_variants() {
            let value = program.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), command_line(*program).0.get_name());
        }
    }
}
