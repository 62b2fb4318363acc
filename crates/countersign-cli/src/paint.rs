//! Colour, where somebody wants it.

use std::fmt::Display;

/// Colours words, or leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) const fn new(colour: bool) -> Self {
        Self(colour)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.wrap("1;32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.wrap("1;31", text)
    }

    pub(crate) fn title(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
