//! What Django and itsdangerous sign of an object: its JSON in base64, compressed where that is shorter, and then with
//! a full stop before it.

use crate::inflate::{deflate_if_shorter, inflate};
use crate::json::Style;
use crate::{CannotSign, Json, JsonFault, Refused, base64};

/// How JSON is read from bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// A byte a character: Django's `JSONSerializer`.
    Latin1,
    Utf8,
}

/// Appends an object.
pub(crate) fn pack(value: &Json, style: Style, compress: bool, out: &mut String) -> Result<(), CannotSign> {
    if !value.is_portable() {
        return Err(CannotSign::Number);
    }
    let mut json = String::new();
    value.write(style, &mut json);
    match compress.then(|| deflate_if_shorter(json.as_bytes())).flatten() {
        Some(compressed) => {
            out.push('.');
            base64::append(base64::URL, &compressed, out);
        }
        None => base64::append(base64::URL, json.as_bytes(), out),
    }
    Ok(())
}

/// Reads an object. Only for what has been verified.
pub(crate) fn unpack(text: &[u8], charset: Charset) -> Result<Json, Refused> {
    let (compressed, text) = match text {
        [b'.', text @ ..] => (true, text),
        text => (false, text),
    };
    let mut data = base64::pythonic(text).ok_or(Refused::Malformed)?;
    if compressed {
        data = inflate(&data)?;
    }
    json(&data, charset)
}

/// Reads JSON. Only for what has been verified.
pub(crate) fn json(data: &[u8], charset: Charset) -> Result<Json, Refused> {
    let parsed = if charset == Charset::Latin1 && !data.is_ascii() {
        let text: String = data.iter().copied().map(char::from).collect();
        Json::parse(text.as_bytes())
    } else {
        Json::parse(data)
    };
    parsed.map_err(|fault| if fault == JsonFault::Deep { Refused::TooLarge } else { Refused::Malformed })
}
