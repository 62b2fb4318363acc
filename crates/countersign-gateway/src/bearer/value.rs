//! Signed values at the gateway: a framework's cookie, session or token, and what of it goes upstream.

use std::sync::Arc;

use countersign_core::ReplayGuard;
use countersign_core::key::KeyResolver;
use countersign_core::time::UnixTime;
use countersign_signed::{
    Codec, Digest, Json, Judging, Keys, Once, Opened, Refused, SettingFault, django, express, itsdangerous, own,
    rails,
};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use super::carried::{self, Carried};
use super::{Ready, Ring, RingKeys, doubt, keyless, undecided};
use crate::config::{ValueConfig, ValueFormat, ValuePlace};
use crate::fields::{self, identity};
use crate::judge::Doubt;

/// Asks for a signed value.
#[derive(Debug)]
pub(crate) struct ValueGate {
    config: ValueConfig,
    reader: Ring<Reader>,
    /// Keeps what was used on this route apart from what was used elsewhere.
    realm: String,
    /// What it is called in the log.
    what: String,
}

/// What opens values.
#[derive(Debug)]
pub(crate) enum Reader {
    Codec(Codec),
    /// The newest digest first.
    Keygrip(Vec<express::Keygrip>),
}

/// A value that held, not yet used.
pub(crate) enum Checked {
    Holds(Held),
    Text(Once<String>),
    Object(Once<Json>),
}

/// What was opened.
pub(crate) struct Held {
    content: Content,
    signed_at: Option<UnixTime>,
    /// Which of the keys signed it.
    key: usize,
}

enum Content {
    Text(String),
    Object(Json),
}

impl Held {
    fn text(opened: Opened<String>) -> Self {
        Self { signed_at: opened.signed_at(), key: opened.key(), content: Content::Text(opened.into_value()) }
    }

    fn object(opened: Opened<Json>) -> Self {
        Self { signed_at: opened.signed_at(), key: opened.key(), content: Content::Object(opened.into_value()) }
    }
}

/// A value that held, as it is handed upstream. Only [`ValueGate::redeem`] makes one.
#[derive(Debug)]
pub(crate) struct Presented {
    lines: Vec<(HeaderName, HeaderValue)>,
    /// Which of the keys signed it.
    key: usize,
}

impl Presented {
    /// Which of the keys signed it: 0 for the first.
    pub(crate) const fn key(&self) -> usize {
        self.key
    }

    /// Adds its fields, which are none of the client's any more.
    pub(crate) fn tell(&self, fields: &mut HeaderMap) {
        for (name, value) in &self.lines {
            fields.insert(name.clone(), value.clone());
        }
    }
}

impl ValueGate {
    pub(crate) fn new(config: &ValueConfig, realm: Option<&str>, keys: &Arc<dyn KeyResolver>) -> Self {
        let (format, place, olds) = (config.format.clone(), config.place.clone(), config.old_digests.clone());
        let reader =
            Ring::new("signed value", &config.keys, keys, move |keys: &Keys| reader(&format, &place, &olds, keys));
        let what = match &config.place {
            ValuePlace::Cookie(name) => format!("the cookie `{name}`"),
            ValuePlace::Header(name) => format!("the field `{name}`"),
            ValuePlace::Query(name) => format!("the parameter `{name}`"),
        };
        Self { config: config.clone(), reader, realm: realm.unwrap_or_default().to_owned(), what }
    }

    /// Whether its keys can be used.
    pub(crate) async fn fault(&self, now: UnixTime) -> Option<String> {
        self.reader.fault(now).await
    }

    /// Checks all but whether it was used before.
    pub(crate) async fn check(&self, head: &Parts, now: UnixTime) -> Result<(Checked, RingKeys), Doubt> {
        let Ready { what: reader, keys } = self.reader.get(now).await.map_err(keyless)?;
        let Carried { value, signature } = carried::read(head, &self.config.place, &self.config.format, &self.what)?;
        let judging = Judging { now, max_age: self.config.max_age };
        let opened = self.open(&reader, &value, signature.as_deref(), &judging);
        Ok((opened.map_err(|refused| doubt(&self.what, refused))?, keys))
    }

    fn open(
        &self,
        reader: &Reader,
        value: &str,
        signature: Option<&str>,
        judging: &Judging,
    ) -> Result<Checked, Refused> {
        let codec = match reader {
            Reader::Codec(codec) => codec,
            Reader::Keygrip(grips) => {
                let (ValuePlace::Cookie(name), Some(signature)) = (&self.config.place, signature) else {
                    return Err(Refused::Malformed);
                };
                let signed = format!("{name}={value}");
                let held = grips.iter().find_map(|grip| grip.verify(&signed, signature).ok());
                let key = held.ok_or(Refused::SignatureMismatch)?.key();
                let held = Held { content: Content::Text(value.to_owned()), signed_at: None, key };
                return Ok(Checked::Holds(held));
            }
        };
        Ok(match (self.config.text, self.config.once) {
            (true, true) => Checked::Text(codec.redeem(&self.realm, value, judging)?),
            (false, true) => Checked::Object(codec.redeem_object(&self.realm, value, judging)?),
            (true, false) => Checked::Holds(Held::text(codec.unsign(value, judging)?)),
            (false, false) => Checked::Holds(Held::object(codec.loads(value, judging)?)),
        })
    }

