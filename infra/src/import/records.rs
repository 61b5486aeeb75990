//! Records of a keeper: read from a file, whole or not at all, and sent to a keeper in batches, each of which it takes whole or not
//! at all.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use flate2::bufread::MultiGzDecoder;
use home_beacon::keeper::portable::{End, Head, Record, VERSION};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError},
    http::Method,
    retry,
    settings::WrongSetting,
};
use tokio::time::Instant;

use crate::tokens::in_words;

const IMPORT: &str = "/porchlight/v1/import";

/// How long one batch is tried.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The most records and bytes of a batch: while it is written, readings wait.
const MAX_RECORDS: usize = 500;
const MAX_BYTES: usize = 512 << 10;

/// The longest line.
const MAX_LINE: u64 = 4 << 20;

/// The first bytes of what is compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Sends records to a keeper.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    keeper: &'a Api,
    batch: Vec<Value>,
    bytes: usize,
    /// Records before this batch.
    sent: u64,
    added: BTreeMap<String, u64>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(keeper: &'a Api) -> Self {
        Self { keeper, batch: Vec::new(), bytes: 0, sent: 0, added: BTreeMap::new() }
    }

    pub(super) async fn send(&mut self, record: Record) -> anyhow::Result<()> {
        let record = serde_json::to_value(record)?;
        let length = record.to_string().len();
        if self.batch.len() >= MAX_RECORDS || self.bytes + length > MAX_BYTES {
            self.flush().await?;
        }
        self.bytes += length;
        self.batch.push(record);
        Ok(())
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (count, records) = (self.batch.len(), std::mem::take(&mut self.batch));
        let body = json!({"first_line": self.sent + 1, "records": records});
        let call = || self.keeper.call::<BTreeMap<String, u64>>(Method::POST, IMPORT, Some(&body));
        let added = retry::silently(Instant::now() + TIMEOUT, call).await;
        for (kind, count) in added.map_err(|error: ApiError| in_words(&error))? {
            *self.added.entry(kind).or_default() += count;
        }
        self.sent += u64::try_from(count)?;
        self.bytes = 0;
        Ok(())
    }

    /// Sends the rest, and says what the keeper did not have yet.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        self.flush().await?;
        let left_out = self.added.remove("left_out").unwrap_or_default();
        let added = self.added.iter().filter(|(_, count)| **count > 0);
        let added: Vec<_> = added.map(|(kind, count)| format!("{kind} {count}")).collect();
        if left_out > 0 {
            println!(
                "note: {left_out} records are of checks that are not registered here, or of components that are not here: start \
                 `checks` with its checks.yml, and import once more"
            );
        }
        if added.is_empty() {
            println!("The keeper has all of it already.");
        } else {
            println!("Added: {}.", added.join(", "));
        }
        Ok(())
    }
}

/// Brings what `porchlight export` has written to a keeper.
///
/// # Errors
/// When the file is wrong or cut off: nothing is sent then. When the keeper does not take a record: what came before it is there, and
/// once more adds the rest.
pub(super) async fn import(path: &Path, keeper: &Api) -> anyhow::Result<ExitCode> {
    check(path)?;
    let (mut sender, mut lines) = (Sender::new(keeper), Lines::open(path)?);
    while let Some((_, record)) = lines.next()? {
        sender.send(record).await?;
    }
    sender.finish().await?;
    Ok(ExitCode::SUCCESS)
}

/// How many lines a whole file has.
///
/// # Errors
/// When it is none, or not whole.
pub(crate) fn check(path: &Path) -> Result<u64, WrongSetting> {
    let mut end = None;
    let mut lines = Lines::open(path)?;
    while let Some((line, record)) = lines.next()? {
        match record {
            _ if end.is_some() => return Err(lines.wrong("something stands behind its end: export anew")),
            Record::Porchlight(Head { version, .. }) if version > VERSION => {
                return Err(
                    lines.wrong(&format!("it is of version {version}, and {VERSION} is read: use a newer porchlight"))
                );
            }
            Record::Porchlight(_) => {}
            _ if line == 1 => return Err(lines.wrong("it is no export: porchlight export writes one")),
            Record::End(End { lines }) => end = Some((line, lines)),
            _ => {}
        }
    }
    match end {
        Some((line, lines)) if line == lines => Ok(lines),
        _ => Err(lines.wrong("its end is missing: it was cut off, so take an earlier one, or export anew")),
    }
}

/// The lines of a file, which may be compressed.
struct Lines<'a> {
    path: &'a Path,
    from: Box<dyn BufRead + Send>,
    line: u64,
    text: String,
}

impl<'a> Lines<'a> {
    fn open(path: &'a Path) -> Result<Self, WrongSetting> {
        let cannot = |error: io::Error| WrongSetting(format!("{}: it cannot be read: {error}", path.display()));
        let mut file = BufReader::new(File::open(path).map_err(cannot)?);
        let is_compressed = file.fill_buf().map_err(cannot)?.starts_with(&GZIP);
        let from: Box<dyn BufRead + Send> =
            if is_compressed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        Ok(Self { path, from, line: 0, text: String::new() })
    }

    /// The next record and its line.
    fn next(&mut self) -> Result<Option<(u64, Record)>, WrongSetting> {
        self.text.clear();
        self.line += 1;
        match (&mut self.from).take(MAX_LINE).read_line(&mut self.text) {
            Ok(0) => {
                self.line -= 1;
                return Ok(None);
            }
            Ok(_) if !self.text.ends_with('\n') => return Err(self.wrong("it ends within this line: it was cut off")),
            Ok(_) => {}
            Err(error) => return Err(self.wrong(&format!("it cannot be read on: {error}: it may have been cut off"))),
        }
        let record = serde_json::from_str(&self.text).map_err(|error| self.wrong(&error.to_string()))?;
        Ok(Some((self.line, record)))
    }

    fn wrong(&self, sentence: &str) -> WrongSetting {
        WrongSetting(format!("{}:{}: {sentence}", self.path.display(), self.line))
    }
}
