//! Requests signed by the vendors' own libraries: each verifies at its own time, and none does once anything that
//! counts was changed.

use crate::support::{jsonl, read_json, run, vectors};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The requests whose schemes the catalogue has.
fn lines() -> Option<Vec<Value>> {
    let suite = read_json(&vectors()?.join("vendors.json"));
    let listed = run(&["schemes", "--json"], "").lines();
    let catalogue: BTreeSet<&str> = listed.iter().map(|scheme| scheme["name"].as_str().unwrap()).collect();
    let vectors = suite["vectors"].as_array().unwrap();
    let known = vectors.iter().filter(|vector| catalogue.contains(vector["scheme"].as_str().unwrap()));
    let lines: Vec<Value> = known.map(line).collect();
    assert!(lines.len() >= 15, "{} of {}", lines.len(), vectors.len());
    Some(lines)
}

fn line(vector: &Value) -> Value {
    let (request, credentials) = (&vector["request"], &vector["credentials"]);
    let mut vars = vector["context"].as_object().unwrap().clone();
    let now = vars.remove("now").unwrap();
    vars.remove("nonce");
    let mut line = json!({
        "id": vector["id"], "scheme": vector["scheme"], "method": request["method"], "url": request["url"],
        "headers": request["headers"], "body": request["body"], "now": now, "vars": vars,
    });
    if let Some(signatures) = vector["expect"]["chunk_signatures"].as_array() {
        let seed = vector["expect"]["seed_signature"].as_str().unwrap();
        in_chunks(&mut line, seed, signatures, "");
    }
    for name in ["key_id", "secret", "public_key"] {
        if let Some(value) = credentials[name].as_str() {
            line[name] = json!(value);
        }
    }
    line
}

/// The upload of the AWS documentation: 66 560 times `a` in chunks of 64 KiB, of which only the signatures are listed.
fn in_chunks(line: &mut Value, seed: &str, signatures: &[Value], trailer: &str) {
    let mut names: Vec<String> = Vec::new();
    for header in line["headers"].as_array().unwrap() {
        names.push(header[0].as_str().unwrap().to_ascii_lowercase());
    }
    names.sort();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={},\
         Signature={seed}",
        names.join(";")
    );
    line["headers"].as_array_mut().unwrap().push(json!(["Authorization", authorization]));
    let mut body = String::new();
    for (size, signature) in [65_536, 1_024, 0].into_iter().zip(signatures) {
        let content = "a".repeat(size);
        let end = if size == 0 { trailer } else { "\r\n" };
        write!(body, "{size:x};chunk-signature={}\r\n{content}{end}", signature.as_str().unwrap()).unwrap();
    }
    line["body"] = json!(body + "\r\n");
}

/// "Signature Calculations for the Authorization Header: Including Trailing Headers", with the signatures printed
/// there.
#[test]
fn the_upload_with_a_trailer_of_the_aws_documentation_verifies_and_is_signed_the_same() {
    let mut line = json!({
        "id": 1, "scheme": "aws-sigv4-streaming", "method": "PUT", "now": 1_369_353_600,
        "url": "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
        "key_id": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "headers": [
            ["Host", "s3.amazonaws.com"],
            ["Content-Encoding", "aws-chunked"],
            ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"],
            ["x-amz-date", "20130524T000000Z"],
            ["x-amz-decoded-content-length", "66560"],
            ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
            ["x-amz-trailer", "x-amz-checksum-crc32c"],
        ],
    });
    let mut unsigned = line.clone();
    unsigned["body"] = json!("a".repeat(66_560));
    unsigned["vars"] = json!({ "region": "us-east-1", "service": "s3" });
    let signatures = json!([
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]);
    let trailer = "x-amz-checksum-crc32c:sOO8/Q==\r\n\
                   x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    in_chunks(&mut line, seed, signatures.as_array().unwrap(), trailer);
    let answer = &jsonl("verify", &[line.clone()])[0];
    assert_eq!(answer["verdict"], "verified", "{answer}");
    let signed = &jsonl("sign", &[unsigned])[0];
    assert_eq!((&signed["signature"], &signed["body"]), (&json!(seed), &line["body"]), "{}", signed["headers"]);
    // Each string to sign, and where claimed and computed part.
    let damaged = line["body"].as_str().unwrap().replacen("\r\n400;", "b\r\n400;", 1).replacen("10000;", "10001;", 1);
    let changed = line["body"].as_str().unwrap().replacen("\na", "\nb", 1);
    for (body, names, detail) in [
        (line["body"].as_str().unwrap(), vec!["chunk 1", "chunk 2", "chunk 3", "trailer"], None),
        (
            &changed,
            vec!["chunk 1"],
            Some("the signature of chunk 1 of the body is not the one that this key makes for it"),
        ),
        (
            &damaged,
            vec!["chunk 1"],
            Some("the signature of chunk 1 of the body is not the one that this key makes for it"),
        ),
    ] {
        let mut line = line.clone();
        line["body"] = json!(body);
        let answer = &jsonl("explain", &[line])[0];
        assert_eq!(answer["detail"].as_str(), detail);
        let stages = answer["stages"].as_array().unwrap();
        for name in &names {
            let base = stages.iter().find(|stage| stage["name"] == *name).unwrap_or_else(|| panic!("{name}"));
            assert!(base["text"].as_str().unwrap().starts_with("AWS4-HMAC-SHA256-"), "{base}");
            let signature = stages.iter().find(|stage| stage["name"] == format!("{name} signature")).unwrap();
            let same = signature["claimed_base64"] == signature["bytes_base64"];
            assert_eq!(same, detail.is_none(), "{signature}");
        }
        let shown = stages.iter().filter(|stage| stage["name"].as_str().unwrap().ends_with(" signature")).count();
        assert_eq!(shown, names.len());
    }
}