    /// Uses the value, if it may be used once.
    pub(crate) async fn redeem(&self, checked: Checked, store: &dyn ReplayGuard) -> Result<Presented, Doubt> {
        let used = |refused| doubt(&self.what, refused);
        let held = match checked {
            Checked::Holds(held) => held,
            Checked::Text(once) => {
                let first = store.admit(once.entry()).wait().await.map_err(undecided)?;
                Held::text(once.answered(first).map_err(used)?)
            }
            Checked::Object(once) => {
                let first = store.admit(once.entry()).wait().await.map_err(undecided)?;
                Held::object(once.answered(first).map_err(used)?)
            }
        };
        self.presented(held).map_err(used)
    }

    /// What goes upstream of it.
    fn presented(&self, held: Held) -> Result<Presented, Refused> {
        let mut lines = Vec::new();
        if let Some(signed_at) = held.signed_at {
            lines.push((identity::VALUE_SIGNED_AT, HeaderValue::from(signed_at.secs())));
        }
        match held.content {
            Content::Text(text) => lines.push((identity::VALUE_TEXT, line(&text)?)),
            Content::Object(object) if self.config.claims.is_empty() => {
                let value = HeaderValue::from_str(&object.ascii()).map_err(|_| Refused::TooLarge)?;
                lines.push((identity::VALUE_JSON, value));
            }
            Content::Object(object) => {
                for (name, member) in &self.config.claims {
                    let value = match object.get(member) {
                        None | Some(Json::Null) => continue,
                        Some(Json::String(text)) => line(text)?,
                        Some(other) => HeaderValue::from_str(&other.ascii()).map_err(|_| Refused::TooLarge)?,
                    };
                    lines.push((name.clone(), value));
                }
            }
        }
        if lines.iter().any(|(_, value)| value.len() > LONGEST) {
            return Err(Refused::TooLarge);
        }
        Ok(Presented { lines, key: held.key })
    }
}

/// Bytes of a field's value, which is about what servers take.
const LONGEST: usize = 8 * 1024;

/// A text as a field's value, encoded as key ids are.
fn line(text: &str) -> Result<HeaderValue, Refused> {
    if text.len() > LONGEST { Err(Refused::TooLarge) } else { Ok(fields::key_id_value(text.as_bytes())) }
}

/// Whether settings make a reader at all.
pub(crate) fn trial(format: &ValueFormat) -> Result<(), SettingFault> {
    let keys = Keys::one("a key for trying this out")?;
    reader(format, &ValuePlace::Cookie("name".to_owned()), &[], &keys).map(|_| ())
}

fn reader(
    format: &ValueFormat,
    place: &ValuePlace,
    old_digests: &[Digest],
    keys: &Keys,
) -> Result<Reader, SettingFault> {
    let with = |digest: Option<Digest>| -> Result<Reader, SettingFault> {
        Ok(Reader::Codec(match format {
            ValueFormat::Countersign(purpose) => Codec::own(own::Sealer::new(keys, purpose)?, None),
            ValueFormat::Django(options) => {
                let options = django::Options { digest: digest.unwrap_or(options.digest), ..options.clone() };
                django::Signer::new(keys, &options)?.into()
            }
            ValueFormat::DjangoCookie(options) => {
                let options = django::Options { digest: digest.unwrap_or(options.digest), ..options.clone() };
                let ValuePlace::Cookie(name) = place else { return Err(SettingFault::Purpose) };
                django::cookie(keys, name, django::CookieSalt::Prefixed, true, &options)?
            }
            ValueFormat::Express => express::CookieSigner::new(keys).into(),
            ValueFormat::Itsdangerous(options) => {
                let options = itsdangerous::Options { digest: digest.unwrap_or(options.digest), ..options.clone() };
                itsdangerous::Signer::new(keys, &options)?.into()
            }
            ValueFormat::Keygrip(own) => {
                let digests = std::iter::once(digest.unwrap_or(*own)).chain(old_digests.iter().copied());
                return Ok(Reader::Keygrip(digests.map(|digest| express::Keygrip::new(keys, digest)).collect()));
            }
            ValueFormat::Rails(options, derived) => {
                let options = rails::Options { digest: digest.unwrap_or(options.digest), ..options.clone() };
                let keys = match derived {
                    None => keys.clone(),
                    Some((salt, digest)) => rails::derived(keys, *digest, salt)?,
                };
                rails::Verifier::new(&keys, &options).into()
            }
        }))
    };
    let mut reader = with(None)?;
    for old in old_digests {
        reader = match (reader, with(Some(*old))?) {
            (Reader::Codec(codec), Reader::Codec(older)) => Reader::Codec(codec.or_older(older)),
            // Its digests are all there already.
            (reader, _) => reader,
        };
    }
    Ok(reader)
}
