//! Cases that the benchmarks share: a signed request each, its verifier, and the bare hashing of the same bytes.

use std::sync::Arc;

use countersign_core::alg::{Hash, MacKey};
use countersign_core::{
    Checked, FirstUse, Freshness, Key, KeySet, Plan, RequestView, Signer, Transport, UnixTime, Verified, Verifier,
};
use countersign_schemes::{Catalogue, catalogue};

/// When everything here is signed and verified.
const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A signed request and what verifies it.
#[derive(Debug)]
pub struct Case {
    /// The scheme's name.
    pub name: &'static str,
    verifier: Verifier,
    keys: KeySet,
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    bare: Bare,
}

/// The hashing that no verification of the scheme can do without.
#[derive(Debug)]
enum Bare {
    Md5(Vec<u8>),
    Mac(MacKey, Vec<u8>),
    /// SHA-256 of the body, SHA-256 of the canonical request, HMAC of the string to sign.
    SigV4(MacKey, Vec<u8>, Vec<u8>),
}

impl Case {
    /// The three schemes that the targets name.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::new("md5-token", b""),
            Self::new("standard-webhooks", &[b'x'; 1024]),
            Self::new("aws-sigv4", &[b'x'; 1024]),
        ]
    }

    fn new(name: &'static str, body: &[u8]) -> Self {
        let text = catalogue::text(name).expect("a scheme of the catalogue");
        let scheme = countersign_schemes::load(name, text, &Catalogue).expect("the catalogue is in order");
        let plan = Plan::compile(&scheme);
        let key = Key::secret(SECRET.as_bytes()).with_id("AKIDEXAMPLE");
        let mut fields: Vec<(String, Vec<u8>)> = [
            ("Host", "example.amazonaws.com"),
            ("Content-Type", "application/json"),
            ("User-Agent", "bench/1.0 (x86_64; linux)"),
            ("Accept", "*/*"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec();
        let signer = Signer::new(Arc::clone(&plan)).with_var("region", "us-east-1").with_var("service", "service");
        let view = RequestView {
            method: "POST",
            target: b"/orders/17/items?page=2&limit=50",
            authority: "example.amazonaws.com",
            transport: Transport::Https,
            fields: &fields,
            body: Some(body),
            peer: None,
            status: None,
            answers: None,
        };
        let fresh = Freshness { now: NOW, nonce: Some("msg_p5jXN8AQM9LWM0D4loKWxJek") };
        let signed = signer.sign(view, &key, &fresh).expect("the case can be signed");
        let keys = KeySet::new([Arc::new(key)]);
        let mut after = fields.clone();
        signed.apply(&mut after);
        fields = after;
        let mut case = Self {
            name,
            verifier: Verifier::new(plan),
            keys,
            target: signed.target,
            fields,
            body: body.to_vec(),
            bare: Bare::Md5(Vec::new()),
        };
        let explained = case.verifier.explain(case.view(true), &case.keys, NOW);
        let stage = |name: &str| {
            explained
                .stages
                .iter()
                .find(|stage| stage.name == name)
                .map(|stage| stage.bytes.clone())
                .unwrap_or_default()
        };
        let base = stage("signature-base");
        case.bare = match name {
            "md5-token" => Bare::Md5(base),
            "aws-sigv4" => Bare::SigV4(MacKey::new(Hash::Sha256, &[7; 32]), stage("canonical"), base),
            _ => Bare::Mac(MacKey::new(Hash::Sha256, &[7; 24]), base),
        };
        assert!(case.verify(), "{name} verifies");
        case
    }

    fn view(&self, whole: bool) -> RequestView<'_> {
        RequestView {
            method: "POST",
            target: &self.target,
            authority: "example.amazonaws.com",
            transport: Transport::Https,
            fields: &self.fields,
            body: whole.then_some(&self.body),
            peer: None,
            status: None,
            answers: None,
        }
    }

    /// Verifies the request, its body streamed, up to the replay store's answer.
    #[must_use]
    pub fn verify(&self) -> bool {
        let verified = || -> Result<Verified, countersign_core::Rejection> {
            let needs_key = self.verifier.start(self.view(false), NOW)?;
            let mut needs_body = needs_key.key(&self.keys)?;
            needs_body.update(&self.body);
            match needs_body.finish()? {
                Checked::Verified(verified) => Ok(verified),
                Checked::NeedsReplay(replay) => replay.answered(FirstUse::First),
            }
        };
        verified().is_ok()
    }

    /// Hashes the same bytes, and nothing else.
    #[must_use]
    pub fn hash(&self) -> u8 {
        let digest = match &self.bare {
            Bare::Md5(base) => Hash::Md5.digest(base),
            Bare::Mac(key, base) => key.mac(base),
            Bare::SigV4(key, canonical, base) => {
                let body = Hash::Sha256.digest(&self.body);
                let canonical = Hash::Sha256.digest(canonical);
                std::hint::black_box((body, canonical));
                key.mac(base)
            }
        };
        digest.as_bytes().first().copied().unwrap_or_default()
    }
}
