//! Messages signed by RFC 9421: the policy, the components and the keys of three cases, and the same as the peer
//! `httpsig` takes them.

use std::sync::Arc;

use countersign_core::alg::{Asymmetric, Hash, MacKey};
use countersign_core::{Freshness, Key, KeySet, Material, RequestView, Signer, Transport, Verifier};
use serde_json::{Value, json};

use crate::bare::{Bare, Last};
use crate::{AUTHORITY, Case, NOW, SECRET};

/// Seven components; without a body, so that no digest of one is compared. And without a key id: `httpsig` writes parameters
/// in an order of its own before it verifies, which has the nonce before it.
const SEVEN: &str = "@method @target-uri @authority @path @query accept user-agent";
/// The same with a body, which is digested and compared.
const WITH_BODY: &str = "@method @target-uri @authority @path @query content-type content-digest";
const TARGET: &str = "/orders/17/items?page=2&limit=50";

impl Case {
    /// The cases of RFC 9421: a MAC, a MAC over a message with a body of 1 KiB, and Ed25519.
    pub(crate) fn message_signatures() -> [Self; 3] {
        let hmac = || (Key::secret(SECRET.as_bytes()), Key::secret(SECRET.as_bytes()));
        let pair = |half: &str| {
            let path = format!("{}/../vectors/keys/ed25519{half}.pem", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let ed25519 = (
            Key::private_pem(&pair("")).expect("a private key"),
            Key::public_pem(&pair(".pub")).expect("a public key"),
        );
        [
            Self::message_signature("rfc9421-hmac", SEVEN, b"", hmac()),
            Self::message_signature("rfc9421-hmac-body", WITH_BODY, &[b'x'; 1024], hmac()),
            Self::message_signature("rfc9421-ed25519", SEVEN, b"", ed25519),
        ]
    }

    fn message_signature(name: &'static str, components: &str, body: &[u8], (signs, verifies): (Key, Key)) -> Self {
        let plan = Self::plan("rfc9421");
        let mut fields: Vec<(String, Vec<u8>)> = [
            ("Host", AUTHORITY),
            ("User-Agent", "bench/1.0 (x86_64; linux)"),
            ("Accept", "*/*"),
            ("Content-Type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec();
        let view = RequestView {
            method: "POST",
            target: TARGET.as_bytes(),
            authority: AUTHORITY,
            transport: Transport::Https,
            fields: &fields,
            body: Some(body),
            peer: None,
            status: None,
            trailers: None,
            answers: None,
        };
        let fresh = Freshness { now: NOW, nonce: Some("msg_p5jXN8AQM9LWM0D4loKWxJek") };
        let signer = Signer::new(Arc::clone(&plan)).with_var("components", components);
        let signed = signer.sign(view, &signs, &fresh).expect("the case can be signed");
        let mut after = fields.clone();
        signed.apply(&mut after);
        fields = after;
        let material = verifies.material.clone();
        let mut case = Self {
            name,
            verifier: Verifier::new(plan),
            keys: KeySet::new([Arc::new(verifies)]),
            now: NOW,
            method: "POST".to_owned(),
            authority: AUTHORITY.to_owned(),
            target: signed.target,
            fields,
            body: body.to_vec(),
            bare: Bare { digests: Vec::new(), last: Last::Digest(Hash::Md5, Vec::new()) },
        };
        let base = case.stage("signature-base");
        let last = match material {
            Material::Public(key) => {
                let mut signature = Vec::new();
                countersign_core::canon::unb64(&signed.signature, &mut signature).expect("base64");
                Last::Signature(key, Asymmetric::Ed25519, base, signature)
            }
            _ => Last::Mac(MacKey::new(Hash::Sha256, SECRET.as_bytes()), base),
        };
        let digests = if body.is_empty() { Vec::new() } else { vec![(Hash::Sha256, body.to_vec())] };
        case.bare = Bare { digests, last };
        assert!(case.verify(), "{name} verifies");
        case
    }

    /// How long the signature base is, and the case as the peer `httpsig` reads it: with the values of the components,
    /// which its caller has to know. `None` for the other schemes.
    #[must_use]
    pub fn for_httpsig(&self) -> Option<(usize, Value)> {
        let explained = self.verifier.explain(self.view(true), &self.keys, self.now);
        let field = |name: &str| self.fields.iter().find(|(known, _)| known == name);
        let text = |name: &str| field(name).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let (input, signature) = (text("Signature-Input")?, text("Signature")?);
        let base = explained.stages.into_iter().find(|stage| stage.name == "signature-base")?;
        let lines = String::from_utf8(base.bytes).ok()?;
        let covered: Vec<Value> = lines
            .lines()
            .filter(|line| !line.starts_with("\"@signature-params\""))
            .filter_map(|line| line.split_once(": "))
            .map(|(id, value)| json!({"id": id, "values": [value]}))
            .collect();
        let label = input.split('=').next().unwrap_or_default().to_owned();
        let mut line = json!({
            "name": self.name, "label": label, "covered": covered, "signature_input": input, "signature": signature,
        });
        if let Last::Signature(..) = &self.bare.last {
            let path = format!("{}/../vectors/keys/ed25519.pub.pem", env!("CARGO_MANIFEST_DIR"));
            line["alg"] = json!("ed25519");
            line["public_key"] = json!(std::fs::read_to_string(path).ok()?);
        } else {
            line["alg"] = json!("hmac-sha256");
            line["secret"] = json!(SECRET);
        }
        Some((lines.len(), line))
    }
}
