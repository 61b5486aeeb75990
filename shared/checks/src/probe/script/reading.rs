//! What a program prints: as much as is kept, and the rest read and thrown away, so that it does not wait for us.

use std::time::Duration;

use tokio::{io::AsyncReadExt, join, net::unix::pipe, time::sleep};

/// How much of the standard output is kept, in bytes: its beginning.
pub(super) const KEPT: usize = 64 << 10;

/// How much of the standard error is kept, in bytes: its end, where what was wrong stands.
const TAIL: usize = 4 << 10;

/// Between two reads of what is thrown away. What floods us gets 8 MB a second, and not a whole processor.
const PAUSE: Duration = Duration::from_millis(1);

/// What was printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// The beginning of the standard output.
    pub(super) stdout: Vec<u8>,
    /// Whether there was more.
    pub(super) is_cut: bool,
    /// The end of the standard error.
    pub(super) stderr: Vec<u8>,
}

impl Printed {
    /// Reads both until both are closed. What was read stays where this is dropped before.
    pub(super) async fn read(&mut self, stdout: pipe::Receiver, stderr: pipe::Receiver) {
        let Self { stdout: kept, is_cut, stderr: tail } = self;
        let head = each(stdout, |bytes| {
            let fits = bytes.len().min(KEPT - kept.len());
            kept.extend_from_slice(&bytes[..fits]);
            *is_cut |= fits < bytes.len();
        });
        let end = each(stderr, |bytes| {
            tail.extend_from_slice(bytes);
            tail.drain(..tail.len().saturating_sub(TAIL));
        });
        join!(head, end);
    }

    /// The end of the standard error, from a whole word on: a part of one may be a part of a secret.
    pub(super) fn whole_stderr(&self) -> &[u8] {
        let is_cut = self.stderr.len() == TAIL;
        let start = self.stderr.iter().position(|byte| !is_cut || byte.is_ascii_whitespace());
        &self.stderr[start.unwrap_or(self.stderr.len())..]
    }
}

async fn each(mut pipe: pipe::Receiver, mut take: impl FnMut(&[u8])) {
    let (mut buffer, mut total) = (vec![0; 8 << 10], 0_usize);
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        take(&buffer[..length]);
        total = total.saturating_add(length);
        if total > KEPT {
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_was_cut_begins_with_a_whole_word() {
        let printed = |stderr: Vec<u8>| Printed { stderr, ..Printed::default() };
        assert_eq!(printed(b"ter2 x".to_vec()).whole_stderr(), b"ter2 x");
        assert_eq!(
            printed([b"ter2 ".as_slice(), &[b'x'; TAIL - 5]].concat()).whole_stderr(),
            [b" ".as_slice(), &[b'x'; TAIL - 5]].concat()
        );
        assert_eq!(printed(vec![b'x'; TAIL]).whole_stderr(), b"");
    }
}
