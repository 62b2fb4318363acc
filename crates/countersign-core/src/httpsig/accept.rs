//! `Accept-Signature` (RFC 9421, section 5): what a verifier asks to be signed, read and written.

use super::Policy;
use super::component::{Component, Covered, Flags};
use crate::canon::Malformed;
use crate::canon::sf::{self, Bare, Member};

/// A signature that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// The label to sign under.
    pub label: String,
    /// The components to cover, in order.
    pub components: Vec<Covered>,
    /// Whether the time of signing is wanted.
    pub created: bool,
    /// Whether an expiry is wanted.
    pub expires: bool,
    /// The nonce to sign.
    pub nonce: Option<String>,
    /// The algorithm to sign with, by its registered name.
    pub alg: Option<String>,
    /// The key to sign with.
    pub key_id: Option<String>,
    /// The tag to sign.
    pub tag: Option<String>,
}

impl Wish {
    /// Reads the value of an `Accept-Signature` field, its lines joined.
    pub fn read(text: &[u8]) -> Result<Vec<Self>, Malformed> {
        let dictionary = sf::dictionary(text)?;
        let mut wishes: Vec<Self> = Vec::new();
        for (label, member) in dictionary.entries() {
            let Member::List(list) = member else { return Err(Malformed) };
            if wishes.iter().any(|wish| wish.label == label) {
                return Err(Malformed);
            }
            let mut wish = Self { label: label.to_owned(), ..Self::default() };
            for item in list.items() {
                let covered = Covered::new(&item, false).map_err(|_| Malformed)?;
                if wish.components.iter().any(|other| other.component() == covered.component()) {
                    return Err(Malformed);
                }
                wish.components.push(covered);
            }
            for (name, value) in list.params.entries() {
                wish.parameter(name, value)?;
            }
            wishes.push(wish);
        }
        Ok(wishes)
    }

    /// Section 5.1: times are asked for without a value, the others with the one that is wanted.
    fn parameter(&mut self, name: &str, value: Bare<'_>) -> Result<(), Malformed> {
        match (name, value) {
            ("created", Bare::Boolean(wanted)) => self.created = wanted,
            ("expires", Bare::Boolean(wanted)) => self.expires = wanted,
            ("nonce", Bare::String(text)) => self.nonce = Some(owned(text)?),
            ("alg", Bare::String(text)) => self.alg = Some(owned(text)?),
            ("keyid", Bare::String(text)) => self.key_id = Some(owned(text)?),
            ("tag", Bare::String(text)) => self.tag = Some(owned(text)?),
            ("created" | "expires" | "nonce" | "alg" | "keyid" | "tag", _) => return Err(Malformed),
            // What is unknown is asked of those who know it.
            _ => {}
        }
        Ok(())
    }

    /// Appends the member of an `Accept-Signature` field that asks for this.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        sf::push_key(&self.label, out)?;
        out.extend_from_slice(b"=(");
        for (position, covered) in self.components.iter().enumerate() {
            if position > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(covered.text.as_bytes());
        }
        out.push(b')');
        for (name, wanted) in [("created", self.created), ("expires", self.expires)] {
            if wanted {
                out.push(b';');
                out.extend_from_slice(name.as_bytes());
            }
        }
        let texts = [("nonce", &self.nonce), ("alg", &self.alg), ("keyid", &self.key_id), ("tag", &self.tag)];
        for (name, value) in texts {
            let Some(value) = value else { continue };
            out.push(b';');
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            sf::push_string(value, out)?;
        }
        Ok(())
    }
}

impl Policy {
    /// What a client has to sign so that a verifier of this policy is satisfied: the components that it would sign
    /// itself, and those that are insisted on.
    #[must_use]
    pub fn wish(&self) -> Wish {
        let mut components: Vec<Covered> = Vec::new();
        // What is signed only where it is there cannot be asked for: nobody knows here whether it is.
        let firm = self.components.iter().filter(|covered| !covered.optional);
        for covered in firm.chain(&self.required) {
            let known = |other: &Covered| other.component() == covered.component();
            let own = |component: &Component<'_>| !component.flags.has(Flags::REQ);
            if !components.iter().any(known) && own(&covered.component()) {
                components.push(covered.clone().firm());
            }
        }
        Wish { label: self.label.clone(), components, created: true, tag: self.tag.clone(), ..Wish::default() }
    }
}

fn owned(text: sf::Text<'_>) -> Result<String, Malformed> {
    let mut bytes = Vec::new();
    text.push(&mut bytes);
    String::from_utf8(bytes).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_standard_is_read_and_written_again() {
        // RFC 9421, section 5.1.
        let text = "sig1=(\"@method\" \"@target-uri\" \"@authority\" \"content-digest\" \"cache-control\");\
                    keyid=\"test-key-rsa-pss\";created;tag=\"app-123\"";
        let wishes = Wish::read(text.as_bytes()).expect("it is well formed");
        let [wish] = wishes.as_slice() else { panic!("one") };
        assert!(wish.created && !wish.expires);
        assert_eq!(wish.key_id.as_deref(), Some("test-key-rsa-pss"));
        assert_eq!(wish.tag.as_deref(), Some("app-123"));
        assert_eq!(wish.components.len(), 5);
        let mut again = Vec::new();
        wish.write(&mut again).expect("it can be written");
        assert_eq!(Wish::read(&again).expect("it is well formed"), wishes);
    }

    #[test]
    fn what_cannot_be_answered_is_malformed() {
        for text in [
            "sig1=\"@method\"",
            "sig1=(\"@methd\")",
            "sig1=(\"date\" \"date\")",
            "sig1=(\"date\");created=1",
            "sig1=(\"date\");nonce",
            "sig1=(\"date\"), sig1=(\"date\")",
            "sig1=(",
        ] {
            assert_eq!(Wish::read(text.as_bytes()), Err(Malformed), "{text}");
        }
    }
}
