//! Suites of many vendors.
//!
//! Every message verifies at its own time; with its signature or its body changed, or under another secret, it
//! does not.

use crate::case::{Case, json, root, text};
use countersign_core::key::{Key, Material};
use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, SignError, Signer};
use serde_json::Value;

impl Case {
    /// The same message without its signature, signed again.
    fn sign(&self, signature: &str) -> Result<String, SignError> {
        let mut unsigned = self.clone();
        unsigned.headers.retain(|(_, value)| !value.contains(signature));
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let query: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(signature)).collect();
        unsigned.target = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) };
        let mut signer = Signer::new(self.plan());
        for (name, value) in &self.vars {
            signer = signer.with_var(name, value);
        }
        let nonce = self.vars.iter().find(|(name, _)| name == "nonce").map(|(_, value)| value.as_str());
        let fresh = Freshness { now: UnixTime::from_secs(self.now), nonce };
        let signed = signer.sign(unsigned.view(), &self.key, &fresh)?;
        Ok(String::from_utf8_lossy(&signed.signature).into_owned())
    }

    /// The message must verify, and must not with its signature changed, its body changed (where `body` is
    /// covered) or another secret.
    fn judge(&self, signature: &str, body: bool, wrong: &mut Vec<String>) {
        if let Err(reason) = self.verify() {
            wrong.push(format!("{} is refused: {reason:?}", self.name));
            return;
        }
        let mut forged = self.clone();
        forged.replace(signature, &changed(signature));
        if forged.verify().is_ok() {
            wrong.push(format!("{} verifies with another signature", self.name));
        }
        if matches!(self.key.material, Material::Secret(_)) {
            let mut other = self.clone();
            other.key = Key::secret(*b"whsec_b3RoZXI=");
            if other.verify().is_ok() {
                wrong.push(format!("{} verifies with another secret", self.name));
            }
        }
        if body {
            let mut tampered = self.clone();
            tampered.body.push('x');
            if tampered.verify().is_ok() {
                wrong.push(format!("{} verifies with another body", self.name));
            }
        }
    }

    fn replace(&mut self, from: &str, to: &str) {
        let mut found = self.target.contains(from);
        self.target = self.target.replace(from, to);
        for (_, value) in &mut self.headers {
            found |= value.contains(from);
            *value = value.replace(from, to);
        }
        assert!(found, "{}: {from} is nowhere", self.name);
    }
}

