//! Signing by RFC 9421, section 3.1: the components that are named, and nothing else.

use super::base::Found;
use super::component::{Covered, Flags};
use super::rules::{Rules, unreadable};
use super::{Algorithm, EXPIRES, KEY_ID, NONCE, Policy, Wish, digest, read, value, verify};
use crate::alg::Hash;
use crate::canon::{self, sf};
use crate::key::{Key, Material};
use crate::reject::Reason;
use crate::request::RequestView;
use crate::scheme::{Message, same_name};
use crate::sign::{Freshness, SignError, Signed};
use crate::time::UnixTime;

/// What a signer was given, by name.
type Given = [(String, Vec<u8>)];

/// Whether a nonce has to be given: the policy demands one, and nobody said what to sign instead.
pub(crate) fn wants_nonce(message: &Message, given: &Given) -> bool {
    let told = ["nonce", "parameters"].iter().any(|name| text(given, name).is_some());
    let demanded = message.required_fields.contains(&NONCE) && !told;
    match wish(given) {
        Ok(Some(wish)) => wish.nonce.is_none() && demanded,
        _ => demanded && text(given, "components").is_none(),
    }
}

/// Signs a message. Its body, if it has one, has to be in the view.
pub(crate) fn sign(
    message: &Message,
    policy: &Policy,
    given: &Given,
    view: RequestView<'_>,
    key: &Key,
    fresh: &Freshness<'_>,
) -> Result<Signed, SignError> {
    let wish = wish(given)?;
    let mut rules = Rules::of(policy);
    for (name, value) in given {
        let value = std::str::from_utf8(value).map_err(|_| SignError::ValueUnfit { name: name.clone() })?;
        rules.set(name, value).map_err(|what| SignError::VarUnreadable { what })?;
    }
    let asked_alg = text(given, "alg").or(wish.as_ref().and_then(|wish| wish.alg.as_deref()));
    let algorithm = policy.algorithm(key, asked_alg.map(str::as_bytes)).ok_or(SignError::KeyUnsuitable)?;
    let label = match &wish {
        Some(wish) => wish.label.clone(),
        None => rules.label.clone().unwrap_or_else(|| policy.label.clone()),
    };
    read::reserved(&view).map_err(SignError::Message)?;
    unsigned_yet(&view, &label)?;
    let whole = text(given, "parameters").map(parameters_given).transpose()?;
    let wanted = match (&wish, text(given, "components")) {
        _ if whole.is_some() => whole.as_deref().map(listed).unwrap_or_default(),
        (_, Some(list)) => {
            Covered::list(list).map_err(|word| SignError::VarUnreadable { what: unreadable("components", &word) })?
        }
        (Some(wish), None) => wish.components.clone(),
        (None, None) => policy.components.clone(),
    };
    let appended = digest_field(&view, &wanted, text(given, "digest"))?;
    let mut lines: Vec<(String, Vec<u8>)> = Vec::new();
    view.fields.all(&mut |name, value| lines.push((name.to_owned(), value.to_vec())));
    lines.extend(appended.clone());
    let view = RequestView { fields: &lines, ..view };

    let parameters = if let Some(whole) = whole {
        whole
    } else {
        let mut parameters = components(&view, &wanted, &rules)?;
        let asking = Asking { wish: wish.as_ref(), given, key, fresh };
        parameters_of(message, policy, &rules, &asking, &mut parameters)?;
        parameters
    };
    let base = base(&view, &parameters, &rules)?;
    let mut signature = Vec::new();
    match algorithm {
        Algorithm::Hmac(hash) => {
            let mac = verify::mac_key(key, hash, rules.secret).map_err(|_| SignError::KeyUnsuitable)?;
            signature.extend_from_slice(mac.mac(&base).as_bytes());
        }
        Algorithm::Signature(algorithm) => {
            let Material::Private(private) = &key.material else { return Err(SignError::KeyUnsuitable) };
            private.sign(algorithm, &base, &mut signature)?;
        }
    }
    let mut carried = Vec::new();
    canon::b64(&signature, &mut carried);
    let member = |value: &[u8]| [label.as_bytes(), b"=", value].concat();
    let mut fields: Vec<(String, Vec<u8>)> = appended.into_iter().collect();
    fields.push(("Signature-Input".to_owned(), member(&parameters)));
    fields.push(("Signature".to_owned(), member(&[b":".as_slice(), &carried, b":"].concat())));
    Ok(Signed { target: view.target.to_vec(), fields, body: None, signature: carried })
}

