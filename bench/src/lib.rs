//! Cases that the benchmarks share: a signed request each, its verifier, and the bare hashing of the same bytes.

mod bare;
mod message_signature;
mod recorded;

use std::sync::Arc;

use bare::{Bare, Last};
use countersign_core::alg::{Hash, MacKey};
use countersign_core::{
    BodyNeed, Checked, FirstUse, Freshness, Key, KeySet, Material, Plan, RequestView, Signer, Transport, UnixTime,
    Verified, Verifier,
};
use countersign_schemes::{Catalogue, catalogue};
use recorded::{Input, RECORDED, Recorded};

/// When the three first cases are signed and verified.
const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const AUTHORITY: &str = "example.amazonaws.com";

/// A digit of a message's signature.
#[derive(Debug, Clone, Copy)]
pub struct Digit {
    line: usize,
    at: usize,
}

/// A signed request and what verifies it.
#[derive(Debug)]
pub struct Case {
    /// The scheme's name.
    pub name: &'static str,
    verifier: Verifier,
    keys: KeySet,
    now: UnixTime,
    method: String,
    authority: String,
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    bare: Bare,
}

impl Case {
    /// The three schemes that the targets name and RFC 9421, signed here, and schemes whose messages vendors' libraries signed.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let signed =
            [("md5-token", b"".as_slice()), ("standard-webhooks", &[b'x'; 1024]), ("aws-sigv4", &[b'x'; 1024])];
        let signed = signed.into_iter().map(|(name, body)| Self::signed(name, body));
        signed.chain(Self::message_signatures()).chain(RECORDED.iter().map(Self::recorded)).collect()
    }

    fn plan(name: &str) -> Arc<Plan> {
        let text = catalogue::text(name).expect("a scheme of the catalogue");
        Plan::compile(&countersign_schemes::load(name, text, &Catalogue).expect("the catalogue is in order"))
    }

    fn signed(name: &'static str, body: &[u8]) -> Self {
        let plan = Self::plan(name);
        let key = Key::secret(SECRET.as_bytes()).with_id("AKIDEXAMPLE");
        let mut fields: Vec<(String, Vec<u8>)> = [
            ("Host", AUTHORITY),
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
        let signed = signer.sign(view, &key, &fresh).expect("the case can be signed");
        let mut after = fields.clone();
        signed.apply(&mut after);
        fields = after;
        let mut case = Self {
            name,
            verifier: Verifier::new(plan),
            keys: KeySet::new([Arc::new(key)]),
            now: NOW,
            method: "POST".to_owned(),
            authority: AUTHORITY.to_owned(),
            target: signed.target,
            fields,
            body: body.to_vec(),
            bare: Bare { digests: Vec::new(), last: Last::Digest(Hash::Md5, Vec::new()) },
        };
        let base = case.stage("signature-base");
        case.bare = match name {
            "md5-token" => Bare { digests: Vec::new(), last: Last::Digest(Hash::Md5, base) },
            "aws-sigv4" => Bare {
                digests: vec![(Hash::Sha256, body.to_vec()), (Hash::Sha256, case.stage("canonical"))],
                last: Last::Mac(MacKey::new(Hash::Sha256, &[7; 32]), base),
            },
            _ => Bare { digests: Vec::new(), last: Last::Mac(MacKey::new(Hash::Sha256, &[7; 24]), base) },
        };
        assert!(case.verify(), "{name} verifies");
        case
    }

    fn recorded(recorded: &Recorded) -> Self {
        let line = recorded.line();
        let mut verifier = Verifier::new(Self::plan(recorded.scheme));
        for (name, value) in line.vars() {
            verifier = verifier.with_var(&name, &value);
        }
        let key = line.key();
        let material = key.material.clone();
        let (authority, target) = line.url();
        let mut case = Self {
            name: recorded.scheme,
            verifier,
            keys: KeySet::new([Arc::new(key)]),
            now: line.now(),
            method: line.method(),
            authority,
            target,
            fields: line.fields(),
            body: line.body(),
            bare: Bare { digests: Vec::new(), last: Last::Digest(Hash::Md5, Vec::new()) },
        };
        let digested = |input: &Input| match input {
            Input::Body(before, after) => [before.as_bytes(), &case.body, after.as_bytes()].concat(),
            Input::Let(name) => case.stage(name),
        };
        let digests = recorded.digests.iter().map(|(hash, input)| (*hash, digested(input))).collect();
        let base = case.stage("signature-base");
        let last = match (recorded.signature, material) {
            (None, _) => Last::Mac(MacKey::new(Hash::Sha256, &[7; 32]), base),
            (Some((algorithm, decode)), Material::Public(key)) => {
                let explained = case.verifier.explain(case.view(true), &case.keys, case.now);
                let mut signature = Vec::new();
                decode(&explained.claimed_signature.expect("a signature"), &mut signature).expect("its encoding");
                Last::Signature(key, algorithm, base, signature)
            }
            (Some(_), _) => panic!("{}: a public key", recorded.scheme),
        };
        case.bare = Bare { digests, last };
        assert!(case.verify(), "{} verifies", recorded.scheme);
        case
    }

    /// What a stage of the explanation holds.
    fn stage(&self, name: &str) -> Vec<u8> {
        let explained = self.verifier.explain(self.view(true), &self.keys, self.now);
        let stage = explained.stages.into_iter().find(|stage| stage.name == name);
        stage.unwrap_or_else(|| panic!("{}: no stage {name}", self.name)).bytes
    }

    fn view(&self, whole: bool) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            target: &self.target,
            authority: &self.authority,
            transport: Transport::Https,
            fields: &self.fields,
            body: whole.then_some(&self.body),
            peer: None,
            status: None,
            trailers: None,
            answers: None,
        }
    }

    /// Verifies the request, its body streamed where the scheme allows it, up to the replay store's answer.
    #[must_use]
    pub fn verify(&self) -> bool {
        let whole = self.verifier.plan().body_need() == BodyNeed::Buffer;
        let verified = || -> Result<Verified, countersign_core::Rejection> {
            let needs_key = self.verifier.start(self.view(whole), self.now)?;
            let mut needs_body = needs_key.key(&self.keys)?;
            needs_body.update(&self.body)?;
            match needs_body.finish()? {
                Checked::Verified(verified) => Ok(verified),
                Checked::NeedsReplay(replay) => replay.answered(FirstUse::First),
            }
        };
        verified().is_ok()
    }

    /// Where the signature stands in the message: its first digit, and its last but one, since the last one of base64 may
    /// have bits that have to be zero. `None` where it does not stand in a field or in the target as it is.
    #[must_use]
    pub fn signature(&self) -> Option<[Digit; 2]> {
        let claimed = self.verifier.explain(self.view(true), &self.keys, self.now).claimed_signature?;
        let lines = self.fields.iter().map(|(_, value)| value).chain([&self.target]);
        let (line, start) = lines.enumerate().find_map(|(number, line)| {
            Some((number, line.windows(claimed.len()).position(|window| window == claimed)?))
        })?;
        let length = claimed.iter().rposition(|character| *character != b'=')? + 1;
        Some([start, start + length.checked_sub(2)?].map(|at| Digit { line, at }))
    }

    /// Puts its neighbour where this digit of hexadecimal or base64 stands, in place. The same again puts it back.
    ///
    /// # Panics
    ///
    /// Where there is neither.
    pub fn turn(&mut self, Digit { line, at }: Digit) {
        let line = match self.fields.get_mut(line) {
            Some((_, value)) => value,
            None => &mut self.target,
        };
        line[at] = match line[at] {
            digit @ b'0'..=b'9' => digit ^ 1,
            letter @ (b'a'..=b'z' | b'A'..=b'Z') => ((letter - 1) ^ 1) + 1,
            other => panic!("{:?} has no neighbour", char::from(other)),
        };
    }

    /// Exchanges the keys that are known, and gives back those that were.
    pub fn know(&mut self, keys: KeySet) -> KeySet {
        std::mem::replace(&mut self.keys, keys)
    }

    /// Whether the signature is a MAC, or a digest with the secret in it: what must not be told by how long it takes.
    #[must_use]
    pub fn is_keyed_by_secret(&self) -> bool {
        !matches!(self.bare.last, Last::Signature(..))
    }

    /// Hashes the same bytes, or verifies the bare signature, and nothing else.
    #[must_use]
    pub fn hash(&self) -> u8 {
        self.bare.run()
    }
}
