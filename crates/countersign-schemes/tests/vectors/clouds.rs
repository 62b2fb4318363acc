//! The clouds' schemes against their vendors' suites.
//!
//! Each case verifies at its own time, and neither with another signature nor for another path.

use crate::case::{Case, json, root, text};
use countersign_core::alg::KeyError;
use countersign_core::key::Key;
use countersign_core::reject::Reason;
use countersign_core::time::{TimeFormat, UnixTime};
use countersign_core::{Freshness, Signer};
use serde_json::Value;

impl Case {
    /// It must hold, and not when its signature, which begins with `signature`, or its path is another one.
    fn holds_here_alone(&self, signature: &str, wrong: &mut Vec<String>) {
        if let Err(reason) = self.verify() {
            wrong.push(format!("{} is refused: {reason:?}", self.name));
            return;
        }
        // Well inside, where the digits of an ECDSA signature are no part of its form.
        let (kept, changed) = signature.split_at(12);
        let other = if changed.starts_with('0') { "1" } else { "0" };
        let forged = format!("{kept}{other}{}", &changed[1..]);
        let mut another = self.clone();
        another.target = another.target.replace(signature, &forged);
        for (_, value) in &mut another.headers {
            *value = value.replace(signature, &forged);
        }
        let elsewhere = Self { target: format!("/elsewhere{}", self.target), ..self.clone() };
        for (what, case) in [("signature", another), ("path", elsewhere)] {
            if case.verify() != Err(Reason::SignatureMismatch) {
                wrong.push(format!("{} with another {what}: {:?}", self.name, case.verify()));
            }
        }
    }
}