/// The same beginning of a signature with its first character changed.
fn changed(signature: &str) -> String {
    let first = if signature.starts_with('a') { "b" } else { "a" };
    format!("{first}{}", &signature[1..])
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// Schemes whose vectors are made again byte for byte from what the vector says besides. All others are judged by the
/// binary's tests, with what each needs; and signed again from `vectors/` by `countersign schemes test`.
const SIGNED_THE_SAME: &[&str] = &[
    "1worldsync-content1",
    "aws-sigv4",
    "aws-sigv4-query-s3",
    "aws-sigv4-s3",
    "github-webhook",
    "hawk",
    "kong-hmac-auth",
    "md5-token",
    "slack-v0",
    "standard-webhooks",
    "stripe-webhook",
    "twilio-form",
];

#[test]
fn vendors() {
    let Some(file) = json("vendors.json") else { return };
    let unsigned_body = ["1worldsync-content1", "aliyun-oss-v1", "aws-sigv4-query-s3", "md5-token"];
    let (mut judged, mut wrong) = (0, Vec::new());
    for vector in file["vectors"].as_array().expect("vectors") {
        let scheme = text(vector, "/scheme");
        if !SIGNED_THE_SAME.contains(&scheme) {
            continue;
        }
        let mut case =
            Case::new(text(vector, "/id"), scheme, text(vector, "/request/method"), text(vector, "/request/url"));
        let headers = vector["request"]["headers"].as_array().expect("headers");
        case.headers = headers.iter().map(|pair| (text(pair, "/0").into(), text(pair, "/1").into())).collect();
        case.body = text(vector, "/request/body").into();
        case.key = Key::secret(text(vector, "/credentials/secret").as_bytes());
        if let Some(id) = vector.pointer("/credentials/key_id").and_then(Value::as_str) {
            case.key = case.key.with_id(id);
        }
        case.now = number(vector, "/context/now");
        for (name, value) in vector["context"].as_object().expect("context") {
            case.vars.extend(value.as_str().map(|value| (name.clone(), value.to_owned())));
        }
        // Without what stands before the signature proper, and in a form that is the same in a URL.
        let signature = text(vector, "/expect/signature");
        let signature = signature.strip_prefix("sha256=").or(signature.strip_prefix("v0=")).unwrap_or(signature);
        case.judge(&signature[..6], !unsigned_body.contains(&scheme), &mut wrong);
        // The libraries sign the same fields in another order than the one of `cover`, or fewer.
        let signed = match scheme {
            "kong-hmac-auth" => Some("date @request-target digest"),
            _ => None,
        };
        case.vars.extend(signed.map(|names| ("signed".into(), names.into())));
        match case.sign(&signature[..6]) {
            Ok(made) if made == signature => {}
            other => wrong.push(format!("{} is signed as {other:?}", case.name)),
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 15);
}

#[test]
fn webhooks() {
    let Some(file) = json("webhooks/webhooks.json") else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for vector in file["cases"].as_array().expect("cases") {
        let scheme = match text(vector, "/scheme") {
            "standard-webhooks-v1" => "standard-webhooks",
            "standard-webhooks-v1a" => "standard-webhooks-v1a",
            "github" => "github-webhook",
            "slack" => "slack-v0",
            "twilio" => "twilio-form",
            "sendgrid" => "sendgrid-ecdsa",
            unknown => panic!("unknown scheme {unknown}"),
        };
        let url = vector.pointer("/url").and_then(Value::as_str).unwrap_or("https://x/hook");
        let name = format!("{scheme}: {}", text(vector, "/name"));
        let mut case = Case::new(&name, scheme, "POST", url);
        case.headers = vector["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        case.body = text(vector, "/body").into();
        if let Some(params) = vector.pointer("/params").and_then(Value::as_object) {
            case.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
            case.body = form(params);
        }
        case.key = key(vector);
        case.now = number(vector, "/now");
        if scheme == "sendgrid-ecdsa" {
            case.now = 1_600_112_502;
        }
        let signature = case.headers.iter().find(|(name, _)| name.to_ascii_lowercase().ends_with("signature"));
        let signature = signature.or_else(|| case.headers.iter().find(|(name, _)| name.contains("Signature")));
        judged += 1;
        if text(vector, "/expected") != "valid" {
            if case.verify().is_ok() {
                wrong.push(format!("{name} verifies"));
            }
            continue;
        }
        let value = signature.map(|(_, value)| value.clone()).unwrap_or_default();
        // With several signatures the one that holds is `v1,g0hM9S…`.
        let start =
            value.find("g0hM9S").or(value.find([',', '=']).filter(|at| *at < 8).map(|at| at + 1)).unwrap_or(0);
        // An ECDSA signature is DER: its first octets are no part of the numbers.
        let start = if scheme == "sendgrid-ecdsa" { 20 } else { start };
        case.judge(&value[start..start + 6], true, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 28);
}

fn key(vector: &Value) -> Key {
    let pem = |base64: &str| format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
    // RFC 8410, section 4: what stands before the 32 octets of an Ed25519 public key.
    let ed25519 = text(vector, "/public_key_base64");
    if !ed25519.is_empty() {
        return Key::public_pem(&pem(&format!("MCowBQYDK2VwAyEA{ed25519}"))).expect("a public key");
    }
    let der = text(vector, "/public_key_der_base64");
    if !der.is_empty() {
        return Key::public_pem(&pem(der)).expect("a public key");
    }
    let secret = text(vector, "/secret");
    Key::secret(if secret.is_empty() { text(vector, "/auth_token") } else { secret }.as_bytes())
}

fn form(params: &serde_json::Map<String, Value>) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = Vec::new();
    for (name, value) in params {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        pairs.extend(values.iter().map(|value| format!("{name}={}", escape(value.as_str().unwrap_or_default()))));
    }
    pairs.join("&")
}

#[test]
fn hawk() {
    let Some(file) = json("hawk/hawk.json") else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    let key = |vector: &Value, credentials: &str| {
        let mut key = Key::secret(text(vector, &format!("{credentials}/key")).as_bytes());
        key.algorithm = Some(format!("hmac-{}", text(vector, &format!("{credentials}/algorithm"))));
        key
    };
    for vector in file["client_headers"].as_array().expect("client headers") {
        let mut case = Case::new(text(vector, "/name"), "hawk", text(vector, "/method"), text(vector, "/url"));
        let header = text(vector, "/expected_header");
        case.headers = vec![("Authorization".into(), header.into())];
        if let Some(kind) = vector["content_type"].as_str() {
            case.headers.push(("Content-Type".into(), kind.into()));
        }
        case.body = text(vector, "/payload").into();
        case.key = key(vector, "/credentials");
        case.now = number(vector, "/ts");
        let mac = header.split_once("mac=\"").expect("a MAC").1;
        case.judge(&mac[..6], header.contains("hash="), &mut wrong);
        judged += 1;
    }
    for (list, valid) in [("server_valid", true), ("server_malformed", false)] {
        for vector in file[list].as_array().expect("server cases") {
            let url =
                format!("http://{}:{}{}", text(vector, "/host"), number(vector, "/port"), text(vector, "/resource"));
            let name = format!("{list}: {}", text(vector, "/authorization"));
            let mut case = Case::new(&name, "hawk", text(vector, "/method"), &url);
            case.headers = vec![("Authorization".into(), text(vector, "/authorization").into())];
            case.now = number(vector, "/now");
            if valid {
                case.key = key(vector, "");
                // That the hash is the body's is another case's matter: this one has the hash and no body.
                let outcome = case.verify();
                let expected = if text(vector, "/authorization").contains("hash=") {
                    Err(Reason::DigestMismatch)
                } else {
                    Ok(())
                };
                if outcome != expected {
                    wrong.push(format!("{name}: {outcome:?}"));
                }
            } else if case.verify().is_ok() || case.verify() == Err(Reason::SignatureMismatch) {
                wrong.push(format!("{name} is read"));
            }
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 18);
}

#[test]
fn hawk_bewits() {
    let Some(file) = json("hawk/hawk.json") else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for vector in file["bewits"].as_array().expect("bewits") {
        let bewit = text(vector, "/expected_bewit");
        let url = if bewit.is_empty() {
            format!("http://{}:{}{}", text(vector, "/host"), number(vector, "/port"), text(vector, "/request_url"))
        } else {
            format!("{}?bewit={bewit}", text(vector, "/url"))
        };
        let mut case = Case::new(text(vector, "/name"), "hawk-bewit", "GET", &url);
        let secret = vector.pointer("/credentials/key").and_then(Value::as_str).unwrap_or(text(vector, "/key"));
        case.key = Key::secret(secret.as_bytes());
        case.now = number(vector, "/expires");
        // The MAC begins behind the id and the expiry: flip a character well inside it.
        let value = case.target.split_once("bewit=").expect("a bewit").1.to_owned();
        case.judge(&value[40..46], false, &mut wrong);
        for (method, now, expected) in
            [("HEAD", case.now, true), ("POST", case.now, false), ("GET", case.now + 1, false)]
        {
            let other = Case { method: method.into(), now, ..case.clone() };
            if other.verify().is_ok() != expected {
                wrong.push(format!("{} by {method} at {now}: {:?}", case.name, other.verify()));
            }
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 6);
}

#[test]
fn aws_suite() {
    let Some(root) = root() else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for folder in std::fs::read_dir(root.join("aws-sigv4/v4")).expect("the suite") {
        let folder = folder.expect("a case").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        // A space in the target is no HTTP, RFC 9112, section 3.2; sent as `%20` the path is another.
        if name.starts_with("get-space-") {
            continue;
        }
        let context: Value =
            serde_json::from_slice(&std::fs::read(folder.join("context.json")).expect("a context")).expect("JSON");
        for form in ["header", "query"] {
            let request =
                std::fs::read_to_string(folder.join(format!("{form}-signed-request.txt"))).expect("a request");
            let mut case = raw(&format!("{name} ({form})"), &request);
            let extends = if form == "header" { "aws-sigv4" } else { "aws-sigv4-query" };
            // A token that is added after signing is refused by default, as it is not signed.
            case.scheme = if context["omit_session_token"] == Value::Bool(true) {
                let query = if form == "query" {
                    // Its parameter is outside the canonical request, too.
                    "[let]\ncanonical = '''\n{method}\n{path}\n{query-pct | without X-Amz-Signature \
                     X-Amz-Security-Token | pct | sort-kv | each \"{k}={v}\" | join \"&\"}\n{headers | pick signed | \
                     squeeze | fold \",\" | each \"{k}:{v}\\n\" | join \"\"}\n{signed}\n{payload}'''\n"
                } else {
                    ""
                };
                format!("extends = \"{extends}\"\n{query}[require]\nsigned = \"host\"\n")
            } else {
                extends.to_owned()
            };
            case.key = Key::secret(text(&context, "/credentials/secret_access_key").as_bytes())
                .with_id(text(&context, "/credentials/access_key_id"));
            case.now = 1_440_938_160;
            case.vars = vec![
                ("region".into(), text(&context, "/region").into()),
                ("service".into(), text(&context, "/service").into()),
                ("normalize".into(), context["normalize"].to_string()),
            ];
            let signature =
                std::fs::read_to_string(folder.join(format!("{form}-signature.txt"))).expect("a signature");
            case.judge(&signature[..16], true, &mut wrong);
            judged += 1;
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 72);
}

/// A request of the suite: HTTP/1.1 with bare line feeds, unencoded paths and folded lines.
fn raw(name: &str, request: &str) -> Case {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let line = lines.next().expect("a request line");
    let (method, rest) = line.split_once(' ').expect("a method");
    let target = rest.strip_suffix(" HTTP/1.1").expect("a version");
    let mut case = Case::new(name, "", method, &format!("https://example.amazonaws.com{target}"));
    for line in lines {
        match (line.split_once(':'), case.headers.last_mut()) {
            (_, Some((_, value))) if line.starts_with(' ') => *value = format!("{value} {}", line.trim()),
            (Some((name, value)), _) => case.headers.push((name.into(), value.into())),
            (None, _) => panic!("{name}: {line}"),
        }
    }
    case.body = body.into();
    case
}