/// Panics unless every line is rejected, for whatever reason.
fn all_rejected(lines: &[Value], change: &str) {
    for (line, answer) in lines.iter().zip(jsonl("verify", lines)) {
        assert_eq!(answer["verdict"], "rejected", "{change}: {line}: {answer}");
    }
}

#[test]
fn every_request_verifies_at_its_own_time() {
    let Some(lines) = lines() else { return };
    for answer in jsonl("verify", &lines) {
        assert_eq!(answer["verdict"], "verified", "{answer}");
    }
}

#[test]
fn none_verifies_with_another_secret_or_under_another_id() {
    let Some(lines) = lines() else { return };
    let with = |name: &str, change: fn(&str) -> String| -> Vec<Value> {
        let mut changed = lines.clone();
        changed.retain(|line| line[name].is_string());
        for line in &mut changed {
            line[name] = json!(change(line[name].as_str().unwrap()));
        }
        changed
    };
    // In the middle, where it is neither a prefix nor padding of an encoded secret.
    let secrets = with("secret", |secret| {
        let at = secret.len() / 2;
        let other = if secret.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &secret[..at], &secret[at + 1..])
    });
    assert!(!secrets.is_empty());
    all_rejected(&secrets, "another secret");
    let carried: Vec<Value> =
        with("key_id", |id| format!("{id}x")).into_iter().filter(|line| line["key_id"].is_string()).collect();
    assert!(!carried.is_empty());
    all_rejected(&carried, "another key id");
}

#[test]
fn none_verifies_with_a_bit_of_its_signature_flipped() {
    let Some(lines) = lines() else { return };
    let mut changed = Vec::new();
    for (line, answer) in lines.iter().zip(jsonl("explain", &lines)) {
        let claimed = answer["claimed_signature"].as_str().unwrap();
        for flipped in flips(claimed) {
            changed.push(replaced(line, claimed, &flipped).unwrap_or_else(|| panic!("{claimed} is not in {line}")));
        }
    }
    assert!(changed.len() > 100 * lines.len());
    all_rejected(&changed, "a flipped bit");
}

/// The signature with each bit of what it encodes flipped in turn.
fn flips(signature: &str) -> Vec<String> {
    if signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let flip = |(at, digit): (usize, char)| {
            (0..4).map(move |bit| {
                let flipped = digit.to_digit(16).unwrap() ^ (1 << bit);
                let flipped = char::from_digit(flipped, 16).unwrap();
                format!("{}{flipped}{}", &signature[..at], &signature[at + 1..])
            })
        };
        return signature.char_indices().flat_map(flip).collect();
    }
    let bytes = STANDARD.decode(signature).unwrap();
    let flip = |bit: usize| {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        STANDARD.encode(flipped)
    };
    (0..bytes.len() * 8).map(flip).collect()
}

