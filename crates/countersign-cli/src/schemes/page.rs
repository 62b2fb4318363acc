//! A scheme's page, in Markdown: what travels where, what is signed, when it is accepted, what is weak, how to sign
//! with it, and one message with every stage.
//!
//! All of it is made of the file, and of a message that the vendor's own library signed; where a scheme comes with
//! none, one is signed here. So a page cannot say what the file does not do. Nothing depends on the clock or the
//! machine, unless a message had to be signed here.

mod example;
mod rules;
mod signature;

use std::fmt::Write as _;

use countersign_core::scheme::draft::Span;
use countersign_core::scheme::{Message, When};
use countersign_schemes::lint::lint;

use crate::failure::Failure;
use crate::scheme_file::SchemeFile;
use example::Example;

/// What the catalogue's pages are called below `docs/schemes`, and what they say: one for each scheme, and an index.
pub(crate) fn all() -> Result<Vec<(String, String)>, Failure> {
    let mut pages = Vec::new();
    let mut index = String::from(INDEX);
    for name in countersign_schemes::catalogue::names() {
        let file = SchemeFile::open(name)?;
        let title = cell(&file.scheme().title);
        let _ = writeln!(index, "| [{name}]({name}.md) | {title} | {} |", gravest(&file));
        pages.push((format!("{name}.md"), format!("{}\n", page(name, &file)?.trim_end())));
    }
    pages.push(("README.md".to_owned(), index));
    Ok(pages)
}

const INDEX: &str = "\
# The catalogue

Made by `cargo xtask gen` of the files in [`schemes`](../../schemes) and the messages in [`vectors`](../../vectors);
`countersign schemes show NAME` prints the same. The language of the files is described in
[Scheme files](../schemes.md).

| scheme | is | gravest finding |
|---|---|---|
";

fn gravest(file: &SchemeFile) -> String {
    let worst = lint(file.scheme()).into_iter().max_by_key(|finding| finding.severity);
    worst.map_or_else(|| "none".to_owned(), |finding| format!("{}: {}", finding.severity, code(finding.rule.code)))
}

/// The page of a scheme. `name`: as the user wrote it.
pub(super) fn page(name: &str, file: &SchemeFile) -> Result<String, Failure> {
    let example = Example::of(name)?;
    let mut page = Page { file, text: String::new() };
    page.head();
    page.side_by_side();
    page.message("", &file.scheme().request);
    page.coverage(&example);
    page.line(&rules::sentences(file.scheme()));
    if let Some(response) = &file.scheme().response {
        page.heading("Answers");
        page.line("Answers are signed as well, under the same key.");
        page.message("#", response);
    }
    page.variables();
    page.weaknesses();
    page.heading("Sign with it");
    page.line(&example.commands(name, file.scheme())?);
    page.heading("An example, step by step");
    page.line(&example.steps(file));
    Ok(page.text)
}

struct Page<'a> {
    file: &'a SchemeFile,
    text: String,
}

