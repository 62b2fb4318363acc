//! `either`: several schemes under one name, each read from its own file with what that extends.

use crate::Library;
use crate::extends::{self, Chain};
use crate::fault::Source;
use crate::file;
use crate::tree::{Entry, Node, Value};
use countersign_core::scheme::draft::{Fault, SchemeDraft, Span};

/// How many schemes may stand side by side.
const MOST: usize = 8;

/// Takes `either` out of a file, and reads the schemes that it names. Their files come behind those of the chain.
pub(crate) fn resolve(chain: &mut Chain, library: &dyn Library, faults: &mut Vec<Fault>) -> (Vec<SchemeDraft>, Span) {
    let Some(Entry { node, .. }) = extends::take(&mut chain.entries, "either") else {
        return (Vec::new(), Span::default());
    };
    let hint = "as in `either = [\"rfc9421\", \"draft-cavage-12\"]`, names of the catalogue or paths";
    let refuse = |span, message: String| Fault { span, message, hint: Some(hint.to_owned()) };
    let items: &[Node] = match &node.value {
        Value::Array(items) if (2..=MOST).contains(&items.len()) => items,
        Value::Array(_) => {
            faults.push(refuse(node.span, format!("`either` names 2 to {MOST} schemes")));
            return (Vec::new(), node.span);
        }
        _ => {
            faults.push(refuse(node.span, format!("`either` is a list of schemes, not {}", node.kind())));
            return (Vec::new(), node.span);
        }
    };
    let from = chain.sources.first().map_or_else(String::new, |source: &Source| source.name.clone());
    let mut members = Vec::new();
    for item in items {
        let Value::Text(wanted) = &item.value else {
            faults.push(refuse(item.span, format!("a scheme is named by a string, not {}", item.kind())));
            continue;
        };
        let Some((name, text)) = library.load(&wanted.value, &from) else {
            faults.push(extends::not_found(wanted, library));
            return (Vec::new(), node.span);
        };
        let mut member = extends::resolve(&name, &text, library, chain.sources.len(), faults);
        let nested = extends::take(&mut member.entries, "either");
        let mut draft = file::read(&name, &member.entries, member.complete, faults);
        if nested.is_some() {
            // What is named there is not read: the check refuses it.
            draft.either.push(SchemeDraft::default());
        }
        chain.sources.append(&mut member.sources);
        members.push(draft);
    }
    (members, node.span)
}