/// The line with a text replaced in a field or, as it stands there, in the URL.
fn replaced(line: &Value, from: &str, to: &str) -> Option<Value> {
    let mut changed = line.clone();
    for header in changed["headers"].as_array_mut()? {
        let value = header[1].as_str()?;
        if value.contains(from) {
            header[1] = json!(value.replacen(from, to, 1));
            return Some(changed);
        }
    }
    let url = line["url"].as_str()?;
    for encode in [str::to_owned, escaped] {
        if url.contains(&encode(from)) {
            changed["url"] = json!(url.replacen(&encode(from), &encode(to), 1));
            return Some(changed);
        }
    }
    None
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[test]
fn none_verifies_with_a_covered_part_changed() {
    let Some(lines) = lines() else { return };
    let mut parts = BTreeSet::new();
    for (line, (verified, explained)) in
        lines.iter().zip(jsonl("verify", &lines).iter().zip(jsonl("explain", &lines)))
    {
        for part in verified["covered"].as_array().unwrap() {
            let part = part.as_str().unwrap();
            let changed = change(line, part, &explained["fields"]);
            let changed = changed.unwrap_or_else(|| panic!("no way to change {part} of {line}"));
            assert_ne!(changed, *line, "{part}");
            all_rejected(std::slice::from_ref(&changed), part);
            parts.insert(part.to_owned());
        }
    }
    for part in ["method", "authority", "path", "query", "body", "timestamp", "nonce", "header date"] {
        assert!(parts.contains(part), "no request covers {part}");
    }
}

/// The line with one part changed so that it still is a request.
fn change(line: &Value, part: &str, fields: &Value) -> Option<Value> {
    let mut changed = line.clone();
    let url = line["url"].as_str()?;
    let (origin, target) = url.split_at(url.find("://")? + 3 + url[url.find("://")? + 3..].find('/')?);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let url_of = |origin: &str, path: &str, query: Option<&str>| {
        json!(format!("{origin}{path}{}", query.map(|query| format!("?{query}")).unwrap_or_default()))
    };
    if let Some(name) = part.strip_prefix("header ") {
        let header = changed["headers"]
            .as_array_mut()?
            .iter_mut()
            .find(|header| header[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)))?;
        header[1] = json!(format!("{}x", header[1].as_str()?));
        return Some(changed);
    }
    match part {
        "method" => changed["method"] = json!(if line["method"] == "PUT" { "POST" } else { "PUT" }),
        "authority" | "hostname" => {
            let (scheme, host) = origin.split_once("://")?;
            changed["url"] = url_of(&format!("{scheme}://other.{host}"), path, query);
            for header in changed["headers"].as_array_mut()? {
                if header[0].as_str()?.eq_ignore_ascii_case("host") {
                    header[1] = json!(format!("other.{}", header[1].as_str()?));
                }
            }
        }
        "path" => changed["url"] = url_of(origin, &format!("{path}x"), query),
        "query" => {
            let query = query.map_or_else(|| "zz=1".to_owned(), |query| format!("{query}&zz=1"));
            changed["url"] = url_of(origin, path, Some(&query));
        }
        "body" => changed["body"] = json!(format!("{}x", line["body"].as_str()?)),
        // A capture: whatever carries it.
        capture => {
            let field = fields.as_array()?.iter().find(|field| field["name"] == capture)?;
            let value = field["value"].as_str()?;
            // Another character of the same kind in the middle, so that it is the value that is wrong and not its form.
            let at = value.len() / 2;
            let other = match value.as_bytes()[at] {
                b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => char::from(value.as_bytes()[at] + 1),
                b'9' => '8',
                b'z' => 'y',
                b'Z' => 'Y',
                _ => 'x',
            };
            let with = format!("{}{other}{}", &value[..at], &value[at + 1..]);
            return replaced(line, value, &with);
        }
    }
    Some(changed)
}

/// Requests that were changed and verify all the same: what the linter says of these schemes, shown. They are here so
/// that a scheme which becomes stricter, or laxer, is noticed.
#[test]
fn the_known_collisions_of_weak_schemes_collide() {
    let Some(root) = vectors() else { return };
    let suite = read_json(&root.join("vendors.json"));
    let twilio = suite["collisions"].as_array().unwrap().iter().find(|collision| collision["base"] == "twilio-form");
    let base = suite["vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == "twilio-form").unwrap();
    let mut line = line(base);
    for name in ["method", "url", "headers", "body"] {
        line[name] = twilio.unwrap()["request"][name].clone();
    }
    assert_eq!(jsonl("verify", &[line])[0]["verdict"], "verified");
}
