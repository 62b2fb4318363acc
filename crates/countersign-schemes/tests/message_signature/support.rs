//! Messages, keys and verdicts for these tests.

use std::sync::Arc;

use countersign_core::scheme::Scheme;
use countersign_core::{
    Checked, Explanation, FirstUse, Freshness, Key, KeySet, Plan, Reason, Rejection, RequestView, SignError, Signed,
    Signer, Transport, UnixTime, Verified, Verifier,
};
use countersign_schemes::{Catalogue, load};

/// The time at which messages are signed here.
pub(crate) const NOW: i64 = 1_714_566_896;

pub(crate) const SECRET: &str = "a secret of some length";

/// A message, with everything that a view can show.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) authority: String,
    pub(crate) transport: Transport,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) trailers: Option<Vec<(String, Vec<u8>)>>,
    pub(crate) body: Vec<u8>,
    pub(crate) status: Option<u16>,
    pub(crate) answers: Option<Box<Message>>,
}

impl Message {
    pub(crate) fn request(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            authority: "example.com".to_owned(),
            transport: Transport::Https,
            fields: Vec::new(),
            trailers: None,
            body: Vec::new(),
            status: None,
            answers: None,
        }
    }

    pub(crate) fn response(status: u16, answers: Self) -> Self {
        let mut response = Self::request("", "");
        response.authority.clear();
        response.status = Some(status);
        response.answers = Some(Box::new(answers));
        response
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn with_body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    /// Another value for the one field of a name.
    pub(crate) fn replacing(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).expect("the field");
        field.1 = value.as_bytes().to_vec();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.fields.len();
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        assert!(self.fields.len() < before, "{name} is not there");
        self
    }

    pub(crate) fn value(&self, name: &str) -> String {
        let (_, value) = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).expect("the field");
        String::from_utf8(value.clone()).expect("text")
    }

    pub(crate) fn signed_with(mut self, signed: &Signed) -> Self {
        signed.apply(&mut self.fields);
        self
    }

    pub(crate) fn seen<T>(&self, see: impl FnOnce(RequestView<'_>) -> T) -> T {
        let answers = self.answers.as_deref().map(|request| request.view(None));
        see(self.view(answers.as_ref()))
    }

    fn view<'a>(&'a self, answers: Option<&'a RequestView<'a>>) -> RequestView<'a> {
        RequestView {
            method: &self.method,
            target: self.target.as_bytes(),
            authority: &self.authority,
            transport: self.transport,
            fields: &self.fields,
            trailers: self.trailers.as_ref().map(|trailers| trailers as _),
            body: Some(&self.body),
            peer: None,
            status: self.status,
            answers,
        }
    }
}

pub(crate) fn scheme(text: &str) -> Scheme {
    load("own.toml", text, &Catalogue).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn plan(text: &str) -> Arc<Plan> {
    Plan::compile(&scheme(text))
}

/// `rfc9421` as it is shipped.
pub(crate) fn strict() -> Arc<Plan> {
    plan("extends = \"rfc9421\"")
}

/// A policy that asks for nothing but a time.
pub(crate) fn lax() -> Arc<Plan> {
    plan(
        "[message-signature]\ncomponents = \"@method\"\n[fresh]\ntimestamp = \"5m\"\nexpires = \"expires\"\n\
         replay = \"never\"\n[response.message-signature]\ncomponents = \"@status\"",
    )
}

pub(crate) fn secret() -> Key {
    Key::secret(SECRET.as_bytes()).with_id("alice")
}

pub(crate) fn sign(plan: &Arc<Plan>, vars: &[(&str, &str)], message: &Message) -> Result<Message, SignError> {
    sign_by(plan, vars, message, &secret())
}

pub(crate) fn sign_by(
    plan: &Arc<Plan>,
    vars: &[(&str, &str)],
    message: &Message,
    key: &Key,
) -> Result<Message, SignError> {
    let bare = Signer::new(Arc::clone(plan));
    let signer = vars.iter().fold(bare, |signer, (name, value)| signer.with_var(name, value));
    let nonce = signer.wants_nonce().then_some("n-0123456789abcdef");
    let fresh = Freshness { now: UnixTime::from_secs(NOW), nonce };
    let signed = message.seen(|view| signer.sign(view, key, &fresh))?;
    Ok(message.clone().signed_with(&signed))
}

pub(crate) fn verifier(plan: &Arc<Plan>, vars: &[(&str, &str)]) -> Verifier {
    let bare = Verifier::new(Arc::clone(plan));
    vars.iter().fold(bare, |verifier, (name, value)| verifier.with_var(name, value))
}

pub(crate) fn verify(plan: &Arc<Plan>, vars: &[(&str, &str)], message: &Message) -> Result<Verified, Rejection> {
    verify_by(plan, vars, message, secret(), NOW)
}

pub(crate) fn verify_by(
    plan: &Arc<Plan>,
    vars: &[(&str, &str)],
    message: &Message,
    key: Key,
    now: i64,
) -> Result<Verified, Rejection> {
    let verifier = verifier(plan, vars);
    assert_eq!(verifier.fault(), None);
    let keys = KeySet::new([Arc::new(key)]);
    let whole = message.seen(|view| match verifier.start(view, UnixTime::from_secs(now))?.key(&keys)?.finish()? {
        Checked::Verified(verified) => Ok(verified),
        Checked::NeedsReplay(waiting) => waiting.answered(FirstUse::First),
    });
    // In pieces of one byte nothing else may come of it.
    let pieces: Result<(), Rejection> = message.seen(|view| {
        let mut state = verifier.start(RequestView { body: None, ..view }, UnixTime::from_secs(now))?.key(&keys)?;
        for byte in &message.body {
            state.update(std::slice::from_ref(byte))?;
        }
        state.finish().map(|_| ())
    });
    assert_eq!(
        whole.as_ref().map(|_| ()).map_err(Rejection::reason),
        pieces.as_ref().copied().map_err(Rejection::reason)
    );
    whole
}

pub(crate) fn explain(plan: &Arc<Plan>, vars: &[(&str, &str)], message: &Message, key: Key, now: i64) -> Explanation {
    let keys = KeySet::new([Arc::new(key)]);
    message.seen(|view| verifier(plan, vars).explain(view, &keys, UnixTime::from_secs(now)))
}

/// The signature base that explaining shows.
pub(crate) fn base(explanation: &Explanation) -> Option<String> {
    let stage = explanation.stages.iter().find(|stage| stage.name == "signature-base")?;
    Some(String::from_utf8(stage.bytes.clone()).expect("ASCII"))
}

pub(crate) fn reason(verdict: Result<Verified, Rejection>) -> Reason {
    match verdict {
        Ok(verified) => panic!("it is verified, and covers {:?}", verified.covered()),
        Err(rejection) => rejection.reason(),
    }
}
