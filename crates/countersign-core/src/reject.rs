//! Why a request is refused: a precise reason for the log, and one of a few public ones for the client.

use crate::scheme::Scheme;
use crate::scheme::draft::{Place, Span};

/// Why a request was refused. The code is stable; the documentation of each is printed by
/// `countersign reason CODE` and lives in [`Reason::explain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The body could not be read in the form that the scheme signs.
    BodyMalformed,
    /// A component is covered twice.
    ComponentDuplicated,
    /// A component's name, parameters or value are none that a signature can cover.
    ComponentInvalid,
    /// A component that the signature covers is absent.
    ComponentMissing,
    /// A component is covered whose name begins with `@` and is not known.
    ComponentUnknown,
    /// A part that must be signed is not among those that are.
    CoverageTooThin,
    /// A carrier of the credentials could not be read.
    CredentialMalformed,
    /// A digest field could not be read.
    DigestMalformed,
    /// The body does not have the digest that was signed.
    DigestMismatch,
    /// An explicit expiry has passed.
    Expired,
    /// A field that must be there once is there more often.
    FieldDuplicated,
    /// A part that the signature covers is absent.
    FieldMissing,
    /// A field has a name that is kept for derived components.
    FieldNameReserved,
    /// The key may not be used at this time.
    KeyInactive,
    /// The key may not be used for this algorithm.
    KeyUnsuitable,
    /// No key is known for the claimed key id.
    KeyUnknown,
    /// A label is there in one of two fields only.
    LabelUnpaired,
    /// The validity that the request asks for is longer than allowed.
    LifetimeTooLong,
    /// A signature parameter has a value that means nothing.
    ParameterOutOfRange,
    /// The request was accepted before.
    Replayed,
    /// Several signatures could be the one that counts.
    SignatureAmbiguous,
    /// The field that says what is signed could not be read.
    SignatureInputMalformed,
    /// The field of signatures could not be read.
    SignatureMalformed,
    /// The signature is well formed and wrong.
    SignatureMismatch,
    /// There is no signature.
    SignatureMissing,
    /// There are more signatures than allowed.
    SignaturesTooMany,
    /// The request target could not be read.
    TargetMalformed,
    /// The signed time is too far ahead.
    TimestampFuture,
    /// The signed time is too long ago.
    TimestampStale,
    /// Something is larger than allowed.
    TooLarge,
    /// Two places that must agree do not.
    ValueDisagrees,
}

/// What a client is told. The same for an unknown key and a wrong signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicReason {
    /// The request can be read in two ways.
    Ambiguous,
    /// The credentials or the body could not be read.
    Malformed,
    /// There is no signature.
    Missing,
    /// The request was accepted before.
    Repeated,
    /// The signed time is outside the accepted window.
    Stale,
    /// Something is larger than allowed.
    TooLarge,
    /// The signature does not hold.
    Wrong,
}

impl Reason {
    /// Every reason, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::BodyMalformed,
        Self::ComponentDuplicated,
        Self::ComponentInvalid,
        Self::ComponentMissing,
        Self::ComponentUnknown,
        Self::CoverageTooThin,
        Self::CredentialMalformed,
        Self::DigestMalformed,
        Self::DigestMismatch,
        Self::Expired,
        Self::FieldDuplicated,
        Self::FieldMissing,
        Self::FieldNameReserved,
        Self::KeyInactive,
        Self::KeyUnknown,
        Self::KeyUnsuitable,
        Self::LabelUnpaired,
        Self::LifetimeTooLong,
        Self::ParameterOutOfRange,
        Self::Replayed,
        Self::SignatureAmbiguous,
        Self::SignatureInputMalformed,
        Self::SignatureMalformed,
        Self::SignatureMismatch,
        Self::SignatureMissing,
        Self::SignaturesTooMany,
        Self::TargetMalformed,
        Self::TimestampFuture,
        Self::TimestampStale,
        Self::TooLarge,
        Self::ValueDisagrees,
    ];

    /// The stable code, as in `timestamp-stale`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyMalformed => "body-malformed",
            Self::ComponentDuplicated => "component-duplicated",
            Self::ComponentInvalid => "component-invalid",
            Self::ComponentMissing => "component-missing",
            Self::ComponentUnknown => "component-unknown",
            Self::CoverageTooThin => "coverage-too-thin",
            Self::CredentialMalformed => "credential-malformed",
            Self::DigestMalformed => "digest-malformed",
            Self::DigestMismatch => "digest-mismatch",
            Self::Expired => "expired",
            Self::FieldDuplicated => "field-duplicated",
            Self::FieldMissing => "field-missing",
            Self::FieldNameReserved => "field-name-reserved",
            Self::KeyInactive => "key-inactive",
            Self::KeyUnknown => "key-unknown",
            Self::KeyUnsuitable => "key-unsuitable",
            Self::LabelUnpaired => "label-unpaired",
            Self::LifetimeTooLong => "lifetime-too-long",
            Self::ParameterOutOfRange => "parameter-out-of-range",
            Self::Replayed => "replayed",
            Self::SignatureAmbiguous => "signature-ambiguous",
            Self::SignatureInputMalformed => "signature-input-malformed",
            Self::SignatureMalformed => "signature-malformed",
            Self::SignatureMismatch => "signature-mismatch",
            Self::SignatureMissing => "signature-missing",
            Self::SignaturesTooMany => "signatures-too-many",
            Self::TargetMalformed => "target-malformed",
            Self::TimestampFuture => "timestamp-future",
            Self::TimestampStale => "timestamp-stale",
            Self::TooLarge => "too-large",
            Self::ValueDisagrees => "value-disagrees",
        }
    }

    /// What the client may learn of it. One match, no wildcard: a new reason has to be placed.
    #[must_use]
    pub const fn public(self) -> PublicReason {
        match self {
            Self::BodyMalformed
            | Self::ComponentDuplicated
            | Self::ComponentInvalid
            | Self::ComponentMissing
            | Self::ComponentUnknown
            | Self::CredentialMalformed
            | Self::DigestMalformed
            | Self::FieldMissing
            | Self::LabelUnpaired
            | Self::ParameterOutOfRange
            | Self::SignatureInputMalformed
            | Self::SignatureMalformed
            | Self::TargetMalformed => PublicReason::Malformed,
            Self::FieldDuplicated | Self::FieldNameReserved | Self::SignatureAmbiguous => PublicReason::Ambiguous,
            Self::Expired | Self::LifetimeTooLong | Self::TimestampFuture | Self::TimestampStale => {
                PublicReason::Stale
            }
            Self::Replayed => PublicReason::Repeated,
            Self::SignatureMissing => PublicReason::Missing,
            Self::SignaturesTooMany | Self::TooLarge => PublicReason::TooLarge,
            Self::CoverageTooThin
            | Self::DigestMismatch
            | Self::KeyInactive
            | Self::KeyUnknown
            | Self::KeyUnsuitable
            | Self::SignatureMismatch
            | Self::ValueDisagrees => PublicReason::Wrong,
        }
    }
}

