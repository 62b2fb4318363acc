//! Field lines on their way through: which end here, which are set here, which make a request ambiguous.
//!
//! Everything else passes as it came: names in their case, values to the byte, lines of one name in their order.
//! That includes `Forwarded` and `X-Forwarded-*`, which this gateway neither adds nor believes.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The fields that tell the upstream who was verified, and by what.
pub(crate) mod identity {
    use http::header::HeaderName;

    /// The key id, percent-encoded where it is not plain text.
    pub(crate) const KEY_ID: HeaderName = HeaderName::from_static("countersign-key-id");
    /// The scheme's name.
    pub(crate) const SCHEME: HeaderName = HeaderName::from_static("countersign-scheme");
    /// What the signature covers.
    pub(crate) const COVERED: HeaderName = HeaderName::from_static("countersign-covered");
    /// What the names of all fields begin with that tell what of a signed value is handed on.
    pub(crate) const VALUE: &str = "countersign-value-";
    /// A signed object, as JSON in ASCII.
    pub(crate) const VALUE_JSON: HeaderName = HeaderName::from_static("countersign-value-json");
    /// A signed text, percent-encoded where it is not plain text.
    pub(crate) const VALUE_TEXT: HeaderName = HeaderName::from_static("countersign-value-text");
    /// When the value was signed, in seconds since 1970.
    pub(crate) const VALUE_SIGNED_AT: HeaderName = HeaderName::from_static("countersign-value-signed-at");
    /// Until when the link holds, in seconds since 1970.
    pub(crate) const VALUE_LINK_UNTIL: HeaderName = HeaderName::from_static("countersign-value-link-until");
}

/// Whether `Connection` names a field that is more than a matter of this connection.
///
/// Whoever follows RFC 9110, section 7.6.1 removes what `Connection` names. A client can so make a proxy remove a
/// field that the upstream relies on, after the gateway has seen it. Options that name nothing in the request, and
/// those that belong there (`close`, `upgrade` …), are fine.
pub(crate) fn connection_names_a_field(fields: &HeaderMap) -> bool {
    fields.get_all(header::CONNECTION).iter().any(|value| {
        options(value).filter(|option| !is_hop_by_hop(option)).any(|option| {
            let name = lower(option);
            fields.contains_key(&name) || is_identity(&name)
        })
    })
}

/// Whether two fields have names that some servers cannot tell apart: CGI and its heirs read `X_Sign` as `X-Sign`, and
/// which of the two they take nobody knows. Identity fields are no matter here: none of the client's goes on.
pub(crate) fn look_alike(fields: &HeaderMap) -> bool {
    // Nearly all names have no sign but `-`, and those are told apart by everybody.
    let odd = |name: &&HeaderName| name.as_str().bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-');
    let alike = |one: &HeaderName, other: &HeaderName| one != other && is_alike(one.as_str(), other.as_str());
    fields
        .keys()
        .filter(odd)
        .filter(|one| !is_identity(one.as_str()))
        .any(|one| fields.keys().any(|other| alike(one, other)))
}

/// Removes what ends here: hop-by-hop fields, `Expect`, which the gateway has met, and everything that looks like an
/// identity field.
pub(crate) fn strip_request(fields: &mut HeaderMap) {
    strip(fields, |name| {
        is_hop_by_hop(name.as_str().as_bytes()) || *name == header::EXPECT || is_identity(name.as_str())
    });
}

/// Removes a response's hop-by-hop fields, those first that its `Connection` names.
pub(crate) fn strip_response(fields: &mut HeaderMap) {
    let named = fields.get_all(header::CONNECTION).iter().flat_map(options);
    // Those that would go anyway, `keep-alive` above all, are not looked for twice.
    let named: Vec<String> = named.filter(|option| !is_hop_by_hop(option)).map(lower).collect();
    for name in named {
        fields.remove(name);
    }
    strip(fields, |name| is_hop_by_hop(name.as_str().as_bytes()));
}

/// A key id as a field value: bytes other than visible ASCII are percent-encoded, and so is `%`, so that two key ids
/// never look alike.
pub(crate) fn key_id_value(key_id: &[u8]) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = Vec::with_capacity(key_id.len());
    for byte in key_id {
        if byte.is_ascii_graphic() && *byte != b'%' {
            text.push(*byte);
        } else {
            text.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static(""))
}

fn strip(fields: &mut HeaderMap, is_stripped: impl Fn(&HeaderName) -> bool) {
    // Most requests have nothing to strip but perhaps `Connection`, so nothing is collected in advance.
    while let Some(name) = fields.keys().find(|name| is_stripped(name)).cloned() {
        fields.remove(name);
    }
}

/// The options of one `Connection` line, as they came.
fn options(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|option| !option.is_empty())
}

fn lower(option: &[u8]) -> String {
    String::from_utf8_lossy(option).to_ascii_lowercase()
}

