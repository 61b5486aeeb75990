//! How the page looks by its owner's word: a logo and an accent colour. Both are checked at the start, so that a page never
//! stands there with a broken picture, or with links that nobody can read.

use std::{fmt, fs, path::Path};

use axum::body::Bytes;

use super::SeedPage;

/// The largest logo, in bytes: each visitor loads it, over a home's upload.
const MAX_LOGO: u64 = 100 * 1024;

/// What text on the page needs (WCAG 2, AA).
const LEAST_CONTRAST: f64 = 4.5;

/// What stands behind the text in the light and in the dark, as in `templates/page.css`.
const LIGHT: [&str; 2] = ["#f6f7f9", "#ffffff"];
const DARK: [&str; 2] = ["#12171d", "#1b222b"];

/// What the page looks like, besides its own design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// Stands beside the name.
    pub logo: Option<Logo>,
    /// Of links and curves, in the light and in the dark; the page's own where there is none.
    pub accents: [Option<Colour>; 2],
}

/// A picture of a kind that browsers show.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// As `Content-Type` has it.
    pub kind: &'static str,
    /// The file.
    pub bytes: Bytes,
}

/// A colour written like `#2459a9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Branding {
    /// What the seed says, its files read from `folder` where they are not absolute.
    ///
    /// # Errors
    /// When a file is no picture or too large, or a colour cannot be read on the page; one sentence.
    pub(super) fn read(page: &SeedPage, folder: &Path) -> Result<Self, String> {
        let accent = |field, text: &Option<String>, behind| {
            text.as_deref().map(|text| accent(text, behind)).transpose().map_err(|what| format!("{field}: {what}"))
        };
        let logo = page.logo.as_ref().map(|path| Logo::read(&folder.join(path)));
        Ok(Self {
            logo: logo.transpose().map_err(|what| format!("logo: {what}"))?,
            accents: [accent("accent", &page.accent, LIGHT)?, accent("accent_dark", &page.accent_dark, DARK)?],
        })
    }

    /// What it adds to the page's style sheet.
    pub fn style(&self) -> String {
        let [light, dark] =
            self.accents.map(|accent| accent.map(|accent| format!(":root {{ --accent: {accent}; }}\n")));
        let dark =
            dark.map(|rule| format!("@media screen and (prefers-color-scheme: dark) {{ {} }}\n", rule.trim_end()));
        // A light accent would stand in the dark, too, where it was not checked.
        let light =
            light.map(|rule| format!("@media print, (prefers-color-scheme: light) {{ {} }}\n", rule.trim_end()));
        [light, dark].into_iter().flatten().collect()
    }
}

impl Logo {
    fn read(path: &Path) -> Result<Self, String> {
        let unreadable = |error| format!("{} cannot be read ({error})", path.display());
        let file = fs::metadata(path).map_err(unreadable)?;
        if !file.is_file() {
            return Err(format!("{} is no file", path.display()));
        }
        if file.len() > MAX_LOGO {
            let size = file.len();
            return Err(format!("{} has {size} bytes, and {MAX_LOGO} are allowed: make it smaller", path.display()));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        let kind = kind(&bytes).ok_or_else(|| {
            format!("{} is no image that browsers show: name an SVG, PNG, JPEG, WebP or GIF file", path.display())
        })?;
        Ok(Self { kind, bytes: bytes.into() })
    }
}

/// The kind of a picture by its bytes, whatever the file is called.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    if imagesize::blob_size(bytes).is_ok_and(|size| size.width > 0 && size.height > 0) {
        return match imagesize::image_type(bytes).ok()? {
            imagesize::ImageType::Png => Some("image/png"),
            imagesize::ImageType::Jpeg => Some("image/jpeg"),
            imagesize::ImageType::Webp => Some("image/webp"),
            imagesize::ImageType::Gif => Some("image/gif"),
            _ => None,
        };
    }
    is_svg(std::str::from_utf8(bytes).ok()?).then_some("image/svg+xml")
}

/// Whether the first element is `svg`, and the last one ends it.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim();
    for (begins, ends) in [("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"), ("<!--", "-->")] {
        while let Some(inside) = rest.strip_prefix(begins) {
            // A DOCTYPE may declare entities in brackets.
            let declares = begins == "<!DOCTYPE" && inside.find('[') < inside.find('>') && inside.contains('[');
            let Some((_, after)) = inside.split_once(if declares { "]>" } else { ends }) else { return false };
            rest = after.trim_start();
        }
    }
    while let Some((before, _)) = rest.strip_suffix("-->").and_then(|inside| inside.rsplit_once("<!--")) {
        rest = before.trim_end();
    }
    let first = rest.strip_prefix("<svg").and_then(|after| after.chars().next());
    first.is_some_and(|next| next.is_whitespace() || next == '>') && rest.ends_with("</svg>")
}

