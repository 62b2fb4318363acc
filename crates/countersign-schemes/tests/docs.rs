//! `docs/schemes.md` is executed: what it calls a scheme is one, what it calls a fault is that fault, what its
//! tables say comes out does come out, and no word of the language is missing from it.
//!
//! The document's own conventions are the format: `toml` blocks are whole schemes, `toml,fragment` blocks lie over
//! the first of them, `toml,fault` blocks are refused with the `text` block behind them, `http` blocks verify
//! under the first scheme, and a table behind `<!-- table: NAME -->` is data.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; the document lies in a file")]

use countersign_core::key::{Key, KeySet};
use countersign_core::request::{RequestView, Transport};
use countersign_core::scheme::{Scheme, vocabulary_names};
use countersign_core::time::UnixTime;
use countersign_core::{Plan, Verifier};
use countersign_schemes::{Catalogue, Library, load};
use std::sync::Arc;

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemes.md");
    std::fs::read_to_string(path).expect("docs/schemes.md")
}

/// A fenced block: the line it begins on, what stands behind the fence, and its text.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => {
                blocks.push(Block { line: index + 1, info: info.to_owned(), text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                let block = blocks.last_mut().expect("a block is open");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "a block is never closed");
    blocks
}

/// The catalogue, and the document's first scheme under the name that the document gives it.
struct Shelf(String);

impl Library for Shelf {
    fn load(&self, name: &str, from: &str) -> Option<(String, String)> {
        if name == "first" { Some((name.to_owned(), self.0.clone())) } else { Catalogue.load(name, from) }
    }
}

fn shelf(document: &str) -> Shelf {
    Shelf(blocks(document).into_iter().find(|block| block.info == "toml").expect("a first scheme").text)
}

fn over_the_first(fragment: &str) -> String {
    format!("extends = \"first\"\n{fragment}")
}

#[test]
fn every_block_is_what_it_says() {
    let document = document();
    let shelf = shelf(&document);
    let blocks = blocks(&document);
    let mut schemes = 0;
    let mut wrong = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let (text, sound) = match block.info.as_str() {
            "toml" => (block.text.clone(), true),
            "toml,fragment" => (over_the_first(&block.text), true),
            "toml,fault" => (block.text.clone(), false),
            "http" | "text" | "sh" => continue,
            other => panic!("line {}: a block of an unknown kind, `{other}`", block.line),
        };
        schemes += 1;
        match load("mine.toml", &text, &shelf) {
            Ok(_) if sound => {}
            Ok(_) => wrong.push(format!("line {}: this is a scheme", block.line)),
            Err(error) if sound => wrong.push(format!("line {}:\n{error}", block.line)),
            Err(error) => {
                let shown = blocks.get(index + 1).filter(|next| next.info == "text").map(|next| next.text.trim_end());
                if shown != Some(error.to_string().as_str()) {
                    wrong.push(format!("line {}: is shown as\n{error}", block.line));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(schemes >= 7, "the examples are gone: {schemes}");
}

#[test]
fn the_signed_request_verifies_under_the_first_scheme_and_changed_it_does_not() {
    let document = document();
    let plan = Plan::compile(&load("first", &shelf(&document).0, &Catalogue).expect("the first scheme"));
    let key = Key::secret(SECRET.as_bytes()).with_id("alice");
    let keys = KeySet::new([Arc::new(key)]);
    let mut judged = 0;
    for block in blocks(&document).iter().filter(|block| block.info == "http") {
        let (head, body) = block.text.split_once("\n\n").expect("an empty line behind the head");
        let mut lines = head.lines();
        let mut request = lines.next().expect("a request line").split(' ');
        let (method, target) = (request.next().expect("a method"), request.next().expect("a target"));
        let fields: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").expect("a field line")).collect();
        let field = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| *value);
        let now = UnixTime::from_millis(field("X-Time").parse().expect("a time"));
        let verdict = |body: &str| {
            let view = RequestView { body: Some(body.as_bytes()), ..view(method, target, field("Host"), &fields) };
            let verifier = Verifier::new(Arc::clone(&plan));
            let explanation = verifier.explain(view, &keys, now);
            let computed = explanation.computed_signature.unwrap_or_default();
            explanation.verdict.map_err(|_| String::from_utf8_lossy(&computed).into_owned()).map(drop)
        };
        assert_eq!(verdict(body.trim_end()), Ok(()), "line {}", block.line);
        assert!(verdict("{}").is_err(), "line {}", block.line);
        judged += 1;
    }
    assert_eq!(judged, 1);
}

/// What the document says the secret is.
const SECRET: &str = "correct horse battery staple";

fn view<'a>(
    method: &'a str,
    target: &'a str,
    authority: &'a str,
    fields: &'a Vec<(&'a str, &'a str)>,
) -> RequestView<'a> {
    RequestView {
        method,
        target: target.as_bytes(),
        authority,
        transport: Transport::Https,
        fields,
        body: None,
        peer: None,
        status: None,
        trailers: None,
        answers: None,
    }
}

