//! The mutation oracle: whatever is done to a signed message, it is refused, or nothing that is said to be covered has
//! changed its meaning, and the replay store knows it as the same message.

use crate::generate::cases;
use crate::meaning;
use crate::meaning_china;
use crate::support::{Held, Message, Subject, catalogue_subjects, sample};
use countersign_core::request::Transport;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

const PARTS: [&str; 5] = ["method", "authority", "path", "query", "body"];

/// What is wrong with accepting a changed message; nothing, if it was not.
fn fault(subject: &Subject, signed: &Message, held: &Held, changed: &Message) -> Option<String> {
    let other = subject.verify(changed).ok()?;
    let scheme = subject.name.as_str();
    let covers = |held: &Held| {
        let mut covers = held.coverage.clone();
        if meaning_china::lists_in_any_order(scheme) {
            covers.covered.sort();
        }
        covers
    };
    if covers(&other) != covers(held) {
        return Some(format!("covers {:?} instead of {:?}", other.coverage, held.coverage));
    }
    for part in &other.coverage.covered {
        let (was, is) = (meaning::of(scheme, part, signed, held), meaning::of(scheme, part, changed, &other));
        if was != is {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Some(format!("{part} is covered, was {:?} and is {:?}", text(&was), text(&is)));
        }
    }
    // One of them does not sign its time, as its file says.
    let time = other.signed_at == held.signed_at || scheme == "jeecg-sign";
    if other.key_id != held.key_id || !time {
        return Some(format!("{:?} at {:?}", other.key_id, other.signed_at));
    }
    let known = |held: &Held| held.entry.as_ref().map(|entry| entry.digest);
    // These sign no method and forget messages of safe ones: whoever replays one can make it a GET, and no more.
    let any_method = scheme.starts_with("1worldsync") || matches!(scheme, "jeecg-sign" | "web-bot-auth");
    let forgets = any_method && (known(held).is_none() || known(&other).is_none());
    (known(&other) != known(held) && !forgets).then(|| "would be a new message to the replay store".to_owned())
}

#[test]
fn attack_10_mutation_oracle_of_every_byte() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for subject in catalogue_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect(&subject.name);
        let mut each = |changed: Message, what: &str| {
            tried += 1;
            if let Some(fault) = fault(&subject, &signed, &held, &changed) {
                wrong.push(format!("{}: {what}: {fault}", subject.name));
            }
        };
        bytes(&signed, &mut each);
    }
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(tried > 30_000, "{tried}");
}