fn accent(text: &str, behind: [&str; 2]) -> Result<Colour, String> {
    let colour = Colour::parse(text).ok_or_else(|| format!("`{text}` is no colour: write it like #2459a9"))?;
    let worst = behind.iter().filter_map(|text| Some((text, contrast(colour, Colour::parse(text)?))));
    let Some((behind, worst)) = worst.min_by(|(_, one), (_, other)| one.total_cmp(other)) else { return Ok(colour) };
    if worst < LEAST_CONTRAST {
        let way = if LIGHT.contains(behind) { "darker" } else { "lighter" };
        return Err(format!(
            "{colour} cannot be read on the page's {behind}: their contrast is {worst:.1} to 1, and text needs \
             {LEAST_CONTRAST} to 1; choose a {way} one"
        ));
    }
    Ok(colour)
}

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        // A sign would be read as one.
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| Some(Self([part(0)?, part(2)?, part(4)?])))?
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logo").field("kind", &self.kind).field("bytes", &self.bytes.len()).finish()
    }
}

/// As WCAG 2 defines it: from 1, none, to 21, black on white.
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Colour(parts): Colour) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = parts.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One pixel, as small as the format allows.
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, other, expected) in
            [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#2459a9", "#2459a9", 1.0)]
        {
            let contrast = contrast(colour(one), colour(other));
            assert!((contrast - expected).abs() < 0.01, "{one} on {other}: {contrast}");
        }
    }

    #[test]
    fn an_accent_can_be_read_on_the_page() {
        assert_eq!(accent("#2459A9", LIGHT).unwrap().to_string(), "#2459a9");
        assert!(accent("#8ab8ff", DARK).is_ok());
        for (text, behind, message) in [
            (
                "#ffcc00",
                LIGHT,
                "#ffcc00 cannot be read on the page's #f6f7f9: their contrast is 1.4 to 1, and text needs 4.5 to 1; choose a darker one",
            ),
            ("#2459a9", DARK, "choose a lighter one"),
            ("blue", LIGHT, "`blue` is no colour: write it like #2459a9"),
            ("#12345", LIGHT, "is no colour"),
            ("#+12345", LIGHT, "is no colour"),
            ("#ééé", LIGHT, "is no colour"),
        ] {
            let error = accent(text, behind).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn what_is_behind_the_text_is_what_the_style_sheet_says() {
        let style = include_str!("../../../templates/page.css");
        let values = |name: &str| -> Vec<Colour> {
            let named = style.match_indices(name).map(|(at, _)| &style[at + name.len()..]);
            named.filter_map(|rest| Colour::parse(&rest[..rest.find(';')?].replace("#fff", "#ffffff")[..7])).collect()
        };
        let of = |texts: [&str; 2]| texts.map(colour);
        let ([back, dark_back], [card, dark_card]) = (of([LIGHT[0], DARK[0]]), of([LIGHT[1], DARK[1]]));
        assert_eq!(values("--back: "), [back, dark_back]);
        assert_eq!(values("--card: "), [card, dark_card]);
    }

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (bytes, expected) in [
            (GIF, Some("image/gif")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", Some("image/svg+xml")),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- ours -->\n<svg>\n</svg>\n", Some("image/svg+xml")),
            (b"<!DOCTYPE svg [ <!ENTITY x \"y\"> ]>\n<svg></svg>\n<!-- the end -->\n", Some("image/svg+xml")),
            (b"<html><svg></svg></html>", None),
            (b"<svgs></svgs>", None),
            (b"<svg>", None),
            (b"BM", None),
            (b"", None),
            (b"\x89PNG\r\n", None),
        ] {
            assert_eq!(kind(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_logo_is_read_beside_the_seed_and_has_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("logo", GIF);
        write("text", b"a logo");
        write("large", &vec![b'x'; 100 * 1024 + 1]);
        let read = |name: &str| Logo::read(&folder.path().join(name));
        assert_eq!(read("logo").unwrap().kind, "image/gif");
        for (name, message) in [
            ("text", "is no image that browsers show"),
            ("large", "102401 bytes, and 102400 are"),
            ("none", "cannot be read"),
        ] {
            let error = read(name).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn each_accent_stands_where_it_was_checked() {
        let branding = Branding { logo: None, accents: [Some(colour("#005522")), None] };
        let style = "@media print, (prefers-color-scheme: light) { :root { --accent: #005522; } }\n";
        assert_eq!(branding.style(), style);
        let branding = Branding { logo: None, accents: [None, Some(colour("#aaffcc"))] };
        assert_eq!(
            branding.style(),
            "@media screen and (prefers-color-scheme: dark) { :root { --accent: #aaffcc; } }\n"
        );
        assert_eq!(Branding::default().style(), "");
    }
}
