//! The exceptions of Chinese payment and commerce, from their vendors' documents: see `meaning`.

use crate::meaning::pairs;
use crate::support::Message;

/// What a part means, where that is not the part as it stands.
pub(crate) fn of(scheme: &str, part: &str, message: &Message) -> Option<Vec<u8>> {
    let shop = ["taobao-top-", "jd-jos-", "pdd-"].iter().any(|family| scheme.starts_with(family));
    match part {
        // Query and form are signed as one list, unescaped: no parameter is told from two, nor where it stood.
        "body" if scheme == "alipay-notify" => {
            let form = Message { target: b"/".to_vec(), ..message.clone() };
            Some(parameters(&form, b"=", b"&"))
        }
        "query" | "body" if scheme.starts_with("alipay-rsa2") => Some(parameters(message, b"=", b"&")),
        "query" | "body" if shop => Some(parameters(message, b"", b"")),
        _ => part.strip_prefix("part ").map(|name| content(message, name)),
    }
}

/// All parameters but the signature, sorted by name and joined.
fn parameters(message: &Message, equals: &[u8], separator: &[u8]) -> Vec<u8> {
    let mut all = pairs(message.query().unwrap_or_default(), true);
    all.extend(pairs(&message.body, true));
    all.retain(|(name, _)| name != b"sign");
    all.sort_by(|(name, _), (other, _)| name.cmp(other));
    let joined = all.into_iter().map(|(name, value)| [name.as_slice(), equals, &value.unwrap_or_default()].concat());
    joined.collect::<Vec<_>>().join(separator)
}

/// The content of a part, found by its text.
fn content(message: &Message, name: &str) -> Vec<u8> {
    let body = String::from_utf8_lossy(&message.body);
    // The names of parameters are the same whatever their case; those of parts are not.
    let value = format!("=\"{name}\"");
    let mut named = body.match_indices(&value).map(|(at, _)| body.split_at(at));
    let named = named.find(|(before, _)| before.to_ascii_lowercase().ends_with("name")).map(|(_, after)| after);
    let inside = named.and_then(|after| after.split_once("\r\n\r\n")).map(|(_, after)| after);
    inside
        .and_then(|after| after.split_once("\r\n--b"))
        .map(|(inside, _)| inside.as_bytes().to_vec())
        .unwrap_or_default()
}
