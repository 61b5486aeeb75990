//! A result that a check posts, in Pinglow's form: `{"output": …, "status": …, "image_jpg_base64": …}`. Pure.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use checks::{outcome::Outcome, performance::Figure, probe::script::said};
use imagesize::ImageType;
use serde_json::{Map, Value};

use super::pinglow::Status;

/// The largest picture, in bytes.
const MAX_PICTURE: usize = 1 << 20;

/// A result.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::keeper) struct Posted {
    status: Status,
    text: String,
    figures: Vec<Figure>,
    /// What was said, as it was.
    pub(in crate::keeper) output: String,
    pub(in crate::keeper) picture: Option<Picture>,
}

/// A JPEG, in base64.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::keeper) struct Picture(String);

impl Posted {
    /// Other fields say nothing, as at Pinglow.
    ///
    /// # Errors
    /// What is wrong, in a sentence that begins with the field.
    pub(in crate::keeper) fn read(mut body: Map<String, Value>) -> Result<Self, String> {
        let output = match body.remove("output") {
            Some(Value::String(output)) => output,
            Some(_) => return Err("output: must be a text, like \"42 files|files=42\"".into()),
            None => {
                return Err("output: is missing; a result is {\"output\": \"42 files|files=42\", \"status\": 0}".into());
            }
        };
        let status = body
            .remove("status")
            .and_then(|status| read_status(&status))
            .ok_or("status: must be 0 to 4, or Ok, Warning, Critical, CheckError or Pending, which these stand for")?;
        let picture = match body.remove("image_jpg_base64") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(Picture::read(&text)?),
            Some(_) => return Err("image_jpg_base64: must be a JPEG in base64, as a text".into()),
        };
        let said = said(&separated(&output));
        let text = match (said.text.is_empty(), said.long_text) {
            (false, _) => said.text,
            (true, Some(long)) => long,
            (true, None) => format!("It called, and said {} without a word.", status.label()),
        };
        Ok(Self { status, text, figures: said.parsed.figures, output, picture })
    }

    /// What the run came to.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            state: self.status.state(),
            cause: self.status.cause(),
            figures: self.figures.clone(),
            ..Outcome::ok(self.text.clone())
        }
    }
}

impl Picture {
    fn read(text: &str) -> Result<Self, String> {
        // `base64` breaks its lines.
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(&text).map_err(
            |_| "image_jpg_base64: is no base64; send the picture alone, without `data:image/jpeg;base64,` before it",
        )?;
        if bytes.len() > MAX_PICTURE {
            return Err(format!(
                "image_jpg_base64: the picture has {} bytes, and may have {MAX_PICTURE}: send a smaller one",
                bytes.len()
            ));
        }
        let is_jpeg = matches!(imagesize::image_type(&bytes), Ok(ImageType::Jpeg))
            && imagesize::blob_size(&bytes).is_ok_and(|size| size.width > 0 && size.height > 0);
        if !is_jpeg {
            return Err("image_jpg_base64: is no JPEG: send one, or leave it out".into());
        }
        Ok(Self(text))
    }

    /// In base64.
    pub(in crate::keeper) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} characters)", self.0.len())
    }
}

fn read_status(written: &Value) -> Option<Status> {
    match written {
        Value::Number(number) => Status::ALL.get(usize::try_from(number.as_u64()?).ok()?).copied(),
        Value::String(label) => Status::ALL.into_iter().find(|status| status.label() == label),
        _ => None,
    }
}

/// Pinglow separates figures by commas, plugins by blanks: a comma before another `key=` becomes a blank.
fn separated(output: &str) -> String {
    let (text, Some((figures, rest))) = (output.split('|').next().unwrap_or_default(), behind(output)) else {
        return output.to_owned();
    };
    let (mut written, mut is_quoted) = (String::new(), false);
    for (at, c) in figures.char_indices() {
        is_quoted ^= c == '\'';
        let next = &figures[at + c.len_utf8()..];
        let next = next.split(|c: char| c == ',' || c.is_whitespace()).next().unwrap_or_default();
        written.push(if c == ',' && !is_quoted && next.contains('=') { ' ' } else { c });
    }
    format!("{text}|{written}{rest}")
}

/// The figures of the first line that has any, and what follows that line.
fn behind(output: &str) -> Option<(&str, &str)> {
    let (_, behind) = output.split_once('|')?;
    Some(behind.split_at(behind.find('\n').unwrap_or(behind.len())))
}