#[test]
fn attack_10_mutation_oracle_of_every_part() {
    let mut wrong = Vec::new();
    for subject in catalogue_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect(&subject.name);
        let mut open = BTreeSet::new();
        parts(&signed, &mut |changed, what| {
            if let Some(fault) = fault(&subject, &signed, &held, &changed) {
                wrong.push(format!("{}: {what}: {fault}", subject.name));
            }
            if subject.verify(&changed).is_ok() {
                let changes = |part: &&str| meaning::raw(part, &changed) != meaning::raw(part, &signed);
                open.extend(PARTS.into_iter().filter(changes));
            }
        });
        // What is said not to be covered is free indeed: coverage is not modest either.
        for part in &held.coverage.not_covered {
            if MODEST.contains(&(subject.name.as_str(), part)) {
                continue;
            }
            if !open.contains(part.as_str()) {
                wrong.push(format!("{}: {part} is said not to be covered, and cannot be changed", subject.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What coverage cannot say of one message alone: whether the body is longer than a variable allows, whether the
/// token is for one path or for a list of them, and of a body that is signed but for a member of another name, or apart
/// from the request. And what no change here hits: an element that is empty, the file of an upload.
const MODEST: &[(&str, &str)] = &[
    ("akamai-edgegrid", "body"),
    ("akamai-edgeauth", "path"),
    ("alipay-v3-upload", "body"),
    ("apisix-hmac-v1-body", "body"),
    ("jeecg-sign", "body"),
    ("shenyu-sign-v1-body", "body"),
    ("wechatpay-v2-hmac", "body"),
    ("wechatpay-v2-md5", "body"),
    ("wechatpay-v3-upload", "body"),
];

#[test]
fn attack_10_mutation_oracle_of_random_messages() {
    for subject in catalogue_subjects() {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..3);
        let input = (crate::generate::message(&subject.name), edits);
        let result = TestRunner::new(cases(150)).run(&input, |(message, edits)| {
            let Ok(signed) = subject.sign(&message) else { return Ok(()) };
            let held = subject.verify(&signed).map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
            let mut changed = signed.clone();
            for (at, byte, kind) in edits {
                edit(&mut changed, at, byte, kind);
            }
            if changed != signed
                && let Some(fault) = fault(&subject, &signed, &held, &changed)
            {
                return Err(TestCaseError::fail(format!("{fault}\n{signed:?}\n{changed:?}")));
            }
            Ok(())
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", subject.name);
        }
    }
}

/// Every single byte, changed in several ways, left out, doubled, pushed aside.
fn bytes(signed: &Message, each: &mut dyn FnMut(Message, &str)) {
    for slot in 0..slots(signed) {
        let len = text(&mut signed.clone(), slot).len();
        for at in 0..len {
            for change in 0..CHANGES {
                let mut changed = signed.clone();
                let mut bytes = text(&mut changed, slot);
                alter(&mut bytes, at, change);
                if set_text(&mut changed, slot, bytes) && changed != *signed {
                    each(changed, &format!("byte {at} of part {slot}, change {change}"));
                }
            }
        }
    }
}

const CHANGES: usize = 7;

fn alter(bytes: &mut Vec<u8>, at: usize, change: usize) {
    match change {
        0 => bytes[at] ^= 1,
        1 => bytes[at] ^= 0x20,
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, bytes[at]),
        4 => bytes[at] = b"&=/,;\"% "[at % 8],
        5 => bytes.insert(at, b"&=/,;\"% "[at % 8]),
        _ => bytes.truncate(at),
    }
}

/// Method, target, authority, body, then name and value of each field.
fn slots(message: &Message) -> usize {
    4 + 2 * message.fields.len()
}

fn text(message: &mut Message, slot: usize) -> Vec<u8> {
    match slot {
        0 => message.method.clone().into_bytes(),
        1 => message.target.clone(),
        2 => message.authority.clone().into_bytes(),
        3 => message.body.clone(),
        other if other % 2 == 0 => message.fields[other / 2 - 2].0.clone().into_bytes(),
        other => message.fields[other / 2 - 2].1.clone(),
    }
}

/// False where the bytes cannot stand there.
fn set_text(message: &mut Message, slot: usize, bytes: Vec<u8>) -> bool {
    let as_text = String::from_utf8(bytes.clone());
    match (slot, as_text) {
        (0, Ok(text)) => message.method = text,
        (2, Ok(text)) => message.authority = text,
        (1, _) => message.target = bytes,
        (3, _) => message.body = bytes,
        (other, Ok(text)) if other % 2 == 0 => message.fields[other / 2 - 2].0 = text,
        (other, _) if other % 2 == 1 => message.fields[other / 2 - 2].1 = bytes,
        _ => return false,
    }
    true
}

fn edit(message: &mut Message, at: prop::sample::Index, byte: u8, kind: u8) {
    let slot = at.index(slots(message));
    let mut bytes = text(message, slot);
    let place = usize::from(byte) % (bytes.len() + 1);
    match kind {
        0 => bytes.insert(place, byte),
        1 if place < bytes.len() => bytes[place] = byte,
        2 if place < bytes.len() => drop(bytes.remove(place)),
        _ if slot >= 4 => {
            let field = message.fields[slot / 2 - 2].clone();
            message.fields.insert(usize::from(byte) % (message.fields.len() + 1), field);
            return;
        }
        _ => bytes.reverse(),
    }
    set_text(message, slot, bytes);
}

/// Whole parts: left out, doubled, in another order, replaced, added.
fn parts(signed: &Message, each: &mut dyn FnMut(Message, &str)) {
    let mut change = |what: &str, change: &dyn Fn(&mut Message)| {
        let mut changed = signed.clone();
        change(&mut changed);
        if changed != *signed {
            each(changed, what);
        }
    };
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "get", "Post"] {
        change(method, &|message| method.clone_into(&mut message.method));
    }
    change("no authority", &|message| message.authority = String::new());
    for authority in
        ["other.example", "API.example.com", "api.example.com:443", "api.example.com:8443", "x.api.example.com"]
    {
        change(authority, &|message| authority.clone_into(&mut message.authority));
        change("an authority and a Host", &|message| {
            message.fields.push(("Host".to_owned(), message.authority.clone().into_bytes()));
            authority.clone_into(&mut message.authority);
        });
    }
    change("plain", &|message| message.transport = Transport::Http);
    change("no peer", &|message| message.peer = None);
    let path = String::from_utf8_lossy(signed.path()).into_owned();
    let query = signed.query().map(|query| String::from_utf8_lossy(query).into_owned());
    let with = |path: &str, query: Option<&str>| match query {
        Some(query) => format!("{path}?{query}").into_bytes(),
        None => path.as_bytes().to_vec(),
    };
    for other in [
        "/".to_owned(),
        format!("{path}/"),
        format!("/{path}"),
        format!("/.{path}"),
        format!("/x/..{path}"),
        format!("{path}/."),
        path.replace("%20", "+"),
        path.replace("%20", "%2520"),
        path.replace("now", "n%6fw"),
        path.to_uppercase(),
        format!("{path};v=1"),
    ] {
        change(&other, &|message| message.target = with(&other, query.as_deref()));
    }
    for other in lists(
        query.as_deref().unwrap_or_default(),
        '&',
        &[
            "z=9",
            "a=1",
            "b",
            "sign=1",
            "user=eve",
            "X-Amz-Expires=9",
            "hash_code=1",
            "bewit=1",
            "bodySHA256=00",
            "%61=1",
        ],
    ) {
        change(&format!("query {other}"), &|message| message.target = with(&path, Some(&other)));
    }
    change("no query", &|message| message.target = with(&path, None));
    let body = String::from_utf8_lossy(&signed.body).into_owned();
    for other in lists(&body, '&', &["To=1", "z=9", "user=eve", "token=1"]) {
        change(&format!("body {other}"), &|message| message.body = other.clone().into_bytes());
    }
    if let Some(members) = body.strip_prefix('{') {
        change("a member more", &|message| message.body = format!("{{\"zz\":1,{members}").into_bytes());
    }
    change("a body of the same checksum", &|message| {
        message.body = crate::forge::with_checksum_of(&signed.body, b"{\"amount\":99}");
    });
    for other in ["", " ", "{}", "{\"amount\":1000}", "x=y"] {
        change(&format!("body {other}"), &|message| message.body = other.as_bytes().to_vec());
    }
    fields(signed, &mut change);
}

/// Makes a change, under a name.
type Change<'c> = dyn FnMut(&str, &dyn Fn(&mut Message)) + 'c;

fn fields(signed: &Message, change: &mut Change<'_>) {
    for (index, (name, value)) in signed.fields.iter().enumerate() {
        change(&format!("without {name}"), &|message| drop(message.fields.remove(index)));
        change(&format!("{name} twice"), &|message| message.fields.push((name.clone(), value.clone())));
        change(&format!("{name} once more in front"), &|message| {
            message.fields.insert(0, (name.to_uppercase(), b"0".to_vec()));
        });
        change(&format!("{name} last"), &|message| message.fields.rotate_left(index + 1));
        change(&format!("{name} in capitals"), &|message| message.fields[index].0 = name.to_uppercase());
        change(&format!("{name} in blanks"), &|message| {
            message.fields[index].1 = [b" \t", value.as_slice(), b" "].concat();
        });
        let text = String::from_utf8_lossy(value).into_owned();
        let added = [
            "ext=\"x\"",
            "app=\"x\"",
            "dlg=\"x\"",
            "hash=\"AAAA\"",
            "id=\"eve\"",
            "x=y",
            "v1=00",
            "v0=00",
            "t=1",
            "algorithm=\"none\"",
            "signed=\"\"",
        ];
        for other in lists(&text, ',', &added).into_iter().chain(lists(&text, ' ', &["v1,AAAA", "v1a,AAAA"])) {
            change(&format!("{name}: {other}"), &|message| message.fields[index].1 = other.clone().into_bytes());
        }
    }
    for (name, value) in [
        ("X-New", "1"),
        ("X-Other", "2"),
        ("Content-Type", "text/html"),
        ("Host", "other.example"),
        ("X-Amz-Security-Token", "token"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("X-Amz-Date", "20251009T085320Z"),
        ("X-Date", "Thu, 09 Oct 2025 08:53:20 GMT"),
        ("Digest", "SHA-256=AAAA"),
        ("appid", "eve"),
        ("appId", "eve"),
        ("sign", "00"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("@request-target", "post /x"),
        ("request-line", "POST /x HTTP/1.1"),
    ] {
        change(&format!("with {name}"), &|message| message.fields.push((name.to_owned(), value.into())));
    }
}

/// A list with an item left out, doubled, exchanged with its neighbour; with each of `more` in front and behind.
fn lists(text: &str, separator: char, more: &[&str]) -> Vec<String> {
    let items: Vec<&str> = text.split(separator).collect();
    let join = |items: &[&str]| items.join(&separator.to_string());
    let mut all = vec![format!("{separator}{text}"), format!("{text}{separator}")];
    for index in 0..items.len() {
        let mut without = items.clone();
        without.remove(index);
        let mut twice = items.clone();
        twice.push(items[index]);
        let mut swapped = items.clone();
        swapped.swap(index, (index + 1) % items.len());
        all.extend([join(&without), join(&twice), join(&swapped)]);
    }
    for item in more {
        all.extend([
            format!("{item}{separator}{text}"),
            format!("{text}{separator}{item}"),
            format!("{text}{separator} {item}"),
        ]);
    }
    all
}
