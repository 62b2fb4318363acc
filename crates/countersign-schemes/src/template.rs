//! The grammar of templates: text to [`Template`], each piece with its place.
//!
//! ```text
//! template = { literal | "{{" | "}}" | "[[" | "]]" | "{" expr "}" | "[" template "]" }
//! expr     = atom [ ":" type [ min "-" max ] ] [ "?" ] { "|" filter { arg } }
//! atom     = name | source "." member | quoted
//! type     = word | '"' pattern '"'
//! arg      = word | quoted
//! quoted   = '"' template '"'
//! ```
//!
//! In a quoted template `\n`, `\t`, `\r`, `\"` and `\\` are escapes; outside of quotes a backslash is itself. A
//! word ends at white space, a quote, `|` or `}`. White space within braces, line feeds included, is free.
//!
//! After a fault the parser goes on behind the brace that closes the expression, so that one run reports every
//! fault. What names, types and filters there are is not known here.

use crate::toml_string::Text;
use countersign_core::scheme::draft::{Arg, At, Atom, Expr, Fault, Filter, Part, Span, Template};
use std::ops::Range;

/// Reads a template. With faults, the parts that could not be read are left out.
pub(crate) fn parse(text: &Text, faults: &mut Vec<Fault>) -> Template {
    let mut parser = Parser { text, at: 0, depth: 0, quoted: false, abandoned: false, faults };
    let template = parser.template(End::Text);
    Template { span: text.span(), ..template }
}

