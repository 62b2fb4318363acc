//! Carriers, read and written again: that a template makes the text again that it parsed, shown on a message.

use crate::alg::Hash;
use crate::httpsig;
use crate::plan::run::{Env, Scratch, run};
use crate::reject::Rejection;
use crate::request::RequestView;
use crate::scheme::draft::{Place, Span};
use crate::verify::{Verifier, read};

/// A carrier of a message, and what its template makes of what was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Where it sits.
    pub place: Place,
    /// Its name, as the scheme writes it.
    pub name: String,
    /// Its value, out of the encoding of its place and of `decode`.
    pub sent: Vec<u8>,
    /// What signing would write for the same captures, in the same form.
    pub written: Vec<u8>,
    /// Whether the two are the same. In a list the items may come in any order, with white space around them, with
    /// others in between that the scheme passes over, and with more signatures than the first.
    pub same: bool,
    /// Where it stands in the scheme.
    pub span: Span,
}

impl Verifier {
    /// Reads the carriers that a message has and writes them again; its body has to be in the view.
    pub fn carried(&self, view: RequestView<'_>) -> Result<Vec<Carried>, Rejection> {
        let judging = self.judging(&view);
        if !std::ptr::eq(judging, self) {
            return judging.carried(view);
        }
        let Some((message, plan)) = self.plan().message(view.status.is_some()) else { return Ok(Vec::new()) };
        if let (Some(policy), Some(rules)) = (&message.message_signature, self.rules(view.status.is_some())) {
            return httpsig::carried(&view, message, plan, policy, rules);
        }
        let Some(variant) = plan.variants.first() else { return Ok(Vec::new()) };
        let mut scratch = Scratch::default();
        scratch.reset(message.fields.len());
        read::carriers(&view, message, plan, &mut scratch)?;
        let hash = self.plan().scheme().key.hashes.first().copied().unwrap_or(Hash::Sha256);
        // A carrier holds text and captures alone: nothing of a key.
        let env = Env { view, plan, variant, vars: self.variables(), key: None, hash, body: view.body };
        let mut found = Vec::new();
        for (index, (carrier, program)) in message.carriers.iter().zip(&plan.writes).enumerate() {
            let mark = scratch.out.len();
            if !read::value(&view, message, carrier, &scratch.captures, &mut scratch.out)? {
                continue;
            }
            let start = read::unwrapped(carrier, index, &mut scratch, mark)?;
            let sent = scratch.out.get(start..).unwrap_or_default().to_vec();
            scratch.out.truncate(mark);
            let whole = run(&env, &mut scratch, program).unwrap_or(false);
            let written = scratch.out.get(mark..).unwrap_or_default().to_vec();
            scratch.out.truncate(mark);
            found.push(Carried {
                place: carrier.place,
                name: carrier.written.clone(),
                same: whole && carrier.shape.same(message.signature_field, &sent, &written),
                sent,
                written,
                span: carrier.span,
            });
        }
        Ok(found)
    }
}