/// The rows of a table, cell by cell, with the line each stands on.
fn table(document: &str, name: &str) -> Vec<(usize, Vec<String>)> {
    let marker = format!("<!-- table: {name} -->");
    let start = document.lines().position(|line| line == marker).unwrap_or_else(|| panic!("no table `{name}`"));
    let rows = document.lines().enumerate().skip(start + 1).skip_while(|(_, line)| line.is_empty());
    let rows: Vec<_> = rows
        .take_while(|(_, line)| line.starts_with('|'))
        .skip(2)
        .map(|(index, line)| {
            let line = line.trim().trim_start_matches('|');
            let line = line.strip_suffix('|').unwrap_or(line).replace("\\|", "\u{1}");
            (index + 1, line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect())
        })
        .collect();
    assert!(rows.len() >= 3, "the table `{name}` is gone");
    rows
}

/// The code spans of a cell.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A cell with one value: a code span, or a word for what cannot be shown.
fn value(cell: &str) -> String {
    match (code(cell).as_slice(), cell) {
        ([one], _) => (*one).to_owned(),
        (_, "empty") => String::new(),
        _ => cell.to_owned(),
    }
}

/// The message that the tables are about: as the document describes it.
struct Message {
    target: String,
    fields: Vec<(&'static str, String)>,
    body: String,
}

impl Message {
    fn new() -> Self {
        let fields = [
            ("Host", "api.example.com:8443"),
            ("Cookie", "lang=en; theme=dark"),
            ("X-Tag", "blue"),
            ("X-Key", "alice"),
            ("X-Time", "1440938160"),
            ("X-Names", "b;a"),
            ("X-Sig", "00"),
        ];
        Self {
            target: "/a%20b/c?x=1&y=a%2Bb&z".into(),
            fields: fields.map(|(name, value)| (name, value.to_owned())).into(),
            body: "user=bob&note=a+b".into(),
        }
    }

    fn with_field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    /// What an expression makes of the message; what is absent and what is refused are said in words.
    fn evaluate(&self, expression: &str) -> String {
        let answer = expression.starts_with("status") || expression.starts_with("request.");
        self.render(&format!("{{{expression} | or \"absent\"}}"), answer)
    }

