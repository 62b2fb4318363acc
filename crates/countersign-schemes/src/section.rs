//! How values are read, and what is said of those that are not what they should be.

use crate::suggest;
use crate::template;
use crate::tree::{Entry, Node, Value};
use countersign_core::scheme::draft::{At, Fault, Span, Template};

/// Collects faults.
pub(crate) struct Reader<'a> {
    pub(crate) faults: &'a mut Vec<Fault>,
    /// Whether what is missing is missing indeed.
    pub(crate) complete: bool,
}

/// The entries of a table, and what to call it.
pub(crate) struct Keys<'a> {
    pub(crate) entries: &'a [Entry],
    name: String,
    span: Span,
}

impl<'a> Keys<'a> {
    pub(crate) fn find(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key.value == key).map(|entry| &entry.node)
    }

    /// Faults an absent key.
    pub(crate) fn required(&self, reader: &mut Reader<'_>, key: &str) -> Option<&'a Node> {
        let found = self.find(key);
        if found.is_none() && reader.complete {
            reader.fault(self.span, format!("{} lacks `{key}`", self.name), None);
        }
        found
    }

    pub(crate) fn text(&self, reader: &mut Reader<'_>, key: &str) -> Option<At<String>> {
        reader.text(self.find(key)?, key)
    }

    /// A string, or an array of strings.
    pub(crate) fn texts(&self, reader: &mut Reader<'_>, key: &str) -> Vec<At<String>> {
        match self.find(key) {
            Some(Node { value: Value::Array(items), .. }) => {
                items.iter().filter_map(|item| reader.text(item, key)).collect()
            }
            node => node.and_then(|node| reader.text(node, key)).into_iter().collect(),
        }
    }

    pub(crate) fn boolean(&self, reader: &mut Reader<'_>, key: &str) -> Option<At<bool>> {
        let node = self.find(key)?;
        if let Value::Bool(value) = node.value {
            return Some(At::new(value, node.span));
        }
        reader.wrong_kind(node, &format!("`{key}`"), "`true` or `false`");
        None
    }
}

impl Reader<'_> {
    pub(crate) fn fault(&mut self, span: Span, message: impl Into<String>, hint: Option<&str>) {
        self.faults.push(Fault { span, message: message.into(), hint: hint.map(str::to_owned) });
    }

    pub(crate) fn unknown(&mut self, key: &At<String>, what: &str, known: &[&str]) {
        let message = format!("`{}` is not {what}", key.value);
        self.fault(key.span, message, Some(&suggest::hint(&key.value, known)));
    }

    pub(crate) fn wrong_kind(&mut self, node: &Node, name: &str, wanted: &str) {
        let hint = node.removes().then_some("`false` removes what is inherited, and nothing is inherited here");
        self.fault(node.span, format!("{name} must be {wanted}, not {}", node.kind()), hint);
    }

    /// Faults every key that is not `known`.
    pub(crate) fn known(&mut self, keys: &Keys<'_>, known: &[&str]) {
        for Entry { key, .. } in keys.entries {
            if !known.contains(&key.value.as_str()) {
                self.unknown(key, &format!("a key of {}", keys.name), known);
            }
        }
    }

    /// Faults names that differ in case only: field names are the same then, RFC 9110, section 5.1.
    pub(crate) fn no_twins(&mut self, keys: &Keys<'_>) {
        for (index, Entry { key, .. }) in keys.entries.iter().enumerate() {
            let before = keys.entries.iter().take(index);
            if let Some(twin) =
                before.map(|entry| &entry.key).find(|twin| twin.value.eq_ignore_ascii_case(&key.value))
            {
                let message = format!("`{}` is `{}` once more", key.value, twin.value);
                self.fault(key.span, message, Some("the names of fields are the same whatever their case"));
            }
        }
    }

    /// Faults what cannot be a name in a template.
    pub(crate) fn name(&mut self, key: &At<String>) {
        if !template::is_name(&key.value) {
            let message = format!("`{}` cannot be a name", key.value);
            self.fault(key.span, message, Some("a letter, then letters, digits, `-` and `_`"));
        }
    }

    pub(crate) fn table<'n>(&mut self, node: &'n Node, name: &str) -> Option<Keys<'n>> {
        if let Value::Table(entries) = &node.value {
            return Some(Keys { entries, name: name.to_owned(), span: node.span });
        }
        self.wrong_kind(node, name, "a table");
        None
    }

    pub(crate) fn text(&mut self, node: &Node, key: &str) -> Option<At<String>> {
        if let Value::Text(text) = &node.value {
            return Some(At::new(text.value.clone(), text.span()));
        }
        self.wrong_kind(node, &format!("`{key}`"), "a string");
        None
    }

    /// A whole number of at least one.
    pub(crate) fn count(&mut self, node: &Node, key: &str) -> Option<At<u64>> {
        let number = match &node.value {
            Value::Integer(number) => number.parse().ok().filter(|number| *number > 0),
            _ => None,
        };
        if number.is_none() {
            self.wrong_kind(node, &format!("`{key}`"), "a number from 1 on, without quotes");
        }
        number.map(|number| At::new(number, node.span))
    }

    pub(crate) fn template(&mut self, node: &Node, key: &str) -> Option<Template> {
        if let Value::Text(text) = &node.value {
            return Some(template::parse(text, self.faults));
        }
        self.wrong_kind(node, &format!("`{key}`"), "a template in quotes");
        None
    }
}
