//! Inheritance: what replaces what, and what is said of a chain that does not hold.

use countersign_core::scheme::SchemeDraft;
use countersign_core::scheme::draft::{Part, Template};
use countersign_schemes::{Library, SchemeError, read};

/// Schemes by name; `from` is put before a name that begins with `./`, as a folder would be.
struct Shelf<'a>(&'a [(&'a str, &'a str)]);

impl Library for Shelf<'_> {
    fn load(&self, name: &str, from: &str) -> Option<(String, String)> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let wanted = name.strip_prefix("./").map_or_else(|| name.to_owned(), |file| format!("{folder}/{file}"));
        let (name, text) = self.0.iter().find(|(name, _)| *name == wanted)?;
        Some(((*name).to_owned(), (*text).to_owned()))
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

const PARENT: &str = r#"
title = "parent"
kind = "request"
[vars]
region = "here"
[header]
A = "{key-id}"
B = "{timestamp:unix}"
[header.C]
text = "{signature:hex}"
split = ","
repeat = false
[let]
one = "1"
two = "2"
[sign]
base = "{body}"
signature = "{base | hmac-sha256 secret | hex}"
cover = "host"
[bind]
Digest = "{body | sha256 | hex}"
[fresh]
timestamp = "5m"
nonce = "once"
[errors]
status = 400
[response.header]
R = "{signature:hex}"
S = "{nonce}"
[response.sign]
base = "{body}"
signature = "{base | hmac-sha256 secret | hex}"
[[try]]
base = "a"
[[try]]
base = "b"
"#;

fn child(text: &str) -> Result<SchemeDraft, SchemeError> {
    read("child.toml", &format!("extends = \"parent\"\n{text}"), &Shelf(&[("parent", PARENT)]))
}

fn sound(text: &str) -> SchemeDraft {
    child(text).unwrap_or_else(|error| panic!("{error}"))
}

fn literal(template: &Template) -> String {
    let text = template.parts.iter().map(|part| match part {
        Part::Literal(text) => String::from_utf8_lossy(text).into_owned(),
        Part::Expr(_) | Part::Optional(_) => "…".to_owned(),
    });
    text.collect()
}

fn header_names(draft: &SchemeDraft) -> Vec<&str> {
    draft.request.carriers.iter().map(|carrier| carrier.name.value.as_str()).collect()
}

#[test]
fn nothing_of_its_own_is_the_parent_under_another_name() {
    let draft = sound("");
    assert_eq!(draft.name, "child");
    assert_eq!(draft.title.map(|title| (title.value, title.span.file)), Some(("parent".to_owned(), 1)));
    assert_eq!(draft.request.tries.len(), 2);
    assert_eq!(draft.response.map(|response| response.carriers.len()), Some(2));
}

#[test]
fn an_entry_is_replaced_in_its_place_and_a_new_one_comes_last() {
    let draft =
        sound("[header]\nNew = \"{nonce}\"\nb = \"{timestamp:unix-ms}\"\n[let]\none = \"uno\"\nthree = \"3\"");
    assert_eq!(header_names(&draft), ["A", "b", "C", "New"]);
    let files: Vec<_> = draft.request.carriers.iter().map(|carrier| carrier.name.span.file).collect();
    assert_eq!(files, [1, 0, 1, 0]);
    let lets: Vec<_> = draft
        .request
        .lets
        .iter()
        .map(|item| (item.name.value.as_str(), literal(&item.text), item.text.span.file))
        .collect();
    assert_eq!(lets, [("one", "uno".to_owned(), 0), ("two", "2".to_owned(), 1), ("three", "3".to_owned(), 0)]);
}

#[test]
fn a_carrier_is_replaced_as_a_whole() {
    let draft = sound("[header]\nC = \"{signature:b64}\"");
    let carrier = draft.request.carriers.last().expect("three carriers");
    assert_eq!((carrier.name.value.as_str(), &carrier.split, &carrier.repeat), ("C", &None, &None));
}

#[test]
fn keys_of_a_section_are_replaced_one_by_one() {
    let draft = sound("[sign]\nbase = \"x\"\n[fresh]\nnonce = false\nremember = \"1h\"");
    let sign = draft.request.sign.expect("a signature");
    assert_eq!((literal(&sign.base), sign.cover.map(|cover| cover.value)), ("x".to_owned(), Some("host".to_owned())));
    assert_eq!(draft.fresh.nonce, None);
    assert!(draft.fresh.timestamp.is_some());
    assert_eq!(draft.fresh.remember.map(|remember| remember.value), Some(3600));
}

#[test]
fn false_removes_an_entry_or_a_section() {
    let draft = sound(
        "errors = false\nresponse = false\ntry = false\nkind = false\n[header]\na = false\n[bind]\nDIGEST = false\n\
         [vars]\nregion = false",
    );
    assert_eq!(header_names(&draft), ["B", "C"]);
    assert_eq!((draft.errors, draft.response, draft.kind), (None, None, None));
    assert!(draft.request.tries.is_empty() && draft.request.binds.is_empty() && draft.vars.is_empty());
    let draft = sound("[response.header]\nS = false\n[response.sign]\nbase = \"y\"\n[response.let]\nnew = \"1\"");
    let response = draft.response.expect("a response");
    assert_eq!(response.carriers.len(), 1);
    assert_eq!(response.sign.map(|sign| literal(&sign.base)), Some("y".to_owned()));
    assert_eq!(response.lets.len(), 1);
}

#[test]
fn alternatives_are_replaced_together() {
    let draft = sound("[[try]]\nbase = \"c\"");
    let bases: Vec<_> = draft.request.tries.iter().filter_map(|item| item.base.as_ref()).map(literal).collect();
    assert_eq!(bases, ["c"]);
}

