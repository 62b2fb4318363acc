//! Changing a message in one place: a part, by the name that coverage gives it, or a value wherever it is carried.

use serde_json::{Value, json};

/// The line with a part changed, in the ways that may have changed it. Of a capture the ways are the places where its
/// value stands: which of them is its own only the engine can say.
pub(crate) fn changes(line: &Value, part: &str, captured: Option<&str>) -> Vec<Value> {
    if let Some(value) = captured {
        return replaced(line, value, &other(value));
    }
    let mut changed = line.clone();
    if let Some((place, name)) = part.split_once(' ') {
        return match place {
            "header" => with_header(line, name),
            "cookie" => with_header(line, "cookie"),
            "query" => with_query(line, &|query| with_parameter(query, name)),
            "form" => with_body(line, &|body| with_parameter(body, name)),
            "json" | "xml" | "part" => with_body(line, &|body| Some(within(body))),
            _ => Vec::new(),
        };
    }
    match part {
        "method" => changed["method"] = json!(if line["method"] == "PUT" { "POST" } else { "PUT" }),
        "status" => changed["status"] = json!(418),
        "authority" | "hostname" => {
            let (scheme, rest) = url(line).split_once("://").unwrap();
            changed["url"] = json!(format!("{scheme}://other.{rest}"));
            for header in changed["headers"].as_array_mut().unwrap() {
                if is(header, "host") {
                    header[1] = json!(format!("other.{}", header[1].as_str().unwrap()));
                }
            }
        }
        "path" => {
            let (path, query) =
                url(line).split_once('?').map_or((url(line), None), |(path, query)| (path, Some(query)));
            // Behind the host, where there is no path.
            let slash = if path.matches('/').count() < 3 { "/" } else { "" };
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            changed["url"] = json!(format!("{path}{slash}x{query}"));
        }
        "query" => {
            let separator = if url(line).contains('?') { '&' } else { '?' };
            changed["url"] = json!(format!("{}{separator}zz=1", url(line)));
        }
        "body" => return with_body(line, &|body| Some(added(body))),
        _ => return Vec::new(),
    }
    vec![changed]
}

fn url(line: &Value) -> &str {
    line["url"].as_str().unwrap()
}

fn is(header: &Value, name: &str) -> bool {
    header[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name))
}

/// Another value of the same form: a character in the middle becomes another of its kind.
fn other(value: &str) -> String {
    let middle = value.len() / 2;
    let mut places: Vec<usize> =
        (0..value.len()).filter(|at| value.as_bytes()[*at].is_ascii_alphanumeric()).collect();
    places.sort_by_key(|at| at.abs_diff(middle));
    match places.first() {
        Some(at) => format!("{}{}{}", &value[..*at], next(value.as_bytes()[*at]), &value[at + 1..]),
        None => format!("{value}x"),
    }
}

/// Another character of every alphabet that this one may be of.
fn next(char: u8) -> char {
    char::from(match char {
        b'9' => b'8',
        b'f' | b'z' | b'F' | b'Z' => char - 1,
        _ => char + 1,
    })
}

/// The value with each of its characters, in turn, replaced by another of its kind.
pub(crate) fn flips(value: &str) -> impl Iterator<Item = String> + '_ {
    let places = value.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric());
    places.map(|(at, byte)| format!("{}{}{}", &value[..at], next(byte), &value[at + 1..]))
}

/// The line with a text replaced once, for each place in which it stands: bare, or in the encoding of the place.
pub(crate) fn replaced(line: &Value, from: &str, to: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for (index, header) in line["headers"].as_array().into_iter().flatten().enumerate() {
        for encode in [str::to_owned, percent] {
            for value in each_once(header[1].as_str().unwrap(), &encode(from), &encode(to)) {
                let mut changed = line.clone();
                changed["headers"][index][1] = json!(value);
                if !found.contains(&changed) {
                    found.push(changed);
                }
            }
        }
    }
    for name in ["url", "body"] {
        let Some(text) = line[name].as_str() else { continue };
        for encode in [str::to_owned, percent, lower_percent, form, json_text, xml_text] {
            for value in each_once(text, &encode(from), &encode(to)) {
                let mut changed = line.clone();
                changed[name] = json!(value);
                if !found.contains(&changed) {
                    found.push(changed);
                }
            }
        }
    }
    found
}

fn each_once(text: &str, from: &str, to: &str) -> Vec<String> {
    text.match_indices(from).map(|(at, _)| format!("{}{to}{}", &text[..at], &text[at + from.len()..])).collect()
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => out + &char::from(byte).to_string(),
        byte => out + &format!("%{byte:02X}"),
    })
}

fn lower_percent(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => out + &char::from(byte).to_string(),
        byte => out + &format!("%{byte:02x}"),
    })
}

fn form(text: &str) -> String {
    percent(text).replace("%20", "+")
}

fn json_text(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn with_header(line: &Value, name: &str) -> Vec<Value> {
    let mut changed = line.clone();
    let header = changed["headers"].as_array_mut().unwrap().iter_mut().find(|header| is(header, name));
    let Some(header) = header else { return Vec::new() };
    header[1] = json!(format!("{}x", header[1].as_str().unwrap()));
    vec![changed]
}

fn with_query(line: &Value, change: &dyn Fn(&str) -> Option<String>) -> Vec<Value> {
    let mut changed = line.clone();
    let Some((path, query)) = url(line).split_once('?') else { return Vec::new() };
    let Some(query) = change(query) else { return Vec::new() };
    changed["url"] = json!(format!("{path}?{query}"));
    vec![changed]
}

fn with_body(line: &Value, change: &dyn Fn(&str) -> Option<String>) -> Vec<Value> {
    let mut changed = line.clone();
    let Some(body) = change(line["body"].as_str().unwrap_or_default()) else { return Vec::new() };
    changed["body"] = json!(body);
    vec![changed]
}

fn with_parameter(text: &str, name: &str) -> Option<String> {
    let mut met = false;
    let parts = text.split('&').map(|part| {
        let own = part.split('=').next().is_some_and(|key| [name, &percent(name), &form(name)].contains(&key));
        met |= own;
        if own { format!("{part}x") } else { part.to_owned() }
    });
    let text = parts.collect::<Vec<_>>().join("&");
    met.then_some(text)
}

/// A body with more in it, in its own form, so that it is the content that is wrong.
fn added(body: &str) -> String {
    match body.as_bytes() {
        [b'{', .., b'}'] if body.len() > 2 => format!("{{\"zz\":1,{}", &body[1..]),
        [b'<', ..] => match body.rfind("</") {
            Some(at) => format!("{}<zz>1</zz>{}", &body[..at], &body[at..]),
            None => format!("{body}x"),
        },
        _ if body.contains('=') && !body.contains(['{', '"', '\n']) => format!("{body}&zz=1"),
        _ => format!("{body}x"),
    }
}

/// A body with a letter or digit of it changed.
fn within(body: &str) -> String {
    other(body)
}