#[cfg(test)]
mod tests {
    use checks::outcome::State;
    use serde_json::json;

    use super::*;

    /// The smallest of what says that it is a JPEG: of 2 by 3 pixels.
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x0b\x08\x00\x03\x00\x02\x01\x01\x11\x00\xff\xd9";

    fn read(body: Value) -> Result<Posted, String> {
        let Value::Object(body) = body else { unreachable!() };
        Posted::read(body)
    }

    fn figures(output: &str) -> Vec<String> {
        read(json!({"output": output, "status": 0})).unwrap().figures.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn figures_are_read_as_pinglow_has_them_and_as_plugins_have_them() {
        for (output, expected) in [
            ("all is well|time=0.5,files=42", &["time=0.5", "files=42"][..]),
            ("all is well|time=0.5, files=42", &["time=0.5", "files=42"]),
            ("all is well | time=0.5s;1;2;0 files=42", &["time=0.5s;1;2;0", "files=42"]),
            ("load|load1=0,52;5,0 load5=0,4", &["load1=0.52;5,0", "load5=0.4"]),
            ("two|'a,b=c'=1,d=2", &["'a,b=c'=1", "d=2"]),
            ("a\nmore|x=1,y=2\nz=3", &["x=1", "y=2", "z=3"]),
            ("no figures", &[]),
            ("", &[]),
        ] {
            assert_eq!(figures(output), expected, "{output}");
        }
    }

    #[test]
    fn a_status_is_its_number_or_its_word() {
        for (number, word, state, text) in [
            (0, "Ok", State::Ok, "fine"),
            (1, "Warning", State::Warning, "fine"),
            (2, "Critical", State::Critical, "fine"),
            (3, "CheckError", State::Unknown, "fine"),
            (4, "Pending", State::Unknown, "fine"),
        ] {
            for status in [json!(number), json!(word)] {
                let outcome = read(json!({"output": "fine|a=1", "status": status, "other": 1})).unwrap().outcome();
                assert_eq!((outcome.state, outcome.text.as_str()), (state, text));
            }
        }
        let silent = read(json!({"output": "|a=1", "status": 2})).unwrap().outcome();
        assert_eq!(silent.text, "It called, and said Critical without a word.");
    }

    #[test]
    fn a_picture_is_a_jpeg_in_base64() {
        let picture = STANDARD.encode(JPEG);
        let wrapped = format!("{}\n{}\n", &picture[..20], &picture[20..]);
        for text in [&picture, &wrapped] {
            let posted = read(json!({"output": "", "status": 0, "image_jpg_base64": text})).unwrap();
            assert_eq!(posted.picture.as_ref().map(Picture::text), Some(picture.as_str()));
            assert!(!format!("{posted:?}").contains(&picture[..20]));
        }
        assert_eq!(read(json!({"output": "", "status": 0, "image_jpg_base64": null})).unwrap().picture, None);
    }

    #[test]
    fn what_is_wrong_is_said_by_its_field() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0");
        let large = STANDARD.encode([JPEG, &vec![0; MAX_PICTURE]].concat());
        let picture = |text: &str| json!({"output": "", "status": 0, "image_jpg_base64": text});
        for (body, expected) in [
            (json!({"status": 0}), "output: is missing"),
            (json!({"output": 5, "status": 0}), "output: must be a text"),
            (json!({"output": ""}), "status: must be 0 to 4"),
            (json!({"output": "", "status": 5}), "status: must be 0 to 4"),
            (json!({"output": "", "status": -1}), "status: must be 0 to 4"),
            (json!({"output": "", "status": 1.5}), "status: must be 0 to 4"),
            (json!({"output": "", "status": "ok"}), "status: must be 0 to 4"),
            (json!({"output": "", "status": 0, "image_jpg_base64": 7}), "image_jpg_base64: must be a JPEG"),
            (picture("data:image/jpeg;base64,/9j/"), "image_jpg_base64: is no base64"),
            (picture(""), "image_jpg_base64: is no JPEG"),
            (picture(&png), "image_jpg_base64: is no JPEG"),
            (picture(&STANDARD.encode(&JPEG[..12])), "image_jpg_base64: is no JPEG"),
            (picture(&large), "image_jpg_base64: the picture has 1048611 bytes, and may have 1048576"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
