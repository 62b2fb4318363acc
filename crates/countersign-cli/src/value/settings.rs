//! What is said about a signed value, on the command line or in a line, and the codec that it makes.
//!
//! What a format does not have is refused where it is said: it would be missed silently.

use countersign_signed::rails::Envelope;
use countersign_signed::{Codec, Digest, Keys, SettingFault, django, express, itsdangerous, own, rails};

use crate::material::SecretText;

/// Everything that may be said; what is not said is the framework's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) format: Option<String>,
    /// The newest first.
    pub(crate) keys: Vec<SecretText>,
    pub(crate) salt: Option<String>,
    pub(crate) sep: Option<String>,
    pub(crate) algorithm: Option<String>,
    pub(crate) key_derivation: Option<String>,
    pub(crate) key_digest: Option<String>,
    pub(crate) timestamp: Option<bool>,
    pub(crate) compress: Option<bool>,
    pub(crate) url_safe: Option<bool>,
    pub(crate) cookie: Option<String>,
    pub(crate) cookie_salt: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) expires_in: Option<u64>,
    pub(crate) envelope: Option<String>,
    pub(crate) once: Option<bool>,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Dumps,
    Loads,
    Sign,
    Unsign,
}

impl Operation {
    pub(crate) const NAMES: &'static str = "`sign`, `unsign`, `dumps` or `loads`";

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "dumps" => Self::Dumps,
            "loads" => Self::Loads,
            "sign" => Self::Sign,
            "unsign" => Self::Unsign,
            _ => return None,
        })
    }

    const fn is_of_objects(self) -> bool {
        matches!(self, Self::Dumps | Self::Loads)
    }

    pub(crate) const fn opens(self) -> bool {
        matches!(self, Self::Loads | Self::Unsign)
    }
}

/// The formats, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Countersign,
    Django,
    DjangoReset,
    Express,
    Flask,
    Itsdangerous,
    Keygrip,
    Rails,
}

impl Format {
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("countersign", Self::Countersign),
        ("django", Self::Django),
        ("django-reset", Self::DjangoReset),
        ("express", Self::Express),
        ("flask", Self::Flask),
        ("itsdangerous", Self::Itsdangerous),
        ("keygrip", Self::Keygrip),
        ("rails", Self::Rails),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Result<Self, ValueError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        found.ok_or_else(|| ValueError::Unknown { field: "format", known: Self::names() })
    }

    pub(crate) fn names() -> String {
        let names: Vec<String> = Self::ALL.iter().map(|(name, _)| format!("`{name}`")).collect();
        names.join(", ")
    }
}

