//! What programs are kept from. All of it is the kernel's, and Linux alone has it.

use std::{io, path::PathBuf};

/// Keeps every other process of this user from reading this one: its variables, its memory, the files that it has open
/// (`PR_SET_DUMPABLE`, proc(5)); and programs that it starts from reading these files, which hold secrets (landlock(7), in kernels
/// from 5.13 on where it is not switched off). A process that starts scripts calls this first.
///
/// # Errors
/// When the kernel refuses.
#[cfg(target_os = "linux")]
pub fn protect_this_process(secrets: impl IntoIterator<Item = PathBuf>) -> io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    super::hidden::hide(secrets);
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Nothing but Linux has it.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn protect_this_process(_: impl IntoIterator<Item = PathBuf>) -> io::Result<()> {
    Ok(())
}

/// Takes from this thread, and from what it starts, every way to more privileges, and the files of secrets. Other threads keep
/// theirs.
#[cfg(target_os = "linux")]
pub(super) fn this_thread() -> io::Result<()> {
    use rustix::thread::{clear_ambient_capability_set, set_no_new_privs};
    set_no_new_privs(true)?;
    // Those that systemd's AmbientCapabilities= gave this process. Kernels before 4.3 have none.
    let _ = clear_ambient_capability_set();
    super::hidden::from_this_thread()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn this_thread() -> io::Result<()> {
    Ok(())
}
