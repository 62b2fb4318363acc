//! Writing, as each framework writes: what separates, and what is escaped.

use std::fmt::Write as _;

use super::Json;

/// A way of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    comma: &'static str,
    colon: &'static str,
    escape: Escape,
}

/// Which characters are escaped besides those that must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// All that are not printable ASCII: Python's `ensure_ascii`.
    Ascii,
    /// Those that could end a script element: `ActiveSupport`'s `escape_html_entities_in_json`.
    Html,
    /// None.
    None,
}

impl Style {
    /// UTF-8 without white space: Ruby's `JSON.generate`, JavaScript's `JSON.stringify`, itsdangerous' `_CompactJSON`.
    pub(crate) const COMPACT: Self = Self { comma: ",", colon: ":", escape: Escape::None };
    /// ASCII without white space: Django's `JSONSerializer`, Flask's `TaggedJSONSerializer`.
    pub(crate) const ASCII: Self = Self { comma: ",", colon: ":", escape: Escape::Ascii };
    /// `json.dumps` of Python, nothing said: itsdangerous' `Serializer`.
    pub(crate) const PYTHON: Self = Self { comma: ", ", colon: ": ", escape: Escape::Ascii };
    /// `ActiveSupport::JSON.encode`.
    pub(crate) const HTML: Self = Self { comma: ",", colon: ":", escape: Escape::Html };
}

pub(super) fn write(value: &Json, style: Style, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(number.as_str()),
        Json::String(text) => string(text, style.escape, out),
        Json::Array(items) => {
            let mut before = "[";
            for item in items {
                out.push_str(before);
                write(item, style, out);
                before = style.comma;
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Json::Object(members) => {
            let mut before = "{";
            for (name, value) in members {
                out.push_str(before);
                string(name, style.escape, out);
                out.push_str(style.colon);
                write(value, style, out);
                before = style.comma;
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
    }
}

fn string(text: &str, escape: Escape, out: &mut String) {
    out.push('"');
    if text.bytes().all(|byte| is_plain(byte, escape)) {
        out.push_str(text);
    } else {
        text.chars().for_each(|character| push(character, escape, out));
    }
    out.push('"');
}

fn is_plain(byte: u8, escape: Escape) -> bool {
    let quiet = !matches!(byte, b'"' | b'\\' | 0..=0x1f);
    quiet
        && match escape {
            Escape::Ascii => matches!(byte, b' '..=b'~'),
            Escape::Html => byte.is_ascii() && !matches!(byte, b'<' | b'>' | b'&'),
            Escape::None => true,
        }
}

fn push(character: char, escape: Escape, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{1f}' => units(character, out),
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if escape == Escape::Html => units(character, out),
        ' '..='~' => out.push(character),
        _ if escape == Escape::Ascii => units(character, out),
        _ => out.push(character),
    }
}

fn units(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str, style: Style) -> String {
        let mut out = String::new();
        write(&Json::parse(text.as_bytes()).unwrap(), style, &mut out);
        out
    }

    #[test]
    fn each_framework_has_its_style() {
        let text = r#"{"é": ["<&>", 1.50, {}, []], "😀": "\u007f\u2028", "b": {"c": null, "d": true}}"#;
        assert_eq!(
            written(text, Style::ASCII),
            r#"{"\u00e9":["<&>",1.50,{},[]],"\ud83d\ude00":"\u007f\u2028","b":{"c":null,"d":true}}"#
        );
        assert_eq!(
            written(text, Style::PYTHON),
            r#"{"\u00e9": ["<&>", 1.50, {}, []], "\ud83d\ude00": "\u007f\u2028", "b": {"c": null, "d": true}}"#
        );
        assert_eq!(
            written(text, Style::COMPACT),
            "{\"é\":[\"<&>\",1.50,{},[]],\"😀\":\"\u{7f}\u{2028}\",\"b\":{\"c\":null,\"d\":true}}"
        );
        assert_eq!(
            written(text, Style::HTML),
            "{\"é\":[\"\\u003c\\u0026\\u003e\",1.50,{},[]],\"😀\":\"\u{7f}\\u2028\",\"b\":{\"c\":null,\"d\":true}}"
        );
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|number| Json::Number(number.into())),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in tree()) {
            for style in [Style::COMPACT, Style::ASCII, Style::PYTHON, Style::HTML] {
                let mut out = String::new();
                write(&value, style, &mut out);
                prop_assert_eq!(Json::parse(out.as_bytes()), Ok(value.clone()));
            }
        }
    }
}
