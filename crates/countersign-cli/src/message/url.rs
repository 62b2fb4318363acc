//! A URL cut into transport, authority and target. Nothing of it is decoded or normalised.

use std::fmt::Write as _;

use countersign_core::Transport;

/// An absolute `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) transport: Transport,
    /// Host, and port where one is written.
    pub(crate) authority: String,
    /// From the first `/` on; `/` where there is none.
    pub(crate) target: Vec<u8>,
}

/// Why a text is no URL that can be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the URL has a control character")]
    Control,
    #[error("the URL has a fragment, which is never sent")]
    Fragment,
    #[error("the URL names no host")]
    NoHost,
    #[error("the URL does not begin with http:// or https://")]
    NotAbsolute,
    #[error("the URL holds a user name, which is no part of a request")]
    UserInfo,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        let (transport, rest) = [Transport::Https, Transport::Http]
            .into_iter()
            .find_map(|transport| Some((transport, after_scheme(text, transport)?)))
            .ok_or(UrlError::NotAbsolute)?;
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        if rest.chars().any(|c| c.is_ascii_control()) {
            return Err(UrlError::Control);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        if authority.is_empty() || authority.starts_with(':') || authority.contains(' ') {
            return Err(UrlError::NoHost);
        }
        // RFC 9112, section 3.2.1: an empty path is sent as `/`.
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { transport, authority: authority.to_owned(), target: format!("{slash}{target}").into_bytes() })
    }

    /// The URL with whatever cannot stand in one percent-encoded, and nothing else.
    pub(crate) fn encoded(&self) -> String {
        let mut url = format!("{}://{}", self.transport.scheme(), self.authority);
        for byte in &self.target {
            if byte.is_ascii_graphic() {
                url.push(char::from(*byte));
            } else {
                // Writing to memory cannot fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
        url
    }

    /// Whether a `Host` field names this URL's authority: RFC 9110, section 4.2.3, without case and with the default
    /// port written or not.
    pub(crate) fn names(&self, host: &str) -> bool {
        let default = format!(":{}", self.transport.default_port());
        let bare = |authority: &str| {
            let lower = authority.to_ascii_lowercase();
            lower.strip_suffix(&default).map_or(lower.clone(), str::to_owned)
        };
        bare(host) == bare(&self.authority)
    }
}

fn after_scheme(text: &str, transport: Transport) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    scheme.eq_ignore_ascii_case(transport.scheme()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_url_says_why() {
        for (text, why) in [
            ("", UrlError::NotAbsolute),
            ("/p", UrlError::NotAbsolute),
            ("ftp://a/", UrlError::NotAbsolute),
            ("https:/a", UrlError::NotAbsolute),
            ("https://", UrlError::NoHost),
            ("https:///p", UrlError::NoHost),
            ("https://:80/", UrlError::NoHost),
            ("https://a b/", UrlError::NoHost),
            ("https://user:pass@a/", UrlError::UserInfo),
            ("https://a/#x", UrlError::Fragment),
            ("https://a/\r\nHost: b", UrlError::Control),
        ] {
            assert_eq!(Url::parse(text).unwrap_err(), why, "{text:?}");
        }
    }

    #[test]
    fn a_url_is_cut_and_not_changed() {
        for (text, authority, target) in [
            ("https://a", "a", "/"),
            ("https://a?x=1", "a", "/?x=1"),
            ("HTTP://A:1/b//../c%2F?d=%20+é@", "A:1", "/b//../c%2F?d=%20+é@"),
            ("https://[::1]:8443/ x", "[::1]:8443", "/ x"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.authority.as_str(), url.target.as_slice()), (authority, target.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in "(https?://)?(?s).{0,40}") {
            if let Ok(url) = Url::parse(&text) {
                prop_assert!(url.target.starts_with(b"/"));
                prop_assert!(url.names(&url.authority));
            }
        }
    }
}
