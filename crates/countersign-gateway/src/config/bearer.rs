//! `link` and `value` of a route: what a request may carry that was signed for it, rather than by it.

use std::ops::Range;

use countersign_signed::{Digest, django, itsdangerous, rails};
use http::header::HeaderName;
use toml::de::DeTable;

use super::fault::{At, Fault};
use super::reader::{Section, alternatives};
use super::sections::non_empty;
use super::units;
use crate::fields::identity;

/// `link` of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// `keys`: the ids of keys in the store, the newest first.
    pub keys: Vec<String>,
}

/// `value` of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueConfig {
    /// `format`, and what is said of it.
    pub format: ValueFormat,
    /// `keys`: the ids of keys in the store, the newest first.
    pub keys: Vec<String>,
    /// `cookie`, `header` or `query`: where it is carried.
    pub place: ValuePlace,
    /// `text`: whether a text is signed, and not an object.
    pub text: bool,
    /// `old-digests`: with which digests it may have been signed before.
    pub old_digests: Vec<Digest>,
    /// `max-age`: seconds since it was signed.
    pub max_age: Option<u64>,
    /// `once`: whether it may be used once only.
    pub once: bool,
    /// `claims`: which members of the object go upstream, and in which fields. Empty: all of it in one.
    pub claims: Vec<(HeaderName, String)>,
}

/// A format, as the library of signed values knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFormat {
    /// Our own, with its purpose.
    Countersign(String),
    /// `signing.loads`, `Signer` or `TimestampSigner`.
    Django(django::Options),
    /// `get_signed_cookie`, of the cookie it is read from.
    DjangoCookie(django::Options),
    /// `cookie-signature`.
    Express,
    /// A serialiser or signer, Flask's sessions among them.
    Itsdangerous(itsdangerous::Options),
    /// `keygrip`: the signature lies in the cookie `NAME.sig`.
    Keygrip(Digest),
    /// `MessageVerifier`, with what the key is derived with.
    Rails(rails::Options, Option<(String, Digest)>),
}

/// Where a value is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePlace {
    /// In a cookie.
    Cookie(String),
    /// In a field.
    Header(HeaderName),
    /// In a parameter of the query.
    Query(String),
}

const LINK: &[&str] = &["keys"];
const VALUE: &[&str] = &[
    "format",
    "keys",
    "cookie",
    "header",
    "query",
    "text",
    "salt",
    "separator",
    "digest",
    "old-digests",
    "derivation",
    "timed",
    "purpose",
    "key-digest",
    "max-age",
    "once",
    "claims",
];

/// `link`. The outer `None`: there is a fault in it.
#[expect(clippy::option_option, reason = "nothing said is not the same as something wrong")]
pub(super) fn link(route: &mut Section<'_, '_>) -> Option<Option<LinkConfig>> {
    if !route.has("link") {
        return Some(None);
    }
    let (place, table): (Range<usize>, &DeTable<'_>) = route.table("link")?;
    let mut section = Section::new("link", place, table, LINK, route.faults());
    Some(Some(LinkConfig { keys: keys(&mut section)? }))
}

/// What may be a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Countersign,
    Django,
    DjangoCookie,
    DjangoSession,
    Express,
    Flask,
    Itsdangerous,
    Keygrip,
    Rails,
}

const FORMATS: &[(&str, Name)] = &[
    ("countersign", Name::Countersign),
    ("django", Name::Django),
    ("django-cookie", Name::DjangoCookie),
    ("django-session", Name::DjangoSession),
    ("express", Name::Express),
    ("flask", Name::Flask),
    ("itsdangerous", Name::Itsdangerous),
    ("keygrip", Name::Keygrip),
    ("rails", Name::Rails),
];

/// Two weeks, as Django's `SESSION_COOKIE_AGE`.
const DJANGO_SESSION: u64 = 14 * 24 * 60 * 60;
/// 31 days, as Flask's `PERMANENT_SESSION_LIFETIME`.
const FLASK_SESSION: u64 = 31 * 24 * 60 * 60;