/// Why nothing can be said of a value. Shows names, and no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("it cannot be signed: {0}")]
    CannotSign(#[from] countersign_signed::CannotSign),
    #[error("`{field}` and `{other}` exclude each other")]
    Both { field: &'static str, other: &'static str },
    #[error("`{format}` has no `{operation}`")]
    Operation { format: &'static str, operation: &'static str },
    #[error("`{field}` is none of those that there are: {known}")]
    Unknown { field: &'static str, known: String },
    #[error("`{field}` means nothing to `{format}`{}", .instead.map(|instead| format!(": {instead}")).unwrap_or_default())]
    Foreign { field: &'static str, format: &'static str, instead: Option<&'static str> },
    #[error("`{field}` is missing")]
    Missing { field: &'static str },
    #[error("`{field}` must be {wanted}")]
    Kind { field: &'static str, wanted: &'static str },
    #[error("{0}")]
    Setting(#[from] SettingFault),
    #[error("`{name}` is not a field of {of}; the fields are {known}")]
    Field { name: String, of: &'static str, known: String },
    #[error("the system gives no random bits")]
    NoRandomness,
    #[error("the line is not a JSON object")]
    NotAnObject,
    #[error("the line cannot be read: {0}")]
    Syntax(countersign_signed::JsonFault),
    #[error("the value is not JSON: {0}")]
    NotJson(countersign_signed::JsonFault),
    #[error("the line is longer than {most} bytes")]
    LineTooLong { most: usize },
}

impl ValueError {
    /// What to do about it on the command line, where options have the names of fields.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { field, .. } => Some(format!("--{} takes one of them", field.replace('_', "-"))),
            Self::Missing { field } => Some(format!("give --{}", field.replace('_', "-"))),
            _ => None,
        }
    }
}

impl From<countersign_signed::KeyFault> for ValueError {
    fn from(fault: countersign_signed::KeyFault) -> Self {
        Self::Setting(fault.into())
    }
}

impl Settings {
    pub(crate) fn format(&self) -> Result<Format, ValueError> {
        Format::named(self.format.as_deref().ok_or(ValueError::Missing { field: "format" })?)
    }

    pub(crate) fn keys(&self) -> Result<Keys, ValueError> {
        if self.keys.is_empty() {
            return Err(ValueError::Missing { field: "key" });
        }
        Ok(Keys::newest_first(self.keys.iter().map(|key| key.expose().as_bytes()))?)
    }

    pub(crate) fn digest(&self, default: Digest) -> Result<Digest, ValueError> {
        named_digest("algorithm", self.algorithm.as_deref(), default)
    }

    /// The codec for an operation.
    pub(crate) fn codec(&self, operation: Operation) -> Result<Codec, ValueError> {
        let format = self.format()?;
        self.refuse_foreign(format)?;
        match format {
            Format::Countersign => Ok(Codec::own(self.sealer()?, self.expires_in)),
            Format::Django => self.django(operation),
            Format::Express => {
                if self.digest(Digest::Sha256)? != Digest::Sha256 {
                    return Err(ValueError::Unknown { field: "algorithm", known: "`sha256`".to_owned() });
                }
                Ok(express::CookieSigner::new(&self.keys()?).into())
            }
            Format::Flask | Format::Itsdangerous => self.itsdangerous(format, operation),
            Format::Rails => self.rails(),
            Format::DjangoReset | Format::Keygrip => {
                Err(ValueError::Operation { format: format.name(), operation: "dumps" })
            }
        }
    }

    /// What seals our own format.
    pub(crate) fn sealer(&self) -> Result<own::Sealer, ValueError> {
        let purpose = self.purpose.as_deref().ok_or(ValueError::Missing { field: "purpose" })?;
        Ok(own::Sealer::new(&self.keys()?, purpose)?)
    }

    fn django(&self, operation: Operation) -> Result<Codec, ValueError> {
        // What Django dumps is always timed, whatever is said.
        let class = match (operation.is_of_objects(), self.timestamp.unwrap_or_default()) {
            (true, _) => django::Class::Dumps,
            (false, true) => django::Class::TimestampSigner,
            (false, false) => django::Class::Signer,
        };
        let options = django::Options {
            class,
            salt: self.salt.clone(),
            separator: self.sep.clone().unwrap_or_else(|| ":".to_owned()),
            digest: self.digest(Digest::Sha256)?,
            compress: self.compress.unwrap_or_default(),
        };
        let Some(name) = &self.cookie else {
            return Ok(django::Signer::new(&self.keys()?, &options)?.into());
        };
        let how = match self.cookie_salt.as_deref() {
            None | Some("prefixed") => django::CookieSalt::Prefixed,
            Some("joined") => django::CookieSalt::Joined,
            Some(_) => {
                return Err(ValueError::Unknown { field: "cookie_salt", known: "`prefixed`, `joined`".to_owned() });
            }
        };
        // Django reads cookies of the old salt too, unless it is told not to.
        let also = self.cookie_salt.is_none();
        Ok(django::cookie(&self.keys()?, name, how, also, &options)?)
    }

    fn itsdangerous(&self, format: Format, operation: Operation) -> Result<Codec, ValueError> {
        let mut options = if format == Format::Flask {
            itsdangerous::Options::flask_session()
        } else {
            let salt =
                if operation.is_of_objects() { itsdangerous::SERIALIZER_SALT } else { itsdangerous::SIGNER_SALT };
            itsdangerous::Options { salt: salt.to_owned(), ..itsdangerous::Options::default() }
        };
        if let Some(salt) = &self.salt {
            options.salt.clone_from(salt);
        }
        if let Some(sep) = &self.sep {
            options.separator.clone_from(sep);
        }
        if let Some(name) = &self.key_derivation {
            let known = || "`concat`, `django-concat`, `hmac`, `none`".to_owned();
            options.derivation = itsdangerous::Derivation::from_name(name)
                .ok_or_else(|| ValueError::Unknown { field: "key_derivation", known: known() })?;
        }
        options.digest = self.digest(options.digest)?;
        options.timed = self.timestamp.unwrap_or(options.timed);
        options.url_safe = self.url_safe.unwrap_or(options.url_safe);
        Ok(itsdangerous::Signer::new(&self.keys()?, &options)?.into())
    }

    fn rails(&self) -> Result<Codec, ValueError> {
        let envelope = match self.envelope.as_deref() {
            None | Some("message") => Envelope::Message,
            Some("data") => Envelope::Data,
            Some(_) => return Err(ValueError::Unknown { field: "envelope", known: "`message`, `data`".to_owned() }),
        };
        let cookie = self.cookie.as_deref().map(|name| format!("cookie.{name}"));
        let purpose = match (&self.purpose, cookie) {
            (Some(_), Some(_)) => return Err(ValueError::Both { field: "purpose", other: "cookie" }),
            (purpose, cookie) => purpose.clone().or(cookie),
        };
        // Rails spells them in capitals.
        let algorithm = self.algorithm.as_deref().map(str::to_ascii_lowercase);
        let options = rails::Options {
            digest: named_digest("algorithm", algorithm.as_deref(), Digest::Sha1)?,
            purpose,
            expires_in: self.expires_in,
            envelope,
            url_safe: self.url_safe.unwrap_or_default(),
        };
        let keys = match (&self.salt, &self.key_digest) {
            (None, None) => self.keys()?,
            (Some(salt), Some(digest)) => {
                let digest = named_digest("key_digest", Some(&digest.to_ascii_lowercase()), Digest::Sha256)?;
                rails::derived(&self.keys()?, digest, salt)?
            }
            (Some(_), None) => return Err(ValueError::Missing { field: "key_digest" }),
            (None, Some(_)) => return Err(ValueError::Missing { field: "salt" }),
        };
        Ok(rails::Verifier::new(&keys, &options).into())
    }

    /// Refuses what a format does not have.
    pub(crate) fn refuse_foreign(&self, format: Format) -> Result<(), ValueError> {
        use Format::{Countersign, Django, DjangoReset, Express, Flask, Itsdangerous, Keygrip, Rails};
        // What a format has anyway may be said.
        let own_sep = match format {
            Rails => Some("--"),
            Express | Countersign => Some("."),
            _ => None,
        };
        let own = "it has one of its own";
        let timed = "it has no timed class";
        for (field, said, formats, instead) in [
            ("salt", self.salt.is_some(), &[Django, Itsdangerous, Flask, Rails][..], None),
            ("sep", self.sep.is_some() && self.sep.as_deref() != own_sep, &[Django, Itsdangerous, Flask], Some(own)),
            (
                "algorithm",
                self.algorithm.is_some(),
                &[Django, DjangoReset, Express, Flask, Itsdangerous, Keygrip, Rails],
                Some(own),
            ),
            ("key_derivation", self.key_derivation.is_some(), &[Itsdangerous, Flask], None),
            ("key_digest", self.key_digest.is_some(), &[Rails], None),
            ("timestamp", self.timestamp == Some(true), &[Django, Itsdangerous, Flask], Some(timed)),
            ("compress", self.compress == Some(true), &[Django, Itsdangerous, Flask], None),
            ("cookie", self.cookie.is_some(), &[Django, Rails], None),
            ("cookie_salt", self.cookie_salt.is_some(), &[Django], None),
            ("purpose", self.purpose.is_some(), &[Countersign, Rails], Some("use `salt`")),
            ("expires_in", self.expires_in.is_some(), &[Countersign, Rails], Some("use `max_age` where it is read")),
            ("envelope", self.envelope.is_some(), &[Rails], None),
            ("once", self.once == Some(true), &[Countersign], Some("it is the reader's to say")),
        ] {
            if said && !formats.contains(&format) {
                return Err(ValueError::Foreign { field, format: format.name(), instead });
            }
        }
        Ok(())
    }

    /// Refuses an age where the format does not tell the time: nothing would be too old.
    pub(crate) fn refuse_ageless(&self, operation: Operation, max_age: Option<u64>) -> Result<(), ValueError> {
        if max_age.is_none() || !operation.opens() {
            return Ok(());
        }
        let format = self.format()?;
        let timed = match format {
            Format::Countersign | Format::DjangoReset => true,
            Format::Django => operation.is_of_objects() || self.cookie.is_some() || self.timestamp == Some(true),
            Format::Flask => self.timestamp != Some(false),
            Format::Itsdangerous => self.timestamp == Some(true),
            Format::Express | Format::Keygrip | Format::Rails => false,
        };
        if timed {
            return Ok(());
        }
        let instead = matches!(format, Format::Django | Format::Itsdangerous | Format::Flask)
            .then_some("only its timed class tells the time (`timestamp`)");
        Err(ValueError::Foreign { field: "max_age", format: format.name(), instead })
    }
}

fn named_digest(field: &'static str, name: Option<&str>, default: Digest) -> Result<Digest, ValueError> {
    let Some(name) = name else { return Ok(default) };
    Digest::from_name(name).ok_or_else(|| {
        let names: Vec<String> = Digest::ALL.iter().map(|digest| format!("`{}`", digest.name())).collect();
        ValueError::Unknown { field, known: names.join(", ") }
    })
}
