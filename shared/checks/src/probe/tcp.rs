//! A connection over TCP, and the first words on it.

use regex::Regex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout_at},
};

use super::{
    Prober,
    connect::{Connection, Tls, borrowed, broken, host_of},
    run::{Finding, Run, seconds},
};
use crate::{cause::Cause, check::TcpCheck, outcome::Outcome};

/// How much is read until the banner must have come, in bytes.
const MAX_BANNER: usize = 4 << 10;

pub(super) async fn run(prober: &Prober, check: &TcpCheck, until: Instant) -> Outcome {
    let mut run = Run::new(until);
    let result = probe(prober, check, &mut run).await;
    run.end(result)
}

async fn probe(prober: &Prober, check: &TcpCheck, run: &mut Run) -> Result<String, Finding> {
    let host = host_of(&check.host)?;
    let words = check.send.as_ref().map(|text| run.read_whole(text)).transpose()?;
    let tls = check.tls.then_some(Tls { verify: check.verify, protocols: &[] });
    let mut stream = prober.connect(run, &borrowed(&host), check.port, tls).await?;
    let connected = run.elapsed();
    if let Some(words) = words {
        let sent = async {
            let sent = async {
                stream.write_all(words.as_bytes()).await?;
                stream.flush().await
            };
            sent.await.map_err(|error| broken(&error, "while it was written to"))
        };
        run.phase(|phases| &mut phases.answer, "what is to be sent was not taken", sent).await?;
    }
    let Some(banner) = &check.banner else { return Ok(format!("connected in {}", seconds(connected))) };
    let start = Instant::now();
    let (read, end) = read_until(&mut *stream, banner, run.until).await;
    run.note(|phases| &mut phases.answer, start.elapsed());
    let read = String::from_utf8_lossy(&read);
    match end {
        End::Matched => Ok(format!("it said {}", run.quoted(&read))),
        // What was not understood is the cause, whatever came after it.
        _ if !read.is_empty() => {
            let text = format!("it said {}, in which /{banner}/ is not found", run.quoted(&read));
            Err(Finding::new(Cause::Body, text))
        }
        End::Closed | End::Full => Err(Finding::new(Cause::Reset, "the connection was closed before a word was said")),
        End::Broken(finding) => Err(finding),
        End::Late => Err(run.too_late("connected, but no word was said")),
    }
}

/// Why no more is read.
enum End {
    Matched,
    Closed,
    Full,
    Late,
    Broken(Finding),
}

/// Reads until what has come matches, and no further than [`MAX_BANNER`].
async fn read_until(stream: &mut dyn Connection, banner: &Regex, until: Instant) -> (Vec<u8>, End) {
    let (mut read, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        let piece = buffer.len().min(MAX_BANNER - read.len());
        if piece == 0 {
            return (read, End::Full);
        }
        let end = match timeout_at(until, stream.read(&mut buffer[..piece])).await {
            Err(_) => End::Late,
            Ok(Err(error)) => End::Broken(broken(&error, "before a word was said")),
            Ok(Ok(0)) => End::Closed,
            Ok(Ok(length)) => {
                read.extend_from_slice(&buffer[..length]);
                if !banner.is_match(&String::from_utf8_lossy(&read)) {
                    continue;
                }
                End::Matched
            }
        };
        return (read, end);
    }
}