/// What a rejection is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// An entry of `[bind]`, by its number.
    Bind(usize),
    /// The body.
    Body,
    /// A capture, by its number.
    Capture(usize),
    /// A carrier, by its number.
    Carrier(usize),
    /// A chunk of the body, counted from 1, and what is wrong with its framing, if that is it.
    Chunk(u64, Option<&'static str>),
    /// A covered component, by its name.
    Component(String),
    /// A cookie.
    Cookie(String),
    /// A field line, by its lower-case name.
    Header(String),
    /// The key.
    Key,
    /// The label of a signature.
    Label(String),
    /// A parameter of query or form.
    Parameter(String),
    /// The part of the scheme at the rejection's step.
    Part,
    /// The query.
    Query,
    /// A name that an entry of `[require]` wants listed.
    Required(String),
    /// The request as a whole.
    Request,
    /// The request's age in seconds; negative where its stamp is ahead of our clock.
    Time(i64),
    /// A trailer of a body in chunks, by its lower-case name.
    Trailer(String),
}

/// A refusal: why, at which step of the scheme, and what it is about. Carries nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: Reason,
    step: Option<Span>,
    subject: Subject,
}

impl Rejection {
    pub(crate) const fn new(reason: Reason, step: Option<Span>, subject: Subject) -> Self {
        Self { reason, step, subject }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The step: where in the scheme file the rule stands that was not met.
    #[must_use]
    pub const fn step(&self) -> Option<Span> {
        self.step
    }

    /// What it is about.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What the client may learn of it.
    #[must_use]
    pub const fn public(&self) -> PublicReason {
        self.reason.public()
    }

    /// One sentence for the log and for those who debug: it may name fields and values' names, never a value.
    #[must_use]
    pub fn detail(&self, scheme: &Scheme) -> String {
        let what = self.named(scheme);
        match self.reason {
            Reason::BodyMalformed if let Subject::Chunk(number, Some(flaw)) = self.subject => {
                format!("at chunk {number} of the body: {flaw}")
            }
            Reason::BodyMalformed => "the body could not be read in the form that the scheme signs".to_owned(),
            Reason::ComponentDuplicated => format!("{what} is covered twice"),
            Reason::ComponentInvalid => format!("{what} is none that a signature can cover as it stands"),
            Reason::ComponentMissing => format!("{what} is covered and not there"),
            Reason::ComponentUnknown => format!("{what} is not a derived component of RFC 9421"),
            Reason::CoverageTooThin => format!("{what} is not signed and has to be"),
            Reason::CredentialMalformed => format!("{what} does not have the form that the scheme describes"),
            Reason::DigestMalformed => format!("{what} could not be read as a digest field"),
            Reason::DigestMismatch => format!("{what} is not what the message's content gives"),
            Reason::Expired => format!("the message expired {} s ago", self.seconds()),
            Reason::FieldDuplicated => format!("{what} is there more than once"),
            Reason::FieldMissing | Reason::SignatureMissing => format!("{what} is not there"),
            Reason::FieldNameReserved => format!("{what} has a name that is kept for derived components"),
            Reason::KeyInactive => "the key is not valid at this time".to_owned(),
            Reason::KeyUnknown => "no key is known for the claimed key id".to_owned(),
            Reason::KeyUnsuitable => "the key is not one for this algorithm".to_owned(),
            Reason::LabelUnpaired if self.subject == Subject::Request => {
                "of Signature-Input and Signature only one is there".to_owned()
            }
            Reason::LabelUnpaired => format!("{what} is in one of Signature-Input and Signature only"),
            Reason::LifetimeTooLong => format!("{what} asks for a longer validity than allowed"),
            Reason::ParameterOutOfRange => format!("{what} has a value that no verifier can accept"),
            Reason::Replayed => "the same message was accepted before".to_owned(),
            Reason::SignatureAmbiguous => "several signatures could be the one that counts".to_owned(),
            Reason::SignatureInputMalformed | Reason::SignatureMalformed => {
                format!("{what} could not be read as a structured field of signatures")
            }
            Reason::SignaturesTooMany => "there are more signatures than allowed".to_owned(),
            Reason::SignatureMismatch if matches!(self.subject, Subject::Chunk(..) | Subject::Trailer(_)) => {
                format!("the signature of {what} is not the one that this key makes for it")
            }
            Reason::SignatureMismatch => {
                "the signature is not the one that this key makes for this message".to_owned()
            }
            Reason::TargetMalformed => "the request target could not be read".to_owned(),
            Reason::TimestampFuture => format!("the signed time is {} s ahead of this clock", self.seconds()),
            Reason::TimestampStale => format!("the signed time is {} s ago", self.seconds()),
            Reason::TooLarge => format!("{what} is larger than allowed"),
            Reason::ValueDisagrees => format!("{what} disagrees with what the rest of the message gives for it"),
        }
    }

    const fn seconds(&self) -> u64 {
        match self.subject {
            Subject::Time(seconds) => seconds.unsigned_abs(),
            _ => 0,
        }
    }

    fn named(&self, scheme: &Scheme) -> String {
        let message = &scheme.request;
        match &self.subject {
            Subject::Bind(index) => message
                .binds
                .get(*index)
                .map_or_else(|| "a bound field".to_owned(), |bind| format!("`{}`", bind.name)),
            Subject::Body => "the body".to_owned(),
            Subject::Capture(index) => {
                message.fields.get(*index).map_or_else(|| "a field".to_owned(), |field| format!("`{}`", field.name))
            }
            Subject::Carrier(index) => message.carriers.get(*index).map_or_else(
                || "a carrier".to_owned(),
                |carrier| match carrier.place {
                    Place::Cookie => format!("cookie `{}`", carrier.written),
                    Place::Form => format!("form parameter `{}`", carrier.written),
                    Place::Header => format!("header `{}`", carrier.written),
                    Place::Json => format!("JSON member `{}`", carrier.written),
                    Place::Path => "the path".to_owned(),
                    Place::Query => format!("query parameter `{}`", carrier.written),
                    Place::Xml => format!("XML element `{}`", carrier.written),
                },
            ),
            Subject::Chunk(number, _) => format!("chunk {number} of the body"),
            Subject::Component(name) => format!("component `{name}`"),
            Subject::Cookie(name) => format!("cookie `{name}`"),
            Subject::Header(name) => format!("header `{name}`"),
            Subject::Key => "the key".to_owned(),
            Subject::Label(label) => format!("label `{label}`"),
            Subject::Parameter(name) => format!("parameter `{name}`"),
            Subject::Part => "a part that the scheme signs".to_owned(),
            Subject::Query => "the query".to_owned(),
            Subject::Required(name) => format!("`{name}`"),
            Subject::Request => "the request".to_owned(),
            Subject::Time(_) => "the time".to_owned(),
            Subject::Trailer(name) => format!("trailer `{name}`"),
        }
    }
}

impl PublicReason {
    /// Every public reason, in the order of their names.
    pub const ALL: [Self; 7] =
        [Self::Ambiguous, Self::Malformed, Self::Missing, Self::Repeated, Self::Stale, Self::TooLarge, Self::Wrong];

    /// The stable code, as in `signature-wrong`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ambiguous => "request-ambiguous",
            Self::Malformed => "request-malformed",
            Self::Missing => "signature-missing",
            Self::Repeated => "request-repeated",
            Self::Stale => "request-stale",
            Self::TooLarge => "request-too-large",
            Self::Wrong => "signature-wrong",
        }
    }

    /// One sentence for the client.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Ambiguous => "The request can be read in more than one way.",
            Self::Malformed => "The request or its credentials could not be read.",
            Self::Missing => "The request is not signed.",
            Self::Repeated => "The request was accepted before.",
            Self::Stale => "The request's signed time is outside the accepted window.",
            Self::TooLarge => "The request is larger than allowed.",
            Self::Wrong => "The signature does not hold.",
        }
    }
}
