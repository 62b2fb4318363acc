//! What a part of a message means under a scheme: two messages of one meaning may share a signature.
//!
//! Written from the vendors' rules and from what the files of the catalogue say of their weaknesses, not from what
//! the engine does. The rule is identity; what is here is each exception.

use crate::meaning_china;
use crate::meaning_commerce;
use crate::meaning_starters;
use crate::support::{Held, Message};
use countersign_core::request::Transport;

/// What a covered part means, as bytes that are equal where the meaning is.
pub(crate) fn of(scheme: &str, part: &str, message: &Message, held: &Held) -> Vec<u8> {
    let family = meaning_china::of(scheme, part, message)
        .or_else(|| meaning_commerce::of(scheme, part, message))
        .or_else(|| meaning_starters::of(scheme, part, message));
    if let Some(meant) = family {
        return meant;
    }
    match part {
        "method" => method(scheme, message),
        "authority" => authority(scheme, message),
        "hostname" => message.authority.split(':').next().unwrap_or_default().into(),
        "path" => path(scheme, message),
        "query" => query(scheme, message),
        "body" => body(scheme, message, held),
        _ => match part.split_once(' ') {
            Some(("header", name)) => header(scheme, name, message),
            Some(_) => panic!("{scheme} covers {part}, and nobody says what that means"),
            None => held.capture(part).unwrap_or_else(|| panic!("{scheme}: {part} is not there")).to_vec(),
        },
    }
}

/// The same, without any exception: whether anything was changed at all.
pub(crate) fn raw(part: &str, message: &Message) -> Vec<u8> {
    match part {
        "method" => message.method.clone().into_bytes(),
        "authority" => message.authority.clone().into_bytes(),
        "path" => message.path().to_vec(),
        "query" => message.query().map(<[u8]>::to_vec).unwrap_or_default(),
        "body" => message.body.clone(),
        other => panic!("{other} is no part"),
    }
}

fn method(scheme: &str, message: &Message) -> Vec<u8> {
    match scheme {
        "hawk" => message.method.to_ascii_uppercase().into_bytes(),
        "kong-hmac-auth" => message.method.to_ascii_lowercase().into_bytes(),
        // Good for both methods that read.
        "hawk-bewit" if message.method == "HEAD" => b"GET".to_vec(),
        _ => raw("method", message),
    }
}

/// Those of the catalogue that are signed by RFC 9421.
pub(crate) fn is_message_signature(scheme: &str) -> bool {
    matches!(scheme, "rfc9421" | "web-bot-auth" | "fapi-http-signatures" | "activitypub" | "activitypub-rfc9421")
}

fn authority(scheme: &str, message: &Message) -> Vec<u8> {
    let (name, port) = message.authority.split_once(':').unwrap_or((&message.authority, "443"));
    match scheme {
        "hawk" | "hawk-bewit" => format!("{}:{port}", name.to_ascii_lowercase()).into_bytes(),
        // RFC 9421, section 2.2.3: in lower case, without the default port.
        _ if is_message_signature(scheme) => {
            let default = if message.transport == Transport::Https { "443" } else { "80" };
            let port = message.authority.split_once(':').map_or(default, |(_, port)| port);
            let port = if port == default { "the default one" } else { port };
            format!("{}:{port}", name.to_ascii_lowercase()).into_bytes()
        }
        // What is signed is the Host field, and a host's case means nothing.
        _ if scheme.starts_with("aws-") || scheme == "gcs-v4" => message.authority.to_ascii_lowercase().into_bytes(),
        _ => raw("authority", message),
    }
}

fn path(scheme: &str, message: &Message) -> Vec<u8> {
    if scheme == "nginx-secure-link-md5" {
        return decoded(message.path(), false);
    }
    if !matches!(scheme, "aws-sigv4" | "aws-sigv4-query" | "aws-sigv4a" | "aws-sigv4a-query") {
        return raw("path", message);
    }
    // Segments as AWS counts them, and whether the last one is open.
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in message.path().split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let open: &[u8] = if message.path().ends_with(b"/") && !segments.is_empty() { b"/" } else { b"" };
    [&segments.join(&b'/'), open].concat()
}

