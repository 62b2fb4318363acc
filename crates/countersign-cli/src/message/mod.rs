//! A request or response, held whole, as the request commands read and write it.
//!
//! Bytes stay as they came: nothing is decoded but what the outer form demands (a folded field line, a JSON string).
//! What can be read in two ways is refused here where the engine could not see it: two `Host` fields.

pub(crate) mod http;
pub(crate) mod json;
mod url;

use countersign_core::canon::is_token;
use countersign_core::{RequestView, Signed, Transport};

pub(crate) use url::{Url, UrlError};

/// A message, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The method; empty for a response whose request is not known.
    pub(crate) method: String,
    /// Transport and authority as the URL gives them: `https://example.com:8443`. Empty for a response.
    pub(crate) origin: String,
    /// Path and query, as sent.
    pub(crate) target: Vec<u8>,
    /// The authority that is signed: that of `Host` where there is one.
    pub(crate) authority: String,
    pub(crate) transport: Transport,
    /// The field lines, in order.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// `None`: there is none, which is not the same to all schemes as an empty one.
    pub(crate) body: Option<Vec<u8>>,
    /// The fields behind the body.
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    /// The client's address.
    pub(crate) peer: Option<String>,
    /// The status, where this is a response.
    pub(crate) status: Option<u16>,
    /// The request that a response answers.
    pub(crate) answers: Option<Box<Message>>,
}

/// What both forms refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("there are two `Host` fields")]
    HostDoubled,
    #[error("the value of `Host` is not text")]
    HostUnreadable,
    #[error("{name:?} is not the name of a field")]
    FieldName { name: String },
    #[error("the value of `{name}` holds a line break or a NUL")]
    FieldValue { name: String },
}

impl Message {
    /// A request to a URL.
    pub(crate) fn request(
        method: String,
        url: Url,
        fields: Vec<(String, Vec<u8>)>,
        body: Option<Vec<u8>>,
    ) -> Result<Self, MessageError> {
        check_fields(&fields)?;
        let authority = match host(&fields)? {
            Some(host) if url.names(host) => host.to_owned(),
            // Two authorities that differ are for the engine to see, and to refuse.
            None | Some(_) => url.authority.clone(),
        };
        Ok(Self {
            method,
            origin: format!("{}://{}", url.transport.scheme(), url.authority),
            target: url.target,
            authority,
            transport: url.transport,
            fields,
            body,
            trailers: Vec::new(),
            peer: None,
            status: None,
            answers: None,
        })
    }

    /// A response, to a request where it is known.
    pub(crate) fn response(
        status: u16,
        fields: Vec<(String, Vec<u8>)>,
        body: Option<Vec<u8>>,
        answers: Option<Message>,
    ) -> Result<Self, MessageError> {
        check_fields(&fields)?;
        let mut response = Self {
            method: String::new(),
            origin: String::new(),
            target: Vec::new(),
            authority: String::new(),
            transport: Transport::Https,
            fields,
            body,
            trailers: Vec::new(),
            peer: None,
            status: Some(status),
            answers: None,
        };
        if let Some(request) = answers {
            response.answer(request);
        }
        Ok(response)
    }

    /// Says which request a response answers.
    pub(crate) fn answer(&mut self, request: Message) {
        self.method.clone_from(&request.method);
        self.transport = request.transport;
        self.answers = Some(Box::new(request));
    }

    /// Shows the message to the engine, whole: there is no more of it to come.
    pub(crate) fn seen<T>(&self, see: impl FnOnce(RequestView<'_>) -> T) -> T {
        self.seen_to_sign(|view| see(RequestView { body: Some(self.content()), ..view }))
    }

    /// Shows it to a signer, who is told whether there is a body at all.
    pub(crate) fn seen_to_sign<T>(&self, see: impl FnOnce(RequestView<'_>) -> T) -> T {
        let answers =
            self.answers.as_ref().map(|request| RequestView { body: Some(request.content()), ..request.view(None) });
        see(self.view(answers.as_ref()))
    }

    /// The body's bytes.
    pub(crate) fn content(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    fn view<'a>(&'a self, answers: Option<&'a RequestView<'a>>) -> RequestView<'a> {
        RequestView {
            method: &self.method,
            target: &self.target,
            authority: &self.authority,
            transport: self.transport,
            fields: &self.fields,
            body: self.body.as_deref(),
            peer: self.peer.as_deref(),
            status: self.status,
            trailers: Some(&self.trailers),
            answers,
        }
    }

    /// Gives it the fields that come behind its body.
    pub(crate) fn trail(&mut self, trailers: Vec<(String, Vec<u8>)>) -> Result<(), MessageError> {
        check_fields(&trailers)?;
        self.trailers = trailers;
        Ok(())
    }

    /// The message with what signing adds to it.
    pub(crate) fn apply(&mut self, signed: &Signed) {
        signed.apply(&mut self.fields);
        self.target.clone_from(&signed.target);
        if let Some(body) = &signed.body {
            self.body = Some(body.clone());
        }
    }

    /// The URL. What is not UTF-8 in the target is replaced: such a target can be sent, but not written in JSON.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin, String::from_utf8_lossy(&self.target))
    }

    /// The values of a field, in order.
    pub(crate) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }
}

fn check_fields(fields: &[(String, Vec<u8>)]) -> Result<(), MessageError> {
    for (name, value) in fields {
        if !is_token(name.as_bytes()) {
            return Err(MessageError::FieldName { name: name.clone() });
        }
        if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(MessageError::FieldValue { name: name.clone() });
        }
    }
    Ok(())
}

/// The value of `Host`, if there is one. Two would be two requests in one.
fn host(fields: &[(String, Vec<u8>)]) -> Result<Option<&str>, MessageError> {
    let mut values = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    let Some((_, value)) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(MessageError::HostDoubled);
    }
    match std::str::from_utf8(value.trim_ascii()) {
        Ok(host) => Ok(Some(host)),
        Err(_) => Err(MessageError::HostUnreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, fields: &[(&str, &str)]) -> Result<Message, MessageError> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Message::request("GET".to_owned(), Url::parse(url).unwrap(), fields, None)
    }

    #[test]
    fn the_host_as_sent_is_the_authority_unless_the_url_says_another() {
        assert_eq!(request("https://a/", &[("Host", "b")]).unwrap().authority, "a", "the engine sees both");
        let doubled = request("https://a/", &[("Host", "a"), ("host", "a")]).unwrap_err();
        assert_eq!(doubled, MessageError::HostDoubled);
        for (url, host) in
            [("https://a/", "A"), ("https://a:443/", "a"), ("http://a/", "a:80"), ("http://a:1/", "a:1")]
        {
            assert_eq!(request(url, &[("Host", host)]).unwrap().authority, host);
        }
        assert_eq!(request("https://a:1/", &[]).unwrap().authority, "a:1");
    }

    #[test]
    fn what_would_end_a_line_is_no_field() {
        for (name, value) in
            [("a b", ""), ("", ""), ("a:", ""), ("é", ""), ("a", "b\r\nc"), ("a", "\0"), ("a", "b\n")]
        {
            assert!(request("https://a/", &[(name, value)]).is_err(), "{name:?}: {value:?}");
        }
    }
}
