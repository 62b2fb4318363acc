//! Inheritance: a scheme that `extends` another is that other with its own keys laid over it.
//!
//! An entry replaces the inherited entry of the same name in its place, so that the order of carriers stays; a
//! new one comes last; `name = false` removes an inherited one. An entry is replaced as a whole: nothing of an
//! inherited `[header.X]` shines through. Files are found by the caller's [`Library`], as there is no I/O here.

use crate::Library;
use crate::fault::Source;
use crate::suggest;
use crate::toml_string::Text;
use crate::tree::{self, Entry, Value};
use countersign_core::scheme::draft::{Fault, Span};

/// A file and everything it inherits, as one tree.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) entries: Vec<Entry>,
    pub(crate) sources: Vec<Source>,
    /// Whether everything was found and well formed, so that what is missing now is missing indeed.
    pub(crate) complete: bool,
}

/// Reads `text` and what it extends, and merges them.
///
/// `first`: the number of the file that this is, where others were read before.
pub(crate) fn resolve(name: &str, text: &str, library: &dyn Library, first: usize, faults: &mut Vec<Fault>) -> Chain {
    let number = |further: usize| u16::try_from(first.saturating_add(further)).unwrap_or(u16::MAX);
    let mut sources = vec![Source { name: name.to_owned(), text: text.to_owned() }];
    let mut trees = vec![tree::parse(text, number(0), faults)];
    let mut found = true;
    while let Some(entry) = trees.last_mut().and_then(|tree| take(tree, "extends")) {
        match load(&entry, &sources, library) {
            Ok(source) => {
                trees.push(tree::parse(&source.text, number(sources.len()), faults));
                sources.push(source);
            }
            Err(fault) => {
                faults.push(fault);
                found = false;
                break;
            }
        }
    }
    let complete = faults.is_empty();
    let mut merged = trees.pop().unwrap_or_default();
    if !found {
        // `name = false` may well remove something that could not be read.
        drop_removals(&mut merged, 2);
    }
    while let Some(own) = trees.pop() {
        merged = Merge { complete, faults }.tables(merged, own, "");
    }
    Chain { entries: merged, sources, complete }
}

/// A chain longer than this is a mistake.
const DEPTH: usize = 8;

/// Removes and returns an entry.
pub(crate) fn take(entries: &mut Vec<Entry>, name: &str) -> Option<Entry> {
    let index = entries.iter().position(|entry| entry.key.value == name)?;
    Some(entries.remove(index))
}

fn load(entry: &Entry, sources: &[Source], library: &dyn Library) -> Result<Source, Fault> {
    let fault = |span: Span, message: String, hint: String| Fault { span, message, hint: Some(hint) };
    let Value::Text(wanted) = &entry.node.value else {
        let message = format!("`extends` is a string, not {}", entry.node.kind());
        let hint = "the name of a scheme of the catalogue, or a path relative to this file";
        return Err(fault(entry.node.span, message, hint.to_owned()));
    };
    let at = wanted.span();
    if sources.len() > DEPTH {
        let hint = "extend a scheme that is nearer to the first";
        return Err(fault(at, format!("more than {DEPTH} schemes extend one another"), hint.to_owned()));
    }
    let from = sources.last().map_or("", |source| source.name.as_str());
    let Some((name, text)) = library.load(&wanted.value, from) else {
        return Err(not_found(wanted, library));
    };
    if sources.iter().any(|source| source.name == name) {
        let hint = sources.iter().map(|source| source.name.as_str()).chain([name.as_str()]).collect::<Vec<_>>();
        return Err(fault(at, "the scheme extends itself".to_owned(), hint.join(" extends ")));
    }
    Ok(Source { name, text })
}

pub(crate) fn not_found(wanted: &Text, library: &dyn Library) -> Fault {
    let names = library.names();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let hint = suggest::meant(&wanted.value, &names)
        .unwrap_or_else(|| "the name of a scheme of the catalogue, or a path relative to this file".to_owned());
    Fault { span: wanted.span(), message: format!("there is no scheme `{}`", wanted.value), hint: Some(hint) }
}

struct Merge<'a> {
    complete: bool,
    faults: &'a mut Vec<Fault>,
}

impl Merge<'_> {
    /// Lays `own` over `inherited`. `path` names the section, and is empty for the file itself.
    fn tables(&mut self, mut inherited: Vec<Entry>, own: Vec<Entry>, path: &str) -> Vec<Entry> {
        let removable: Vec<String> = inherited.iter().map(|entry| entry.key.value.clone()).collect();
        // Field names are the same whatever their case, RFC 9110, section 5.1.
        let folded = matches!(path, "header" | "bind" | "response.header" | "response.bind");
        let sections = matches!(path, "" | "response");
        for entry in own {
            let same = |other: &Entry| {
                let (other, own) = (&other.key.value, &entry.key.value);
                if folded { other.eq_ignore_ascii_case(own) } else { other == own }
            };
            let found = inherited.iter().position(same);
            match found.map(|index| (index, entry.node.removes())) {
                Some((index, true)) => {
                    inherited.remove(index);
                }
                Some((index, false)) => {
                    let old = inherited.remove(index);
                    inherited.insert(index, self.entry(old, entry, path));
                }
                None if entry.node.removes() => self.nothing_to_remove(&entry, &removable),
                None if sections => {
                    let nothing = Entry { key: entry.key.clone(), node: empty(entry.node.span) };
                    inherited.push(self.entry(nothing, entry, path));
                }
                None => inherited.push(entry),
            }
        }
        inherited
    }

    fn entry(&mut self, inherited: Entry, own: Entry, path: &str) -> Entry {
        // The sections of a file, and those of `[response]`, are merged; what is in them is replaced.
        let sections = matches!(path, "" | "response");
        match (inherited.node.value, own.node.value) {
            (Value::Table(old), Value::Table(new)) if sections => {
                let path = if path.is_empty() { own.key.value.clone() } else { format!("{path}.{}", own.key.value) };
                let node = tree::Node { span: own.node.span, value: Value::Table(self.tables(old, new, &path)) };
                Entry { key: own.key, node }
            }
            (_, value) => Entry { key: own.key, node: tree::Node { span: own.node.span, value } },
        }
    }

    fn nothing_to_remove(&mut self, entry: &Entry, removable: &[String]) {
        if !self.complete {
            return; // It may well have been in what could not be read.
        }
        let names: Vec<&str> = removable.iter().map(String::as_str).collect();
        self.faults.push(Fault {
            span: entry.key.span,
            message: format!("there is no inherited `{}` to remove", entry.key.value),
            hint: Some(suggest::hint(&entry.key.value, &names)),
        });
    }
}

fn empty(span: Span) -> tree::Node {
    tree::Node { span, value: Value::Table(Vec::new()) }
}

fn drop_removals(entries: &mut Vec<Entry>, depth: usize) {
    entries.retain(|entry| !entry.node.removes());
    if depth > 0 {
        for entry in entries {
            if let Value::Table(inner) = &mut entry.node.value {
                drop_removals(inner, depth - 1);
            }
        }
    }
}
