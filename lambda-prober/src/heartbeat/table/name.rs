//! How the table is called.

use std::str::FromStr;

/// A table, by its name or by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    name: String,
    region: Option<String>,
}

/// A text that is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a table is named by 3 to 255 letters, digits, . - and _, or by its ARN")]
pub struct WrongTable;

impl TableName {
    /// The name alone.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The region, where the ARN names it.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

impl FromStr for TableName {
    type Err = WrongTable;

    fn from_str(text: &str) -> Result<Self, WrongTable> {
        let text = text.trim();
        let (name, region) = match text.strip_prefix("arn:") {
            Some(arn) => {
                let parts: Vec<&str> = arn.split(':').collect();
                let [_, "dynamodb", region, _, resource] = parts[..] else { return Err(WrongTable) };
                (resource.strip_prefix("table/").ok_or(WrongTable)?, Some(region.to_owned()))
            }
            None => (text, None),
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if !(3..=255).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(WrongTable);
        }
        Ok(Self { name: name.to_owned(), region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_by_its_name_or_its_arn() {
        let read =
            |text: &str| text.parse::<TableName>().map(|it| (it.as_str().to_owned(), it.region().map(str::to_owned)));
        assert_eq!(read("porchlight-heartbeats"), Ok(("porchlight-heartbeats".into(), None)));
        assert_eq!(
            read("arn:aws:dynamodb:eu-central-1:123456789012:table/hearts"),
            Ok(("hearts".into(), Some("eu-central-1".into())))
        );
        for wrong in ["", "ab", "a b c", "arn:aws:s3:::bucket", "arn:aws:dynamodb:eu-central-1:123456789012:table/a/b"]
        {
            assert_eq!(read(wrong), Err(WrongTable), "{wrong}");
        }
    }
}
