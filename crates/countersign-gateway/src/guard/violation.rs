//! What a request can get wrong before it is a request: each rule of the guard, with its code and its sentence.

/// A rule of HTTP/1.1 framing that was broken, or a limit that was passed.
///
/// Section numbers without a document are those of RFC 9112.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// An absolute-form target whose authority is not that of `Host` (section 3.2.2).
    #[error("the request target and the Host field name different authorities")]
    AuthorityDisagrees,
    /// Body bytes did not come in time.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// The chunk's data is not followed by a line end (section 7.1).
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    /// A chunk extension (section 7.1.1). Nobody needs one; parsers disagree about them.
    #[error("a chunk has an extension, which is not accepted")]
    ChunkExtension,
    /// The chunk's size is not one to sixteen hexadecimal digits and a line end (section 7.1).
    #[error("a chunk's size is not a plain hexadecimal number")]
    ChunkSize,
    /// `CONNECT` or an authority-form target (section 3.2.3): this is not a tunnel.
    #[error("CONNECT is not accepted")]
    Connect,
    /// A control byte where none may stand (RFC 9110, section 5.5).
    #[error("the head contains a control byte")]
    ControlByte,
    /// `Transfer-Encoding` is not exactly `chunked` (section 6.1).
    #[error("Transfer-Encoding is not exactly \"chunked\"")]
    EncodingOdd,
    /// `Transfer-Encoding` in a message of HTTP/1.0 (section 6.1).
    #[error("Transfer-Encoding is not part of HTTP/1.0")]
    EncodingOnOldVersion,
    /// More than one `Transfer-Encoding` line.
    #[error("Transfer-Encoding is there more than once")]
    EncodingRepeated,
    /// An `Expect` that is not `100-continue` (RFC 9110, section 10.1.1).
    #[error("the expectation is not one that can be met")]
    Expectation,
    /// A field line without a colon.
    #[error("a field line has no colon")]
    FieldLine,
    /// A field name that is not a token (RFC 9110, section 5.1).
    #[error("a field name is empty or has bytes that do not belong in one")]
    FieldName,
    /// More than [`FIELD_LIMIT`](super::FIELD_LIMIT) field lines.
    #[error("the head has more than 100 field lines")]
    FieldsTooMany,
    /// The head did not come in time.
    #[error("the head did not arrive in time")]
    HeadTimeout,
    /// The head is longer than [`HEAD_LIMIT`](super::HEAD_LIMIT).
    #[error("the head is longer than 64 KiB")]
    HeadTooLarge,
    /// No `Host` where there must be one (section 3.2).
    #[error("there is no Host field")]
    HostMissing,
    /// A `Host` that is not a plain host with an optional port (RFC 9110, section 7.2).
    #[error("the Host field is not a host with an optional port")]
    HostOdd,
    /// More than one `Host` line (section 3.2).
    #[error("Host is there more than once")]
    HostRepeated,
    /// Both `Content-Length` and `Transfer-Encoding` (section 6.1).
    #[error("both Content-Length and Transfer-Encoding are there")]
    LengthAndEncoding,
    /// `Content-Length` is not a plain decimal number (RFC 9110, section 8.6).
    #[error("Content-Length is not a plain decimal number")]
    LengthOdd,
    /// More than one `Content-Length` line, equal or not.
    #[error("Content-Length is there more than once")]
    LengthRepeated,
    /// A line feed without its carriage return, or a carriage return without its line feed (section 2.2).
    #[error("a line does not end in CR LF")]
    LineEnding,
    /// A field that an upstream may take for a framing field: `Content_Length` and the like.
    #[error("a field name differs from a framing field only by \"_\" for \"-\"")]
    Lookalike,
    /// The method is not a token (RFC 9110, section 9.1).
    #[error("the method is not a token")]
    Method,
    /// A folded line (section 5.2).
    #[error("a field line is folded")]
    ObsoleteFold,
    /// The request line is not `method SP target SP version` (section 3).
    #[error("the request line is not method, target and version with one space between them")]
    RequestLine,
    /// White space between a field's name and its colon (section 5.1).
    #[error("there is white space before a field's colon")]
    SpaceBeforeColon,
    /// The target has a byte that does not belong in one (RFC 3986, section 3).
    #[error("the request target has bytes that must be percent-encoded")]
    TargetByte,
    /// The target is in none of the forms that this method may have (section 3.2).
    #[error("the request target is in a form that is not accepted")]
    TargetForm,
    /// Fields after the last chunk (section 7.1.2). They come too late to be signed.
    #[error("the body has trailer fields, which are not accepted")]
    Trailers,
    /// Not HTTP/1.1 or HTTP/1.0 (section 2.3).
    #[error("the HTTP version is neither 1.1 nor 1.0")]
    Version,
}

impl Violation {
    /// Every violation, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::AuthorityDisagrees,
        Self::BodyTimeout,
        Self::ChunkEnd,
        Self::ChunkExtension,
        Self::ChunkSize,
        Self::Connect,
        Self::ControlByte,
        Self::EncodingOdd,
        Self::EncodingOnOldVersion,
        Self::EncodingRepeated,
        Self::Expectation,
        Self::FieldLine,
        Self::FieldName,
        Self::FieldsTooMany,
        Self::HeadTimeout,
        Self::HeadTooLarge,
        Self::HostMissing,
        Self::HostOdd,
        Self::HostRepeated,
        Self::LengthAndEncoding,
        Self::LengthOdd,
        Self::LengthRepeated,
        Self::LineEnding,
        Self::Lookalike,
        Self::Method,
        Self::ObsoleteFold,
        Self::RequestLine,
        Self::SpaceBeforeColon,
        Self::TargetByte,
        Self::TargetForm,
        Self::Trailers,
        Self::Version,
    ];

    /// The stable code, as in `http-line-ending`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AuthorityDisagrees => "http-authority-disagrees",
            Self::BodyTimeout => "http-body-timeout",
            Self::ChunkEnd => "http-chunk-end",
            Self::ChunkExtension => "http-chunk-extension",
            Self::ChunkSize => "http-chunk-size",
            Self::Connect => "http-connect",
            Self::ControlByte => "http-control-byte",
            Self::EncodingOdd => "http-encoding-odd",
            Self::EncodingOnOldVersion => "http-encoding-on-old-version",
            Self::EncodingRepeated => "http-encoding-repeated",
            Self::Expectation => "http-expectation",
            Self::FieldLine => "http-field-line",
            Self::FieldName => "http-field-name",
            Self::FieldsTooMany => "http-fields-too-many",
            Self::HeadTimeout => "http-head-timeout",
            Self::HeadTooLarge => "http-head-too-large",
            Self::HostMissing => "http-host-missing",
            Self::HostOdd => "http-host-odd",
            Self::HostRepeated => "http-host-repeated",
            Self::LengthAndEncoding => "http-length-and-encoding",
            Self::LengthOdd => "http-length-odd",
            Self::LengthRepeated => "http-length-repeated",
            Self::LineEnding => "http-line-ending",
            Self::Lookalike => "http-lookalike",
            Self::Method => "http-method",
            Self::ObsoleteFold => "http-obsolete-fold",
            Self::RequestLine => "http-request-line",
            Self::SpaceBeforeColon => "http-space-before-colon",
            Self::TargetByte => "http-target-byte",
            Self::TargetForm => "http-target-form",
            Self::Trailers => "http-trailers",
            Self::Version => "http-version",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Violation;

    #[test]
    fn codes_are_sorted_and_unique() {
        let codes: Vec<_> = Violation::ALL.iter().map(|v| v.code()).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }
}
