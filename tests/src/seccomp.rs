//! A program that the kernel refuses something: as a kernel without it, or a container's profile, would.

use tokio::process::Command;

use crate::{process::command, skip::program};

/// A call of the kernel that is answered with an error.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// By its number, on x86-64 and on others (which share a table).
    number: [u32; 2],
    /// Only with this first argument.
    first: Option<u32>,
    error: u32,
}

/// `socket(AF_INET6)` as with `ipv6.disable=1`: EAFNOSUPPORT.
pub const IPV6: &[Refused] = &[Refused { number: [41, 198], first: Some(10), error: 97 }];

/// adjtimex and `clock_adjtime`: EPERM.
pub const ASKING_THE_CLOCK: &[Refused] =
    &[Refused { number: [159, 171], first: None, error: 1 }, Refused { number: [305, 266], first: None, error: 1 }];

/// Installs the filter that it is given, and becomes the program.
const SCRIPT: &str = r"
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(bytes.fromhex(sys.argv[1]))
program = struct.pack('HxxxxxxQ', (len(code) - 1) // 8, ctypes.addressof(code))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0, ctypes.get_errno()
os.execvp(sys.argv[2], sys.argv[2:])
";

/// The same command, refused these; `None` where that cannot be done.
pub fn refusing(calls: &[Refused], outside: &Command) -> Option<Command> {
    let outside = outside.as_std();
    let mut inside = command(program("python3")?);
    inside.args(["-c", SCRIPT, &filter(calls)]).arg(outside.get_program()).args(outside.get_args());
    for (name, value) in outside.get_envs() {
        if let Some(value) = value {
            inside.env(name, value);
        }
    }
    Some(inside)
}

/// The filter (seccomp(2)) in hexadecimal digits: load the number, or the first argument; skip where it is another; answer.
fn filter(calls: &[Refused]) -> String {
    const LOAD: u16 = 0x20;
    const EQUALS: u16 = 0x15;
    const ANSWER: u16 = 0x06;
    let mut steps: Vec<(u16, u8, u32)> = Vec::new();
    for call in calls {
        let number = call.number[usize::from(!cfg!(target_arch = "x86_64"))];
        steps.push((LOAD, 0, 0));
        steps.push((EQUALS, if call.first.is_some() { 3 } else { 1 }, number));
        if let Some(first) = call.first {
            steps.extend([(LOAD, 0, 16), (EQUALS, 1, first)]);
        }
        steps.push((ANSWER, 0, 0x5_0000 | call.error));
    }
    steps.push((ANSWER, 0, 0x7fff_0000));
    let bytes = steps.into_iter().flat_map(|(code, skip, value)| {
        let [low, high] = code.to_le_bytes();
        let [a, b, c, d] = value.to_le_bytes();
        [low, high, 0, skip, a, b, c, d]
    });
    bytes.fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
