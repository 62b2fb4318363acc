//! Flat XML bodies (XML 1.0, fifth edition), as payment interfaces send them: a root whose children hold text.

use super::Malformed;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::collections::BTreeSet;

/// Hands the name and the text of each child of the root element to `each`, in the order in which they were sent.
///
/// The text is what an XML reader sees: character data and CDATA sections joined, the five predefined entities and
/// character references resolved, line ends as LF (section 2.11), white space kept. A name that comes twice is
/// malformed. So is what two readers may see differently: document types and with them entities of the document's
/// own, comments and processing instructions (which split text), attributes, namespaces and nesting (which a list of
/// names and values could not cover).
///
/// `each` may have been called for some children before a fault further on is found: what it collected counts only
/// if the answer is `Ok`.
pub fn xml_children(body: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Malformed> {
    let body = str::from_utf8(body).map_err(|_| Malformed)?;
    if !body.chars().all(is_char) {
        return Err(Malformed);
    }
    let mut reader = Reader::from_str(body);
    let mut place = Place::Start;
    let mut names = BTreeSet::new();
    let mut text = Vec::new();
    loop {
        let event = reader.read_event().map_err(|_| Malformed)?;
        place = match (place, event) {
            (Place::Start, Event::Decl(declaration)) => {
                let encoding = declaration.encoding().transpose().map_err(|_| Malformed)?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(Malformed);
                }
                Place::Prolog
            }
            (Place::Start | Place::Prolog, Event::Start(start)) => {
                plain_name(&start)?;
                Place::Root
            }
            (Place::Start | Place::Prolog, Event::Empty(start)) => {
                plain_name(&start)?;
                Place::End
            }
            (Place::Root, Event::Start(start)) => {
                let name = plain_name(&start)?.to_owned();
                text.clear();
                Place::Child(name)
            }
            (Place::Root, Event::Empty(start)) => {
                let name = plain_name(&start)?;
                each(name.as_bytes(), b"");
                if !names.insert(name.to_owned()) {
                    return Err(Malformed);
                }
                Place::Root
            }
            // The reader checks that names of start and end are the same.
            (Place::Root, Event::End(_)) => Place::End,
            (Place::Child(name), Event::End(_)) => {
                each(name.as_bytes(), &text);
                if !names.insert(name) {
                    return Err(Malformed);
                }
                Place::Root
            }
            (Place::Child(name), Event::Text(piece)) => {
                // Section 2.4: the end of a CDATA section must not stand in text.
                if piece.contains("]]>") {
                    return Err(Malformed);
                }
                text.extend_from_slice(piece.xml10_content().as_bytes());
                Place::Child(name)
            }
            (Place::Child(name), Event::CData(piece)) => {
                text.extend_from_slice(piece.xml10_content().as_bytes());
                Place::Child(name)
            }
            (Place::Child(name), Event::GeneralRef(reference)) => {
                let character = referred(&reference)?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                Place::Child(name)
            }
            (place, Event::Text(space)) if space.bytes().all(is_white) => match place {
                // Nothing, not even white space, may come before a declaration.
                Place::Start => Place::Prolog,
                place => place,
            },
            (Place::End, Event::Eof) => return Ok(()),
            _ => return Err(Malformed),
        };
    }
}

/// Where in the document the reader is.
enum Place {
    Start,
    Prolog,
    Root,
    Child(String),
    End,
}

/// The name of an element without attributes.
fn plain_name<'a>(start: &'a BytesStart<'_>) -> Result<&'a str, Malformed> {
    let name = start.name().into_inner();
    let mut characters = name.chars();
    let is_name = characters.next().is_some_and(is_name_start)
        && characters.all(|character| is_name_start(character) || matches!(character, '0'..='9' | '-' | '.'));
    if is_name && start.attributes_raw().bytes().all(is_white) { Ok(name) } else { Err(Malformed) }
}

/// Section 2.3, without the colon, which would mean a namespace, and with everything beyond ASCII.
fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

