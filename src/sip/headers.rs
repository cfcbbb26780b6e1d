//! The header lines of one message: one copy of the text, unfolded, with the place of each name and value. Order is
//! kept; nothing is interpreted until it is asked for. A value that is not UTF-8 is read as Latin-1 and remembered as
//! such, so that an echo of it has the same octets.
use crate::limits::HEADERS_MAX;
use crate::message::Why;
use crate::name::Name;
use crate::scan;

/// Header lines of one message.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    text: String,
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: Name,
    latin1: bool,
    name_at: (u32, u32),
    value_at: (u32, u32),
}

/// One header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The name, when known.
    pub name: Name,
    /// The name as written.
    pub text: &'a str,
    /// The value, unfolded and trimmed.
    pub value: &'a str,
    /// Whether the value came as Latin-1.
    pub latin1: bool,
}

impl Headers {
    /// Reads header lines (everything between the start line and the blank line, CRLF or LF ended).
    pub(crate) fn read(head: &[u8]) -> Result<Headers, Why> {
        let mut bytes = head.to_vec();
        unfold(&mut bytes);
        let mut headers =
            Headers { text: String::with_capacity(bytes.len()), fields: Vec::with_capacity(16) };
        for line in bytes.split(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                headers.push_line(line)?;
            }
        }
        Ok(headers)
    }

    fn push_line(&mut self, line: &[u8]) -> Result<(), Why> {
        if self.fields.len() >= HEADERS_MAX {
            return Err(Why::TooManyHeaders);
        }
        let colon = line.iter().position(|&b| b == b':').ok_or(Why::HeaderLine)?;
        let name = line[..colon].trim_ascii_end();
        let name = std::str::from_utf8(name).ok().filter(|n| scan::is_token(n)).ok_or(Why::HeaderLine)?;
        let value = line[colon + 1..].trim_ascii();
        let name_at = self.push_text(name);
        let (value_at, latin1) = match std::str::from_utf8(value) {
            Ok(text) => (self.push_text(text), false),
            Err(_) => (self.push_text(&value.iter().map(|&b| char::from(b)).collect::<String>()), true),
        };
        self.fields.push(Field { name: Name::read(name), latin1, name_at, value_at });
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len();
        self.text.push_str(text);
        let place = |n: usize| u32::try_from(n).expect("a head is far below 4 GiB");
        (place(start), place(self.text.len()))
    }

    fn slice(&self, at: (u32, u32)) -> &str {
        &self.text[at.0 as usize..at.1 as usize]
    }

    fn line(&self, f: &Field) -> Line<'_> {
        Line { name: f.name, text: self.slice(f.name_at), value: self.slice(f.value_at), latin1: f.latin1 }
    }

    /// All lines in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.fields.iter().map(|f| self.line(f))
    }

    /// The lines of one known header in order.
    pub fn lines_of(&self, name: Name) -> impl Iterator<Item = Line<'_>> {
        self.fields.iter().filter(move |f| f.name == name).map(|f| self.line(f))
    }

    /// The values of one known header, one a line, lists unsplit.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> {
        self.lines_of(name).map(|l| l.value)
    }

    /// The first value of one known header.
    #[must_use]
    pub fn first(&self, name: Name) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of a list header, commas split.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &str> {
        self.all(name).flat_map(scan::list)
    }

    /// How many lines a known header has.
    #[must_use]
    pub fn count(&self, name: Name) -> usize {
        self.fields.iter().filter(|f| f.name == name).count()
    }

    /// The values of any header by its text, long or compact, in any case.
    pub fn named<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let name = Name::read(text);
        self.lines()
            .filter(move |l| l.name == name && (name != Name::Other || l.text.eq_ignore_ascii_case(text)))
            .map(|l| l.value)
    }
}

/// Joins continuation lines: the line end before a blank becomes blanks (RFC 3261 section 7.3.1).
fn unfold(bytes: &mut [u8]) {
    for i in 0..bytes.len().saturating_sub(1) {
        if bytes[i] == b'\n' && matches!(bytes[i + 1], b' ' | b'\t') {
            bytes[i] = b' ';
            if i > 0 && bytes[i - 1] == b'\r' {
                bytes[i - 1] = b' ';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Headers {
        Headers::read(text).unwrap()
    }

    #[test]
    fn folding_blanks_and_compact_names() {
        let h = read(
            b"TO :\r\n sip:a@b ;\r\n\ttag=1\r\nm: <sip:x@y>,\r\n <sip:z@w>\r\nContact: <sip:q@r>\r\ns :\r\n",
        );
        assert_eq!(h.first(Name::To), Some("sip:a@b ;  \ttag=1"));
        assert_eq!(h.list(Name::Contact).collect::<Vec<_>>(), ["<sip:x@y>", "<sip:z@w>", "<sip:q@r>"]);
        assert_eq!(h.first(Name::Subject), Some(""));
        assert_eq!(h.count(Name::Contact), 2);
        assert_eq!(h.named("subject").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn latin_1_is_one_line_wide() {
        let h = read(b"Subject: caf\xe9\r\nFrom: \xc3\xa9 <sip:a@b>\r\nX-Last: here\r\n");
        assert_eq!(h.first(Name::Subject), Some("café"));
        assert_eq!(h.first(Name::From), Some("é <sip:a@b>"));
        assert_eq!(h.named("x-last").next(), Some("here"), "nothing after the odd line is lost");
        assert_eq!(h.lines().map(|l| l.latin1).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn lines_without_a_name_are_refused() {
        assert_eq!(Headers::read(b"nocolon\r\n").unwrap_err(), Why::HeaderLine);
        assert_eq!(Headers::read(b": x\r\n").unwrap_err(), Why::HeaderLine);
        assert_eq!(Headers::read(b"a b: x\r\n").unwrap_err(), Why::HeaderLine);
        let many = b"A: b\r\n".repeat(HEADERS_MAX + 1);
        assert_eq!(Headers::read(&many).unwrap_err(), Why::TooManyHeaders);
    }
}
