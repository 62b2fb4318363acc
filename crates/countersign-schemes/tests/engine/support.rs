//! Messages, schemes with their keys, and verdicts: what the tests of the engine speak of.

use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::key::{Key, KeySet, Material};
use countersign_core::reject::Reason;
use countersign_core::replay::FirstUse;
use countersign_core::request::{RequestView, Transport};
use countersign_core::scheme::model::Primitive;
use countersign_core::time::UnixTime;
use countersign_core::{
    Checked, Coverage, CoverageBasis, Explanation, Freshness, NeedsBody, Plan, Rejection, ReplayEntry, SignError,
    Signer, Verified, Verifier,
};
use countersign_schemes::{Catalogue, Library, catalogue, load};
use std::sync::{Arc, Mutex};

/// When messages are signed, in seconds.
pub(crate) const NOW: i64 = 1_760_000_000;
/// Whose key it is.
pub(crate) const CLIENT: &str = "client-1";
/// A secret that is base64 and hexadecimal as well, for the schemes that decode it.
pub(crate) const SECRET: &str = "7365637265742d6f662d74686972747920737820627974657300000000000000";
/// A nonce that is a number as well, for the schemes that count.
pub(crate) const NONCE: &str = "1760000000012345";

/// `{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":99999999999}}}]}`, as `CloudFront`
/// encodes it.
const GRANTS_EVERYTHING: &str = "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiKiIsIkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdT\
                                 OkVwb2NoVGltZSI6OTk5OTk5OTk5OTl9fX1dfQ__";

/// A request or a response, as it lies on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    pub(crate) authority: String,
    pub(crate) transport: Transport,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) answers: Option<Box<Message>>,
}

impl Message {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.as_bytes().to_vec(),
            authority: "api.example.com".to_owned(),
            transport: Transport::Https,
            fields: Vec::new(),
            body: Vec::new(),
            peer: Some("192.0.2.7".to_owned()),
            status: None,
            answers: None,
        }
    }

    pub(crate) fn with_field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn with_body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    /// Runs something on the view of this message; the body is in it if `whole`.
    pub(crate) fn view<T>(&self, whole: bool, run: impl FnOnce(RequestView<'_>) -> T) -> T {
        let answers = self.answers.as_deref().map(|request| request.plain_view(true));
        run(RequestView { answers: answers.as_ref(), ..self.plain_view(whole) })
    }

    fn plain_view(&self, whole: bool) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            target: &self.target,
            authority: &self.authority,
            transport: self.transport,
            fields: &self.fields,
            body: whole.then_some(&self.body),
            peer: self.peer.as_deref(),
            status: self.status,
            trailers: None,
            answers: None,
        }
    }

    pub(crate) fn path(&self) -> &[u8] {
        self.target.split(|byte| *byte == b'?').next().unwrap_or_default()
    }

    /// What follows the first `?`.
    pub(crate) fn query(&self) -> Option<&[u8]> {
        let at = self.target.iter().position(|byte| *byte == b'?')?;
        self.target.get(at + 1..)
    }

    /// The first value of a field, by its name in any case.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(crate) fn set_field(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let field = self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.unwrap_or_else(|| panic!("there is no {name}")).1 = value.into();
    }

    pub(crate) fn remove_field(&mut self, name: &str) {
        let before = self.fields.len();
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        assert_ne!(self.fields.len(), before, "there is no {name}");
    }
}

/// A scheme, with what signs and verifies under it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) plan: Arc<Plan>,
    pub(crate) vars: Vec<(&'static str, &'static str)>,
    pub(crate) key: Key,
    pub(crate) keys: KeySet,
    pub(crate) verifier: Verifier,
    /// What was covered of the messages that were verified, by its bases.
    pub(crate) covered: Mutex<Vec<(CoverageBasis, Coverage)>>,
}

impl Subject {
    /// A scheme of the catalogue.
    pub(crate) fn of(name: &str) -> Self {
        Self::from(name, catalogue::text(name).unwrap_or_else(|| panic!("there is no scheme {name}")))
    }

    /// A scheme from its text.
    pub(crate) fn from(name: &str, text: &str) -> Self {
        Self::reading(name, text, &Catalogue)
    }

