//! What the suite's files do not have: exact views, hostile text, and another implementation's opinion.

use super::*;
use ::sfv::FieldType as _;
use proptest::prelude::*;

fn canonical(serialize: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = b"before".to_vec();
    serialize(&mut out);
    String::from_utf8(out.strip_prefix(b"before").expect("the buffer's content is kept").to_vec()).expect("text")
}

fn written(push: impl Fn(&mut Vec<u8>) -> Result<(), Malformed>) -> Result<String, Malformed> {
    let mut out = b"before".to_vec();
    let result = push(&mut out);
    let appended = out.strip_prefix(b"before").expect("the buffer's content is kept");
    assert!(result.is_ok() || appended.is_empty(), "a failure leaves nothing behind");
    result.map(|()| String::from_utf8(appended.to_vec()).expect("text"))
}

#[test]
fn a_signature_s_parameters_are_cut_out_as_they_were_received() {
    let text = b"  sig1=( \"@method\"   \"a)\\\"b;(c,d\";p=\"(\" );created=1;  keyid=\"x;,)\";d=%\"\\\", b=?0;x \t, c;y=\",\" ";
    let dictionary = dictionary(text).expect("well-formed");
    let entries: Vec<_> = dictionary.entries().collect();
    assert_eq!(entries.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["sig1", "b", "c"]);
    let Member::List(list) = entries[0].1 else { panic!("a list") };
    assert_eq!(
        list.raw(),
        b"( \"@method\"   \"a)\\\"b;(c,d\";p=\"(\" );created=1;  keyid=\"x;,)\";d=%\"\\\"".as_slice()
    );
    assert_eq!(list.params.raw(), b";created=1;  keyid=\"x;,)\";d=%\"\\\"".as_slice());
    let names: Vec<_> = list
        .items()
        .map(|item| match item.bare {
            Bare::String(text) => text.raw(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["@method", r#"a)\"b;(c,d"#]);
    assert!(matches!(list.params.get("created"), Some(Bare::Integer(1))));
    assert!(matches!(list.params.get("keyid"), Some(Bare::String(text)) if text.plain() == Some("x;,)")));
    assert!(list.params.get("nonce").is_none());
    let Some(Member::Item(item)) = dictionary.get("b") else { panic!("an item") };
    assert!(matches!(item.bare, Bare::Boolean(false)));
    assert_eq!(item.params.raw(), b";x");
    let Some(Member::Item(item)) = dictionary.get("c") else { panic!("an item") };
    assert!(matches!(item.bare, Bare::Boolean(true)));
    assert_eq!(item.params.raw(), b";y=\",\"");
    assert!(dictionary.get("d").is_none());
}

/// What a dictionary gives, marked or not: each key, each item of its lists, and what follows.
fn taken_apart(dictionary: &Dictionary<'_>) -> Vec<String> {
    let apart = |(key, member)| match member {
        Member::Item(item) => format!("{key} {item:?}"),
        Member::List(list) => {
            format!("{key} {:?} {:?} {:?}", list.items().collect::<Vec<_>>(), list.raw(), list.params)
        }
    };
    dictionary.entries().map(apart).collect()
}

#[test]
fn marks_are_those_of_the_last_member_and_of_this_field() {
    let mut marks = Vec::new();
    for (text, marked) in [
        ("a=(1 \"b\";c x), d=( \"e\"  \"f\";g=\"\\\"\" )", 2),
        ("a=(1 2 3)", 3),
        ("a=(\"b\"), c", 0),
        ("a=(\"b\"), c=()", 0),
        ("", 0),
    ] {
        let plain = taken_apart(&dictionary(text.as_bytes()).expect("well-formed"));
        let again = marked_dictionary(text.as_bytes(), &mut marks).expect("well-formed");
        assert_eq!((taken_apart(&again), again.marks.len()), (plain, marked), "{text}");
    }
    assert!(marked_dictionary(b"a=(\"b\" \"c)", &mut marks).is_err());
}

#[test]
fn repetitions_are_seen_and_the_last_counts_in_the_first_s_place() {
    let dictionary = dictionary(b"a=1, b=2;p=1;q;p=2, a=(3)").expect("well-formed");
    assert_eq!(dictionary.entries().map(|(key, _)| key).collect::<String>(), "aba");
    assert!(matches!(dictionary.get("a"), Some(Member::List(_))));
    assert_eq!(canonical(|out| dictionary.serialize(out)), "a=(3), b=2;p=2;q");
    let Some(Member::Item(item)) = dictionary.get("b") else { panic!("an item") };
    assert_eq!(item.params.entries().map(|(key, _)| key).collect::<String>(), "pqp");
    assert!(matches!(item.params.get("p"), Some(Bare::Integer(2))));
}

#[test]
fn a_repetition_is_found_among_few_and_many() {
    for count in [0, 1, 2, 8, 9, 40] {
        let keys: Vec<_> = (0..count).map(|index| format!("k{index}")).collect();
        let text = keys.join(",");
        assert!(!dictionary(text.as_bytes()).expect("well-formed").repeats(), "{text}");
        let params = format!("1;{}", keys.join(";"));
        for (at, key) in keys.iter().enumerate() {
            let text = format!("{text}, {key}=1");
            assert!(dictionary(text.as_bytes()).expect("well-formed").repeats(), "{at}: {text}");
            let text = format!("{params};{key}");
            assert!(item(text.as_bytes()).expect("well-formed").params.repeats(), "{at}: {text}");
            assert!(!item(params.as_bytes()).expect("well-formed").params.repeats(), "{params}");
        }
    }
}

/// More entries than are compared with each other, and enough for anything quadratic to be felt.
#[test]
fn attack_many_entries_take_time_in_proportion() {
    let text: Vec<_> = (0..30_000).map(|index| format!("k{}={index}", index % 20_000)).collect();
    let text = text.join(", ");
    let out = canonical(|out| dictionary(text.as_bytes()).expect("well-formed").serialize(out));
    let expected: Vec<_> =
        (0..20_000).map(|key| format!("k{key}={}", if key < 10_000 { key + 20_000 } else { key })).collect();
    assert_eq!(out, expected.join(", "));
}

#[test]
fn strings_are_compared_without_their_escapes() {
    let Ok(Item { bare: Bare::String(text), .. }) = item(br#""a\"b\\""#) else { panic!("a string") };
    assert_eq!((text.raw(), text.plain()), (r#"a\"b\\"#, None));
    assert!(text.is(r#"a"b\"#));
    for other in [r#"a\"b\\"#, r#"a"b\\"#, r#"a"b"#, "", r#"a"b\x"#] {
        assert!(!text.is(other), "{other}");
    }
}

#[test]
fn anything_else_is_malformed() {
    for text in [
        "",
        " ",
        "\t1",
        "1\t",
        "a b",
        "\"",
        "\"a",
        "\"\\a\"",
        "\"\\\"",
        "\"a\\",
        "\"\u{7f}\"",
        "\"é\"",
        "é",
        ":",
        ":a:",
        ":ab==",
        ":ab==x:",
        ":abc==:",
        ":ab=c:",
        ":ab===:",
        ":a-_b:",
        "?",
        "?2",
        "?1a",
        "@",
        "@1.0",
        "@-",
        "@a",
        "%",
        "%a",
        "%\"",
        "%\"%\"",
        "%\"%a\"",
        "%\"%AA\"",
        "%\"%ff\"",
        "%\"%c3\"",
        "%\"%c3%28\"",
        "%\"%ed%a0%80\"",
        "%\"é\"",
        "-",
        "-a",
        "--1",
        "+1",
        "1.",
        ".1",
        "1.1234",
        "1234567890123.1",
        "1234567890123456",
        "1..1",
        "1;",
        "1;A",
        "1;a=",
        "1;a=()",
        "1;a =1",
        "1;a= 1",
        "1 ;a",
        "1;;a",
        "(1)",
        "a,b",
        "{",
        "a\0",
        "a\n",
    ] {
        assert!(item(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(item(b"\"\xff\"").is_err());
    for text in [
        ",",
        "a,",
        "a,,b",
        "a,\t",
        ",a",
        "a b",
        "(",
        "(a",
        "(a,b)",
        "(a\tb)",
        "(a(b))",
        "((a))",
        "(a)b",
        "(\"a\"\"b\")",
    ] {
        assert!(list(text.as_bytes()).is_err(), "{text:?}");
    }
    for text in ["A", "a=", "a==1", "a =1", "a= 1", "a,", "1=a", "a=1 b=2", "a;", "a;b=", "=1", "a=1;b,,c", "é=1"] {
        assert!(dictionary(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn writers_refuse_what_has_no_form() {
    assert_eq!(written(|out| push_string("a\"\\b", out)), Ok(r#""a\"\\b""#.to_owned()));
    assert_eq!(written(|out| push_token("*a/b:c", out)), Ok("*a/b:c".to_owned()));
    assert_eq!(written(|out| push_decimal(-1, out)), Ok("-0.001".to_owned()));
    assert_eq!(written(|out| push_decimal(10_500, out)), Ok("10.5".to_owned()));
    assert_eq!(written(|out| push_decimal(0, out)), Ok("0.0".to_owned()));
    assert_eq!(written(|out| push_date(-5, out)), Ok("@-5".to_owned()));
    for wrong in ["a\n", "é", "\u{7f}", "\0"] {
        assert_eq!(written(|out| push_string(wrong, out)), Err(Malformed), "{wrong:?}");
    }
    for wrong in ["", "1a", "a b", "a\"", "é", "a,", "(", "a=b"] {
        assert_eq!(written(|out| push_token(wrong, out)), Err(Malformed), "{wrong:?}");
    }
    for wrong in ["", "A", "aB", "1", "-a", "a/b", "é"] {
        assert_eq!(written(|out| push_key(wrong, out)), Err(Malformed), "{wrong:?}");
    }
    for wrong in [1_000_000_000_000_000, -1_000_000_000_000_000, i64::MAX, i64::MIN] {
        for push in [push_integer, push_decimal, push_date] {
            assert_eq!(written(|out| push(wrong, out)), Err(Malformed), "{wrong}");
        }
    }
}

#[test]
fn numbers_are_rounded_to_the_even_thousandth() {
    for (number, expected) in [
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("1.5", Ok(1500)),
        ("0.0005", Ok(0)),
        ("0.0015", Ok(2)),
        ("0.00250", Ok(2)),
        ("0.002501", Ok(3)),
        ("-0.0026", Ok(-3)),
        ("9.9995", Ok(10_000)),
        ("999999999999.9994", Ok(999_999_999_999_999)),
        ("999999999999.9996", Err(Malformed)),
        ("1000000000000", Err(Malformed)),
        ("", Err(Malformed)),
        ("-", Err(Malformed)),
        ("1.", Err(Malformed)),
        (".1", Err(Malformed)),
        ("1e3", Err(Malformed)),
        ("1.0é", Err(Malformed)),
        ("1.000000x", Err(Malformed)),
    ] {
        assert_eq!(thousandths(number), expected, "{number}");
    }
}

/// Ours and the crate `sfv` on one text: accepted by both or by neither, and canonical alike.
fn agree(text: &[u8]) -> Result<bool, TestCaseError> {
    let ours = dictionary(text).ok().map(|read| canonical(|out| read.serialize(out)));
    let theirs = ::sfv::Parser::new(text).parse::<::sfv::Dictionary>().ok();
    let mut accepted = ours.is_some();
    prop_assert_eq!(ours, theirs.map(|read| read.serialize().unwrap_or_default()), "dictionary");

    let mut marks = Vec::new();
    let plain = dictionary(text).ok().map(|read| taken_apart(&read));
    let marked = marked_dictionary(text, &mut marks).ok().map(|read| taken_apart(&read));
    prop_assert_eq!(plain, marked, "marked or not");

    let ours = list(text).ok().map(|read| canonical(|out| read.serialize(out)));
    let theirs = ::sfv::Parser::new(text).parse::<::sfv::List>().ok();
    accepted |= ours.is_some();
    prop_assert_eq!(ours, theirs.map(|read| read.serialize().unwrap_or_default()), "list");

    let ours = item(text).ok().map(|read| canonical(|out| read.serialize(out)));
    let theirs = ::sfv::Parser::new(text).parse::<::sfv::Item>().ok();
    accepted |= ours.is_some();
    prop_assert_eq!(ours, theirs.map(|read| read.serialize()), "item");
    Ok(accepted)
}

/// What the other steps of a scan do with text that was not checked: anything but panic or run on.
fn survives(text: &str) {
    let last = LastList::default();
    let dictionary = Dictionary { text, last, marks: &[] };
    let _ = (dictionary.entries().take(text.len() + 2).count(), Params { text }.entries().count());
    canonical(|out| List { text, last }.serialize(out));
    let inside = InnerList { params: Params { text }, raw: text, inside: text, marks: &[] };
    canonical(|out| inside.serialize(out));
}

fn bare() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,15}",
        "-?[0-9]{1,12}\\.[0-9]{1,3}",
        "\"([ -!#-\\[\\]-~]|\\\\\"|\\\\\\\\){0,8}\"",
        "[a-zA-Z*][a-z0-9!#$%&'*+.^_`|~:/-]{0,8}",
        ":([A-Za-z0-9+/]{4}){0,4}([A-Za-z0-9+/]{2}={0,2}|[A-Za-z0-9+/]{3}={0,1})?:",
        "\\?[01]",
        "@-?[0-9]{1,15}",
        "%\"([ -!#-$&-~]|%22|%25|%c3%bc|%e2%82%ac|%f0%9f%98%80|%61){0,6}\"",
    ]
}

fn key() -> impl Strategy<Value = String> {
    "[a-c*]([a-b0-9_.*-]{0,2})"
}

fn params() -> impl Strategy<Value = String> {
    let one = (" {0,2}", key(), proptest::option::of(bare()));
    proptest::collection::vec(one, 0..4).prop_map(|params| {
        let written = |(space, key, value): (String, String, Option<String>)| {
            let value = value.map(|value| format!("={value}")).unwrap_or_default();
            format!(";{space}{key}{value}")
        };
        params.into_iter().map(written).collect::<Vec<_>>().concat()
    })
}

fn member() -> impl Strategy<Value = String> {
    let item = || (bare(), params()).prop_map(|(bare, params)| bare + &params);
    let inner = (proptest::collection::vec((item(), " {1,2}"), 0..4), " {0,2}", params()).prop_map(
        |(items, space, params)| {
            let items: String = items.into_iter().map(|(item, space)| item + &space).collect();
            format!("({space}{items}){params}")
        },
    );
    prop_oneof![2 => item(), 1 => inner]
}

fn field() -> impl Strategy<Value = String> {
    let white = || "[ \t]{0,2}";
    let entry = || {
        (key(), proptest::option::of(member()), params()).prop_map(|(key, member, params)| match member {
            Some(member) => format!("{key}={member}"),
            None => key + &params,
        })
    };
    let separated = |members: Vec<(String, String, String)>| {
        let written = members.into_iter().map(|(member, before, after)| format!("{member}{before},{after}"));
        written.collect::<Vec<_>>().concat()
    };
    prop_oneof![
        member(),
        (proptest::collection::vec((member(), white(), white()), 0..4), member())
            .prop_map(move |(members, last)| separated(members) + &last),
        (proptest::collection::vec((entry(), white(), white()), 0..12), entry())
            .prop_map(move |(members, last)| separated(members) + &last),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_sfv_on_fields(text in field()) {
        prop_assert!(agree(text.as_bytes())?, "{text}");
    }

    #[test]
    fn agrees_with_sfv_on_changed_fields(
        text in field(),
        at: proptest::sample::Index,
        with in "[ -~\t\u{e9}]{0,2}",
        gone in 0_usize..3,
    ) {
        let mut text = text.into_bytes();
        let at = at.index(text.len() + 1);
        let end = (at + gone).min(text.len());
        text.splice(at..end, with.bytes());
        agree(&text)?;
        if let Ok(text) = str::from_utf8(&text) {
            survives(text);
        }
    }

    #[test]
    fn agrees_with_sfv_on_anything(text in "[a*A1.;,=()\"\\\\:?@% \t-]{0,16}", bytes: Vec<u8>) {
        agree(text.as_bytes())?;
        agree(&bytes)?;
        survives(&text);
    }

    #[test]
    fn what_is_written_is_read(text: String, bytes: Vec<u8>, ascii in "[ -~]{0,16}") {
        let mut out = Vec::new();
        push_display(&text, &mut out);
        let Ok(Item { bare: Bare::Display(read), .. }) = item(&out) else { panic!("a display string") };
        prop_assert_eq!(canonical(|out| read.push(out)), text);
        out.clear();
        push_bytes(&bytes, &mut out);
        let Ok(Item { bare: Bare::Bytes(read), .. }) = item(&out) else { panic!("bytes") };
        let mut decoded = Vec::new();
        read.decode(&mut decoded);
        prop_assert_eq!(&decoded, &bytes);
        prop_assert_eq!(read.array::<4>().is_some(), bytes.len() == 4);
        prop_assert!(read.array::<4>().is_none_or(|array| array == *bytes));
        out.clear();
        push_string(&ascii, &mut out).expect("printable");
        let Ok(Item { bare: Bare::String(read), .. }) = item(&out) else { panic!("a string") };
        prop_assert!(read.is(&ascii));
        prop_assert_eq!(canonical(|out| read.push(out)), ascii);
    }
}
