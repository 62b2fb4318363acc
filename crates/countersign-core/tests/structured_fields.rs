//! Structured fields against the HTTP working group's suite: `COUNTERSIGN_VECTORS`, or `../shared/vectors`.

#![expect(clippy::disallowed_methods, reason = "the engine does no I/O; its test vectors lie in files")]

use countersign_core::canon::Malformed;
use countersign_core::canon::sf::{self, Bare, InnerList, Item, Member, Params};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Every parsing case: what must fail does, and everything else gives the expected values and canonical text.
#[test]
fn what_the_suite_reads() {
    let Some(root) = root() else { return };
    let (mut judged, mut refused, mut known) = (0, 0, 0);
    each_case(&root, |case, name| {
        let text = lines(&case["raw"]).expect("every case has text").join(", ");
        let may_fail = case["can_fail"] == true;
        if let Ok((values, canonical)) = read(kind(case), text.as_bytes()) {
            assert_ne!(case["must_fail"], true, "{name}: {text:?}");
            assert_eq!(values, plain(&case["expected"]), "{name}: {text:?}");
            let expected = lines(&case["canonical"]).unwrap_or_else(|| lines(&case["raw"]).unwrap()).join(", ");
            assert_eq!(canonical, expected, "{name}");
            known += usize::from(may_fail);
        } else {
            assert_eq!(case["must_fail"], true, "{name}: {text:?}");
            refused += 1;
        }
        judged += 1;
    });
    eprintln!("{judged} parsed, {refused} of them malformed");
    // None of the cases that an implementation may refuse is refused.
    assert_eq!((judged, refused, known), (1591, 864, 6));
}

/// Every serialising case, and the expectation of every parsing case written anew.
#[test]
fn what_the_suite_writes() {
    let Some(root) = root() else { return };
    let (mut judged, mut refused) = (0, 0);
    each_case(&root.join("serialisation-tests"), |case, name| {
        let mut out = Vec::new();
        if write(kind(case), &case["expected"], &mut out).is_ok() {
            assert_ne!(case["must_fail"], true, "{name}");
            assert_eq!(text(&out), lines(&case["canonical"]).unwrap().join(", "), "{name}");
        } else {
            assert_eq!(case["must_fail"], true, "{name}");
            refused += 1;
        }
        judged += 1;
    });
    eprintln!("{judged} written, {refused} of them without a form");
    assert_eq!((judged, refused), (544, 539));

    let mut again = 0;
    each_case(&root, |case, name| {
        if case["must_fail"] != true {
            let mut out = Vec::new();
            write(kind(case), &case["expected"], &mut out).unwrap();
            let expected = lines(&case["canonical"]).unwrap_or_else(|| lines(&case["raw"]).unwrap()).join(", ");
            assert_eq!(text(&out), expected, "{name}");
            again += 1;
        }
    });
    assert_eq!(again, 727);
}

/// What a field holds in the suite's form, and its canonical text.
fn read(kind: &str, field: &[u8]) -> Result<(Value, String), Malformed> {
    let mut out = Vec::new();
    let values = match kind {
        "item" => {
            let item = sf::item(field)?;
            item.serialize(&mut out);
            of_item(item)
        }
        "list" => {
            let list = sf::list(field)?;
            list.serialize(&mut out);
            list.members().map(of_member).collect()
        }
        "dictionary" => {
            let dictionary = sf::dictionary(field)?;
            dictionary.serialize(&mut out);
            let entries = last_of_each(dictionary.entries().map(|(key, member)| (key, of_member(member))));
            for (key, value) in &entries {
                assert_eq!(dictionary.get(key).map(of_member).as_ref(), Some(value));
            }
            json!(entries)
        }
        unknown => panic!("unknown type {unknown:?}"),
    };
    Ok((values, text(&out)))
}

fn of_member(member: Member<'_>) -> Value {
    match member {
        Member::Item(item) => of_item(item),
        Member::List(list) => of_list(list),
    }
}

fn of_list(list: InnerList<'_>) -> Value {
    json!([list.items().map(of_item).collect::<Value>(), of_params(list.params)])
}

fn of_item(item: Item<'_>) -> Value {
    json!([of_bare(item.bare), of_params(item.params)])
}

fn of_params(params: Params<'_>) -> Value {
    let entries = last_of_each(params.entries().map(|(key, value)| (key, of_bare(value))));
    for (key, value) in &entries {
        assert_eq!(params.get(key).map(of_bare).as_ref(), Some(value));
    }
    json!(entries)
}

fn of_bare(bare: Bare<'_>) -> Value {
    let mut out = Vec::new();
    match bare {
        Bare::Integer(value) => json!(value),
        Bare::Decimal(value) => json!(format!("{value}e-3").parse::<f64>().unwrap()),
        Bare::Boolean(value) => json!(value),
        Bare::String(string) => {
            string.push(&mut out);
            assert!(string.is(&text(&out)));
            json!(text(&out))
        }
        Bare::Token(token) => json!({"__type": "token", "value": token}),
        Bare::Date(seconds) => json!({"__type": "date", "value": seconds}),
        Bare::Display(display) => {
            display.push(&mut out);
            json!({"__type": "displaystring", "value": text(&out)})
        }
        Bare::Bytes(bytes) => {
            bytes.decode(&mut out);
            json!({"__type": "binary", "value": out})
        }
    }
}