    /// The same for a template, as the base of the request or of its answer.
    fn render(&self, template: &str, answer: bool) -> String {
        let carriers = "X-Time = \"{timestamp:unix?}\"\nX-Names = \"{signed:names?}\"\nX-Sig = \"{signature:hex}\"\n";
        let sign = format!("base = '''{template}'''\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n");
        let text = format!(
            "[header]\n{carriers}[sign]\n{sign}[vars]\nregion = \"eu\"\nmost = \"3\"\nlisted = \"b;a\"\n[response.header]\n{carriers}[response.sign]\n{sign}"
        );
        let scheme = load("table.toml", &text, &Catalogue).unwrap_or_else(|error| panic!("{error}"));
        let keys = KeySet::new([Arc::new(Key::secret(*b"key").with_id("alice"))]);
        let fields: Vec<(&str, &str)> = self.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = RequestView {
            body: Some(self.body.as_bytes()),
            peer: Some("192.0.2.7"),
            ..view("POST", &self.target, "api.example.com:8443", &fields)
        };
        let response = RequestView { status: Some(200), answers: Some(&request), ..request };
        let explanation = Verifier::new(Plan::compile(&scheme)).explain(
            if answer { response } else { request },
            &keys,
            UnixTime::from_secs(1_440_938_160),
        );
        let base = explanation.stages.iter().find(|stage| stage.name == "signature-base");
        match (base, explanation.verdict) {
            (Some(stage), _) => String::from_utf8_lossy(&stage.bytes).into_owned(),
            (None, Err(rejection)) => format!("refused: `{}`", rejection.reason().code()),
            (None, Ok(_)) => panic!("{template} verifies without a base"),
        }
    }
}

/// Filters that share a row, each with its cell of results: as many results as filters, or one word for the only one.
fn each_with_its_result(filters: &str, results: &str) -> Vec<(String, String)> {
    let (filters, after) = (code(filters), code(results));
    if let [one] = filters.as_slice() {
        return vec![((*one).to_owned(), results.to_owned())];
    }
    assert_eq!(filters.len(), after.len(), "{filters:?} give {results}");
    filters.iter().zip(after).map(|(filter, after)| ((*filter).to_owned(), format!("`{after}`"))).collect()
}

fn compare(wrong: &mut Vec<String>, line: usize, what: &str, cell: &str, found: &str) {
    let expected = if cell.starts_with("refused") { cell.to_owned() } else { value(cell) };
    if expected != found {
        wrong.push(format!("line {line}: {what} gives `{found}`, not {cell}"));
    }
}

#[test]
fn sources_give_what_the_table_says() {
    let mut wrong = Vec::new();
    for (line, row) in table(&document(), "sources") {
        for source in code(&row[0]) {
            let mut message = Message::new();
            if source.starts_with("json") {
                message.body = r#"{"amount":1.0,"to":"b\u00f6b","tags":[1, 2]}"#.into();
            } else if source.starts_with("xml") {
                message.body = "<xml><to>b&amp;b</to></xml>".into();
            } else if source.starts_with("part") {
                message = message.with_field("Content-Type", "multipart/form-data; boundary=b");
                let head = "Content-Disposition: form-data; name";
                message.body =
                    format!("--b\r\n{head}=\"meta\"\r\n\r\n{{}}\r\n--b\r\n{head}=\"file\"\r\n\r\n\r\n--b--\r\n");
            }
            compare(&mut wrong, line, source, &row[2], &message.evaluate(source));
        }
    }
    for (line, row) in table(&document(), "lists") {
        for (list, after) in each_with_its_result(&row[0], &row[3]) {
            let mut message = Message::new();
            if list != "headers" {
                let given = value(&row[2]);
                match list.as_str() {
                    "form" | "form-raw" | "json" | "query-json" | "query-raw-json" | "xml" => message.body = given,
                    "query-form" => {
                        let form = "application/x-www-form-urlencoded; charset=utf-8";
                        message = message.with_field("Content-Type", form);
                        message.body = given;
                    }
                    _ => message.target = format!("/?{given}"),
                }
            }
            let only = if list == "headers" { " | only x-tag host" } else { "" };
            let found = message.evaluate(&format!("{list}{only} | each \"{{k}}[={{v}}]\" | join \" \""));
            compare(&mut wrong, line, &list, &after, &found);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn filters_give_what_the_tables_say() {
    let mut wrong = Vec::new();
    for (line, row) in table(&document(), "text-filters") {
        let before = value(&row[2]);
        for (filter, after) in each_with_its_result(&row[0], &row[3]) {
            let mut message = Message::new();
            let found = if filter.starts_with("time ") {
                message.with_field("X-Time", &before).evaluate(&format!("timestamp | {filter}"))
            } else if before == "absent" {
                message.evaluate(&format!("header.none | {filter}"))
            } else {
                message.body.clone_from(&before);
                message.evaluate(&format!("body | {filter}"))
            };
            compare(&mut wrong, line, &filter, &after, &found);
        }
    }
    for (line, row) in table(&document(), "list-filters") {
        for (filter, after) in each_with_its_result(&row[0], &row[3]) {
            let mut message = Message::new();
            message.target = format!("/?{}", value(&row[2]));
            let join = if filter.starts_with("join") { "" } else { " | join \"&\"" };
            compare(&mut wrong, line, &filter, &after, &message.evaluate(&format!("query | {filter}{join}")));
        }
    }
    for (line, row) in table(&document(), "json-filters") {
        for (filter, after) in each_with_its_result(&row[0], &row[3]) {
            let mut message = Message::new();
            message.body = value(&row[2]);
            let join = if filter == "fastjson" { "" } else { " | join \"&\"" };
            compare(&mut wrong, line, &filter, &after, &message.evaluate(&format!("json | {filter}{join}")));
        }
    }
    for (line, row) in table(&document(), "absence") {
        let mut message = Message::new();
        message.target = format!("/?{}", value(&row[1]));
        let text = value(&row[0]);
        compare(&mut wrong, line, &text, &row[2], &message.render(&text, false));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn types_take_and_refuse_what_the_table_says() {
    let mut wrong = Vec::new();
    for (line, row) in table(&document(), "types") {
        let kind = code(&row[0])[0];
        let text = format!(
            "[header]\nX-Sig = \"{{signature:hex}}\"\nX-Value = '{{value:{kind}}}'\n[sign]\nbase = \"{{value}}\"\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\""
        );
        let scheme = load("type.toml", &text, &Catalogue).unwrap_or_else(|error| panic!("{error}"));
        let verifier = Verifier::new(Plan::compile(&scheme));
        let keys = KeySet::new([Arc::new(Key::secret(*b"key"))]);
        let reads = |given: &str| {
            let given = given.replace('␉', "\t");
            let fields = vec![("X-Sig", "00"), ("X-Value", given.as_str())];
            let reason = verifier.explain(view("GET", "/", "", &fields), &keys, UnixTime::from_secs(0)).verdict;
            reason.map_or_else(|refused| refused.reason().code() == "signature-mismatch", |_| true)
        };
        for taken in code(&row[2]) {
            if !reads(taken) {
                wrong.push(format!("line {line}: `{kind}` refuses `{taken}`"));
            }
        }
        for refused in code(&row[3]) {
            if reads(refused) {
                wrong.push(format!("line {line}: `{kind}` takes `{refused}`"));
            }
        }
        assert!(!code(&row[2]).is_empty() && !code(&row[3]).is_empty(), "line {line} has no examples");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_are_those_of_the_table() {
    let document = document();
    let shelf = shelf(&document);
    let mut wrong = Vec::new();
    for (line, row) in table(&document, "faults") {
        let text = over_the_first(&code(&row[0]).join("\n"));
        match load("mine.toml", &text, &shelf) {
            Ok(Scheme { .. }) => wrong.push(format!("line {line}: no fault")),
            Err(error) => {
                let found: Vec<&str> = error.faults.iter().map(|fault| fault.message.as_str()).collect();
                if found != [row[1].as_str()] {
                    wrong.push(format!("line {line}: {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recipes_are_schemes() {
    let document = document();
    let shelf = shelf(&document);
    let mut wrong = Vec::new();
    for (line, row) in table(&document, "recipes") {
        let text = over_the_first(&code(&row[1]).join("\n"));
        if let Err(error) = load("mine.toml", &text, &shelf) {
            wrong.push(format!("line {line}:\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bodies_are_needed_as_the_table_says() {
    let document = document();
    let shelf = shelf(&document);
    for (line, row) in table(&document, "streams") {
        let text = over_the_first(&code(&row[1]).join("\n"));
        let scheme = load("mine.toml", &text, &shelf).unwrap_or_else(|error| panic!("line {line}: {error}"));
        assert_eq!(format!("{:?}", Plan::compile(&scheme).body_need()), value(&row[2]), "line {line}");
    }
}

#[test]
fn every_word_of_the_language_is_there() {
    let document = document();
    let words = |names: &[&str]| -> Vec<String> {
        let rows = names.iter().flat_map(|name| table(&document, name));
        let cells = rows.flat_map(|(_, row)| code(&row[0]).iter().map(|span| (*span).to_owned()).collect::<Vec<_>>());
        cells.map(|span| span.split([' ', '.']).next().unwrap_or_default().to_owned()).collect()
    };
    let vocabulary = vocabulary_names();
    let mut missing = Vec::new();
    let mut demand = |known: Vec<String>, tables: &[&str]| {
        let said = words(tables);
        missing.extend(
            known.into_iter().filter(|word| !said.contains(word)).map(|word| format!("{word} in {tables:?}")),
        );
    };
    let owned = |words: &[&'static str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    demand(owned(&vocabulary.types), &["types"]);
    demand([owned(&vocabulary.sources), owned(&vocabulary.members)].concat(), &["sources"]);
    demand(owned(&vocabulary.lists), &["lists"]);
    demand(vocabulary.filters, &["text-filters", "list-filters", "json-filters", "signatures"]);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