/// Fields and connection options that are never the upstream's business. `Trailer` is among them because bodies with
/// trailers are refused.
fn is_hop_by_hop(name: &[u8]) -> bool {
    HOP_BY_HOP.iter().any(|known| known.len() == name.len() && known.eq_ignore_ascii_case(name))
}

const HOP_BY_HOP: [&[u8]; 9] = [
    b"close",
    b"connection",
    b"http2-settings",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

/// Whether some server could take a field for one that the gateway sets.
fn is_identity(lower_name: &str) -> bool {
    let whole = [identity::KEY_ID, identity::SCHEME, identity::COVERED];
    let begins = lower_name.get(..identity::VALUE.len()).is_some_and(|start| is_alike(identity::VALUE, start));
    begins || whole.iter().any(|known| is_alike(known.as_str(), lower_name))
}

/// Whether some server could take one name for the other. CGI and its heirs read `-` and `_` alike, and some of them
/// other signs too.
fn is_alike(one: &str, other: &str) -> bool {
    let folded = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    one.len() == other.len() && one.bytes().map(folded).eq(other.bytes().map(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    fn names(fields: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn attack_18_connection_may_not_name_what_the_upstream_relies_on() {
        for (connection, expected) in [
            ("close", false),
            ("keep-alive, Upgrade, TE", false),
            ("x-unknown", false),
            ("", false),
            (",,", false),
            ("x-sign", true),
            ("close, X-Sign", true),
            ("close,\tx-sign ,", true),
            ("host", true),
            ("authorization", true),
            ("Countersign-Key-Id", true),
            ("countersign_scheme", true),
            ("Countersign-Value-User", true),
        ] {
            let fields =
                fields(&[("host", "a"), ("x-sign", "b"), ("authorization", "c"), ("connection", connection)]);
            assert_eq!(connection_names_a_field(&fields), expected, "{connection}");
        }
        let mut fields = fields(&[("connection", "close"), ("x", "y")]);
        fields.append("connection", HeaderValue::from_static("x"));
        assert!(connection_names_a_field(&fields));
    }

    #[test]
    fn attack_08_fields_that_some_server_takes_for_one_another_are_found() {
        for (names, expected) in [
            (&["host", "x-sign", "x-time", "x_other", "xsign"][..], false),
            (&["x-sign", "x_sign"], true),
            (&["x_sign", "host", "x.sign"], true),
            (&["x-a-b", "x_a-b"], true),
            (&["x_a-b", "x-a_b"], true),
            (&["x_sign"], false),
            (&["countersign_key_id", "countersign-key-id"], false),
            (&[], false),
        ] {
            let lines: Vec<(&str, &str)> = names.iter().map(|name| (*name, "a")).collect();
            assert_eq!(look_alike(&fields(&lines)), expected, "{names:?}");
        }
        let mut doubled = fields(&[("x_sign", "a")]);
        doubled.append("x_sign", HeaderValue::from_static("b"));
        assert!(!look_alike(&doubled), "one name twice is no matter of how it is read");
    }

    #[test]
    fn attack_19_every_look_alike_of_an_identity_field_is_stripped() {
        let mut request = fields(&[
            ("Countersign-Key-Id", "a"),
            ("countersign_key_id", "b"),
            ("COUNTERSIGN-key_ID", "c"),
            ("countersign.key.id", "d"),
            ("Countersign-Scheme", "e"),
            ("countersign~scheme", "f"),
            ("Countersign-Value-User", "h"),
            ("countersign_value_user", "i"),
            ("countersign.value.json", "j"),
            ("Countersign-Value-", "k"),
            ("Countersign-Values", "kept"),
            ("Countersign_Covered", "g"),
            ("Countersign-Signature", "kept"),
            ("X-Countersign-Key-Id", "kept"),
        ]);
        strip_request(&mut request);
        assert_eq!(names(&request), ["countersign-signature", "countersign-values", "x-countersign-key-id"]);
    }

    #[test]
    fn hop_by_hop_fields_end_here() {
        let mut request = fields(&[
            ("Connection", "close"),
            ("Keep-Alive", "5"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "x"),
            ("Proxy-Connection", "close"),
            ("Expect", "100-continue"),
            ("Host", "a"),
            ("Content-Length", "3"),
            ("X-Forwarded-For", "b"),
        ]);
        strip_request(&mut request);
        assert_eq!(names(&request), ["content-length", "host", "x-forwarded-for"]);

        let mut response = fields(&[("Connection", "X-Hop, close"), ("X-Hop", "a"), ("Expect", "b"), ("X", "c")]);
        strip_response(&mut response);
        assert_eq!(names(&response), ["expect", "x"]);
    }

    #[test]
    fn key_ids_become_field_values_and_stay_apart() {
        for (key_id, expected) in [
            (&b"alice"[..], "alice"),
            (b"a b", "a%20b"),
            (b"a%20b", "a%2520b"),
            (b"a\r\nX: y", "a%0D%0AX:%20y"),
            ("é".as_bytes(), "%C3%A9"),
            (b"", ""),
        ] {
            assert_eq!(key_id_value(key_id), expected);
        }
    }
}
