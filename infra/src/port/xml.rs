//! What routers write, which is XML more or less (pure): the elements in their order, by their names without namespaces. Nothing that
//! was read is kept, so that a long text costs no memory beyond its own.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

/// How deep elements may be in each other: a router's description has ten levels.
const DEEPEST: usize = 64;

/// An element begins, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'text> {
    /// With that name.
    Begin(&'text str),
    /// With that name and, where no other element is in it, that text.
    End(&'text str, &'text str),
}

/// Hands over every element of a text; `None` where it is no XML to its end, or nests without one.
pub(super) fn walk(text: &str, mut take: impl FnMut(Part<'_>)) -> Option<()> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut has_any, mut words) = (0, false, String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(begun) => {
                depth += 1;
                (depth <= DEEPEST).then_some(())?;
                words.clear();
                take(Part::Begin(begun.local_name().as_ref()));
            }
            Event::Empty(alone) => {
                (has_any, words) = (true, String::new());
                take(Part::Begin(alone.local_name().as_ref()));
                take(Part::End(alone.local_name().as_ref(), ""));
            }
            Event::End(ended) => {
                (has_any, depth) = (true, depth - 1);
                take(Part::End(ended.local_name().as_ref(), words.trim()));
                words.clear();
            }
            Event::Text(more) => words.push_str(&more.into_inner()),
            Event::CData(more) => words.push_str(&more.into_inner()),
            Event::GeneralRef(character) => words.push_str(&resolved(character)?),
            // Entities that a text defines for itself are not resolved.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => (),
            Event::Eof => return (depth == 0 && has_any).then_some(()),
        }
    }
}

fn resolved(reference: BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.into());
    }
    resolve_predefined_entity(&reference.into_inner()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let mut read = Vec::new();
        walk(text, |part| {
            read.push(match part {
                Part::Begin(name) => format!("<{name}"),
                Part::End(name, text) => format!("{name}>{text}"),
            });
        })?;
        Some(read)
    }

    #[test]
    fn elements_are_handed_over_by_their_names_alone_with_their_texts() {
        let text =
            "<?xml version=\"1.0\"?><!-- x --><s:a xmlns:s=\"y\"><b> a &amp; &#98; <![CDATA[<c>]]></b><d/></s:a>\r\n";
        assert_eq!(read(text).unwrap(), ["<a", "<b", "b>a & b <c>", "<d", "d>", "a>"]);
    }

    #[test]
    fn what_is_no_xml_to_its_end_is_nothing() {
        let own = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        for text in ["", "714", "<a>", "<a></b>", "<p>Login<br></p>", "{}", "<a>&hearts;</a>", "</a>", own] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"<a>".repeat(5_000)), None, "it nests without end");
    }

    /// Each of 4096 elements declares a name of its own: a reader that keeps for each what all before it have declared would keep
    /// eight million.
    #[test]
    fn a_text_that_declares_ever_more_names_costs_no_more_than_one_that_declares_none() {
        let text = (0..4096).map(|n| format!("<a xmlns:n{n}=\"urn:x\"/>")).collect::<Vec<_>>().concat();
        let mut ends = 0;
        walk(&format!("<r>{text}</r>"), |part| ends += usize::from(matches!(part, Part::End(..)))).unwrap();
        assert_eq!(ends, 4097);
    }
}
