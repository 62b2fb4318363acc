//! One thing to be done with a value, and what comes of it.

use countersign_core::UnixTime;
use countersign_signed::django::{Account, ResetTokens};
use countersign_signed::own::Sealing;
use countersign_signed::{Digest, Json, Judging, Opened, Refused, express};

use super::settings::{Format, Operation, Settings, ValueError};
use crate::world;

/// A task, as a line or the command line says it.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) operation: Operation,
    pub(crate) settings: Settings,
    /// Other settings of which values are read.
    pub(crate) also: Vec<Settings>,
    pub(crate) max_age: Option<u64>,
    pub(crate) now: UnixTime,
    /// The value; a string, but for `dumps`.
    pub(crate) value: Json,
    /// Where the signature lies beside it.
    pub(crate) signature: Option<String>,
    pub(crate) user: Option<User>,
}

/// Whose password is to be reset, as Django's user model has it.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) pk: String,
    pub(crate) password: String,
    pub(crate) last_login: Option<String>,
    pub(crate) email: String,
    pub(crate) utc_offset: i32,
}

/// What came of it: a value that is signed, or one that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) value: Json,
    pub(crate) needs_resign: bool,
}

impl From<Opened<Json>> for Done {
    fn from(opened: Opened<Json>) -> Self {
        let needs_resign = opened.needs_resign();
        Self { value: opened.into_value(), needs_resign }
    }
}

impl Task {
    /// Does it. The outer error: nothing could be decided.
    pub(crate) fn run(&self) -> Result<Result<Done, Refused>, ValueError> {
        self.settings.refuse_ageless(self.operation, self.max_age)?;
        let format = self.settings.format()?;
        self.settings.refuse_foreign(format)?;
        let (keygrip, reset) = (format == Format::Keygrip, format == Format::DjangoReset);
        for (field, foreign) in [
            ("signature", self.signature.is_some() && !keygrip),
            ("user", self.user.is_some() && !reset),
            ("also", !self.also.is_empty() && (keygrip || reset)),
        ] {
            if foreign {
                return Err(ValueError::Foreign { field, format: format.name(), instead: None });
            }
        }
        if reset {
            return self.reset();
        }
        if keygrip {
            return self.keygrip();
        }
        if self.settings.once == Some(true) && !self.operation.opens() {
            return self.seal_once().map(Ok);
        }
        let mut codec = self.settings.codec(self.operation)?;
        for older in &self.also {
            codec = codec.or_older(older.codec(self.operation)?);
        }
        let judging = self.judging();
        Ok(match self.operation {
            Operation::Sign => Ok(signed(codec.sign(self.text()?, self.now)?)),
            Operation::Dumps => Ok(signed(codec.dumps(&self.value, self.now)?)),
            Operation::Unsign => codec.unsign(self.text()?, &judging).map(|opened| {
                let needs_resign = opened.needs_resign();
                Done { value: Json::String(opened.into_value()), needs_resign }
            }),
            Operation::Loads => codec.loads(self.text()?, &judging).map(Done::from),
        })
    }

    /// Seals a value that may be redeemed once: it gets a number that nothing else has.
    fn seal_once(&self) -> Result<Done, ValueError> {
        let sealer = self.settings.sealer()?;
        let number = world::number().map_err(|_| ValueError::NoRandomness)?;
        let sealing = Sealing { now: self.now, lifetime: self.settings.expires_in, once: Some(number) };
        if sealing.lifetime.is_none() {
            return Err(ValueError::Missing { field: "expires_in" });
        }
        Ok(signed(match self.operation {
            Operation::Dumps => sealer.dumps(&self.value, &sealing)?,
            _ => sealer.sign(self.text()?, &sealing)?,
        }))
    }

    fn reset(&self) -> Result<Result<Done, Refused>, ValueError> {
        let user = self.user.as_ref().ok_or(ValueError::Missing { field: "user" })?;
        let digest = self.settings.digest(Digest::Sha256)?;
        let tokens = ResetTokens::new(&self.settings.keys()?, digest, user.utc_offset);
        let last_login = user.last_login.as_deref();
        let account = Account { pk: &user.pk, password: &user.password, last_login, email: &user.email };
        match self.operation {
            Operation::Sign => {
                let token = tokens.make(&account, self.now);
                Ok(Ok(signed(token.ok_or(countersign_signed::CannotSign::Time)?)))
            }
            Operation::Unsign => {
                let opened = tokens.check(&account, self.text()?, &self.judging());
                let value = Json::from(user.pk.as_str());
                Ok(opened.map(|opened| Done { value, needs_resign: opened.needs_resign() }))
            }
            operation => Err(no_operation("django-reset", operation)),
        }
    }

    fn keygrip(&self) -> Result<Result<Done, Refused>, ValueError> {
        let grip = express::Keygrip::new(&self.settings.keys()?, self.settings.digest(Digest::Sha1)?);
        let text = self.text()?;
        match self.operation {
            Operation::Sign => Ok(Ok(signed(grip.sign(text)?))),
            Operation::Unsign => {
                let signature = self.signature.as_deref().ok_or(ValueError::Missing { field: "signature" })?;
                let opened = grip.verify(text, signature);
                Ok(opened.map(|opened| Done { value: Json::from(text), needs_resign: opened.needs_resign() }))
            }
            operation => Err(no_operation("keygrip", operation)),
        }
    }

    fn text(&self) -> Result<&str, ValueError> {
        self.value.as_str().ok_or(ValueError::Kind { field: "value", wanted: "a string" })
    }

    fn judging(&self) -> Judging {
        Judging { now: self.now, max_age: self.max_age }
    }
}

fn no_operation(format: &'static str, operation: Operation) -> ValueError {
    let operation = if operation == Operation::Dumps { "dumps" } else { "loads" };
    ValueError::Operation { format, operation }
}

fn signed(text: String) -> Done {
    Done { value: Json::String(text), needs_resign: false }
}
