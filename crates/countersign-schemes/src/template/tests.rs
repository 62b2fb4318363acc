//! Tests of the template grammar: tables of templates with the places of their parts, faults, and round trips.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

/// Reads `source` as it would stand at offset 10 of a file, between three apostrophes and behind a line feed.
fn read(source: &str) -> (Template, Vec<Fault>) {
    let mut faults = Vec::new();
    let raw = format!("'''\n{source}'''");
    let template = parse(&Text::decode(&raw, 10, 0), &mut faults);
    (template, faults)
}

/// The text that a span marks.
fn marked(source: &str, span: Span) -> &str {
    source.get(span.start as usize - 14..span.end as usize - 14).expect("a span of whole characters")
}

/// A template as one line, in which every span shows as the text it marks: ‹…›.
fn shown(source: &str, template: &Template) -> String {
    let parts: Vec<_> = template.parts.iter().map(|part| shown_part(source, part)).collect();
    parts.join(" ")
}

fn shown_part(source: &str, part: &Part) -> String {
    match part {
        Part::Literal(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Part::Optional(inner) => format!("optional‹{}›({})", marked(source, inner.span), shown(source, inner)),
        Part::Expr(expr) => {
            let mut line = format!("expr‹{}›({}", marked(source, expr.span), shown_atom(source, &expr.atom));
            if let Some(kind) = &expr.kind {
                let _ = write!(line, " : {}‹{}›", kind.value, marked(source, kind.span));
            }
            if let Some(length) = &expr.length {
                let _ = write!(line, " {}..{}‹{}›", length.value.0, length.value.1, marked(source, length.span));
            }
            if expr.optional {
                line += " ?";
            }
            for filter in &expr.filters {
                let _ = write!(line, " | {}‹{}›", filter.name, marked(source, filter.span));
                for arg in &filter.args {
                    let value = match &arg.value {
                        Arg::Word(word) => word.clone(),
                        Arg::Text(text) => format!("\"{}\"", shown(source, text)),
                    };
                    let _ = write!(line, " {value}‹{}›", marked(source, arg.span));
                }
            }
            line + ")"
        }
    }
}

fn shown_atom(source: &str, atom: &Atom) -> String {
    match atom {
        Atom::Name(name) => name.clone(),
        Atom::Quoted(inner) => format!("quoted‹{}›({})", marked(source, inner.span), shown(source, inner)),
    }
}

#[test]
fn templates_and_the_places_of_their_parts() {
    for (source, expected) in [
        ("", ""),
        ("plain text", r#""plain text""#),
        (r"a\n", r#""a\\n""#),
        ("{{ }} [[ ]] {{}}", r#""{ } [ ] {}""#),
        ("{{{x}}}", r#""{" expr‹{x}›(x) "}""#),
        ("[[[{x}]]]", r#""[" optional‹{x}]]›(expr‹{x}›(x) "]")"#),
        ("{key-id}", "expr‹{key-id}›(key-id)"),
        ("é{ x }é", r#""é" expr‹{ x }›(x) "é""#),
        ("{header.x-amz-date}", "expr‹{header.x-amz-date}›(header.x-amz-date)"),
        ("{query.X!#$%&'*+-.^_`~1}", "expr‹{query.X!#$%&'*+-.^_`~1}›(query.X!#$%&'*+-.^_`~1)"),
        ("{timestamp:unix}", "expr‹{timestamp:unix}›(timestamp : unix‹unix›)"),
        ("{token?}", "expr‹{token?}›(token ?)"),
        ("{hash:b64?}", "expr‹{hash:b64?}›(hash : b64‹b64› ?)"),
        (
            "{nonce:unreserved 16-128}",
            "expr‹{nonce:unreserved 16-128}›(nonce : unreserved‹unreserved› 16..128‹16-128›)",
        ),
        ("{nonce:word 1-8?}", "expr‹{nonce:word 1-8?}›(nonce : word‹word› 1..8‹1-8› ?)"),
        ("{nonce:word? 1-8}", "expr‹{nonce:word? 1-8}›(nonce : word‹word› 1..8‹1-8› ?)"),
        (
            r#"{t:"yyyy-MM-dd HH:mm:ss@+08:00"}"#,
            r#"expr‹{t:"yyyy-MM-dd HH:mm:ss@+08:00"}›(t : yyyy-MM-dd HH:mm:ss@+08:00‹yyyy-MM-dd HH:mm:ss@+08:00›)"#,
        ),
        (
            "{base | md5|hex | slice 10 17 }",
            "expr‹{base | md5|hex | slice 10 17 }›(base | md5‹md5› | hex‹hex› | slice‹slice 10 17› 10‹10› 17‹17›)",
        ),
        (
            r#"{query | without x-* | join "&"}"#,
            r#"expr‹{query | without x-* | join "&"}›(query | without‹without x-*› x-*‹x-*› | join‹join "&"› ""&""‹"&"›)"#,
        ),
        (
            r#"{q | each "{k}[={v}]\n"}"#,
            concat!(
                r#"expr‹{q | each "{k}[={v}]\n"}›(q | each‹each "{k}[={v}]\n"› "#,
                r#""expr‹{k}›(k) optional‹={v}›("=" expr‹{v}›(v)) "\n""‹"{k}[={v}]\n"›)"#
            ),
        ),
        (
            r#"{"AWS4{secret}" | ratchet sha256 date "x"}"#,
            concat!(
                r#"expr‹{"AWS4{secret}" | ratchet sha256 date "x"}›(quoted‹AWS4{secret}›("AWS4" expr‹{secret}›(secret))"#,
                r#" | ratchet‹ratchet sha256 date "x"› sha256‹sha256› date‹date› ""x""‹"x"›)"#
            ),
        ),
        (r#"{"\n\t\r\"\\"}"#, r#"expr‹{"\n\t\r\"\\"}›(quoted‹\n\t\r\"\\›("\n\t\r\"\\"))"#),
        ("{\"a\nb\"}", "expr‹{\"a\nb\"}›(quoted‹a\nb›(\"a\\nb\"))"),
        (r#"{""}"#, r#"expr‹{""}›(quoted‹›())"#),
        (r#"{x | join ""}"#, r#"expr‹{x | join ""}›(x | join‹join ""› ""‹""›)"#),
        (r#"{x | f a"b"c}"#, r#"expr‹{x | f a"b"c}›(x | f‹f a"b"c› a‹a› ""b""‹"b"› c‹c›)"#),
        (r#"{"{{}}[[]]"}"#, r#"expr‹{"{{}}[[]]"}›(quoted‹{{}}[[]]›("{}[]"))"#),
        ("{x\n | hex\n}", "expr‹{x\n | hex\n}›(x | hex‹hex›)"),
        (
            "[{app}\n[{dlg}]\n]",
            concat!(
                "optional‹{app}\n[{dlg}]\n›",
                r#"(expr‹{app}›(app) "\n" optional‹{dlg}›(expr‹{dlg}›(dlg)) "\n")"#
            ),
        ),
        (r#"{{"code":401,"m":"{reason}"}}"#, r#""{\"code\":401,\"m\":\"" expr‹{reason}›(reason) "\"}""#),
    ] {
        let (template, faults) = read(source);
        assert_eq!(faults, [], "{source}");
        assert_eq!(shown(source, &template), expected, "{source}");
        assert_eq!(marked(source, template.span), source);
    }
}

#[test]
fn faults_mark_what_is_wrong_and_say_what_would_be_right() {
    for (source, mark, message, hint) in [
        ("a}b", "}", "this `}` closes nothing", "write `}}` for a `}` that stands for itself"),
        ("a]b", "]", "this `]` closes nothing", "write `]]` for a `]` that stands for itself"),
        ("a{b", "{", "this `{` is never closed", "`}` ends an expression; `{{` is a brace that stands for itself"),
        ("a{b | c", "{", "this `{` is never closed", ""),
        ("a{", "{", "this `{` is never closed", ""),
        ("a[b", "[", "this `[` is never closed", "`]` ends an optional segment"),
        ("[a[{b}]]", "[", "this `[` is never closed", "`[[` and `]]` are brackets that stand for themselves"),
        (r#"{x | join "&}"#, "\"", "this quote is never closed", r#"a quote that stands for itself is written `\"`"#),
        (r#"{x | join "[&"}"#, "[", "this `[` is never closed", ""),
        (r#"{x | join "\q"}"#, r"\q", "an unknown escape", r#"the escapes are `\n`, `\t`, `\r`, `\"` and `\\`"#),
        ("{}", "{}", "an expression without a name", "`{name}` puts a value here"),
        ("{ }", "{ }", "an expression without a name", ""),
        ("{1x}", "1", "a name is expected here", "an expression begins with a name, as in `{timestamp}`"),
        ("{é}", "é", "a name is expected here", ""),
        ("{| hex}", "|", "a name is expected here", ""),
        ("{header.}", "header.", "a name is expected behind the dot", "as in `{header.name}`"),
        ("{x?:unix}", "?", "the `?` stands behind the type", "write `{x:type?}`"),
        ("{x:}", ":", "a type is expected behind the colon", "a type is a word, as in `{timestamp:unix}`"),
        (r#"{x:"yyyy}"#, "\"", "this quote is never closed", ""),
        ("{x:word 16}", "16", "`16` is not a range of lengths", "as in `{nonce:word 16-128}`"),
        ("{x:word 9-8}", "9-8", "`9-8` is not a range of lengths", "the shortest and the longest length in bytes"),
        ("{x:word 1-99999999999}", "1-99999999999", "`1-99999999999` is not a range of lengths", ""),
        ("{x:word 1-+8}", "1-+8", "`1-+8` is not a range of lengths", ""),
        ("{x 1-8}", "1-8", "`1-8` is not expected here", ""),
        (r#"{"a":hex}"#, r#""a""#, "only a name can be captured", "a type and `?` belong to a capture"),
        (r#"{"a"?}"#, r#""a""#, "only a name can be captured", ""),
        ("{x hex}", "hex", "`hex` is not expected here", "filters are separated by `|`"),
        ("{x??}", "?", "`?` is not expected here", ""),
        (r#"{x "a"}"#, "\"", "`\"` is not expected here", ""),
        ("{x |}", "|", "a filter is expected behind this `|`", "as in `{body | sha256 | hex}`"),
        ("{x || hex}", "|", "a filter is expected behind this `|`", ""),
        ("{x | each {k}}", "{", "a bare word cannot hold a template", "as in `each \"{k}={v}\"`"),
        ("{x | Größe}", "Größe", "`Größe` is not the name of a filter", "as in `slice 10 17`"),
        ("{x | slice(10)}", "slice(10)", "`slice(10)` is not the name of a filter", "arguments follow behind spaces"),
    ] {
        let (_, faults) = read(source);
        let Some(fault) = faults.first() else { panic!("{source} is read without a fault") };
        assert_eq!(fault.message, message, "{source}");
        assert_eq!(marked(source, fault.span), mark, "{source}");
        assert!(fault.hint.as_ref().is_some_and(|text| text.contains(hint)), "{source}: {:?}", fault.hint);
    }
}

#[test]
fn every_fault_of_a_template_is_reported_and_none_twice() {
    for (source, marks) in [
        ("{1} {x | } {y hex} }", &["1", "|", "hex", "}"][..]),
        (r#"{x | join "}}" bad| } {2}"#, &["|", "2"]),
        (r#"{x ! join "}}" } {2}"#, &["!", "2"]),
        (r#"{x | join "}"} {2}"#, &["}", "2"]),
        (r#"{x | join "[a"} {2}"#, &["[", "2"]),
        (r#"{x | join "}]{1}"#, &["\""]),
        (r#"{x | each "{1}{k}{2}"} {3}"#, &["1", "2", "3"]),
        ("[{1}] {ok} [{2}]", &["1", "2"]),
        ("{x! } y {2}", &["!", "2"]),
    ] {
        let (_, faults) = read(source);
        let found: Vec<_> = faults.iter().map(|fault| marked(source, fault.span)).collect();
        assert_eq!(found, marks, "{source}");
    }
}

#[test]
fn what_is_sound_in_a_faulty_template_is_kept() {
    let source = "a {1} b {x} [c {2}]";
    let (template, faults) = read(source);
    assert_eq!(faults.len(), 2);
    assert_eq!(shown(source, &template), r#""a  b " expr‹{x}›(x) " " optional‹c {2}›("c ")"#);
}

#[test]
fn nesting_has_an_end() {
    for source in ["[a".repeat(100_000), "{\"".repeat(100_000), "[{\"".repeat(100_000)] {
        let (_, faults) = read(&source);
        assert!(faults.iter().any(|fault| fault.message.contains("nested more than 16 deep")));
        assert!(faults.len() < 50, "{}", faults.len());
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,6}"
}

fn at<T>(value: T) -> At<T> {
    At::new(value, Span::default())
}

fn template(depth: u32) -> BoxedStrategy<Template> {
    let literal = "[a-zé \\t\\n\\\\\"|:?.=&{}\\[\\]]{1,6}".prop_map(|text| Part::Literal(text.into_bytes()));
    let part = if depth == 0 {
        literal.boxed()
    } else {
        prop_oneof![
            literal,
            expr(depth - 1).prop_map(Part::Expr),
            // `]]` is a bracket that stands for itself, so segments cannot end together.
            template(depth - 1).prop_map(|mut inner| {
                inner.parts.insert(0, Part::Literal(b"<".to_vec()));
                inner.parts.push(Part::Literal(b">".to_vec()));
                Part::Optional(inner)
            }),
        ]
        .boxed()
    };
    prop::collection::vec(part, 0..4)
        .prop_map(|mut parts| {
            // For the same reason no bracket can stand right behind a segment.
            if let Some(index) = parts.iter().position(|part| matches!(part, Part::Optional(_))) {
                parts.insert(index + 1, Part::Literal(b".".to_vec()));
                parts.truncate(index + 3);
            }
            Template { parts, span: Span::default() }
        })
        .boxed()
}

fn expr(depth: u32) -> impl Strategy<Value = Expr> {
    let member = prop_oneof![name(), (name(), "[A-Za-z0-9.!*-]{1,6}").prop_map(|(a, b)| format!("{a}.{b}"))];
    let capture = (
        member.prop_map(Atom::Name),
        prop::option::of(("[a-z0-9-]{1,6}|[a-z ]{1,5}@[+]08:00", prop::option::of((0u32..9, 9u32..99)))),
        any::<bool>(),
    );
    let quoted = template(depth).prop_map(|inner| (Atom::Quoted(inner), None, false));
    let arg = prop_oneof!["[a-z0-9*.,;_-]{1,5}".prop_map(Arg::Word), template(depth).prop_map(Arg::Text)];
    let filter = (name(), prop::collection::vec(arg.prop_map(at), 0..3)).prop_map(|(name, args)| Filter {
        name,
        args,
        span: Span::default(),
    });
    (prop_oneof![capture, quoted], prop::collection::vec(filter, 0..3)).prop_map(
        |((atom, kind, optional), filters)| {
            let (kind, length) = kind.map_or((None, None), |(kind, length)| (Some(at(kind)), length.map(at)));
            Expr { atom, kind, length, optional, filters, span: Span::default() }
        },
    )
}

/// Writes a template as a person would.
fn written(template: &Template, quoted: bool, out: &mut String) {
    for part in &template.parts {
        match part {
            Part::Literal(text) => {
                for c in String::from_utf8_lossy(text).chars() {
                    match c {
                        '{' | '}' | '[' | ']' => out.extend([c, c]),
                        '"' | '\\' if quoted => out.extend(['\\', c]),
                        '\t' if quoted => out.push_str("\\t"),
                        _ => out.push(c),
                    }
                }
            }
            Part::Optional(inner) => {
                out.push('[');
                written(inner, quoted, out);
                out.push(']');
            }
            Part::Expr(expr) => written_expr(expr, out),
        }
    }
}

fn written_expr(expr: &Expr, out: &mut String) {
    let quote = |template: &Template, out: &mut String| {
        out.push('"');
        written(template, true, out);
        out.push('"');
    };
    out.push('{');
    match &expr.atom {
        Atom::Name(name) => out.push_str(name),
        Atom::Quoted(inner) => quote(inner, out),
    }
    if let Some(kind) = &expr.kind {
        let word = is_name_char(kind.value.chars().next().unwrap_or(' ')) && kind.value.chars().all(is_name_char);
        let quote = if word { "" } else { "\"" };
        let _ = write!(out, ":{quote}{}{quote}", kind.value);
    }
    if let Some(At { value: (min, max), .. }) = expr.length {
        let _ = write!(out, " {min}-{max}");
    }
    out.push_str(if expr.optional { "?" } else { "" });
    for filter in &expr.filters {
        out.push_str(" | ");
        out.push_str(&filter.name);
        for arg in &filter.args {
            out.push(' ');
            match &arg.value {
                Arg::Word(word) => out.push_str(word),
                Arg::Text(text) => quote(text, out),
            }
        }
    }
    out.push('}');
}

/// The same template without places, adjacent literals merged.
fn bare(template: &Template) -> Template {
    let mut parts: Vec<Part> = Vec::new();
    for part in &template.parts {
        let part = match part {
            Part::Optional(inner) => Part::Optional(bare(inner)),
            Part::Expr(expr) => Part::Expr(bare_expr(expr)),
            Part::Literal(text) => Part::Literal(text.clone()),
        };
        match (parts.last_mut(), part) {
            (Some(Part::Literal(before)), Part::Literal(text)) => before.extend(text),
            (_, part) => parts.push(part),
        }
    }
    Template { parts, span: Span::default() }
}

fn bare_expr(expr: &Expr) -> Expr {
    let bare_arg = |arg: &At<Arg>| {
        at(match &arg.value {
            Arg::Text(text) => Arg::Text(bare(text)),
            Arg::Word(word) => Arg::Word(word.clone()),
        })
    };
    let bare_filter = |filter: &Filter| Filter {
        name: filter.name.clone(),
        args: filter.args.iter().map(bare_arg).collect(),
        span: Span::default(),
    };
    Expr {
        atom: match &expr.atom {
            Atom::Quoted(inner) => Atom::Quoted(bare(inner)),
            Atom::Name(name) => Atom::Name(name.clone()),
        },
        kind: expr.kind.as_ref().map(|kind| at(kind.value.clone())),
        length: expr.length.as_ref().map(|length| at(length.value)),
        optional: expr.optional,
        filters: expr.filters.iter().map(bare_filter).collect(),
        span: Span::default(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(original in template(3)) {
        let mut source = String::new();
        written(&original, false, &mut source);
        let (read, faults) = read(&source);
        prop_assert_eq!(faults, vec![], "{}", source);
        prop_assert_eq!(bare(&read), bare(&original), "{}", source);
    }

    #[test]
    fn any_text_is_read_or_refused(source in "[a-zé {}\\[\\]|:?.\"\\\\0-9\\n-]{0,40}|.{0,40}") {
        let (template, faults) = read(&source);
        for fault in &faults {
            let _ = marked(&source, fault.span);
        }
        let _ = shown(&source, &template);
        // Nothing is lost in silence: a template that is read without a fault is written and read again as itself.
        if faults.is_empty() {
            let mut again = String::new();
            written(&template, false, &mut again);
            let (second, faults) = self::read(&again);
            prop_assert_eq!(faults, vec![], "{}", again);
            prop_assert_eq!(bare(&second), bare(&template), "{}", again);
        }
    }
}
