//! Public suites of signed messages, read as lines of the request commands. A suite's case whose scheme is not in the
//! catalogue is left out; nothing is copied from the suites.

use crate::support::{own_scheme, read_json, run, vectors};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::time::TimeFormat;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A message, and what has to come of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) line: Value,
    /// `verified`, a reason's code, or `undecided` where the case is no HTTP message.
    pub(crate) wanted: &'static str,
    /// What is signed, where the suite says it.
    pub(crate) base: Option<String>,
}

impl Case {
    fn new(line: Value) -> Self {
        Self { line, wanted: "verified", base: None }
    }

    fn wanting(self, wanted: &'static str) -> Self {
        Self { wanted, ..self }
    }

    fn signing(self, base: &Value) -> Self {
        Self { base: base.as_str().map(str::to_owned), ..self }
    }
}

/// The names of the catalogue.
pub(crate) fn catalogue() -> BTreeSet<String> {
    let listed = run(&["schemes", "--json"], "").lines();
    listed.iter().map(|scheme| scheme["name"].as_str().unwrap().to_owned()).collect()
}

/// All messages of all suites that have to verify.
pub(crate) fn positive() -> Option<Vec<Value>> {
    let suites = [vendors()?, edgegrid()?, gcs()?, cavage()?, vendor_api()?];
    let cases = suites.into_iter().flatten().filter(|case| case.wanted == "verified");
    Some(cases.map(|case| case.line).collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// `vendors.json`: requests signed by the vendors' own libraries.
pub(crate) fn vendors() -> Option<Vec<Case>> {
    let suite = read_json(&vectors()?.join("vendors.json"));
    let catalogue = catalogue();
    let vectors = suite["vectors"].as_array().unwrap();
    let known = vectors.iter().filter(|vector| catalogue.contains(text(&vector["scheme"])));
    let case =
        |vector: &Value| Case::new(vendor_line(&suite, vector, &vector["request"])).signing(&vector["message"]);
    Some(known.map(case).collect())
}

/// Its forged requests, with the ids of those they were made from.
pub(crate) fn collisions() -> Option<Vec<(String, Value)>> {
    let suite = read_json(&vectors()?.join("vendors.json"));
    let catalogue = catalogue();
    let vectors = suite["vectors"].as_array().unwrap();
    let known = suite["collisions"].as_array().unwrap().iter();
    let known = known.filter(|collision| catalogue.contains(text(&collision["scheme"])));
    let lines = known.map(|collision| {
        let base = vectors.iter().find(|vector| vector["id"] == collision["base"]).unwrap();
        (text(&collision["base"]).to_owned(), vendor_line(&suite, base, &collision["request"]))
    });
    Some(lines.collect())
}

fn vendor_line(suite: &Value, vector: &Value, request: &Value) -> Value {
    let credentials = vector["credentials"].as_object().unwrap();
    let mut vars = vector["context"].as_object().unwrap().clone();
    let now = vars.remove("now").unwrap();
    vars.remove("nonce");
    let keys = ["key_id", "secret", "public_key", "private_key"];
    vars.extend(credentials.clone().into_iter().filter(|(name, _)| !keys.contains(&name.as_str())));
    for value in vars.values_mut() {
        // Names of fields.
        if let Some(list) = value.as_array() {
            *value = json!(list.iter().map(text).collect::<Vec<_>>().join(";"));
        }
    }
    let mut line = json!({
        "id": vector["id"], "scheme": vector["scheme"], "headers": request["headers"], "body": request["body"],
        "now": now, "vars": vars,
    });
    if request["method"] == "RESPONSE" {
        line["status"] = json!(200);
    } else {
        line["method"] = request["method"].clone();
        line["url"] = request["url"].clone();
    }
    for name in ["key_id", "secret", "public_key"] {
        // A verifier of signatures holds the public half.
        if name == "secret" && !line["public_key"].is_null() {
            continue;
        }
        if let Some(value) = credentials.get(name).and_then(Value::as_str) {
            line[name] = match value.strip_prefix("@keys.").and_then(|path| path.split_once('.')) {
                Some((pair, half)) => suite["keys"][pair][half].clone(),
                None => json!(value),
            };
        }
    }
    if vector["id"] == "aws-s3-doc-streaming" {
        stream(&mut line, vector);
    }
    line
}

/// AWS's example of an upload in chunks is printed without its 66,824 bytes: the chunks are written here.
fn stream(line: &mut Value, vector: &Value) {
    let signatures = vector["expect"]["chunk_signatures"].as_array().unwrap();
    let chunks = [65536, 1024, 0].iter().zip(signatures).map(|(length, signature)| {
        format!("{length:x};chunk-signature={}\r\n{}\r\n", text(signature), "a".repeat(*length))
    });
    let body = chunks.collect::<String>();
    let length = line["headers"].as_array().unwrap().iter().find(|header| header[0] == "content-length").unwrap();
    assert_eq!(text(&length[1]), body.len().to_string());
    line["body"] = json!(body);
    let names: Vec<&str> = line["headers"].as_array().unwrap().iter().map(|header| text(&header[0])).collect();
    let mut names: Vec<String> = names.into_iter().map(str::to_ascii_lowercase).collect();
    names.sort();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/20130524/us-east-1/s3/aws4_request,SignedHeaders={},Signature={}",
        text(&line["key_id"]),
        names.join(";"),
        text(&vector["expect"]["seed_signature"])
    );
    line["headers"].as_array_mut().unwrap().push(json!(["Authorization", authorization]));
}

/// Akamai's test cases for its clients.
pub(crate) fn edgegrid() -> Option<Vec<Case>> {
    let root = vectors()?.join("akamai-edgegrid");
    if !catalogue().contains("akamai-edgegrid") {
        return Some(Vec::new());
    }
    let (data, suite) = (read_json(&root.join("testdata.json")), read_json(&root.join("testcases.json")));
    let listed: Vec<String> =
        data["headers_to_sign"].as_array().unwrap().iter().map(|name| text(name).to_ascii_lowercase()).collect();
    let cases = suite.as_array().unwrap().iter().map(|case| {
        let request = &case["request"];
        let mut headers = Vec::new();
        for field in request["headers"].as_array().into_iter().flatten() {
            headers.extend(field.as_object().unwrap().iter().map(|(name, value)| json!([name, value])));
        }
        headers.push(json!(["Authorization", case["expectedAuthorization"]]));
        let line = json!({
            "id": case["testName"], "scheme": "akamai-edgegrid", "method": request["method"], "headers": headers,
            "url": format!("{}{}", text(&data["base_url"]).trim_end_matches('/'), text(&request["path"])),
            "body": request["data"], "now": 1_395_430_461, "key_id": data["client_token"],
            "secret": data["client_secret"],
            "vars": {"max-body": data["max_body"], "headers-to-sign": listed.join(";")},
        });
        // One of them Akamai's client does not send, for the spaces in front of a field's value. In a message they are
        // no part of the value (RFC 9110, section 5.5), and the signature that the suite has is that of the value.
        let authorization = text(&case["expectedAuthorization"]);
        let credentials = &authorization[..authorization.rfind("signature=").unwrap()];
        let base = case["expectedDataToSign"].as_str().map(|data| format!("{data}{credentials}"));
        Case { base, ..Case::new(line) }
    });
    Some(cases.collect())
}

/// Google's conformance tests for signed URLs.
pub(crate) fn gcs() -> Option<Vec<Case>> {
    let root = vectors()?.join("gcs-v4-signed-url");
    if !catalogue().contains("gcs-v4") {
        return Some(Vec::new());
    }
    let suite = read_json(&root.join("v4_signatures.json"));
    let account = read_json(&root.join("test_service_account.not-a-test.json"));
    let cases = suite["signingV4Tests"].as_array().unwrap().iter().map(|case| {
        let headers = case["headers"].as_object().into_iter().flatten();
        let headers: Vec<Value> = headers.map(|(name, value)| json!([name, value])).collect();
        let now = TimeFormat::Iso.parse(text(&case["timestamp"]).as_bytes()).unwrap().secs();
        let line = json!({
            "id": case["description"], "scheme": "gcs-v4", "method": case["method"], "url": case["expectedUrl"],
            "headers": headers, "body": case["headers"]["X-TestCaseMetadata-Payload-Value"], "now": now,
            "private_key": account["private_key"],
        });
        let wanted = match text(&case["description"]) {
            // `/` can stand in no field's name.
            "Slashes in object name should not be URL encoded" => "undecided",
            // The digest that it signs is a digit short, and so is nothing's digest.
            "Signed Payload Instead of UNSIGNED-PAYLOAD" => "digest-mismatch",
            // Signed for a host without its port, and sent with it.
            "Simple GET with non-default hostname"
            | "Simple GET with endpoint on client"
            | "Endpoint on client with scheme"
            | "Endpoint on client takes precedence over emulator" => "signature-mismatch",
            _ => "verified",
        };
        Case::new(line).wanting(wanted).signing(&case["expectedStringToSign"])
    });
    Some(cases.collect())
}

/// The examples of draft-cavage-http-signatures-12, and W3C's signed messages, which verify under none of its keys.
pub(crate) fn cavage() -> Option<Vec<Case>> {
    let suite = read_json(&vectors()?.join("cavage/cavage.json"));
    if !catalogue().contains("draft-cavage-12-rsa-sha256") {
        return Some(Vec::new());
    }
    let mut cases = Vec::new();
    for case in suite["cases"].as_array().unwrap() {
        let message = &case["message"];
        let mut headers = message["headers"].as_array().unwrap().clone();
        headers.retain(|header| header[0] != "Authorization");
        headers.push(json!(["Authorization", format!("Signature {}", text(&case["params"]))]));
        let line = |scheme: &str, id: &str| {
            json!({
                "id": format!("{}{id}", text(&case["id"])), "scheme": scheme, "method": message["method"],
                "url": format!("https://example.com{}", text(&message["target"])), "headers": headers,
                "body": message["body"], "now": 1_388_957_500, "public_key": suite["keys"][text(&case["key"])]["public_pem"],
            })
        };
        let scheme = "draft-cavage-12-rsa-sha256";
        let signing = |line: Value| Case::new(line).signing(&case["signing_string"]);
        // The draft's key has 1024 bits, and under SHA-256 no key that short is taken.
        let short = "key-unsuitable";
        match text(&case["id"]) {
            // Without `headers` the draft signs the date alone, which protects nothing.
            "C.1" => {
                cases.push(Case::new(line(scheme, "")).wanting("credential-malformed"));
                cases.push(signing(line(&own_scheme("cavage-date.toml"), ", date alone")).wanting(short));
            }
            // No body is signed.
            "C.2" => {
                let lax = own_scheme("cavage-lax.toml");
                cases.push(signing(line(&lax, ", no body")).wanting(short));
            }
            "C.3-draft10" => cases.push(signing(line(scheme, "")).wanting(short)),
            // `(created)` beside `rsa-sha256`, which the draft forbids, and the signature is another message's.
            "C.3-draft12-with-created-expires" => cases.push(Case::new(line(scheme, "")).wanting("timestamp-future")),
            other => {
                let scheme = match other {
                    "w3c-p256-signed" => "draft-cavage-12-ecdsa-p256",
                    "w3c-ed25519-signed" => "draft-cavage-12-ed25519",
                    "w3c-rsa-signed" => scheme,
                    // On secp256k1, which no scheme has.
                    "w3c-ecdsa-signed" => continue,
                    other => panic!("unknown case {other}"),
                };
                cases.push(Case::new(line(scheme, "")).wanting("field-missing"));
            }
        }
    }
    Some(cases)
}

/// Values of oauthlib's, wechatpay-go's and Qiniu's own tests.
pub(crate) fn vendor_api() -> Option<Vec<Case>> {
    let suite = read_json(&vectors()?.join("vendor-api/vendor.json"));
    let catalogue = catalogue();
    let cases = suite["cases"].as_array().unwrap();
    // Those with key pairs sign what the first one does.
    let first = &cases[0];
    let found = cases.iter().filter_map(|case| match text(&case["scheme"]) {
        name if name.starts_with("OAuth 1.0 ") && catalogue.contains("oauth1-rsa-sha256") => {
            Some(oauth(&name["OAuth 1.0 ".len()..], first, case))
        }
        name if name.starts_with("qiniu Q") && catalogue.contains("qiniu-undated") => qiniu(case),
        "WECHATPAY2-SHA256-RSA2048 signer (message only)" => Some(Case::new(json!({
            "id": "wechatpay-go signer", "scheme": own_scheme("signed-body-rsa.toml"), "method": "POST",
            "url": "https://example.com/", "headers": [["X-Sign", case["expected_signature"]]],
            "body": case["message"], "now": 1, "private_key": case["private_pem"],
        }))),
        _ => None,
    });
    Some(found.collect())
}

/// oauthlib's tests state HMAC-SHA1 in the request whatever they sign with. The catalogue binds what is stated to
/// what is used, so only the first verifies there; the others do under schemes that say as oauthlib's requests.
fn oauth(name: &str, request: &Value, case: &Value) -> Case {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |out, byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                out + &char::from(byte).to_string()
            }
            byte => out + &format!("%{byte:02X}"),
        })
    };
    let mut items: Vec<String> = request["oauth_params"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", encode(text(value))))
        .collect();
    items.push(format!("oauth_signature=\"{}\"", encode(text(&case["expected_signature"]))));
    let scheme = match name {
        "HMAC-SHA1" => "oauth1-hmac-sha1".to_owned(),
        "HMAC-SHA256" | "HMAC-SHA512" => own_scheme("oauth1-misnamed-hmac.toml"),
        "RSA-SHA1" => own_scheme("oauth1-misnamed-rsa-sha1.toml"),
        "RSA-SHA256" => own_scheme("oauth1-misnamed-rsa-sha256.toml"),
        "RSA-SHA512" => own_scheme("oauth1-misnamed-rsa-sha512.toml"),
        other => panic!("unknown method {other}"),
    };
    let mut line = json!({
        "id": format!("oauthlib {name}"), "scheme": scheme, "method": request["method"], "url": request["url"],
        "headers": [
            ["Content-Type", "application/x-www-form-urlencoded"],
            ["Authorization", format!("OAuth {}", items.join(", "))],
        ],
        "body": request["form_body"], "now": 137_131_201,
    });
    let mut wanted = "verified";
    if name.starts_with("HMAC") {
        line["secret"] = request["client_secret"].clone();
        line["vars"] = json!({"token-secret": request["token_secret"]});
        line["alg"] = json!(name.to_ascii_lowercase());
    } else {
        // A key of 1024 bits, which SHA-1 alone is taken with, and with which nothing is signed.
        line["public_key"] = json!(public_half(text(&case["private_pem"])));
        if name != "RSA-SHA1" {
            wanted = "key-unsuitable";
        }
    }
    Case::new(line).wanting(wanted).signing(&case["signature_base_string"])
}

