//! A scheme by its name in the catalogue or by its path, read, checked and compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_core::scheme::Span;
use countersign_core::{Plan, Scheme};
use countersign_gateway::config::SchemeFolder;
use countersign_schemes::{Excerpt, SchemeError, Source, catalogue};

/// A scheme that can be used, and the files it was read from.
#[derive(Debug, Clone)]
pub(crate) struct SchemeFile {
    pub(crate) plan: Arc<Plan>,
    pub(crate) sources: Vec<Source>,
}

/// Why there is no scheme.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{0}")]
    Faulty(#[from] SchemeError),
    #[error("there is no scheme `{name}` in the catalogue")]
    Unknown { name: String },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
}

impl OpenError {
    pub(crate) fn hint(&self) -> Option<String> {
        let Self::Unknown { name } = self else { return None };
        if Path::new(name).exists() {
            return Some(format!("for the file, write `./{name}`"));
        }
        Some(catalogue::meant(name).unwrap_or_else(|| {
            "`countersign schemes list WORD` looks for it; a file has a slash or the ending .toml".to_owned()
        }))
    }

    /// On one line, for an answer: each fault with its place.
    pub(crate) fn line(&self) -> String {
        let Self::Faulty(error) = self else { return self.to_string() };
        let faults = error.located().into_iter();
        let lines = faults.map(|fault| format!("{}:{}:{}: {}", fault.file, fault.line, fault.column, fault.message));
        lines.collect::<Vec<_>>().join("; ")
    }
}

impl SchemeFile {
    pub(crate) fn open(name: &str) -> Result<Self, OpenError> {
        let text = text(name)?;
        let document = countersign_schemes::open(name, &text, &SchemeFolder)?;
        match Scheme::check(&document.draft) {
            Ok(scheme) => Ok(Self { plan: Plan::compile(&scheme), sources: document.sources }),
            Err(faults) => Err(SchemeError::new(document.sources, faults).into()),
        }
    }

    pub(crate) fn scheme(&self) -> &Scheme {
        self.plan.scheme()
    }

    /// A place of the scheme, in the file where it stands.
    pub(crate) fn excerpt(&self, span: Span) -> Excerpt<'_> {
        Excerpt::new(&self.sources, span)
    }

    /// `file:line`.
    pub(crate) fn place(&self, span: Span) -> String {
        let excerpt = self.excerpt(span);
        format!("{}:{}", excerpt.file, excerpt.line)
    }
}

/// The text of a scheme file.
pub(crate) fn text(name: &str) -> Result<String, OpenError> {
    if is_path(name) {
        return std::fs::read_to_string(name)
            .map_err(|source| OpenError::Unreadable { path: PathBuf::from(name), source });
    }
    catalogue::text(name).map(str::to_owned).ok_or_else(|| OpenError::Unknown { name: name.to_owned() })
}

/// Whether a scheme is named by its path, by the rule of the gateway's configuration.
pub(crate) fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_a_hint() {
        let error = SchemeFile::open("aws-sigv4-quer").unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `aws-sigv4-query`?");
        assert!(SchemeFile::open("").unwrap_err().hint().unwrap().contains("countersign schemes"));
    }

    #[test]
    fn a_file_that_is_not_there_says_so() {
        assert!(matches!(SchemeFile::open("./none.toml"), Err(OpenError::Unreadable { .. })));
    }

    #[test]
    fn faults_fit_on_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, "[sigh]\nx = 1\n").unwrap();
        let error = SchemeFile::open(path.to_str().unwrap()).unwrap_err();
        assert!(error.line().contains("s.toml:1:2: "), "{}", error.line());
        assert!(!error.line().contains('\n'));
    }
}
