//! Feeds, held against RFC 4287 by a validator of others: the one in Ruby's library, which Debian's `ruby` brings.

use std::{path::Path, time::Duration};

use crate::{
    binaries::root,
    process::{Ended, command, file, run},
    skip::{program, skip},
};

/// Has the feed validated, and a broken copy of it refused, so that the validator is known to do its work. What the validator
/// needs is written into `folder`. `None` where there is no Ruby, which was said then; otherwise how many entries it counted.
///
/// # Panics
/// When the feed is not valid, or the copy without an `id` is.
pub async fn validated(test: &str, folder: &Path, feed: &str) -> Option<usize> {
    let Some(ruby) = program("ruby") else {
        skip(test, "ruby is missing; tests/run installs it");
        return None;
    };
    let ended = validate(&ruby, folder, feed).await;
    assert_eq!(ended.code, Some(0), "{}\n{feed}", ended.stderr);
    let broken = validate(&ruby, folder, &without_last_id(feed)).await;
    assert_eq!(broken.code, Some(1), "a feed without an id is refused: {}", broken.stdout);
    assert!(broken.stderr.contains("tag <id> is missing"), "{}", broken.stderr);
    Some(ended.stdout.trim().parse().expect("a number of entries"))
}

async fn validate(ruby: &Path, folder: &Path, feed: &str) -> Ended {
    let mut validator = command(ruby);
    validator.arg(root().join("tests/clients/atom.rb")).arg(file(folder, "validated.atom", feed));
    run(validator, Duration::from_secs(60)).await
}

/// That of the last entry; of the feed itself where it has none.
fn without_last_id(feed: &str) -> String {
    let begin = feed.rfind("<id>").expect("an id");
    let end = begin + feed[begin..].find("</id>").expect("its end") + "</id>".len();
    format!("{}{}", &feed[..begin], &feed[end..])
}