#[test]
fn a_chain_is_followed_from_the_folder_of_each_file() {
    let shelf = Shelf(&[
        ("a/b/mid.toml", "extends = \"./base.toml\"\ntitle = \"mid\"\n[let]\nx = false\ny = \"mid\""),
        ("a/b/base.toml", "title = \"base\"\nkind = \"link\"\n[let]\nx = \"base\"\ny = \"base\"\nz = \"base\""),
    ]);
    let draft = read("a/b/top.toml", "extends = \"./mid.toml\"\n[let]\nz = \"top\"\nx = \"top\"", &shelf);
    let draft = draft.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(draft.name, "top");
    assert_eq!(draft.title.map(|title| (title.value, title.span.file)), Some(("mid".to_owned(), 1)));
    assert_eq!(draft.kind.map(|kind| (kind.value, kind.span.file)), Some(("link".to_owned(), 2)));
    let lets: Vec<_> =
        draft.request.lets.iter().map(|item| (item.name.value.as_str(), item.text.span.file)).collect();
    assert_eq!(lets, [("y", 1), ("z", 0), ("x", 0)]);
}

#[test]
fn a_chain_that_does_not_hold() {
    let chain: Vec<(String, String)> =
        (0..12).map(|index| (format!("s{index}"), format!("extends = \"s{}\"", index + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let circle = [("a", "extends = \"b\""), ("b", "extends = \"a\"")];
    for (text, shelf, expected) in [
        (
            "extends = \"aws-sigv5\"",
            &[("aws-sigv4", "")][..],
            "error: there is no scheme `aws-sigv5`\n  --> top:1:12\n   |\n 1 | extends = \"aws-sigv5\"\n   |            ^^^^^^^^^\
             \nhint: did you mean `aws-sigv4`?",
        ),
        (
            "extends = \"nothing like it\"\n[sign]\n[header]\nX = false",
            &[("aws-sigv4", "")],
            "error: there is no scheme `nothing like it`\n  --> top:1:12\n   |\n 1 | extends = \"nothing like it\"\n   |            \
             ^^^^^^^^^^^^^^^\nhint: the name of a scheme of the catalogue, or a path relative to this file",
        ),
        (
            "extends = 4",
            &[],
            "error: `extends` is a string, not a number\n  --> top:1:11\n   |\n 1 | extends = 4\n   |           ^\
             \nhint: the name of a scheme of the catalogue, or a path relative to this file",
        ),
        (
            "extends = \"a\"",
            &circle,
            "error: the scheme extends itself\n  --> b:1:12\n   |\n 1 | extends = \"a\"\n   |            ^\
             \nhint: top extends a extends b extends a",
        ),
        (
            "extends = \"s0\"",
            &chain,
            "error: more than 8 schemes extend one another\n  --> s7:1:12\n   |\n 1 | extends = \"s8\"\n   |            ^^\
             \nhint: extend a scheme that is nearer to the first",
        ),
        (
            "extends = \"parent\"\n[header]\nAA = false\n[bind]\nX = false\n[xml]\nX = false\n[response]\nlet = false",
            &[("parent", "[header]\nA = \"{x}\"\n[response.header]\nB = \"{x}\"")],
            "error: there is no inherited `AA` to remove\n  --> top:3:1\n   |\n 3 | AA = false\n   | ^^\
             \nhint: did you mean `A`?\n\
             \n\
             error: there is no inherited `X` to remove\n  --> top:5:1\n   |\n 5 | X = false\n   | ^\
             \nhint: there is none here\n\
             \n\
             error: there is no inherited `X` to remove\n  --> top:7:1\n   |\n 7 | X = false\n   | ^\
             \nhint: there is none here\n\
             \n\
             error: there is no inherited `let` to remove\n  --> top:9:1\n   |\n 9 | let = false\n   | ^^^\
             \nhint: there is only `header`",
        ),
        (
            "extends = \"parent\"\n[let]\na = \"{\"",
            &[("parent", "[let]\nb = '}'\na = '}'\n[sign]\nbase = ''")],
            "error: this `{` is never closed\n  --> top:3:6\n   |\n 3 | a = \"{\"\n   |      ^\
             \nhint: `}` ends an expression; `{{` is a brace that stands for itself\n\
             \n\
             error: this `}` closes nothing\n  --> parent:2:6\n   |\n 2 | b = '}'\n   |      ^\
             \nhint: write `}}` for a `}` that stands for itself\n\
             \n\
             error: `[sign]` lacks `signature`\n  --> parent:4:1\n   |\n 4 | [sign]\n   | ^^^^^^",
        ),
        (
            "extends = \"parent\"",
            &[("parent", "a = 1\na = 2")],
            "error: `a` is not a section or key of a scheme\n  --> parent:1:1\n   |\n 1 | a = 1\n   | ^\n\
             hint: there are `title`, `reference`, `kind`, `when`, `extends`, `either`, `key`, `vars`, `header`, `query`, `form`, \
             `json`, `xml`, `cookie`, `path`, `let`, `sign`, `bind`, `require`, `policy`, `try`, \
             `chunks`, `message-signature`, `fresh`, `errors` and `response`\n\
             \n\
             error: duplicate key\n  --> parent:2:1\n   |\n 2 | a = 2\n   | ^\n\
             hint: each key and each section stands once",
        ),
    ] {
        match read("top", text, &Shelf(shelf)) {
            Ok(_) => panic!("{text} is read without a fault"),
            Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
        }
    }
}

#[test]
fn eight_links_are_fine() {
    let chain: Vec<(String, String)> = (0..8)
        .map(|index| {
            (format!("s{index}"), if index < 7 { format!("extends = \"s{}\"", index + 1) } else { String::new() })
        })
        .collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(read("top", "extends = \"s0\"", &Shelf(&chain)).is_ok());
}