/// The public half of an RSA key (RFC 8017, appendix A.1): the numbers behind the version are modulus and exponent.
fn public_half(private_pem: &str) -> String {
    let body: String = private_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    // Behind the head of the sequence, whose length takes two bytes more, and the version, 0.
    let numbers = &der[7..];
    let end = |at: usize| match numbers[at + 1] {
        length @ 0..=0x7f => at + 2 + usize::from(length),
        0x81 => at + 3 + usize::from(numbers[at + 2]),
        other => panic!("a length of {other:#x}"),
    };
    let both = &numbers[..end(end(0))];
    let sequence = [&[0x30, 0x81, u8::try_from(both.len()).unwrap()], both].concat();
    format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(sequence))
}

/// Some of Qiniu's tests sign a URL without a path, or none at all. No HTTP request has one, so their signatures are
/// those of no request.
fn qiniu(case: &Value) -> Option<Case> {
    let qbox = case["scheme"] == "qiniu QBox request";
    let request = if qbox { case } else { &case["request"] };
    let url = text(&request["url"]);
    if url.is_empty() {
        return None;
    }
    let mut headers: Vec<Value> =
        request["qheaders"].as_object().into_iter().flatten().map(|(name, value)| json!([name, value])).collect();
    let (scheme, prefix) = if qbox { ("qiniu-qbox", "QBox") } else { ("qiniu-undated", "Qiniu") };
    if qbox && case["content_type"] != "" {
        headers.push(json!(["Content-Type", case["content_type"]]));
    }
    headers.push(json!(["Authorization", format!("{prefix} {}", text(&case["expected"]))]));
    let line = json!({
        "id": format!("qiniu {url}"), "scheme": scheme, "headers": headers, "body": request["body"], "now": 1,
        "method": request["method"].as_str().unwrap_or("POST"), "url": url, "key_id": case["ak"], "secret": case["sk"],
    });
    let has_path =
        url.split("://").nth(1).is_some_and(|rest| rest.split('?').next().is_some_and(|rest| rest.contains('/')));
    Some(Case::new(line).wanting(if has_path { "verified" } else { "signature-mismatch" }))
}