    pub(crate) fn reading(name: &str, text: &str, library: &dyn Library) -> Self {
        let scheme = load(name, text, library).unwrap_or_else(|error| panic!("{error}"));
        let plan = Plan::compile(&scheme);
        let key = crate::keys::fitting(&plan).with_id(CLIENT);
        let verifying = crate::keys::verifying(&key, &plan);
        Self { name: name.to_owned(), ..Self::compiled(plan, key, verifying) }
    }

    /// A scheme that was compiled already.
    pub(crate) fn compiled(plan: Arc<Plan>, key: Key, verifying: Key) -> Self {
        let keys = KeySet::new([Arc::new(verifying)]);
        let vars = vec![
            ("region", "eu-west-3"),
            ("service", "execute-api"),
            ("ttl", "300"),
            ("webhook-id", "1JE4291016473214C"),
            ("mchid", "1900009191"),
            ("application", "2021000122671080"),
            ("access-token", "akab-access-token"),
            ("region-set", "*"),
            ("data", "eyJ1c2VyIjoxfQ=="),
            ("value", "a.session"),
            ("policy", GRANTS_EVERYTHING),
        ];
        let mut verifier = Verifier::new(Arc::clone(&plan));
        for (name, value) in &vars {
            verifier = verifier.with_var(name, value);
        }
        Self { name: plan.scheme().name.clone(), plan, vars, key, keys, verifier, covered: Mutex::default() }
    }

    /// The same scheme with another key on both sides, and a verifier that takes whatever region is claimed.
    pub(crate) fn with_key(&self, key: Key) -> Self {
        Self {
            name: self.name.clone(),
            plan: Arc::clone(&self.plan),
            vars: self.vars.clone(),
            keys: KeySet::new([Arc::new(crate::keys::verifying(&key, &self.plan))]),
            key,
            verifier: self.unassuming(),
            covered: Mutex::default(),
        }
    }

    /// A verifier that is told nothing but what the scheme cannot do without.
    pub(crate) fn unassuming(&self) -> Verifier {
        let needed = self.plan.scheme().vars.iter().filter(|var| var.default.is_none());
        let given = needed.filter_map(|var| self.vars.iter().find(|(name, _)| *name == var.name));
        given.fold(Verifier::new(Arc::clone(&self.plan)), |verifier, (name, value)| verifier.with_var(name, value))
    }

    pub(crate) fn is_keyed_by_secret(&self) -> bool {
        matches!(self.key.material, Material::Secret(_))
    }

    pub(crate) fn is_asymmetric(&self) -> bool {
        let message = &self.plan.scheme().request;
        message.key_pair().is_some() || matches!(message.signature.primitive, Primitive::Derived(..))
    }

    pub(crate) fn sign(&self, message: &Message) -> Result<Message, SignError> {
        self.sign_with(message, &[], NOW, NONCE)
    }

    /// Signs, with more variables.
    pub(crate) fn sign_with(
        &self,
        message: &Message,
        vars: &[(&str, &str)],
        now: i64,
        nonce: &str,
    ) -> Result<Message, SignError> {
        let mut signer = Signer::new(Arc::clone(&self.plan));
        for (name, value) in self.vars.iter().chain(vars) {
            signer = signer.with_var(name, value);
        }
        let fresh = Freshness { now: UnixTime::from_secs(now), nonce: Some(nonce) };
        let edits = message.view(true, |view| signer.sign(view, &self.key, &fresh))?;
        let mut signed = message.clone();
        edits.apply(&mut signed.fields);
        signed.target = edits.target;
        if let Some(body) = edits.body {
            signed.body = body;
        }
        Ok(signed)
    }

    /// A message that must be possible to sign.
    #[track_caller]
    pub(crate) fn signed(&self, message: &Message) -> Message {
        match self.sign(message) {
            Ok(signed) => signed,
            Err(error) => panic!("{} does not sign {message:?}: {error}", self.name),
        }
    }

    pub(crate) fn verify(&self, message: &Message) -> Verdict {
        self.verify_at(message, &self.keys, UnixTime::from_secs(NOW))
    }