/// Each key once, in the place of its first entry and with the value of its last.
fn last_of_each<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Vec<(&'a str, Value)> {
    let mut settled: Vec<(&str, Value)> = Vec::new();
    for (key, value) in entries {
        match settled.iter_mut().find(|(known, _)| *known == key) {
            Some((_, slot)) => *slot = value,
            None => settled.push((key, value)),
        }
    }
    settled
}

/// The suite's expectation with byte sequences as bytes.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(members) if members["__type"] == "binary" => {
            json!({"__type": "binary", "value": base32(members["value"].as_str().unwrap())})
        }
        Value::Number(number) if number.as_f64() == Some(0.0) && number.is_f64() => json!(0.0),
        other => other.clone(),
    }
}

/// Appends what the suite's form says.
fn write(kind: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match kind {
        "item" => write_item(value, out),
        "list" => {
            for (index, member) in array(value).iter().enumerate() {
                separate(index, ", ", out);
                write_item(member, out)?;
            }
            Ok(())
        }
        "dictionary" => {
            for (index, entry) in array(value).iter().enumerate() {
                separate(index, ", ", out);
                sf::push_key(entry[0].as_str().unwrap(), out)?;
                if entry[1][0] == true {
                    write_params(&entry[1][1], out)?;
                } else {
                    out.push(b'=');
                    write_item(&entry[1], out)?;
                }
            }
            Ok(())
        }
        unknown => panic!("unknown type {unknown:?}"),
    }
}

/// An item or an inner list, which is one whose value is a list.
fn write_item(value: &Value, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if let Value::Array(items) = &value[0] {
        out.push(b'(');
        for (index, item) in items.iter().enumerate() {
            separate(index, " ", out);
            write_item(item, out)?;
        }
        out.push(b')');
    } else {
        write_bare(&value[0], out)?;
    }
    write_params(&value[1], out)
}

fn write_params(params: &Value, out: &mut Vec<u8>) -> Result<(), Malformed> {
    for entry in array(params) {
        out.push(b';');
        sf::push_key(entry[0].as_str().unwrap(), out)?;
        if entry[1] != true {
            out.push(b'=');
            write_bare(&entry[1], out)?;
        }
    }
    Ok(())
}

fn write_bare(value: &Value, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match value {
        Value::Bool(value) => {
            sf::push_boolean(*value, out);
            Ok(())
        }
        Value::Number(number) => match number.as_i64() {
            Some(integer) => sf::push_integer(integer, out),
            None => sf::push_decimal(sf::thousandths(&number.to_string())?, out),
        },
        Value::String(text) => sf::push_string(text, out),
        object => {
            let value = &object["value"];
            match object["__type"].as_str().unwrap() {
                "token" => sf::push_token(value.as_str().unwrap(), out),
                "date" => sf::push_date(value.as_i64().unwrap(), out),
                "binary" => {
                    sf::push_bytes(&base32(value.as_str().unwrap()), out);
                    Ok(())
                }
                "displaystring" => {
                    sf::push_display(value.as_str().unwrap(), out);
                    Ok(())
                }
                unknown => panic!("unknown type {unknown:?}"),
            }
        }
    }
}

/// RFC 4648, section 6.
fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut len, mut bytes) = (0_u32, 0_u32, Vec::new());
    for symbol in text.trim_end_matches('=').bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == symbol).unwrap();
        bits = bits << 5 | u32::try_from(value).unwrap();
        len += 5;
        if len >= 8 {
            len -= 8;
            bytes.push(u8::try_from(bits >> len & 0xff).unwrap());
        }
    }
    bytes
}

/// Hands every case of the folder's files to `each`, with its name.
fn each_case(folder: &Path, mut each: impl FnMut(&Value, &str)) {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let cases: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in array(&cases) {
            for member in case.as_object().unwrap().keys() {
                let is_known = ["name", "raw", "header_type", "expected", "must_fail", "can_fail", "canonical"]
                    .contains(&member.as_str());
                assert!(is_known, "{}: unknown member {member:?}", file.display());
            }
            each(case, &format!("{}: {}", file.display(), case["name"]));
        }
    }
}

fn kind(case: &Value) -> &str {
    case["header_type"].as_str().unwrap()
}

fn lines(value: &Value) -> Option<Vec<&str>> {
    value.as_array().map(|lines| lines.iter().map(|line| line.as_str().unwrap()).collect())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn separate(index: usize, by: &str, out: &mut Vec<u8>) {
    if index > 0 {
        out.extend_from_slice(by.as_bytes());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn root() -> Option<PathBuf> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let root = root.join("structured-fields");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
    None
}
