//! `porchlight copy`: this program into another folder. A container whose image has plugins, and not this program, gets it so from
//! one that has.

use std::{env, fs};

use anyhow::Context;

use crate::settings::CopySettings;

/// Writes a copy of this executable into the folder, whole or not at all.
///
/// # Errors
/// When this executable cannot be read, or the folder not written.
pub fn copy(settings: &CopySettings) -> anyhow::Result<()> {
    let own = env::current_exe().context("this program does not know where its file is")?;
    let folder = &settings.folder;
    let (whole, partial) = (folder.join("porchlight"), folder.join(".porchlight.partial"));
    fs::copy(&own, &partial).with_context(|| format!("{} cannot be written", partial.display()))?;
    fs::rename(&partial, &whole).with_context(|| format!("{} cannot be written", whole.display()))?;
    Ok(())
}