/// Section 2.2: the characters that a document may contain.
fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Section 2.3: white space.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The character that a reference stands for: sections 4.1 and 4.6.
fn referred(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => match reference.resolve_char_ref() {
            Ok(Some(character)) if is_char(character) => Ok(character),
            _ => Err(Malformed),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn children(body: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, Malformed> {
        let mut children = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        xml_children(body.as_ref(), &mut |name, value| children.push((text(name), text(value))))?;
        Ok(children)
    }

    #[track_caller]
    fn check(body: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(children(body), Ok(expected), "{body}");
    }

    #[test]
    fn children_come_in_order_with_their_text() {
        check("<xml/>", &[]);
        check("<xml></xml>", &[]);
        check(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n<b>2</b> <a>1</a>\n</xml>\n",
            &[("b", "2"), ("a", "1")],
        );
        check("<xml><a></a><b/><c> x y </c></xml>", &[("a", ""), ("b", ""), ("c", " x y ")]);
        check("<xml><a><![CDATA[<&]]></a><b>x<![CDATA[]]>&amp;<![CDATA[y]]></b></xml>", &[("a", "<&"), ("b", "x&y")]);
        check("<xml><a>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1F600;</a></xml>", &[("a", "<>&'\"AB😀")]);
        check(
            "<xml><a>1\r\n2\r3</a><b><![CDATA[\r\n]]></b><größe>é</größe></xml>",
            &[("a", "1\n2\n3"), ("b", "\n"), ("größe", "é")],
        );
        check("<xml ><a\n>1</a ></xml >", &[("a", "1")]);
    }

    #[test]
    fn attack_15_what_could_be_read_in_two_ways_is_malformed() {
        for body in [
            "",
            " ",
            "text",
            "<xml>",
            "</xml>",
            "<xml><a></xml>",
            "<xml><a></b></xml>",
            "<xml></a></xml>",
            "<xml/><xml/>",
            "<xml/>x",
            "x<xml/>",
            "<xml>x</xml>",
            "<xml><![CDATA[x]]></xml>",
            "<xml>&amp;</xml>",
            "<xml><a>1</a><a>2</a></xml>",
            "<xml><a/><a>2</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a><b/></a></xml>",
            "<xml><a x=\"1\">1</a></xml>",
            "<xml x=\"1\"/>",
            "<xml><a x/></xml>",
            "<!DOCTYPE xml><xml/>",
            "<!DOCTYPE xml [<!ENTITY e \"x\">]><xml><a>&e;</a></xml>",
            "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>",
            "<xml><a>&e;</a></xml>",
            "<xml><a>&nbsp;</a></xml>",
            "<xml><a>&;</a></xml>",
            "<xml><a>&</a></xml>",
            "<xml><a>&amp</a></xml>",
            "<xml><a>&#0;</a></xml>",
            "<xml><a>&#1;</a></xml>",
            "<xml><a>&#xD800;</a></xml>",
            "<xml><a>&#x110000;</a></xml>",
            "<xml><a>&#;</a></xml>",
            "<xml><a>&#x;</a></xml>",
            "<xml><a>&#-1;</a></xml>",
            "<xml><a>&#+65;</a></xml>",
            "<xml><a>&# 65;</a></xml>",
            "<xml><a>1<!-- c -->2</a></xml>",
            "<xml><!-- c --><a>1</a></xml>",
            "<!-- c --><xml/>",
            "<xml><?pi?></xml>",
            "<?pi?><xml/>",
            " <?xml version=\"1.0\"?><xml/>",
            "<xml/><?xml version=\"1.0\"?>",
            "<xml><?xml version=\"1.0\"?></xml>",
            "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><xml/>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><xml/>",
            "<xml><a>]]></a></xml>",
            "<xml><a>\u{1}</a></xml>",
            "<xml><a>\u{ffff}</a></xml>",
            "<xml><1a/></xml>",
            "<xml><n:a>1</n:a></xml>",
            "<xml><a<b>1</a<b></xml>",
            "<xml>< a>1</ a></xml>",
            "<xml><>1</></xml>",
            "\u{feff}",
            "<xml",
            "<xml><a",
            "<xml><a>1</a",
            "<xml><a><![CDATA[x</a></xml>",
        ] {
            assert_eq!(children(body), Err(Malformed), "{body:?}");
        }
        assert_eq!(children(b"<xml><a>\xff</a></xml>"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn escaped_text_is_read_back(value in "[^\\p{C}]{0,20}") {
            let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(children(format!("<r><a>{escaped}</a></r>")), Ok(vec![("a".to_owned(), value)]));
        }

        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>) {
            let _ = children(&body);
        }

        #[test]
        fn nearly_xml_never_panics(body in r#"<x>[<>/ax!&;#\[\]CDAT?"= -]{0,24}</x>"#) {
            let _ = children(&body);
        }
    }
}