impl Page<'_> {
    fn heading(&mut self, title: &str) {
        self.line(&format!("## {title}"));
    }

    /// A paragraph, and the empty line behind it.
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push_str("\n\n");
    }

    fn head(&mut self) {
        let scheme = self.file.scheme();
        self.line(&format!("# {}", scheme.name));
        let reference = scheme.reference.as_ref().filter(|reference| reference.starts_with("https://"));
        let reference = reference.map(|url| format!(" See <{url}>.")).unwrap_or_default();
        self.line(&format!("{}.{reference}", scheme.title.trim_end_matches('.')));
        if let Some(source) = self.file.sources.first() {
            let notes = notes(&source.text);
            if !notes.is_empty() {
                self.line(&notes);
            }
        }
    }

    /// The schemes of which a message may satisfy any, and what decides.
    fn side_by_side(&mut self) {
        let members = &self.file.scheme().either;
        let rows = members.iter().map(|member| {
            let when = match &member.when {
                Some(When::Header(name)) => format!("that has a field {}", code(name)),
                Some(When::Query(name)) => format!("that has a parameter {}", code(name)),
                None => "that is left".to_owned(),
            };
            format!("* [{0}]({0}.md) judges a message {when}.\n", member.name)
        });
        let rows: String = rows.collect();
        if let Some(first) = members.first() {
            let name = code(&first.name);
            self.line(&format!("Several schemes stand side by side:\n\n{rows}\nWhat follows is said of {name}."));
        }
    }

    /// Where a message carries its credentials, and what they sign.
    fn message(&mut self, deeper: &str, message: &Message) {
        if let Some(policy) = &message.message_signature {
            self.line(&format!("##{deeper} What travels where"));
            self.line(signature::FIELDS);
            self.line(&format!("##{deeper} What is signed"));
            return self.line(&signature::sentences(message, policy));
        }
        self.line(&format!("##{deeper} What travels where"));
        let mut list = String::new();
        for carrier in &message.carriers {
            let place = super::place(carrier.place);
            let name =
                if carrier.written.is_empty() { String::new() } else { format!(" {}", code(&carrier.written)) };
            let optional = if carrier.optional { ", may be absent" } else { "" };
            let _ = writeln!(list, "* {place}{name}{optional}: {}", code(self.source(carrier.text.span)));
        }
        self.line(&list);
        self.line(&format!("##{deeper} What is signed"));
        self.line(&format!("The signature is {}, of this base:", code(self.source(message.signature.span))));
        self.line(&block("text", self.source(message.base.span)));
        self.lets(message);
        for bind in &message.binds {
            let or = bind.or.iter().map(|other| format!(" or {}", code(&String::from_utf8_lossy(other))));
            self.line(&format!(
                "{} must hold {}{}.",
                code(&bind.name),
                code(self.source(bind.value.span)),
                or.collect::<String>()
            ));
        }
        for require in &message.requires {
            let names: Vec<String> = require.names.iter().map(|name| code(name)).collect();
            self.line(&format!("Must be signed, where the message has it: {}.", names.join(", ")));
        }
        if !message.cover.is_empty() {
            let names: Vec<String> = message.cover.iter().map(|name| code(name)).collect();
            self.line(&format!("Countersign signs, where the message has it: {}.", names.join(", ")));
        }
        if !message.tries.is_empty() {
            self.line(&format!(
                "Clients sign in one of {} ways, which are tried in turn: see the file.",
                message.tries.len()
            ));
        }
    }

    /// What the base is made of: a list, and below it what has more than one line.
    fn lets(&mut self, message: &Message) {
        let texts = message.lets.iter().map(|entry| (entry, self.source(entry.text.span).trim_matches('\n')));
        let (long, short): (Vec<_>, Vec<_>) = texts.partition(|(_, text)| text.contains('\n'));
        let rows = short.iter().map(|(entry, text)| format!("* {}: {}\n", code(&entry.name), code(text)));
        let rows: String = rows.collect();
        let blocks: Vec<String> = long
            .iter()
            .map(|(entry, text)| format!("with {}:\n\n{}", code(&entry.name), block("text", text)))
            .collect();
        if !rows.is_empty() {
            self.line(&format!("in which\n\n{rows}"));
        }
        for block in blocks {
            self.line(&block);
        }
    }

    fn coverage(&mut self, example: &Example) {
        if let Some(coverage) = &example.coverage {
            let parts = |parts: &[String]| {
                let parts: Vec<String> = parts.iter().map(|part| code(part)).collect();
                if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
            };
            self.line(&format!("Of the example below this covers {}.", parts(&coverage.covered)));
            self.line(&format!("**Not covered**: {}.", parts(&coverage.not_covered)));
        }
    }

    fn variables(&mut self) {
        let vars = &self.file.scheme().vars;
        if vars.is_empty() {
            return;
        }
        self.heading("Variables");
        let mut table = String::from("| variable | default | is |\n|---|---|---|\n");
        for var in vars {
            let default = match var.default.as_deref() {
                None => "has to be given".to_owned(),
                Some("") => "empty".to_owned(),
                Some(default) => cell(&code(default)),
            };
            let about = cell(var.about.as_deref().unwrap_or_default());
            let _ = writeln!(table, "| {} | {default} | {about} |", code(&var.name));
        }
        self.line(&table);
    }

    fn weaknesses(&mut self) {
        self.heading("What is weak about it");
        let findings = lint(self.file.scheme());
        if findings.is_empty() {
            return self.line("`countersign lint` finds nothing.");
        }
        let mut rows: Vec<String> = Vec::new();
        for finding in findings {
            let row =
                |message: &str| format!("| {} | {} | {} |", finding.severity, code(finding.rule.code), cell(message));
            // Alternatives may share a weakness; so may requests and answers, of which it is said once.
            let of_requests = finding.message.strip_prefix("in an answer ").map(row);
            let own = row(&finding.message);
            if !rows.contains(&own) && of_requests.is_none_or(|row| !rows.contains(&row)) {
                rows.push(own);
            }
        }
        self.line(&format!("| | rule | finding |\n|---|---|---|\n{}", rows.join("\n")));
        self.line("`countersign reason RULE` explains a rule.");
    }

    /// What stands at a place of the file, without the quotes around it.
    fn source(&self, span: Span) -> &str {
        let source = self.file.sources.get(usize::from(span.file));
        let text = source.and_then(|source| source.text.get(span.start as usize..span.end as usize));
        text.unwrap_or_default()
    }
}

/// The comment at the top of a file, as Markdown: paragraphs as they are there.
fn notes(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    let lines = lines.map(|line| line.trim_start_matches('#').trim());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Text in a code span.
fn code(text: &str) -> String {
    let text = text.trim().replace('\n', "⏎");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// A fenced block whose fence is longer than any inside.
fn block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_place() {
        assert_eq!(cell(&code("a|b")), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a``"), "``` `a`` ```");
        assert_eq!(block("", "a\n```\nb"), "````\na\n```\nb\n````");
        assert_eq!(cell("a\n|b"), "a \\|b");
    }

    #[test]
    fn notes_end_with_the_comment() {
        assert_eq!(notes("# One.\n#\n# Two\n# lines.\n\n# not this\ntitle = \"x\"\n"), "One.\n\nTwo\nlines.");
        assert_eq!(notes("title = \"x\"\n# late\n"), "");
    }

    #[test]
    fn every_scheme_of_the_catalogue_has_a_page() {
        for name in countersign_schemes::catalogue::names() {
            let file = SchemeFile::open(name).unwrap();
            let page = page(name, &file).unwrap_or_else(|failure| panic!("{name}: {failure}"));
            for part in ["# ", "## What travels where", "## What is signed", "## Sign with it", "signature-base"] {
                assert!(page.contains(part), "{name} has no {part:?}:\n{page}");
            }
        }
    }
}