/// `value`. The outer `None`: there is a fault in it.
#[expect(clippy::option_option, reason = "nothing said is not the same as something wrong")]
pub(super) fn value(route: &mut Section<'_, '_>) -> Option<Option<ValueConfig>> {
    use Name::{Countersign, Django, DjangoCookie, DjangoSession, Express, Flask, Itsdangerous, Keygrip, Rails};
    if !route.has("value") {
        return Some(None);
    }
    let (span, table): (Range<usize>, &DeTable<'_>) = route.table("value")?;
    let mut section = Section::new("value", span.clone(), table, VALUE, route.faults());
    let name = section.word("format", FORMATS);
    let name = section.require("format", name, "\"django\"");
    let keys = keys(&mut section);
    let place = place(&mut section, &span);
    let text = section.flag("text");
    let salt = section.parsed("salt", "leave `salt` out for the framework's own", non_empty);
    let separator = section.parsed("separator", "leave `separator` out for the framework's own", non_empty);
    let digest = section.parsed("digest", &digests(), digest);
    let key_digest = section.parsed("key-digest", &digests(), self::digest);
    let olds = section.texts("old-digests").unwrap_or_default();
    let derivation = section.parsed("derivation", "write concat, django-concat, hmac or none", |text| {
        itsdangerous::Derivation::from_name(text).ok_or("is no derivation of itsdangerous'")
    });
    let timed = section.flag("timed");
    let purpose = section.parsed("purpose", "say what the value is for", non_empty);
    let max_age = section.parsed("max-age", units::AGE_HINT, |text| units::age(text).ok_or("is no age"));
    let once = section.flag("once").unwrap_or_default();
    let claims = claims(&mut section);
    let name = name?;
    let before = section.faults().len();
    let mut note = |message: String, hint: &str| {
        section.faults().push(Fault { span: super::fault::span(span.clone()), message, hint: Some(hint.to_owned()) });
    };
    let word = FORMATS.iter().find(|(_, format)| *format == name).map_or("", |(word, _)| word);
    for (key, said, formats) in [
        ("text", text.is_some(), &[Countersign, Django, Itsdangerous, Express, Rails][..]),
        ("salt", salt.is_some(), &[Django, DjangoCookie, DjangoSession, Flask, Itsdangerous, Rails]),
        ("separator", separator.is_some(), &[Django, Itsdangerous]),
        ("digest", digest.is_some(), &[Django, DjangoCookie, DjangoSession, Flask, Itsdangerous, Keygrip, Rails]),
        (
            "old-digests",
            !olds.is_empty(),
            &[Django, DjangoCookie, DjangoSession, Flask, Itsdangerous, Keygrip, Rails],
        ),
        ("derivation", derivation.is_some(), &[Flask, Itsdangerous]),
        ("timed", timed.is_some(), &[Django, Itsdangerous]),
        ("purpose", purpose.is_some(), &[Countersign, Rails]),
        ("key-digest", key_digest.is_some(), &[Rails]),
    ] {
        if said && !formats.contains(&name) {
            note(format!("`{key}` means nothing to `{word}`"), &format!("leave `{key}` out"));
        }
    }
    let text = text.unwrap_or(matches!(name, DjangoCookie | Express | Keygrip));
    let tells_time = match name {
        Countersign | DjangoCookie | DjangoSession | Flask => true,
        Django => !text || timed.unwrap_or_default(),
        Itsdangerous => timed.unwrap_or_default(),
        Express | Keygrip | Rails => false,
    };
    let max_age = max_age.map(|age| age.value);
    if max_age.is_some() && !tells_time {
        note(
            format!("`{word}` does not tell when a value was signed, so that `max-age` would mean nothing"),
            "leave `max-age` out; or set `timed = true`, where the format has it",
        );
    }
    let max_age = max_age.or(match name {
        DjangoSession => Some(DJANGO_SESSION),
        Flask => Some(FLASK_SESSION),
        _ => None,
    });
    if once && max_age.is_none() {
        note(
            "a value that may be used once has to be remembered for as long as it is accepted".to_owned(),
            "add `max-age`, as in `max-age = \"1h\"`",
        );
    }
    if text && claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
        note("a text has no `claims`".to_owned(), "leave `claims` out: all of it goes upstream");
    }
    if matches!(name, DjangoCookie | Keygrip) && !matches!(place, Some(ValuePlace::Cookie(_)) | None) {
        note(format!("`{word}` is read from a cookie, whose name is signed too"), "add `cookie = \"…\"`");
    }
    if name == Countersign && purpose.is_none() {
        note("`countersign` needs a `purpose`".to_owned(), "add one, as in `purpose = \"reset\"`");
    }
    if salt.is_some() != key_digest.is_some() && name == Rails {
        let hint =
            "give both, to derive the key of `secret_key_base`; or neither, where the key is the secret itself";
        note("`salt` and `key-digest` belong together".to_owned(), hint);
    }
    let digest = digest.map(|digest| digest.value);
    let salt = salt.map(|salt| salt.value);
    let format = match name {
        Countersign => ValueFormat::Countersign(purpose.map(|purpose| purpose.value).unwrap_or_default()),
        Django | DjangoCookie | DjangoSession => {
            let class = match (text, timed.unwrap_or_default()) {
                (false, _) => django::Class::Dumps,
                (true, true) => django::Class::TimestampSigner,
                (true, false) => django::Class::Signer,
            };
            let own = (name == DjangoSession).then(|| "django.contrib.sessions.backends.signed_cookies".to_owned());
            let defaults = django::Options::default();
            let options = django::Options {
                class,
                salt: salt.or(own),
                separator: separator.as_ref().map_or(defaults.separator, |separator| separator.value.clone()),
                digest: digest.unwrap_or(defaults.digest),
                compress: false,
            };
            if name == DjangoCookie { ValueFormat::DjangoCookie(options) } else { ValueFormat::Django(options) }
        }
        Express => ValueFormat::Express,
        Flask | Itsdangerous => {
            let mut options =
                if name == Flask { itsdangerous::Options::flask_session() } else { itsdangerous::Options::default() };
            if name == Itsdangerous && !text {
                itsdangerous::SERIALIZER_SALT.clone_into(&mut options.salt);
            }
            options.salt = salt.unwrap_or(options.salt);
            options.separator = separator.as_ref().map_or(options.separator, |separator| separator.value.clone());
            options.digest = digest.unwrap_or(options.digest);
            options.derivation = derivation.map_or(options.derivation, |derivation| derivation.value);
            options.timed = timed.unwrap_or(options.timed);
            ValueFormat::Itsdangerous(options)
        }
        Keygrip => ValueFormat::Keygrip(digest.unwrap_or(Digest::Sha1)),
        Rails => {
            // `cookies.signed` names the cookie in the purpose.
            let cookie = match &place {
                Some(ValuePlace::Cookie(name)) => Some(format!("cookie.{name}")),
                _ => None,
            };
            let defaults = rails::Options::default();
            let options = rails::Options {
                purpose: purpose.map(|purpose| purpose.value).or(cookie),
                digest: digest.unwrap_or(defaults.digest),
                ..defaults
            };
            let derived = salt.zip(key_digest.map(|digest| digest.value));
            ValueFormat::Rails(options, derived)
        }
    };
    let mut old_digests = Vec::new();
    for old in &olds {
        match self::digest(&old.value) {
            Ok(digest) => old_digests.push(digest),
            Err(why) => {
                let message = format!("`{}` of `old-digests` {why}", old.value);
                section.faults().push(Fault { span: old.span, message, hint: Some(digests()) });
            }
        }
    }
    if let (Some(separator), Err(fault)) = (&separator, crate::bearer::trial(&format)) {
        section.faults().push(Fault { span: separator.span, message: fault.to_string(), hint: None });
    }
    if section.faults().len() > before {
        return None;
    }
    Some(Some(ValueConfig { format, keys: keys?, place: place?, text, old_digests, max_age, once, claims: claims? }))
}