/// The suite of `SigV4A`: 38 requests, each signed in its fields and in its query. Every one verifies under the secret,
/// from which the key pair is derived, and under the public key that the suite names.
#[test]
fn aws_sigv4a() {
    let Some(root) = root() else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for folder in std::fs::read_dir(root.join("aws-sigv4/v4a")).expect("the suite") {
        let folder = folder.expect("a case").path();
        let file = |name: &str| std::fs::read_to_string(folder.join(name));
        // Two cases say nothing of what should come out.
        let (Ok(public), true) = (file("public-key.json"), folder.join("header-signature.txt").exists()) else {
            continue;
        };
        let context: Value = serde_json::from_str(&file("context.json").expect("a context")).expect("JSON");
        let public: Value = serde_json::from_str(&public).expect("JSON");
        for form in ["header", "query"] {
            let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
            let request = file(&format!("{form}-signed-request.txt")).expect("a request");
            let scheme = if form == "header" { "aws-sigv4a" } else { "aws-sigv4a-query" };
            let mut case = raw(&format!("{name} ({form})"), scheme, &request);
            if context["omit_session_token"] == Value::Bool(true) {
                case.vars.push(("omit-session-token".into(), "true".into()));
            }
            case.vars.push(("region".into(), text(&context, "/region").into()));
            case.vars.push(("service".into(), text(&context, "/service").into()));
            case.vars.push(("normalize".into(), context["normalize"].to_string()));
            case.now = 1_440_938_160;
            let id = text(&context, "/credentials/access_key_id");
            let secret = text(&context, "/credentials/secret_access_key");
            for key in [Key::secret(secret.as_bytes()), public_key(&public).expect("a public key")] {
                case.key = key.with_id(id);
                let own = carried(&case);
                case.holds_here_alone(&own, &mut wrong);
            }
            case.key = Key::secret(format!("{secret}x").as_bytes()).with_id(id);
            if case.verify() != Err(Reason::SignatureMismatch) {
                wrong.push(format!("{} verifies under another secret", case.name));
            }
            case.vars.retain(|(name, _)| *name != "region");
            case.vars.push(("region".into(), "elsewhere-1".into()));
            case.key = Key::secret(secret.as_bytes()).with_id(id);
            if case.verify() != Err(Reason::ValueDisagrees) {
                wrong.push(format!("{} is good for another region: {:?}", case.name, case.verify()));
            }
            judged += 1;
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 76);
}

/// The signature in a request of the suite.
fn carried(case: &Case) -> String {
    let in_field = case.headers.iter().find_map(|(_, value)| value.split_once("Signature="));
    let found = in_field.map(|(_, rest)| rest).or_else(|| case.target.split_once("X-Amz-Signature=").map(|at| at.1));
    found.and_then(|rest| rest.split('&').next()).expect("a signature").to_owned()
}

/// The point with these coordinates, as the suite writes them.
fn public_key(json: &Value) -> Result<Key, KeyError> {
    // RFC 5480, section 2: what stands before the coordinates of an uncompressed point on P-256.
    let der = format!(
        "3059301306072a8648ce3d020106082a8648ce3d030107034200{}{}{}",
        "04",
        text(json, "/X"),
        text(json, "/Y")
    );
    let mut bytes = Vec::new();
    countersign_core::canon::unhex(der.as_bytes(), &mut bytes).expect("hexadecimal digits");
    let mut base64 = Vec::new();
    countersign_core::canon::b64(&bytes, &mut base64);
    let body = String::from_utf8(base64).expect("base64");
    Key::public_pem(&format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"))
}

/// A request of AWS's suite: HTTP/1.1 with bare line feeds, unencoded paths and folded lines.
fn raw(name: &str, scheme: &str, request: &str) -> Case {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let line = lines.next().expect("a request line");
    let (method, rest) = line.split_once(' ').expect("a method");
    let target = rest.strip_suffix(" HTTP/1.1").expect("a version");
    let mut case = Case::new(name, scheme, method, &format!("https://example.amazonaws.com{target}"));
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

/// Who holds the secret signs; who holds the public half only verifies.
#[test]
fn a_derived_pair_signs_what_its_public_half_verifies() {
    let mut case = Case::new("ours", "aws-sigv4a", "PUT", "https://example.amazonaws.com/a?b=c");
    case.now = 1_440_938_160;
    case.body = "body".into();
    let secret = Key::secret(*b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").with_id("AKIDEXAMPLE");
    let public = serde_json::json!({
        "X": "b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1",
        "Y": "865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518",
    });
    let public = public_key(&public).expect("a public key").with_id("AKIDEXAMPLE");
    let signer = Signer::new(case.plan()).with_var("service", "s3").with_var("region-set", "us-*,eu-west-1");
    let fresh = Freshness { now: UnixTime::from_secs(case.now), nonce: None };
    assert!(signer.sign(case.view(), &public, &fresh).is_err(), "a public half cannot sign");
    let signed = signer.sign(case.view(), &secret, &fresh).expect("a signed request");
    case.headers.extend(
        signed.fields.iter().map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).expect("text"))),
    );
    for key in [secret.clone(), public] {
        for (region, expected) in
            [("us-east-1", Ok(())), ("eu-west-1", Ok(())), ("eu-west-2", Err(Reason::ValueDisagrees)), ("", Ok(()))]
        {
            let case = Case { key: key.clone(), vars: vec![("region".into(), region.to_owned())], ..case.clone() };
            assert_eq!(case.verify(), expected, "{region}");
        }
    }
    case.key = secret;
    for (algorithm, expected) in [("hmac-sha256", Err(Reason::KeyUnsuitable)), ("ecdsa-p256", Ok(()))] {
        case.key.algorithm = Some(algorithm.to_owned());
        assert_eq!(case.verify(), expected, "a key for {algorithm}");
    }
}

/// Google's conformance tests. What they sign that HTTP or arithmetic does not allow is verified under a scheme that
/// allows it, and refused under ours.
#[test]
fn gcs_v4() {
    let Some(file) = json("gcs-v4-signed-url/v4_signatures.json") else { return };
    let account = json("gcs-v4-signed-url/test_service_account.not-a-test.json").expect("the account");
    let key =
        Key::private_pem(text(&account, "/private_key")).expect("a key").with_id(text(&account, "/client_email"));
    let (mut judged, mut ours, mut wrong) = (0, 0, Vec::new());
    for vector in file["signingV4Tests"].as_array().expect("signed URLs") {
        let name = text(vector, "/description");
        let mut case = Case::new(name, "gcs-v4", text(vector, "/method"), text(vector, "/expectedUrl"));
        case.key = key.clone();
        let iso = TimeFormat::from_name("iso").expect("a format");
        case.now = iso.parse(text(vector, "/timestamp").as_bytes()).expect("an instant").millis() / 1000;
        for (name, value) in vector["headers"].as_object().into_iter().flatten() {
            case.headers.push((name.clone(), value.as_str().expect("text").to_owned()));
        }
        let (expected, scheme) = match name {
            // RFC 9110, section 5.1: a slash is no part of a field name.
            "Slashes in object name should not be URL encoded" => (
                Err(Reason::CredentialMalformed),
                "extends = \"gcs-v4\"\n[query]\nX-Goog-SignedHeaders = \"{signed}\"\n[require]\nsigned = false\n",
            ),
            // The digest is a digit short.
            "Signed Payload Instead of UNSIGNED-PAYLOAD" => {
                (Err(Reason::DigestMismatch), "extends = \"gcs-v4\"\n[bind]\nX-Goog-Content-SHA256 = false\n")
            }
            // Signed without the port that is in the URL.
            _ if case.authority.contains(':') => (Err(Reason::SignatureMismatch), HOSTNAME),
            _ => (Ok(()), "gcs-v4"),
        };
        if case.verify() != expected {
            wrong.push(format!("{name}: {:?}", case.verify()));
        }
        ours += usize::from(expected.is_ok());
        case.scheme = scheme.into();
        case.holds_here_alone(
            case.target.clone().split_once("X-Goog-Signature=").expect("a signature").1,
            &mut wrong,
        );
        case.now += 7 * 24 * 3600;
        if case.verify() != Err(Reason::Expired) {
            wrong.push(format!("{name} a week later: {:?}", case.verify()));
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((judged, ours), (29, 23));
}

const HOSTNAME: &str = r#"
extends = "gcs-v4"
[let]
canonical = '''
{method}
{path}
{query-pct | without X-Goog-Signature | pct | each "{k}={v}" | sort-items | join "&"}
{headers | without host | with "host" "{hostname}" | pick signed reject | squeeze | fold "," | each "{k}:{v}\n" | join ""}
{signed}
UNSIGNED-PAYLOAD'''
"#;

/// Akamai's own cases for its libraries.
#[test]
fn akamai_edgegrid() {
    let (Some(cases), Some(data)) = (json("akamai-edgegrid/testcases.json"), json("akamai-edgegrid/testdata.json"))
    else {
        return;
    };
    let (mut judged, mut wrong) = (0, Vec::new());
    for vector in cases.as_array().expect("cases") {
        let request = &vector["request"];
        let url = format!("{}{}", text(&data, "/base_url").trim_end_matches('/'), text(request, "/path"));
        let mut case = Case::new(text(vector, "/testName"), "akamai-edgegrid", text(request, "/method"), &url);
        case.key = Key::secret(text(&data, "/client_secret").as_bytes()).with_id(text(&data, "/client_token"));
        case.now = 1_395_430_461;
        case.body = text(request, "/data").into();
        let listed =
            data["headers_to_sign"].as_array().expect("names").iter().map(|name| name.as_str().expect("text"));
        case.vars = vec![
            ("max-body".into(), data["max_body"].to_string()),
            ("headers-to-sign".into(), listed.collect::<Vec<_>>().join(";")),
        ];
        for line in request["headers"].as_array().into_iter().flatten() {
            for (name, value) in line.as_object().expect("a field line") {
                // HTTP takes white space off a value's ends (RFC 9110, section 5.5); their library refuses it there.
                case.headers.push((name.clone(), value.as_str().expect("text").trim().to_owned()));
            }
        }
        let authorization = text(vector, "/expectedAuthorization");
        case.headers.push(("Authorization".into(), authorization.into()));
        judged += 1;
        if vector.get("failsWithMessage").is_some() {
            continue;
        }
        let before = wrong.len();
        case.holds_here_alone(authorization.split_once("signature=").expect("a signature").1, &mut wrong);
        let longest: usize = data["max_body"].to_string().parse().expect("a number");
        if case.method == "POST" && !case.body.is_empty() && before == wrong.len() {
            let inside = Case { body: format!("x{}", &case.body[1..]), ..case.clone() };
            let behind = Case { body: format!("{}x", case.body), ..case.clone() };
            if inside.verify() != Err(Reason::SignatureMismatch) {
                wrong.push(format!("{}: another body verifies", case.name));
            }
            if case.body.len() >= longest && behind.verify() != Ok(()) {
                wrong.push(format!("{}: what is behind the limit counts", case.name));
            }
        }
        // A limit that is no number must not become none.
        let vars = vec![case.vars[1].clone(), ("max-body".into(), "many".into())];
        let unlimited = Case { vars, ..case.clone() };
        if unlimited.verify() != Err(Reason::FieldMissing) {
            wrong.push(format!("{} without a limit: {:?}", case.name, unlimited.verify()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(judged, 15);
}

/// What node's cookie-signature and Rails' `MessageVerifier` made.
#[test]
fn signed_values() {
    let (Some(cookies), Some(rails)) = (json("signed-values/node-cookies.json"), json("signed-values/rails.json"))
    else {
        return;
    };
    let encoded = |value: &str| {
        let mut out = Vec::new();
        countersign_core::canon::pct(value.as_bytes(), &mut out);
        String::from_utf8(out).expect("text")
    };
    let (mut judged, mut wrong) = (0, Vec::new());
    for vector in cookies["cases"].as_array().expect("cases") {
        if text(vector, "/kind") != "cookie-signature" {
            continue;
        }
        let mut case = Case::new(text(vector, "/value"), "cookie-signature", "GET", "http://x/");
        case.key = Key::secret(text(vector, "/secret").as_bytes());
        let value = text(vector, "/expected");
        let holding = |value: &str| {
            let headers = vec![("Cookie".to_owned(), format!("a=b; s={}", encoded(&format!("s:{value}"))))];
            Case { headers, ..case.clone() }.verify()
        };
        if holding(value).is_err() || holding(&format!("x{value}")).is_ok() {
            wrong.push(format!("{value}: {:?}", holding(value)));
        }
        judged += 1;
    }
    for vector in rails["cases"].as_array().expect("cases") {
        let (token, digest) = (text(vector, "/expected"), text(vector, "/digest").to_ascii_lowercase());
        if text(vector, "/kind") != "generate" || token.is_empty() {
            continue;
        }
        let url = format!("http://x/?token={}", encoded(token));
        let mut case = Case::new(token, "rails-message-verifier", "GET", &url);
        case.key = Key::secret(text(vector, "/secret").as_bytes());
        case.key.algorithm = Some(format!("hmac-{digest}"));
        // With a purpose or an end the value sits in an envelope that nobody here can judge.
        let envelope = vector.get("purpose").is_some() || vector.get("expires_at").is_some();
        let expected = if envelope { Err(Reason::FieldMissing) } else { Ok(()) };
        if case.verify() != expected {
            wrong.push(format!("{token} ({digest}): {:?}, not {expected:?}", case.verify()));
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged >= 20, "{judged}");
}