    /// Verifies with the body in the view.
    pub(crate) fn verify_at(&self, message: &Message, keys: &KeySet, now: UnixTime) -> Verdict {
        message.view(true, |view| {
            let checked = self.verifier.start(view, now)?.key(keys).and_then(NeedsBody::finish)?;
            self.facts(checked)
        })
    }

    /// Verifies with the body in pieces: `cuts` are their lengths, the last one takes the rest.
    pub(crate) fn verify_streamed(&self, message: &Message, cuts: &[usize]) -> Verdict {
        message.view(false, |view| {
            let mut state = self.verifier.start(view, UnixTime::from_secs(NOW))?.key(&self.keys)?;
            let mut rest = message.body.as_slice();
            for cut in cuts {
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                state.update(piece)?;
                rest = after;
            }
            state.update(rest)?;
            self.facts(state.finish()?)
        })
    }

    fn facts(&self, checked: Checked) -> Verdict {
        let (verified, entry) = match checked {
            Checked::Verified(verified) => (verified, None),
            Checked::NeedsReplay(replay) => {
                let entry = *replay.entry();
                (replay.answered(FirstUse::First)?, Some(entry))
            }
        };
        Ok(self.held(&verified, entry))
    }

    fn held(&self, verified: &Verified, entry: Option<ReplayEntry>) -> Held {
        self.one_basis_one_coverage(verified);
        let names = self.plan.scheme().request.fields.iter().map(|field| &field.name);
        let captures = names
            .filter(|name| *name != "signature")
            .filter_map(|name| Some((name.clone(), verified.field(name)?.to_vec())))
            .collect();
        Held {
            key_id: verified.key_id().map(<[u8]>::to_vec),
            signed_at: verified.signed_at(),
            coverage: verified.covered(),
            captures,
            entry,
        }
    }

    /// What is verified on the basis of a message before is covered like it.
    fn one_basis_one_coverage(&self, verified: &Verified) {
        let mut earlier = self.covered.lock().expect("the lock");
        let known = earlier.iter().find(|(basis, _)| verified.is_covered_by(basis));
        let coverage = verified.covered();
        match (known, verified.coverage_basis()) {
            (Some((basis, known)), _) => assert_eq!(coverage, *known, "{}: {basis:?}", self.name),
            (None, Some(basis)) => {
                assert!(verified.is_covered_by(&basis), "{}: {basis:?}", self.name);
                earlier.push((basis, coverage));
            }
            (None, None) => {}
        }
    }

    /// How many bases of coverage the messages had that were verified.
    pub(crate) fn bases(&self) -> usize {
        self.covered.lock().expect("the lock").len()
    }

    pub(crate) fn explain(&self, message: &Message) -> Explanation {
        message.view(true, |view| self.verifier.explain(view, &self.keys, UnixTime::from_secs(NOW)))
    }

    /// The signature base of a message, as an explanation shows it.
    pub(crate) fn base(&self, message: &Message) -> Option<Vec<u8>> {
        let stages = self.explain(message).stages;
        stages.into_iter().find(|stage| stage.name == "signature-base").map(|stage| stage.bytes)
    }
}

/// What became of a message.
pub(crate) type Verdict = Result<Held, Rejection>;

/// What is known of a message that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) key_id: Option<Vec<u8>>,
    pub(crate) signed_at: Option<UnixTime>,
    pub(crate) coverage: Coverage,
    /// All captures but the signature, by name.
    pub(crate) captures: Vec<(String, Vec<u8>)>,
    pub(crate) entry: Option<ReplayEntry>,
}

impl Held {
    pub(crate) fn capture(&self, name: &str) -> Option<&[u8]> {
        self.captures.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// What the replay store would know it by.
    #[track_caller]
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.entry.as_ref().expect("a message that is remembered").digest
    }
}

/// Why a message was refused.
#[track_caller]
pub(crate) fn reason(verdict: &Verdict) -> Reason {
    match verdict {
        Err(rejection) => rejection.reason(),
        Ok(held) => panic!("accepted: {held:?}"),
    }
}