/// What the parameters of a signature are made of.
struct Asking<'a> {
    wish: Option<&'a Wish>,
    given: &'a Given,
    key: &'a Key,
    fresh: &'a Freshness<'a>,
}

fn text<'g>(given: &'g Given, name: &str) -> Option<&'g str> {
    let (_, value) = given.iter().rev().find(|(known, _)| same_name(known, name))?;
    std::str::from_utf8(value).ok()
}

/// The signature that an `Accept-Signature` field asks for: the first of them.
fn wish(given: &Given) -> Result<Option<Wish>, SignError> {
    let Some(asked) = text(given, "accept-signature") else { return Ok(None) };
    let what = "`accept-signature` is the value of an Accept-Signature field (RFC 9421, section 5.1)";
    let unreadable = || SignError::VarUnreadable { what: what.to_owned() };
    let wishes = Wish::read(asked.as_bytes()).map_err(|canon::Malformed| unreadable())?;
    wishes.into_iter().next().map(Some).ok_or_else(unreadable)
}

/// Refuses a message that is signed under this label already. Others may stand beside ours.
fn unsigned_yet(view: &RequestView<'_>, label: &str) -> Result<(), SignError> {
    for name in ["Signature-Input", "Signature"] {
        let mut there = Vec::new();
        read::combine(view, &name.to_ascii_lowercase(), &mut there).map_err(SignError::Message)?;
        let carrier = || name.to_owned();
        let known = sf::dictionary(&there).map_err(|_| SignError::CarrierMalformed { carrier: carrier() })?;
        if known.get(label).is_some() {
            return Err(SignError::AlreadySigned { carrier: carrier() });
        }
    }
    Ok(())
}

/// The `Content-Digest` that is to be signed and is not there yet. One that is there has to be the body's.
fn digest_field(
    view: &RequestView<'_>,
    wanted: &[Covered],
    chosen: Option<&str>,
) -> Result<Option<(String, Vec<u8>)>, SignError> {
    let is_digest = |covered: &&Covered| {
        let component = covered.component();
        component.name == "content-digest" && !component.flags.has(Flags::REQ) && !component.flags.has(Flags::TR)
    };
    let Some(covered) = wanted.iter().find(is_digest) else { return Ok(None) };
    let body = view.body.unwrap_or_default();
    let mut there = false;
    view.fields.values("content-digest", &mut |_| there = true);
    if there {
        digest::agrees(view, body).map_err(SignError::Message)?;
        return Ok(None);
    }
    if covered.optional && body.is_empty() {
        return Ok(None);
    }
    let hash = match chosen {
        None | Some("sha-256") => Hash::Sha256,
        Some("sha-512") => Hash::Sha512,
        Some(_) => {
            return Err(SignError::VarUnreadable { what: "`digest` is sha-256 or sha-512 (RFC 9530)".to_owned() });
        }
    };
    let mut value = Vec::new();
    let unfit = |canon::Malformed| SignError::ValueUnfit { name: "digest".to_owned() };
    digest::write(hash, &hash.digest(body), &mut value).map_err(unfit)?;
    Ok(Some(("Content-Digest".to_owned(), value)))
}

/// Signature parameters that were given whole, as a `Signature-Input` field has them behind the label.
fn parameters_given(text: &str) -> Result<Vec<u8>, SignError> {
    let what = "`parameters` is a list of components with its parameters, as in `(\"@method\");created=1`";
    let list = sf::list(text.as_bytes()).ok();
    let mut members = list.iter().flat_map(sf::List::members);
    match (members.next(), members.next()) {
        (Some(sf::Member::List(list)), None) => {
            let mut parameters = Vec::new();
            list.serialize(&mut parameters);
            Ok(parameters)
        }
        _ => Err(SignError::VarUnreadable { what: what.to_owned() }),
    }
}

/// The components of parameters that were given whole, as far as they are such.
fn listed(parameters: &[u8]) -> Vec<Covered> {
    let list = sf::list(parameters).ok();
    let Some(sf::Member::List(list)) = list.as_ref().and_then(|list| list.members().next()) else {
        return Vec::new();
    };
    list.items().filter_map(|item| Covered::new(&item, false).ok()).collect()
}

