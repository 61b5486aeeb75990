//! `porchlight export`: what a keeper knows, in a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    num::NonZeroUsize,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Parser;
use flate2::{Compression, write::GzEncoder};
use home_beacon::keeper::portable::{End, Record};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError},
    http::Method,
    retry,
};
use tokio::time::Instant;
use url::form_urlencoded;

use crate::{
    import::records,
    tokens::{AskedSettings, in_words, keeper},
};

const EXPORT: &str = "/porchlight/v1/export";

/// How long one page is tried.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What each file in a folder begins and ends with.
const PREFIX: &str = "porchlight-";
const SUFFIX: &str = ".jsonl.gz";

/// Write what a keeper knows to a file: a record a line, as JSON, which porchlight import porchlight takes in again.
///
/// Components with their past, looks, incidents, checks, metrics and readings are in it; tokens, notices, what waits for upstream, the
/// seed and checks.yml are not. A file whose name ends in .gz is compressed.
#[derive(Clone, Debug, Parser)]
pub struct ExportSettings {
    /// The file that is written; - is stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// A folder, where no file is named: each export is a new file there, with its time as its name
    #[arg(long, value_name = "DIR", env = "EXPORT_DIR")]
    pub into: Option<PathBuf>,
    /// How many of them are kept there: the newest
    #[arg(long, value_name = "NUMBER", env = "EXPORT_KEEP", default_value = "48")]
    pub keep: NonZeroUsize,
    #[command(flatten)]
    pub asked: AskedSettings,
}

/// Writes the file whole or not at all, and reads it again. In a folder, what is too much goes before, so that there is room.
///
/// # Errors
/// When the keeper does not answer, or the file cannot be written or read again.
pub async fn export(settings: &ExportSettings) -> anyhow::Result<ExitCode> {
    let keeper = keeper(&settings.asked)?;
    let is_named = settings.out != Path::new("-");
    let Some(folder) = settings.into.as_deref().filter(|_| !is_named) else {
        if is_named {
            to_file(&keeper, first(&keeper).await?, &settings.out, &beside(&settings.out)).await?;
            println!("{}", settings.out.display());
        } else {
            write_all(&keeper, first(&keeper).await?, BufWriter::new(io::stdout())).await?.flush()?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    prune(folder, settings.keep.get() - 1, None)
        .with_context(|| format!("{}: what is too old stays", folder.display()))?;
    let begun = first(&keeper).await?;
    let now = begun.exported_at()?.to_zoned(TimeZone::UTC);
    let name = format!("{PREFIX}{}{SUFFIX}", now.strftime("%Y%m%dT%H%M%SZ"));
    // Of one name, so that what was cut off is written over, and fills no disk.
    to_file(&keeper, begun, &folder.join(&name), &folder.join(".porchlight-export.partial")).await?;
    prune(folder, settings.keep.get(), Some(&name))
        .with_context(|| format!("{}: what is too old stays", folder.display()))?;
    println!("{}", folder.join(name).display());
    Ok(ExitCode::SUCCESS)
}

/// Writes `partial`, reads it again, and gives it its name.
async fn to_file(keeper: &Api, begun: Page, out: &Path, partial: &Path) -> anyhow::Result<()> {
    let written = write_file(keeper, begun, out, partial).await;
    if written.is_err() {
        // What is half written is of no use.
        let _ = fs::remove_file(partial);
    }
    written
}

async fn write_file(keeper: &Api, begun: Page, out: &Path, partial: &Path) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", out.display());
    // What was left of one that was cut off.
    let _ = fs::remove_file(partial);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial).with_context(cannot)?;
    let file = if out.extension().is_some_and(|end| end == "gz") {
        write_all(keeper, begun, GzEncoder::new(BufWriter::new(file), Compression::default())).await?.finish()
    } else {
        Ok(write_all(keeper, begun, BufWriter::new(file)).await?)
    };
    let file: File = file.and_then(|file| Ok(file.into_inner()?)).with_context(cannot)?;
    file.sync_all().with_context(cannot)?;
    records::check(partial)?;
    fs::rename(partial, out).with_context(cannot)
}

/// A name in the same folder, which none of the exports has.
fn beside(out: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(out.file_name().unwrap_or_default());
    name.push(".partial");
    out.with_file_name(name)
}

/// Some records, and where the next ones are.
#[derive(Debug, Deserialize)]
struct Page {
    records: Vec<Value>,
    next: Option<String>,
}

impl Page {
    /// When the keeper began.
    fn exported_at(&self) -> anyhow::Result<Timestamp> {
        let head = self.records.first().map(|head| &head["porchlight"]["exported_at"]);
        let time = head.and_then(Value::as_str).and_then(|time| time.parse().ok());
        time.context("the keeper does not say when it is: is it of an older version?")
    }
}

async fn first(keeper: &Api) -> anyhow::Result<Page> {
    page(keeper, EXPORT).await
}

async fn page(keeper: &Api, path: &str) -> anyhow::Result<Page> {
    let page = retry::silently(Instant::now() + TIMEOUT, || keeper.call(Method::GET, path, None)).await;
    page.map_err(|error: ApiError| in_words(&error))
}

async fn write_all<W: Write>(keeper: &Api, begun: Page, mut to: W) -> anyhow::Result<W> {
    let (mut lines, mut next) = (1, begun);
    loop {
        for record in &next.records {
            writeln!(to, "{record}")?;
        }
        lines += u64::try_from(next.records.len())?;
        let Some(after) = next.next else { break };
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("after", &after).finish();
        next = page(keeper, &format!("{EXPORT}?{query}")).await?;
    }
    writeln!(to, "{}", json!(Record::End(End { lines })))?;
    Ok(to)
}

/// Removes all but the newest exports of a folder, and at least one, by the times in their names; `new` stays whatever its time is.
fn prune(folder: &Path, keep: usize, new: Option<&str>) -> io::Result<()> {
    let mut exports = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX) && new != Some(name);
        if name.to_str().is_some_and(is_ours) {
            exports.push(name);
        }
    }
    // A time in its name is in the order of time.
    exports.sort();
    let keep = if new.is_some() { keep - 1 } else { keep.max(1) };
    let surplus = exports.len().saturating_sub(keep);
    exports[..surplus].iter().try_for_each(|name| fs::remove_file(folder.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_nothing_else_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "porchlight-20261130T010000Z.jsonl.gz",
            "porchlight-20261129T230000Z.jsonl.gz",
            "porchlight-20261130T000000Z.jsonl.gz",
        ];
        for name in names.into_iter().chain(["notes.txt", "porchlight-20200101T000000Z.db"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        prune(folder.path(), 2, None).unwrap();
        prune(folder.path(), 2, None).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        prune(folder.path(), 1, Some(names[2])).unwrap();
        assert!(!folder.path().join(names[0]).exists(), "what was just written stays, whatever its time is");
        prune(folder.path(), 0, None).unwrap();
        assert!(folder.path().join(names[2]).exists(), "never the only one");
        assert_eq!(left, ["notes.txt", "porchlight-20200101T000000Z.db", names[2], names[0]]);
    }
}
