//! As much of the syntax of Alloy's configuration as the example is written in: blocks with a name and perhaps a label, and
//! attributes whose values are texts, truths, lists, maps and references. It is ours, because Alloy's own parser is in no registry
//! of ours, and stricter: it knows no escapes, numbers, calls or operators.

use std::collections::BTreeMap;

/// A block, with what is in it in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) blocks: Vec<Self>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Truth(bool),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
    /// What another component exports.
    Reference(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Mark(char),
    LineEnd,
}

impl Block {
    /// The text of an attribute that is one.
    pub(crate) fn text(&self, attribute: &str) -> &str {
        self.value(attribute).text()
    }

    /// The texts of an attribute that maps names to such.
    pub(crate) fn texts(&self, attribute: &str) -> BTreeMap<&str, &str> {
        let Value::Map(map) = self.value(attribute) else { panic!("{}: {attribute} is no map", self.name) };
        map.iter().map(|(name, value)| (name.as_str(), value.text())).collect()
    }

    /// The texts of an attribute that lists such.
    pub(crate) fn list(&self, attribute: &str) -> Vec<&str> {
        let Value::List(list) = self.value(attribute) else { panic!("{}: {attribute} is no list", self.name) };
        list.iter().map(Value::text).collect()
    }

    fn value(&self, attribute: &str) -> &Value {
        self.attributes.get(attribute).unwrap_or_else(|| panic!("{} has {attribute}", self.name))
    }
}

impl Value {
    fn text(&self) -> &str {
        let Self::Text(text) = self else { panic!("{self:?} is no text") };
        text
    }
}

/// What a file says, as a block without a name.
///
/// # Errors
/// What is wrong, with the line.
pub(crate) fn read(text: &str) -> Result<Block, String> {
    let mut reading = Reading { tokens: tokens(text)?, at: 0 };
    let mut file = Block::default();
    reading.body(&mut file, None)?;
    Ok(file)
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\n' => {
                tokens.push((line, Token::LineEnd));
                1
            }
            ' ' | '\t' => 1,
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' | '`' => {
                let end = rest[1..].find(first).ok_or_else(|| format!("line {line}: a text does not end"))?;
                let within = &rest[1..=end];
                if first == '"' && within.contains(['\n', '\\']) {
                    return Err(format!("line {line}: this reader knows no escapes, and a text ends in its line"));
                }
                tokens.push((line, Token::Text(within.to_owned())));
                end + 2
            }
            '{' | '}' | '[' | ']' | '=' | ',' | '.' => {
                tokens.push((line, Token::Mark(first)));
                1
            }
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(rest.len());
                tokens.push((line, Token::Name(rest[..end].to_owned())));
                end
            }
            other => return Err(format!("line {line}: {other:?} is not known here")),
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

struct Reading {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reading {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        let line = self.tokens.get(self.at).map_or(0, |(line, _)| *line);
        Err(format!("line {line}: {expected} is expected, and here is {:?}", self.peek()))
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_there = self.peek() == Some(token);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.take(&Token::Mark(mark)) { Ok(()) } else { self.wrong(&mark.to_string()) }
    }

    fn skip_lines(&mut self) {
        while self.take(&Token::LineEnd) {}
    }

    /// A name, or several with dots between them.
    fn name(&mut self) -> Result<String, String> {
        let Some(Token::Name(first)) = self.peek().cloned() else { return self.wrong("a name") };
        self.at += 1;
        if !self.take(&Token::Mark('.')) {
            return Ok(first);
        }
        Ok(format!("{first}.{}", self.name()?))
    }

    /// Statements, until that mark or the end.
    fn body(&mut self, block: &mut Block, end: Option<char>) -> Result<(), String> {
        loop {
            self.skip_lines();
            match (self.peek(), end) {
                (None, None) => return Ok(()),
                (Some(Token::Mark(mark)), Some(end)) if *mark == end => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.statement(block)?,
            }
            if !matches!(self.peek(), None | Some(Token::LineEnd)) {
                return self.wrong("the end of the line");
            }
        }
    }

    fn statement(&mut self, block: &mut Block) -> Result<(), String> {
        let name = self.name()?;
        if self.take(&Token::Mark('=')) {
            let value = self.value()?;
            return match block.attributes.insert(name, value) {
                None => Ok(()),
                Some(twice) => self.wrong(&format!("another attribute than one that is there, {twice:?},")),
            };
        }
        let label = if let Some(Token::Text(label)) = self.peek().cloned() {
            self.at += 1;
            Some(label)
        } else {
            None
        };
        self.expect('{')?;
        let mut within = Block { name, label, ..Block::default() };
        self.body(&mut within, Some('}'))?;
        block.blocks.push(within);
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.peek().cloned() {
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(Value::Text(text))
            }
            Some(Token::Mark('[')) => self.items(']', Self::value).map(Value::List),
            Some(Token::Mark('{')) => self.items('}', Self::pair).map(|pairs| Value::Map(pairs.into_iter().collect())),
            _ => Ok(match self.name()?.as_str() {
                "true" => Value::Truth(true),
                "false" => Value::Truth(false),
                name => Value::Reference(name.to_owned()),
            }),
        }
    }

    fn pair(&mut self) -> Result<(String, Value), String> {
        let name = self.name()?;
        self.expect('=')?;
        Ok((name, self.value()?))
    }

    /// What is between two marks, with commas between them: behind the last one, too, where the end is on another line.
    fn items<T>(&mut self, end: char, item: impl Fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            if self.take(&Token::Mark(end)) {
                return Ok(items);
            }
            items.push(item(self)?);
            if !self.take(&Token::Mark(',')) {
                self.expect(end)?;
                return Ok(items);
            }
        }
    }
}

#[test]
fn what_is_written_in_another_syntax_is_refused_with_its_line() {
    for (text, wrong) in [
        ("a \"b\" {\n  c = \"d\" e = \"f\"\n}", "line 2: the end of the line is expected"),
        ("a {\n  c = [\"d\" \"e\"]\n}", "line 2: ] is expected"),
        ("a {\n  c = {\n    d = \"e\"\n  }\n}", "line 3: } is expected"),
        ("a {\n  c = \"d\"\n", "a name is expected, and here is None"),
        ("a {\n  c = \"d\n\"\n}", "line 2: this reader knows no escapes"),
        ("a {\n  c = \"d\"\n  c = \"e\"\n}", "line 3: another attribute"),
        ("a: b", "line 1: ':' is not known"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(wrong), "{text}: {error}");
    }
}