fn keys(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let keys = section.texts("keys");
    let keys = section.require("keys", keys, "[\"an-id-of-the-store\"], the newest first")?;
    for key in &keys {
        if key.value.is_empty() {
            let hint = Some("write the id of a key in the store".to_owned());
            section.faults().push(Fault { span: key.span, message: "a key id is empty".to_owned(), hint });
        }
    }
    (!keys.is_empty()).then(|| keys.into_iter().map(|key| key.value).collect())
}

fn place(section: &mut Section<'_, '_>, span: &Range<usize>) -> Option<ValuePlace> {
    let cookie = section.parsed("cookie", "write the name of a cookie", cookie_name);
    let header = section.parsed("header", "write the name of a field", |text| {
        let name: HeaderName = text.parse().map_err(|_| "is no name of a field")?;
        if name == http::header::COOKIE { Err("is where cookies are: use `cookie`") } else { Ok(name) }
    });
    let query = section.parsed("query", "write the name of a parameter", non_empty);
    let places: Vec<ValuePlace> = [
        cookie.map(|cookie| ValuePlace::Cookie(cookie.value)),
        header.map(|header| ValuePlace::Header(header.value)),
        query.map(|query| ValuePlace::Query(query.value)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let said = ["cookie", "header", "query"].iter().filter(|key| section.has(key)).count();
    match <[ValuePlace; 1]>::try_from(places) {
        Ok([place]) if said == 1 => Some(place),
        // A place that was said wrongly has been noted.
        _ if said == 1 => None,
        _ => {
            let message = "`value` has to say where it is carried, once".to_owned();
            let hint = Some("add one of `cookie`, `header` and `query`".to_owned());
            section.faults().push(Fault { span: super::fault::span(span.clone()), message, hint });
            None
        }
    }
}

/// RFC 6265, section 4.1.1.
fn cookie_name(text: &str) -> Result<String, &'static str> {
    if countersign_core::canon::is_token(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err("is no name of a cookie")
    }
}

fn claims(section: &mut Section<'_, '_>) -> Option<Vec<(HeaderName, String)>> {
    if !section.has("claims") {
        return Some(Vec::new());
    }
    let mut claims: Vec<(HeaderName, String)> = Vec::new();
    let entries: Vec<(At<String>, At<String>)> = section.text_table("claims")?;
    let before = section.faults().len();
    for (name, member) in entries {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let own = ["json", "text", "signed-at", "link-until"];
        let field = format!("{}{}", identity::VALUE, name.value);
        let fine = !name.value.is_empty() && name.value.bytes().all(plain) && !own.contains(&name.value.as_str());
        match field.parse::<HeaderName>() {
            Ok(field) if fine => claims.push((field, member.value)),
            _ => {
                let message = format!("`{}` cannot be the end of a field's name", name.value);
                let hint = format!(
                    "use lower-case letters, digits and `-`, and none of {}",
                    alternatives(own.map(|name| format!("`{name}`")))
                );
                section.faults().push(Fault { span: name.span, message, hint: Some(hint) });
            }
        }
    }
    (section.faults().len() == before).then_some(claims)
}

fn digest(name: &str) -> Result<Digest, &'static str> {
    Digest::from_name(name).ok_or("is no digest")
}

fn digests() -> String {
    format!("write {}", alternatives(Digest::ALL.iter().map(|digest| format!("\"{}\"", digest.name()))))
}