fn query(scheme: &str, message: &Message) -> Vec<u8> {
    let raw = message.query().unwrap_or_default();
    match scheme {
        // Sorted by names and values, however they are escaped; `a` and `a=` are one.
        "aws-sigv4"
        | "aws-sigv4-s3"
        | "aws-sigv4-streaming"
        | "aws-sigv4-query"
        | "aws-sigv4-query-s3"
        | "aws-sigv4a"
        | "aws-sigv4a-query" => {
            let mut pairs = pairs(raw, false);
            pairs.retain(|(name, _)| name != b"X-Amz-Signature");
            pairs.sort();
            format!("{:?}", pairs.into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect::<Vec<_>>())
                .into_bytes()
        }
        "spring-sign-hmac" | "spring-sign-rsa" => {
            let mut pairs: Vec<_> = pairs(raw, true).into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect();
            pairs.sort();
            format!("{pairs:?}").into_bytes()
        }
        // Joined unescaped, as the file says: no parameter is told from two.
        "spring-sign" => {
            let mut pairs: Vec<_> = pairs(raw, true).into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect();
            pairs.sort();
            pairs.into_iter().map(|(k, v)| [k, v].join(&b'=')).collect::<Vec<_>>().join(&b'&')
        }
        "1worldsync" | "1worldsync-content1" => {
            let mut pairs = pairs(raw, true);
            pairs.retain(|(name, _)| name != b"hash_code");
            let join = |(k, v): (Vec<u8>, Option<Vec<u8>>)| v.map_or(k.clone(), |v| [k, v].join(&b'='));
            pairs.into_iter().map(join).collect::<Vec<_>>().join(&b'&')
        }
        // As sent, wherever the signature stands among them.
        "binance" | "binance-rsa" | "binance-ed25519" | "laravel-signed-url" => as_sent_without(raw, b"signature"),
        // A question mark with nothing behind it is nothing.
        "binance-body" | "bybit-v5" | "bybit-v5-rsa" => raw.to_vec(),
        "shopify-oauth-query" | "shopify-oauth-query-form" => {
            let mut pairs = plain(pairs(raw, true));
            pairs.retain(|(name, _)| name != b"hmac");
            // One of the two keeps those of one name in order, the other sorts them.
            if scheme == "shopify-oauth-query" {
                pairs.sort();
            } else {
                pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
            }
            format!("{pairs:?}").into_bytes()
        }
        // Joined with nothing between, and by commas within a name.
        "shopify-app-proxy" => {
            let mut folded: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            for (name, value) in plain(pairs(raw, true)).into_iter().filter(|(name, _)| name != b"signature") {
                match folded.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.extend([b",", value.as_slice()].concat()),
                    None => folded.push((name, value)),
                }
            }
            let mut items: Vec<_> = folded.into_iter().map(|(k, v)| [k, v].join(&b'=')).collect();
            items.sort();
            items.concat()
        }
        // Sorted by names alone; a plus sign is a space.
        "aws-sigv2" => {
            let mut pairs = plain(pairs(raw, true));
            pairs.retain(|(name, _)| name != b"Signature");
            pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
            format!("{pairs:?}").into_bytes()
        }
        "aws-sigv2-form" => {
            let mut pairs = plain(pairs(raw, true));
            pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
            format!("{pairs:?}").into_bytes()
        }
        // Decoded, and joined as they are: a line feed in a value can pass for another parameter.
        "azure-sharedkey" => {
            let mut folded: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            let mut pairs = plain(pairs(raw, false));
            for (name, _) in &mut pairs {
                name.make_ascii_lowercase();
            }
            pairs.sort();
            for (name, value) in pairs {
                match folded.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.extend([b",", value.as_slice()].concat()),
                    None => folded.push((name, value)),
                }
            }
            folded.into_iter().flat_map(|(k, v)| [b"\n".to_vec(), k, b":".to_vec(), v].concat()).collect()
        }
        "gcs-v4" => {
            let mut pairs = plain(pairs(raw, false));
            pairs.retain(|(name, _)| name != b"X-Goog-Signature");
            // However they were escaped; `a` and `a=` are one.
            pairs.sort();
            format!("{pairs:?}").into_bytes()
        }
        _ if scheme.starts_with("cloudfront-") && !scheme.ends_with("cookie") => {
            let names: [&[u8]; 5] = [b"Expires", b"Policy", b"Key-Pair-Id", b"Signature", b"Hash-Algorithm"];
            names.iter().fold(raw.to_vec(), |rest, name| as_sent_without(&rest, name))
        }
        "hawk-bewit" => {
            let pieces = raw.split(|byte| *byte == b'&');
            let others = pieces.filter(|piece| {
                !piece.is_empty() && decoded(piece, true).split(|b| *b == b'=').next() != Some(b"bewit")
            });
            others.collect::<Vec<_>>().join(&b'&')
        }
        _ => message.query().map(|query| [b"?", query].concat()).unwrap_or_default(),
    }
}