/// Every scheme of the catalogue that signs. Those that only verify are shown by their vectors.
pub(crate) fn catalogue_subjects() -> Vec<Subject> {
    let verifies_only = |subject: &Subject| {
        let primitive = &subject.plan.scheme().request.signature.primitive;
        matches!(primitive, Primitive::Signature(Asymmetric::RsaPkcs1(Hash::Sha1)))
    };

    catalogue::names().iter().map(|name| Subject::of(name)).filter(|subject| !verifies_only(subject)).collect()
}

/// Schemes that exist to use everything the language has.
pub(crate) fn kitchen_subjects() -> Vec<Subject> {
    KITCHEN.iter().map(|(name, text)| Subject::from(name, text)).collect()
}

pub(crate) fn all_subjects() -> Vec<Subject> {
    let mut subjects = catalogue_subjects();
    subjects.extend(kitchen_subjects());
    subjects
}

macro_rules! kitchen {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("schemes/", $name, ".toml")))),*]
    };
}

pub(crate) const KITCHEN: &[(&str, &str)] = kitchen!("sink-form", "sink-json", "sink-path", "sink-try", "sink-xml");

/// A message that the scheme can sign, with something in each part.
pub(crate) fn sample(subject: &Subject) -> Message {
    let message = Message::new("POST", "/v1/pay%20now/a?b=2&a=1&a=%26x&c");
    let message = message.with_field("Content-Type", "text/plain").with_field("X-Other", "of no matter");
    match subject.name.as_str() {
        "oauth1-hmac-sha1-form" | "satoken-sign-form" => form(message, "To=%2B1555&From=a+b&Body=x%26y&Note="),
        // What they read as a map has each name once, with a value.
        "jeecg-sign" | "shenyu-sign-v1-body" => {
            let message = Message { target: b"/v1/pay%20now/a?b=2&a=1&c=%26x".to_vec(), ..message };
            message.with_body(r#"{"amount":10,"to":"b\u00fc","ok":true}"#)
        }
        // For whoever reads links.
        "hawk-bewit" | "qiniu-download" => Message { method: "GET".to_owned(), ..message },
        // An HTTP service of Amazon's has nothing before `X-Amz-`.
        name if name.starts_with("aws-") => {
            message.with_field("X-Amz-Meta-Tag", "one  two").with_body("payload of a request")
        }
        // It is the access token that is signed with.
        "fapi-http-signatures" => message.with_field("Authorization", "Bearer token").with_body("{\"amount\":10}"),
        "binance-body" | "kraken" | "kraken-ms" => message.with_body("pair=a%26b&price=1+0&note"),
        "aliyun-rpc-form" | "sink-form" | "twilio-form" => message.with_body("To=%2B1555&From=a+b&Body=x%26y&Body=z"),
        "sink-json" => message.with_body(r#"{"amount":10.50,"to":"b\u00fc","ok":true}"#),
        "alipay-notify" => message.with_body("trade_no=1&gmt=a+b&total_amount=0.01&subject=x%26y&sign_type=RSA2"),
        "alipay-rsa2" | "alipay-rsa2-cert" => message.with_body(r#"{"error_response":{"code":"40002"}}"#),
        "alipay-v3-upload" => upload(message, "data", "{}"),
        "wechatpay-v3-upload" => {
            let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            upload(message, "meta", &format!(r#"{{"filename":"a.png", "sha256":"{digest}"}}"#))
        }
        name if name.starts_with("wechatpay-v2") => {
            message.with_body("<xml><appid>wx1</appid><body><![CDATA[a&b]]></body><attach></attach></xml>")
        }
        "sink-xml" => message.with_body("<xml><amount>10</amount><to>a&amp;b</to></xml>"),
        _ => message.with_body("{\"amount\":10}"),
    }
}

fn form(mut message: Message, body: &str) -> Message {
    message.set_field("Content-Type", "application/x-www-form-urlencoded");
    message.with_body(body)
}

/// An upload of `abc`, with a part of JSON text.
fn upload(mut message: Message, name: &str, text: &str) -> Message {
    message.set_field("Content-Type", "multipart/form-data; boundary=b");
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    message.with_body(&format!("{}{}--b--\r\n", part(name, text), part("file", "abc")))
}