/// Whether `name` can be the name of a capture, a `[let]` entry or a variable.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// RFC 9110, section 5.6.2, but for the bar, which begins a filter.
fn is_member_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`~".contains(c)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// What ends a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Quote,
    Bracket,
}

/// Nobody nests deeper, and the stack is finite.
const DEPTH: usize = 16;

struct Parser<'a> {
    text: &'a Text,
    /// Offset into the text.
    at: usize,
    depth: usize,
    /// Whether the innermost template stands in quotes.
    quoted: bool,
    /// Nothing more is reported.
    abandoned: bool,
    faults: &'a mut Vec<Fault>,
}

/// The parser has reported a fault and does not know how to go on here.
struct Lost;

impl Parser<'_> {
    fn template(&mut self, end: End) -> Template {
        let start = self.at;
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        loop {
            let here = self.at;
            let Some(next) = self.peek() else { break };
            match next {
                '"' if self.quoted => break,
                '\\' if self.quoted => self.escape(&mut literal),
                '{' | '}' | '[' | ']' if self.doubled(next) => {
                    literal.push(next as u8);
                    self.at += 2;
                }
                ']' if end == End::Bracket => break,
                '{' => {
                    if let Some(expr) = self.expr() {
                        flush(&mut parts, &mut literal);
                        parts.push(Part::Expr(expr));
                    }
                }
                '[' => {
                    if let Some(segment) = self.nested(End::Bracket) {
                        flush(&mut parts, &mut literal);
                        parts.push(Part::Optional(segment));
                    }
                }
                '}' | ']' => {
                    self.bump();
                    let hint = format!("write `{next}{next}` for a `{next}` that stands for itself");
                    self.fault(here..self.at, format!("this `{next}` closes nothing"), hint);
                }
                _ => {
                    self.bump();
                    literal.extend_from_slice(self.slice(here..self.at).as_bytes());
                }
            }
        }
        flush(&mut parts, &mut literal);
        Template { parts, span: self.text.place(start..self.at) }
    }

    /// A template in quotes or brackets, from the opening to behind the closing one.
    fn nested(&mut self, end: End) -> Option<Template> {
        let opened = self.at;
        self.bump();
        if self.depth == DEPTH {
            let hint = "give the inner part a name in `[let]`";
            self.fault(opened..self.at, format!("templates are nested more than {DEPTH} deep"), hint);
            self.at = self.text.value.len();
            self.abandoned = true;
            return None;
        }
        self.depth += 1;
        let outer = self.quoted;
        let faults = self.faults.len();
        self.quoted |= end == End::Quote;
        let template = self.template(end);
        self.quoted = outer;
        self.depth -= 1;
        if self.take(if end == End::Quote { '"' } else { ']' }) {
            return Some(template);
        }
        if end == End::Quote && !self.abandoned {
            // What was read as quoted was not meant to be.
            self.faults.truncate(faults);
        }
        self.unclosed(end, opened);
        (end == End::Bracket).then_some(template)
    }

    fn unclosed(&mut self, end: End, opened: usize) {
        let (message, hint) = match end {
            End::Text => return,
            End::Quote => ("this quote is never closed", r#"a quote that stands for itself is written `\"`"#),
            End::Bracket => (
                "this `[` is never closed",
                "`]` ends an optional segment; `[[` and `]]` are brackets that stand for themselves",
            ),
        };
        self.fault(opened..opened + 1, message, hint);
    }

    fn escape(&mut self, literal: &mut Vec<u8>) {
        let start = self.at;
        self.bump();
        let escaped = self.bump();
        literal.push(match escaped {
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('r') => b'\r',
            Some('"') => b'"',
            Some('\\') => b'\\',
            Some(_) => {
                let hint = r#"the escapes are `\n`, `\t`, `\r`, `\"` and `\\`"#;
                return self.fault(start..self.at, "an unknown escape", hint);
            }
            None => return, // The missing closing quote is reported.
        });
    }

    fn expr(&mut self) -> Option<Expr> {
        let opened = self.at;
        self.bump();
        let expr = self.try_expr(opened);
        if expr.is_err() {
            self.recover();
        }
        expr.ok()
    }

    fn try_expr(&mut self, opened: usize) -> Result<Expr, Lost> {
        self.space();
        let start = self.at;
        let atom = self.atom(opened)?;
        let atom_end = self.at;
        let mut optional = self.take('?');
        if optional && self.peek() == Some(':') {
            let hint = format!("write `{{{}:type?}}`", self.slice(start..atom_end));
            self.fault(self.at - 1..self.at, "the `?` stands behind the type", hint);
            return Err(Lost);
        }
        let kind = if self.take(':') { Some(self.kind()?) } else { None };
        optional = optional || (kind.is_some() && self.take('?'));
        let mut length = None;
        self.space();
        if kind.is_some() && self.peek().is_some_and(|c| c.is_ascii_digit()) {
            length = Some(self.length()?);
            optional = optional || self.take('?');
        }
        if matches!(atom, Atom::Quoted(_)) && (kind.is_some() || optional) {
            let hint = "a type and `?` belong to a capture, as in `{nonce:word?}`; \
                        `{{` is a brace that stands for itself";
            self.fault(start..atom_end, "only a name can be captured", hint);
        }
        let mut filters = Vec::new();
        loop {
            self.space();
            let here = self.at;
            match self.peek() {
                Some('|') => filters.push(self.filter()?),
                Some('}') => break,
                Some(_) => {
                    self.word();
                    self.at = self.at.max(here + self.width(here));
                    let hint = "filters are separated by `|`, and `}` ends the expression";
                    let message = format!("`{}` is not expected here", self.slice(here..self.at));
                    self.fault(here..self.at, message, hint);
                    return Err(Lost);
                }
                None => return Err(self.unclosed_expr(opened)),
            }
        }
        self.bump();
        let span = self.text.place(opened..self.at);
        Ok(Expr { atom, kind, length, optional, filters, span })
    }

    fn unclosed_expr(&mut self, opened: usize) -> Lost {
        let hint = "`}` ends an expression; `{{` is a brace that stands for itself";
        self.fault(opened..opened + 1, "this `{` is never closed", hint);
        Lost
    }

    fn atom(&mut self, opened: usize) -> Result<Atom, Lost> {
        let start = self.at;
        match self.peek() {
            Some('"') => return self.nested(End::Quote).map(Atom::Quoted).ok_or(Lost),
            Some(c) if c.is_ascii_alphabetic() => {}
            Some('}') => {
                let hint = "`{name}` puts a value here; `{{` and `}}` are braces that stand for themselves";
                self.fault(opened..self.at + 1, "an expression without a name", hint);
                return Err(Lost);
            }
            Some(_) => {
                self.bump();
                let hint = "an expression begins with a name, as in `{timestamp}`, or a quoted template; \
                            `{{` is a brace that stands for itself";
                self.fault(start..self.at, "a name is expected here", hint);
                return Err(Lost);
            }
            None => return Err(self.unclosed_expr(opened)),
        }
        self.take_while(is_name_char);
        if self.take('.') {
            let member = self.at;
            self.take_while(is_member_char);
            if self.at == member {
                let hint = format!("as in `{{{}name}}`", self.slice(start..member));
                self.fault(start..member, "a name is expected behind the dot", hint);
                return Err(Lost);
            }
        }
        Ok(Atom::Name(self.slice(start..self.at).to_owned()))
    }

    fn kind(&mut self) -> Result<At<String>, Lost> {
        let start = self.at;
        if self.take('"') {
            let inner = self.at;
            self.take_while(|c| c != '"');
            let pattern = At::new(self.slice(inner..self.at).to_owned(), self.text.place(inner..self.at));
            if !self.take('"') {
                self.unclosed(End::Quote, start);
                return Err(Lost);
            }
            return Ok(pattern);
        }
        self.take_while(is_name_char);
        if self.at == start {
            let hint = "a type is a word, as in `{timestamp:unix}`, or a time pattern in quotes";
            self.fault(start - 1..start, "a type is expected behind the colon", hint);
            return Err(Lost);
        }
        Ok(At::new(self.slice(start..self.at).to_owned(), self.text.place(start..self.at)))
    }

    fn length(&mut self) -> Result<At<(u32, u32)>, Lost> {
        let start = self.at;
        self.take_while(|c| !is_space(c) && !matches!(c, '|' | '}' | '?' | '"'));
        let bounds = self.slice(start..self.at).split_once('-').and_then(|(min, max)| {
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            Some((digits(min)?, digits(max)?))
        });
        match bounds {
            Some((min, max)) if min <= max => Ok(At::new((min, max), self.text.place(start..self.at))),
            _ => {
                let message = format!("`{}` is not a range of lengths", self.slice(start..self.at));
                let hint = "the shortest and the longest length in bytes, as in `{nonce:word 16-128}`";
                self.fault(start..self.at, message, hint);
                Err(Lost)
            }
        }
    }

    fn filter(&mut self) -> Result<Filter, Lost> {
        let bar = self.at;
        self.bump();
        self.space();
        let start = self.at;
        self.take_while(is_name_char);
        let mut end = self.at;
        if end == start {
            self.fault(bar..bar + 1, "a filter is expected behind this `|`", "as in `{body | sha256 | hex}`");
            return Err(Lost);
        }
        if self.peek().is_some_and(|c| !is_space(c) && !matches!(c, '"' | '|' | '}')) {
            self.word();
            let message = format!("`{}` is not the name of a filter", self.slice(start..self.at));
            let hint = "letters, digits and `-`; arguments follow behind spaces, as in `slice 10 17`";
            self.fault(start..self.at, message, hint);
            return Err(Lost);
        }
        let name = self.slice(start..end).to_owned();
        let mut args = Vec::new();
        loop {
            self.space();
            let here = self.at;
            let arg = match self.peek() {
                None | Some('|' | '}') => break,
                Some('"') => Arg::Text(self.nested(End::Quote).ok_or(Lost)?),
                Some(_) => {
                    self.word();
                    let word = self.slice(here..self.at);
                    if let Some(brace) = word.find('{') {
                        let at = here + brace;
                        let hint = "an argument that is a template stands in quotes, as in `each \"{k}={v}\"`";
                        self.fault(at..at + 1, "a bare word cannot hold a template", hint);
                        return Err(Lost);
                    }
                    Arg::Word(word.to_owned())
                }
            };
            end = self.at;
            args.push(At::new(arg, self.text.place(here..end)));
        }
        Ok(Filter { name, args, span: self.text.place(start..end) })
    }

    /// Goes behind the brace that closes the expression: the one that pairs up outside of quotes if there is one,
    /// else the next.
    fn recover(&mut self) {
        let rest = self.slice(self.at..self.text.value.len());
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        let paired = rest.find(|c: char| {
            let closing = c == '}' && !quoted && depth == 0;
            match c {
                '"' if !escaped => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            escaped = c == '\\' && !escaped;
            closing
        });
        self.at += paired.or_else(|| rest.find('}')).map_or(rest.len(), |closing| closing + 1);
    }

    fn fault(&mut self, at: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        if self.abandoned {
            return;
        }
        let span: Span = self.text.place(at);
        self.faults.push(Fault { span, message: message.into(), hint: Some(hint.into()) });
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.value.get(range).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.slice(self.at..self.text.value.len()).chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += next.map_or(0, char::len_utf8);
        next
    }

    fn width(&self, at: usize) -> usize {
        self.slice(at..self.text.value.len()).chars().next().map_or(0, char::len_utf8)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
    }

    fn space(&mut self) {
        self.take_while(is_space);
    }

    fn word(&mut self) {
        self.take_while(|c| !is_space(c) && !matches!(c, '"' | '|' | '}'));
    }

    fn doubled(&self, bracket: char) -> bool {
        self.slice(self.at..self.text.value.len()).strip_prefix(bracket).is_some_and(|rest| rest.starts_with(bracket))
    }
}

fn flush(parts: &mut Vec<Part>, literal: &mut Vec<u8>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

#[cfg(test)]
mod tests;
