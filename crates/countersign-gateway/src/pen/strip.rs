//! What ends here because the gateway writes it anew: everything in which the outbound scheme carries anything. A client
//! could otherwise choose the time or the nonce that the gateway signs.

use countersign_core::scheme::Scheme;
use countersign_core::scheme::draft::Place;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::InvalidUri;
use http::{Uri, request::Parts};

use super::members;

/// Fields, cookies and parameters of the query that are removed.
#[derive(Debug, Default)]
pub(crate) struct Clashes {
    fields: Vec<HeaderName>,
    cookies: Vec<String>,
    parameters: Vec<String>,
}

impl Clashes {
    /// Adds the places in which a scheme's messages carry something. `None` where one of them is in the body or the
    /// path, which cannot be taken out.
    pub(crate) fn add(&mut self, scheme: &Scheme, response: bool) -> Option<()> {
        let mut all_can_go = true;
        for member in members(scheme) {
            let Some(message) = (if response { member.response.as_ref() } else { Some(&member.request) }) else {
                continue;
            };
            if message.message_signature.is_some() {
                self.fields.extend(["signature", "signature-input"].map(HeaderName::from_static));
            }
            for carrier in &message.carriers {
                match carrier.place {
                    Place::Header => self.fields.extend(HeaderName::from_bytes(carrier.name.as_bytes())),
                    Place::Cookie => self.cookies.push(carrier.name.clone()),
                    Place::Query => self.parameters.push(carrier.name.clone()),
                    Place::Form | Place::Json | Place::Path | Place::Xml if carrier.within.is_none() => {
                        all_can_go = false;
                    }
                    _ => {}
                }
            }
        }
        all_can_go.then_some(())
    }

    /// Removes them from a request.
    pub(crate) fn remove(&self, head: &mut Parts) -> Result<(), InvalidUri> {
        self.remove_fields(&mut head.headers);
        if self.parameters.is_empty() {
            return Ok(());
        }
        if let Some((path, query)) = head.uri.path_and_query().and_then(|target| target.as_str().split_once('?')) {
            let goes = |pair: &str| {
                let name = pair.split('=').next().unwrap_or_default();
                self.parameters.iter().any(|known| decoded(name) == known.as_bytes())
            };
            if query.split('&').any(goes) {
                let kept: Vec<&str> = query.split('&').filter(|pair| !goes(pair)).collect();
                let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
                head.uri = target.parse::<Uri>()?;
            }
        }
        Ok(())
    }

    /// Removes them from field lines alone.
    pub(crate) fn remove_fields(&self, fields: &mut HeaderMap) {
        for name in &self.fields {
            fields.remove(name);
        }
        if self.cookies.is_empty() || !fields.contains_key(header::COOKIE) {
            return;
        }
        let mut lines = Vec::new();
        for line in fields.get_all(header::COOKIE) {
            let stays = |pair: &&[u8]| {
                let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
                !self.cookies.iter().any(|known| known.as_bytes() == name)
            };
            let kept: Vec<&[u8]> = line.as_bytes().split(|byte| *byte == b';').filter(stays).collect();
            lines.extend(HeaderValue::from_bytes(kept.join(&b';').trim_ascii()));
        }
        fields.remove(header::COOKIE);
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            fields.append(header::COOKIE, line);
        }
    }
}

/// A parameter's name without its percent-encoding; what is no encoding stays.
fn decoded(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = hex.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            rest = &after[2..];
        } else {
            out.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_goes_and_the_rest_keeps_its_bytes() {
        let clashes = Clashes {
            fields: vec![HeaderName::from_static("x-sign")],
            cookies: vec!["token".to_owned()],
            parameters: vec!["X-Sig".to_owned()],
        };
        for (target, expected) in [
            ("/a?b=%7e&X-Sig=1&c", "/a?b=%7e&c"),
            ("/a?X%2dSig=1", "/a"),
            ("/a?x-sig=1", "/a?x-sig=1"),
            ("/a?", "/a?"),
            ("/a", "/a"),
        ] {
            let request = http::Request::builder()
                .uri(target)
                .header("X-Sign", "1")
                .header("X-Sign", "2")
                .header("X-Other", "3")
                .header("Cookie", "a=1; token=2; b=3")
                .header("Cookie", "token=4")
                .body(())
                .unwrap();
            let (mut head, ()) = request.into_parts();
            clashes.remove(&mut head).unwrap();
            assert_eq!(head.uri.to_string(), expected);
            assert!(!head.headers.contains_key("x-sign"));
            assert_eq!(head.headers["x-other"], "3");
            let cookies: Vec<_> = head.headers.get_all("cookie").iter().collect();
            assert_eq!(cookies, ["a=1; b=3"], "{target}");
        }
    }
}
