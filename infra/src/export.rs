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
    #[arg(long, value_name = "FILE", default_value = "-", conflicts_with = "into")]
    pub out: PathBuf,
    /// A folder instead, in which each export is a new file that its time is the name of
    #[arg(long, value_name = "DIR", env = "EXPORT_DIR")]
    pub into: Option<PathBuf>,
    /// How many of them are kept there: the newest
    #[arg(long, value_name = "NUMBER", env = "EXPORT_KEEP", default_value = "48")]
    pub keep: NonZeroUsize,
    #[command(flatten)]
    pub asked: AskedSettings,
}

/// Writes the file whole or not at all, reads it again, and only then removes what is too much beside it.
///
/// # Errors
/// When the keeper does not answer, or the file cannot be written or read again.
pub async fn export(settings: &ExportSettings) -> anyhow::Result<ExitCode> {
    let keeper = keeper(&settings.asked)?;
    let out = match &settings.into {
        Some(folder) => {
            let now = Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
            folder.join(format!("{PREFIX}{now}{SUFFIX}"))
        }
        None if settings.out == Path::new("-") => {
            write_all(&keeper, BufWriter::new(io::stdout())).await?.flush()?;
            return Ok(ExitCode::SUCCESS);
        }
        None => settings.out.clone(),
    };
    let partial = beside(&out);
    let written = to_file(&keeper, &out, &partial).await;
    if let Err(error) = written {
        // What is half written is of no use.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    println!("{}", out.display());
    if let Some(folder) = &settings.into {
        prune(folder, settings.keep.get()).with_context(|| format!("{}: what is too old stays", folder.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn to_file(keeper: &Api, out: &Path, partial: &Path) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", out.display());
    // What was left of one that was cut off.
    let _ = fs::remove_file(partial);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial).with_context(cannot)?;
    let file = if out.extension().is_some_and(|end| end == "gz") {
        write_all(keeper, GzEncoder::new(BufWriter::new(file), Compression::default())).await?.finish()
    } else {
        Ok(write_all(keeper, BufWriter::new(file)).await?)
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

async fn write_all<W: Write>(keeper: &Api, mut to: W) -> anyhow::Result<W> {
    #[derive(Deserialize)]
    struct Page {
        records: Vec<Value>,
        next: Option<String>,
    }
    let (mut lines, mut path) = (1, EXPORT.to_owned());
    loop {
        let call = || keeper.call::<Page>(Method::GET, &path, None);
        let page = retry::silently(Instant::now() + TIMEOUT, call).await;
        let Page { records, next } = page.map_err(|error: ApiError| in_words(&error))?;
        for record in &records {
            writeln!(to, "{record}")?;
        }
        lines += u64::try_from(records.len())?;
        let Some(next) = next else { break };
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("after", &next).finish();
        path = format!("{EXPORT}?{query}");
    }
    writeln!(to, "{}", json!(Record::End(End { lines })))?;
    Ok(to)
}

/// Removes all but the newest exports of a folder.
fn prune(folder: &Path, keep: usize) -> io::Result<()> {
    let mut exports = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            exports.push(name);
        }
    }
    // A time in its name is in the order of time.
    exports.sort();
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
        prune(folder.path(), 2).unwrap();
        prune(folder.path(), 2).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["notes.txt", "porchlight-20200101T000000Z.db", names[2], names[0]]);
    }
}
