//! The exceptions of OAuth 1.0, draft-cavage, gateways and Spring starters, from their specifications and sources: see
//! `meaning`.

use crate::meaning::{decoded, pairs};
use crate::support::Message;

/// draft-cavage, under its own name and as `ActivityPub` has it.
fn is_cavage(scheme: &str) -> bool {
    scheme.starts_with("draft-cavage-") || scheme == "activitypub-cavage"
}

/// What a part means, where that is not the part as it stands.
pub(crate) fn of(scheme: &str, part: &str, message: &Message) -> Option<Vec<u8>> {
    let form = || is_form(message).then_some(message.body.as_slice());
    match part {
        "method" => method(scheme, message),
        "authority" => authority(scheme, message),
        "hostname" if scheme.starts_with("oauth1-") => authority(scheme, message),
        "path" if scheme.starts_with("apisix-hmac-v1") || scheme.starts_with("shenyu-sign-v2") => {
            Some(decoded(message.path(), false))
        }
        "query" => parameters(scheme, message.query().unwrap_or_default()),
        "body" => match scheme {
            // What carries the credentials is read as a form, whatever it says of itself.
            "oauth1-hmac-sha1-form" | "satoken-sign-form" => parameters(scheme, &message.body),
            "jeecg-sign" | "shenyu-sign-v1-body" => Some(members(&message.body)),
            _ => parameters(scheme, form()?),
        },
        _ => header(scheme, part.strip_prefix("header ")?, message),
    }
}

fn method(scheme: &str, message: &Message) -> Option<Vec<u8>> {
    match scheme {
        _ if scheme.starts_with("oauth1-") => Some(message.method.to_ascii_uppercase().into_bytes()),
        _ if is_cavage(scheme) => Some(message.method.to_ascii_lowercase().into_bytes()),
        _ => None,
    }
}

fn authority(scheme: &str, message: &Message) -> Option<Vec<u8>> {
    let lower = message.authority.to_ascii_lowercase();
    match scheme {
        // RFC 5849, section 3.4.1.2; messages of these tests come by TLS.
        _ if scheme.starts_with("oauth1-") => Some(lower.strip_suffix(":443").unwrap_or(&lower).into()),
        // What is signed is the Host field, and a host's case means nothing.
        _ if is_cavage(scheme) || scheme.starts_with("apisix-") => Some(lower.into_bytes()),
        _ => None,
    }
}

/// The parameters of a query, or of a body that is a form.
fn parameters(scheme: &str, raw: &[u8]) -> Option<Vec<u8>> {
    let found = || pairs(raw, true).into_iter();
    let plain = || found().map(|(k, v)| (k, v.unwrap_or_default())).collect::<Vec<_>>();
    let credential = |name: &[u8]| matches!(name, b"oauth_signature" | b"sign" | b"Sign");
    match scheme {
        // RFC 5849, section 3.4.1.3.2: by name and value, and a name alone has an empty value.
        _ if scheme.starts_with("oauth1-") => {
            let mut pairs = plain();
            pairs.retain(|(name, _)| !credential(name));
            pairs.sort();
            Some(format!("{pairs:?}").into_bytes())
        }
        _ if scheme.starts_with("apisix-hmac-v1") => {
            let mut pairs: Vec<_> = found().collect();
            pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
            Some(format!("{pairs:?}").into_bytes())
        }
        // Joined unescaped, as their files say: no parameter is told from two.
        "satoken-sign" | "satoken-sign-form" | "opencloud-sign" | "yudao-signature" => {
            let mut pairs = plain();
            pairs.retain(|(name, _)| !credential(name));
            if scheme == "opencloud-sign" {
                pairs = pairs.into_iter().map(|(k, v)| (trimmed(&k), trimmed(&v))).collect();
            }
            if scheme != "yudao-signature" {
                pairs.retain(|(_, value)| !value.is_empty());
            }
            pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
            Some(pairs.into_iter().map(|(k, v)| [k, v].join(&b'=')).collect::<Vec<_>>().join(&b'&'))
        }
        _ if scheme.starts_with("shenyu-sign-v2") => Some(decoded(raw, false)),
        "shenyu-sign-v1-body" => {
            let mut pieces: Vec<&[u8]> = raw.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).collect();
            pieces.retain(|piece| !piece.starts_with(b"sign="));
            pieces.sort_by_key(|piece| piece.split(|byte| *byte == b'=').next());
            let joined =
                pieces.into_iter().map(|piece| piece.splitn(2, |byte| *byte == b'=').collect::<Vec<_>>().concat());
            Some(joined.collect::<Vec<_>>().concat())
        }
        "jeecg-sign" => {
            let mut pairs = plain();
            pairs.retain(|(name, _)| name != b"_t");
            pairs.sort();
            Some(format!("{pairs:?}").into_bytes())
        }
        _ => None,
    }
}

/// The members of a JSON body as text, by name: `1` and `"1"` are one.
fn members(body: &[u8]) -> Vec<u8> {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(body) else { return body.to_vec() };
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut pairs: Vec<_> = members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    pairs.retain(|(name, _)| name != "_t" && name != "sign");
    pairs.sort();
    format!("{pairs:?}").into_bytes()
}

fn header(scheme: &str, name: &str, message: &Message) -> Option<Vec<u8>> {
    if !is_cavage(scheme) {
        return None;
    }
    // Section 2.3: lines of one name are one list.
    let lines = message.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<&[u8]> = lines.map(|(_, value)| value.trim_ascii()).collect();
    Some(values.join(&b", "[..]))
}

fn is_form(message: &Message) -> bool {
    let kind = message.field("content-type").unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

fn trimmed(text: &[u8]) -> Vec<u8> {
    text.trim_ascii().to_vec()
}