/// The list of those components that are there.
fn components(view: &RequestView<'_>, wanted: &[Covered], rules: &Rules) -> Result<Vec<u8>, SignError> {
    let mut list = b"(".to_vec();
    let (mut spare, mut scrap) = (Vec::new(), Vec::new());
    for covered in wanted {
        scrap.clear();
        match value::push(view, &covered.component(), &rules.declared, &mut spare, &mut scrap) {
            Ok(()) => {}
            Err(rejection) if covered.optional && rejection.reason() == Reason::ComponentMissing => continue,
            Err(rejection) => return Err(SignError::Message(rejection)),
        }
        if list.len() > 1 {
            list.push(b' ');
        }
        list.extend_from_slice(covered.text.as_bytes());
    }
    list.push(b')');
    Ok(list)
}

fn parameters_of(
    message: &Message,
    policy: &Policy,
    rules: &Rules,
    asking: &Asking<'_>,
    out: &mut Vec<u8>,
) -> Result<(), SignError> {
    let Asking { wish, given, key, fresh } = *asking;
    let demands = |id| message.required_fields.contains(&id) && text(given, "components").is_none();
    let seconds = |instant: UnixTime| instant.millis().div_euclid(1000);
    let mut number = |name: &str, value: i64| {
        out.extend_from_slice(name.as_bytes());
        sf::push_integer(value, out).map_err(|_| SignError::ValueUnfit { name: name.to_owned() })
    };
    let created = match text(given, "timestamp") {
        Some(at) => at.parse().map_err(|_| SignError::ValueUnfit { name: "timestamp".to_owned() })?,
        None => seconds(fresh.now),
    };
    number(";created=", created)?;
    let expires = match (text(given, "expires"), text(given, "ttl")) {
        (Some(at), _) => Some(at.parse().map_err(|_| SignError::ValueUnfit { name: "expires".to_owned() })?),
        (None, Some(ttl)) => {
            let ttl: u32 = ttl.parse().map_err(|_| SignError::ValueUnfit { name: "ttl".to_owned() })?;
            Some(created.saturating_add(i64::from(ttl)))
        }
        (None, None) => None,
    };
    match expires {
        Some(expires) if expires < created => return Err(SignError::ValueUnfit { name: "expires".to_owned() }),
        Some(expires) => number(";expires=", expires)?,
        None if demands(EXPIRES) || wish.is_some_and(|wish| wish.expires) => {
            return Err(SignError::VarNeeded { name: "ttl".to_owned() });
        }
        None => {}
    }
    let key_id = key.id.as_deref();
    if key_id.is_none() && demands(KEY_ID) {
        return Err(SignError::KeyIdNeeded);
    }
    let nonce = wish.and_then(|wish| wish.nonce.as_deref()).or(text(given, "nonce")).or(fresh.nonce);
    if nonce == Some("") {
        return Err(SignError::ValueUnfit { name: "nonce".to_owned() });
    }
    if nonce.is_none() && wants_nonce(message, given) {
        return Err(SignError::NonceNeeded);
    }
    let alg = text(given, "alg").or(wish.and_then(|wish| wish.alg.as_deref()));
    let tag = wish.and_then(|wish| wish.tag.as_deref()).or(rules.tag.as_deref()).or(policy.tag.as_deref());
    for (name, value) in [("keyid", key_id), ("alg", alg), ("nonce", nonce), ("tag", tag)] {
        let Some(value) = value else { continue };
        out.push(b';');
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        sf::push_string(value, out).map_err(|_| SignError::ValueUnfit { name: name.to_owned() })?;
    }
    Ok(())
}

/// The base of a list of components with its parameters, which is read as a verifier would read it.
fn base(view: &RequestView<'_>, parameters: &[u8], rules: &Rules) -> Result<Vec<u8>, SignError> {
    let unfit = || SignError::ValueUnfit { name: "parameters".to_owned() };
    let list = sf::list(parameters).map_err(|_| unfit())?;
    let Some(sf::Member::List(list)) = list.members().next() else { return Err(unfit()) };
    let mut found = Found::default();
    found.lines(view, &list, &rules.declared, &mut Vec::new()).map_err(SignError::Message)?;
    found.end(parameters);
    Ok(found.base)
}
