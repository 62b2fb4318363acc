//! The view of a request that everything else reads: raw bytes, nothing decoded.

use crate::canon::trim;

/// The transport that carried a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Transport {
    /// The URL scheme.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme means when it names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A request, or a response, as it was sent.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// The method, as sent. For a response: that of the request it answers, or empty.
    pub method: &'a str,
    /// The request target in origin form, as sent: path, and `?` and query where there is one.
    pub target: &'a [u8],
    /// The authority as sent in `Host` (or `:authority`), its port included where one was sent.
    pub authority: &'a str,
    /// What carried it.
    pub transport: Transport,
    /// The field lines.
    pub fields: &'a (dyn Fields + Sync),
    /// The trailer fields (RFC 9110, section 6.5), where the caller has them: those that came behind the body.
    pub trailers: Option<&'a (dyn Fields + Sync)>,
    /// The whole body, where the caller has it. Required where [`BodyNeed::Buffer`] is the plan's answer;
    /// otherwise the body may be streamed instead.
    ///
    /// [`BodyNeed::Buffer`]: crate::BodyNeed::Buffer
    pub body: Option<&'a [u8]>,
    /// The client's address as text, for schemes that sign it.
    pub peer: Option<&'a str>,
    /// The status code, where this is a response.
    pub status: Option<u16>,
    /// The request that a response answers, where its scheme needs it.
    pub answers: Option<&'a RequestView<'a>>,
}

impl std::fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestView")
            .field("method", &self.method)
            .field("target", &String::from_utf8_lossy(self.target))
            .field("authority", &self.authority)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Field lines, however they are held.
///
/// Values are handed out with the spaces and tabs around them already removed (RFC 9110, section 5.5), one
/// call for each field line, in the order in which lines of one name were sent.
pub trait Fields {
    /// Calls `each` with every value of a field, whose name is given in lower case.
    fn values(&self, lower_name: &str, each: &mut dyn FnMut(&[u8]));
    /// Calls `each` with the name, in any case, and the value of every field line.
    fn all(&self, each: &mut dyn FnMut(&str, &[u8]));
}

/// Field lines held as pairs of name and value.
impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for [(N, V)] {
    fn values(&self, lower_name: &str, each: &mut dyn FnMut(&[u8])) {
        for (name, value) in self {
            if name.as_ref().eq_ignore_ascii_case(lower_name) {
                each(trim(value.as_ref()));
            }
        }
    }

    fn all(&self, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self {
            each(name.as_ref(), trim(value.as_ref()));
        }
    }
}

/// Field lines held as a vector of pairs.
impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for Vec<(N, V)> {
    fn values(&self, lower_name: &str, each: &mut dyn FnMut(&[u8])) {
        self.as_slice().values(lower_name, each);
    }

    fn all(&self, each: &mut dyn FnMut(&str, &[u8])) {
        self.as_slice().all(each);
    }
}