fn body(scheme: &str, message: &Message, held: &Held) -> Vec<u8> {
    if scheme == "binance-body" {
        return as_sent_without(&message.body, b"signature");
    }
    if scheme == "aws-sigv2-form" {
        let mut pairs = plain(pairs(&message.body, true));
        pairs.retain(|(name, _)| name != b"Signature");
        pairs.sort_by(|(name, _), (other, _)| name.cmp(other));
        return format!("{pairs:?}").into_bytes();
    }
    // Names and values one behind the other, each parameter once. Where its digest is in the URL, the body is.
    if scheme == "twilio-form" && held.capture("body-hash").is_none() {
        let mut pairs = pairs(&message.body, true);
        pairs.sort_by(|(k, v), (l, w)| {
            (k, v.as_deref().unwrap_or_default()).cmp(&(l, w.as_deref().unwrap_or_default()))
        });
        pairs.dedup_by(|(k, v), (l, w)| {
            k == l && v.as_deref().unwrap_or_default() == w.as_deref().unwrap_or_default()
        });
        return pairs.into_iter().map(|(k, v)| [k, v.unwrap_or_default()].concat()).collect::<Vec<_>>().concat();
    }
    raw("body", message)
}

fn header(scheme: &str, name: &str, message: &Message) -> Vec<u8> {
    let lines = message.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut values: Vec<Vec<u8>> = lines.map(|(_, value)| value.trim_ascii().to_vec()).collect();
    if scheme.starts_with("aws-") {
        for value in &mut values {
            let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            *value = words.collect::<Vec<_>>().join(&b' ');
        }
        return values.join(&b',');
    }
    // RFC 9421, section 2.1: lines of one field are joined.
    if is_message_signature(scheme) {
        return values.join(&b", "[..]);
    }
    format!("{values:?}").into_bytes()
}

/// The parameters as they are, but for one; an empty one is none.
fn as_sent_without(raw: &[u8], name: &[u8]) -> Vec<u8> {
    let pieces = raw.split(|byte| *byte == b'&');
    let others = pieces.filter(|piece| !piece.is_empty() && piece.split(|byte| *byte == b'=').next() != Some(name));
    others.collect::<Vec<_>>().join(&b'&')
}

/// A pair without a value has an empty one.
fn plain(pairs: Vec<Pair>) -> Vec<(Vec<u8>, Vec<u8>)> {
    pairs.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
}

pub(crate) type Pair = (Vec<u8>, Option<Vec<u8>>);

/// The pairs of a query or a form, decoded; where `plus`, a plus sign is a space.
pub(crate) fn pairs(raw: &[u8], plus: bool) -> Vec<Pair> {
    let pieces = raw.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    let pair = |piece: &[u8]| match piece.iter().position(|byte| *byte == b'=') {
        Some(at) => (decoded(&piece[..at], plus), Some(decoded(&piece[at + 1..], plus))),
        None => (decoded(piece, plus), None),
    };
    pieces.map(pair).collect()
}

pub(crate) fn decoded(text: &[u8], plus: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                rest = &after[2..];
                continue;
            }
            (b'+', _) if plus => out.push(b' '),
            (other, _) => out.push(*other),
        }
        rest = after;
    }
    out
}
