//! What is to be said about each reason: to those who read the log and want to know what to do.
//!
//! One match without a wildcard: a reason without its documentation does not compile. The first chapter of
//! `docs/reasons.md` says the same, word for word, and a test holds them together.

use crate::reject::Reason;

/// The documentation of a reason. Plain text; backquotes mark what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explain {
    /// What happened.
    pub what: &'static str,
    /// Why such a message is refused.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Where more is to be read.
    pub reference: &'static str,
}

impl Reason {
    /// What is to be said about it.
    #[must_use]
    pub const fn explain(self) -> Explain {
        match self {
            Self::BodyMalformed => Explain {
                what: "The body could not be read in the form that the scheme signs: as a form, as a JSON object, as \
                       XML.",
                why: "A scheme that signs fields of the body has to find the same fields as whoever reads the body \
                      later. What two parsers may read in two ways, such as a JSON object with one name twice, is no \
                      basis for a signature.",
                fix: "Look at the body's syntax, and at names that are there twice. `explain` shows what was read up \
                      to there.",
                reference: "RFC 8259, section 4; the scheme file's list sources.",
            },
            Self::ComponentDuplicated => Explain {
                what: "The signature covers one component twice.",
                why: "A list with a component twice has no one meaning: two verifiers could take two different lines \
                      for it. The order of a component's parameters makes it no other component.",
                fix: "List each component once.",
                reference: "RFC 9421, sections 2 and 2.5.",
            },
            Self::ComponentInvalid => Explain {
                what: "A covered component has a name, a parameter or a value that no signature can cover: a field \
                       name in upper case, an unknown parameter, `bs` together with `sf`, `req` in a request, a field \
                       that does not parse as the structured field it should be, a value with control characters.",
                why: "What one verifier skips and another signs lets a message mean two things. So nothing is \
                      skipped.",
                fix: "Name fields in lower case, and use only the parameters `sf`, `key`, `bs`, `tr`, `req` and, for \
                      `@query-param`, `name`. A structured field that is not registered has to be declared: \
                      `structured = \"NAME=dictionary\"` in `[message-signature]`.",
                reference: "RFC 9421, sections 2.1 to 2.2.8 and 2.5.",
            },
            Self::ComponentMissing => Explain {
                what: "The signature covers a component that the message does not have.",
                why: "What is absent is not the same as what is empty. If it were, removing a signed field would go \
                      unnoticed.",
                fix: "Send it. If something on the way removes or renames it, sign what does arrive. Trailers count \
                      only where they reach the verifier.",
                reference: "RFC 9421, section 2.5.",
            },
            Self::ComponentUnknown => Explain {
                what: "The signature covers a component that begins with `@` and is not one of RFC 9421's.",
                why: "A derived component that is not known cannot be computed, and no field may stand in for it.",
                fix: "Compare the name with section 2.2: @method, @target-uri, @authority, @scheme, @request-target, \
                      @path, @query, @query-param, @status.",
                reference: "RFC 9421, sections 2.2 and 7.5.1.",
            },
            Self::CoverageTooThin => Explain {
                what: "A part that must be signed is not among those that are.",
                why: "The scheme lets the sender choose which fields are signed, and its `[require]` says which have \
                      to be. If the sender alone chose, an attacker would leave out whatever is to be changed. A \
                      scheme that signs the method in one case and remembers messages by it leaves the case open.",
                fix: "Sign the part as well: the message names it; or send the method in upper case. If your clients cannot, relax `[require]` in a \
                      scheme of your own, and have `countersign lint` say what that costs.",
                reference: "RFC 9421, section 7.2.1.",
            },
            Self::CredentialMalformed => Explain {
                what: "A field, parameter or cookie that carries the credentials does not have the form that the \
                       scheme describes.",
                why: "Credentials are read strictly: a value in the wrong case, a number with a leading zero, base64 \
                      with the wrong padding could otherwise mean the same as another, and pass for a new message.",
                fix: "Compare the value with the template in the scheme file at the given step. Often it is a time \
                      in milliseconds where seconds are meant, or a signature in the wrong encoding.",
                reference: "the scheme file, at the step that is told.",
            },
            Self::DigestMalformed => Explain {
                what: "A digest field that the signature covers could not be read.",
                why: "A digest that is there twice, or is no byte sequence, could be compared by one reader and \
                      passed over by the next.",
                fix: "Send `Content-Digest` as RFC 9530 has it: `sha-256=:BASE64:`.",
                reference: "RFC 9530, section 2.",
            },
            Self::DigestMismatch => Explain {
                what: "The message claims a digest for its body, and the body has another one.",
                why: "The signature covers the claim. If the body is not compared with it, any body may be sent \
                      under a genuine signature.",
                fix: "If nobody attacks you, something between signer and verifier has changed the body: a proxy \
                      that re-encodes JSON, a client that hashes before it compresses, a missing line end. `explain` \
                      shows both digests.",
                reference: "RFC 9530, section 6; the scheme's `[bind]`.",
            },
            Self::Expired => Explain {
                what: "The message states until when it is valid, and that time has passed.",
                why: "A link or request with an end is good until then, however genuine it is.",
                fix: "Make a new one. If it should have been valid, compare both clocks.",
                reference: "the scheme's `[fresh] expires`.",
            },
            Self::FieldDuplicated => Explain {
                what: "A field that must be there once is there more often.",
                why: "Of two values, one program takes the first and another the last. Whoever can add a second one \
                      could have one value verified and another one used.",
                fix: "Send it once. If a proxy adds it, have the proxy replace it instead.",
                reference: "RFC 9110, section 5.3; OWASP ASVS 5.0, 15.3.7.",
            },
            Self::FieldMissing => Explain {
                what: "A part that the signature covers, or that the scheme's `when` asks for, is not there.",
                why: "What is absent is not the same as what is empty. If it were, removing a signed field would go \
                      unnoticed.",
                fix: "Send the part. If something on the way removes it, such as a proxy that drops unknown fields, \
                      let it through.",
                reference: "the scheme file, at the step that is told.",
            },
            Self::FieldNameReserved => Explain {
                what: "A field's name begins with `@`.",
                why: "Such a field could pass for a derived component, and its value for the request's method or \
                      path.",
                fix: "Send no such field; HTTP does not allow the name either.",
                reference: "RFC 9421, section 7.5.1; RFC 9110, section 5.1.",
            },
            Self::KeyInactive => Explain {
                what: "The key is known, and may not be used now: its time has not come, or is over.",
                why: "A key has a first and a last second, so that keys can be exchanged before they are lost.",
                fix: "`countersign keys show ID` says when it is valid. `keys rotate` gives the id a new secret; the \
                      client has to use it.",
                reference: "NIST SP 800-57 part 1, section 5.3.",
            },
            Self::KeyUnknown => Explain {
                what: "No key is known for the id that the message claims.",
                why: "The client has another id, or the key was never stored, or in another store. The client is \
                      told the same as for a wrong signature, so that nobody can find out which ids exist.",
                fix: "`countersign keys list` shows the ids. Compare them to the byte: ids are case-sensitive.",
                reference: "OWASP ASVS 5.0, 6.3.8.",
            },
            Self::KeyUnsuitable => Explain {
                what: "There is a key, and it is not one for this scheme's algorithm.",
                why: "A key record fixes what the key may be used for. A public key taken for an HMAC secret is a \
                      known attack.",
                fix: "Store a key of the right kind: a secret for MACs, a key pair for signatures; or correct the \
                      key's `alg`.",
                reference: "RFC 9421, section 7.3.6; RFC 8725, section 3.1.",
            },
            Self::LabelUnpaired => Explain {
                what: "A signature's label is in one of the fields Signature-Input and Signature, and not in the \
                       other.",
                why: "A signature without its input cannot be judged, and an input without its signature claims what \
                      nobody signed.",
                fix: "Send both members under one label. If something on the way dropped a field line, let it \
                      through.",
                reference: "RFC 9421, sections 4.1 and 4.2.",
            },
            Self::LifetimeTooLong => Explain {
                what: "The message asks to be valid for longer than the scheme allows.",
                why: "Whoever makes a link chooses how long it holds. The verifier's limit keeps a link from holding \
                      for ever.",
                fix: "Ask for less. The limit is `[fresh] lifetime` in the scheme file.",
                reference: "the scheme's `[fresh] lifetime`.",
            },
            Self::ParameterOutOfRange => Explain {
                what: "A signature parameter has a value that means nothing: a time before 1970 or after 9999, or an \
                       expiry before the signing.",
                why: "A time that cannot be compared is as good as none.",
                fix: "Send `created` and `expires` as seconds since 1970, as integers.",
                reference: "RFC 9421, section 2.3.",
            },
            Self::Replayed => Explain {
                what: "The same message was accepted before.",
                why: "Whoever has seen a signed request can send it again. It is accepted once; it is remembered for \
                      as long as its time would let it pass.",
                fix: "Sign each request anew, a retry too: a new nonce, or a new time. A client that repeats a \
                      request by itself after a broken connection has to sign again.",
                reference: "RFC 9421, section 7.2.2.",
            },
            Self::SignatureAmbiguous => Explain {
                what: "Several signatures satisfy what the verifier insists on, and nothing says which of them \
                       counts.",
                why: "Labels mean nothing by themselves. If any of several would do, an attacker could add one of its \
                      own beside the one that was meant.",
                fix: "Say which one counts: by `tag` or `only-label` in `[message-signature]`, or with the variable \
                      `label` or `tag`.",
                reference: "RFC 9421, sections 7.2.5 and 7.2.6.",
            },
            Self::SignatureInputMalformed => Explain {
                what: "The field Signature-Input is not a dictionary of lists of components, names a label twice, or \
                       has a parameter of the wrong type.",
                why: "What is signed is read from this field. If two parsers read it in two ways, they sign two \
                      different things.",
                fix: "Compare the field with the standard: `sig1=(\"@method\" \
                      \"@path\");created=1618884473;keyid=\"k\"`.",
                reference: "RFC 9421, section 4.1; RFC 9651.",
            },
            Self::SignatureMalformed => Explain {
                what: "The field Signature is not a dictionary of byte sequences, or names a label twice.",
                why: "A signature that could be read in two ways could hold in one of them.",
                fix: "Compare the field with the standard: `sig1=:BASE64:`.",
                reference: "RFC 9421, section 4.2; RFC 9651, section 3.3.5.",
            },
            Self::SignatureMismatch => Explain {
                what: "The signature is well formed, and not the one that this key makes for this message.",
                why: "The key is another one, or signer and verifier do not sign the same bytes. Typical: a path or \
                      parameter encoded twice or not at all, another order of parameters, the port missing from the \
                      host, a body that was written anew on the way, a secret that had to be decoded from base64 \
                      first.",
                fix: "`countersign explain` with the same key and the message as it arrived shows the bytes that \
                      were signed here, each step for itself. Compare them with the signer's.",
                reference: "the vendor's description, which the scheme file names.",
            },
            Self::SignatureMissing => Explain {
                what: "There is no signature.",
                why: "The message has none of the fields that carry it, or has them where this scheme does not look.",
                fix: "Sign it. If the client does sign, compare where with the scheme file: `countersign schemes \
                      show NAME`.",
                reference: "the scheme file's carriers.",
            },
            Self::SignaturesTooMany => Explain {
                what: "The message has more signatures than the verifier looks at.",
                why: "Each signature costs work before anything is known about its sender.",
                fix: "Send fewer, or raise `most` in `[message-signature]`.",
                reference: "RFC 9421, section 7.2.5.",
            },
            Self::TargetMalformed => Explain {
                what: "The request target could not be read.",
                why: "It is too long, does not begin with a slash, holds control characters, or has escapes that \
                      encode nothing.",
                fix: "Send path and query with what is not a letter, digit or one of `-._~` percent-encoded.",
                reference: "RFC 3986, section 3; RFC 9112, section 3.2.",
            },
            Self::TimestampFuture => Explain {
                what: "The signed time is further ahead than the scheme allows.",
                why: "A message from the future could be kept and sent when its time comes, long after its nonce was \
                      forgotten. It stays refused however good its signature is.",
                fix: "Set the client's clock by a time server. Look for milliseconds taken for seconds, and for \
                      local time taken for UTC.",
                reference: "the scheme's `[fresh] timestamp`.",
            },
            Self::TimestampStale => Explain {
                what: "The signed time is longer ago than the scheme allows.",
                why: "The shorter a message is valid, the less a stolen one is worth. Messages must also be \
                      remembered for that long, to be refused the second time.",
                fix: "Sign when you send, not before. Set both clocks by a time server. If messages wait in a queue \
                      for good reason, widen `[fresh] timestamp` in a scheme of your own.",
                reference: "the scheme's `[fresh] timestamp`.",
            },
            Self::TooLarge => Explain {
                what: "Something is larger than what is read: the target, a field, what the scheme makes of them.",
                why: "A bound on everything that is computed keeps a message without a valid signature from costing \
                      much.",
                fix: "Send less. Large content belongs in the body.",
                reference: "the limits in the gateway's configuration.",
            },
            Self::ValueDisagrees => Explain {
                what: "Two places that must agree do not: a value that is there twice, or one that the configuration \
                       pins down.",
                why: "A scheme may carry a value in two places, as the date in AWS's credential scope and in \
                      `X-Amz-Date`. If they could differ, one could be checked and the other one used.",
                fix: "Make them agree. The detail says which value, `explain` shows both.",
                reference: "the scheme file, at the step that is told.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_the_same() {
        let document = include_str!("../../../docs/reasons.md");
        for reason in Reason::ALL {
            let Explain { what, why, fix, reference } = reason.explain();
            let code = reason.code();
            let section = format!("\n## {code}\n\n{what}\n\nWhy: {why}\n\nFix: {fix}\n\nReference: {reference}\n");
            assert!(document.contains(&section), "docs/reasons.md says something else of {code} than{section}");
        }
    }

    #[test]
    fn sentences_are_whole() {
        for reason in Reason::ALL {
            let Explain { what, why, fix, reference } = reason.explain();
            for text in [what, why, fix, reference] {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", reason.code());
            }
        }
    }
}
