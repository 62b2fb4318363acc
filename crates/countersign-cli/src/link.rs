//! `countersign link`: links made and checked.

use std::io::Write as _;

use countersign_core::UnixTime;
use countersign_signed::link::{Checked, Followed, Links, Request, Terms};
use countersign_signed::{Keys, Refused};
use serde::Serialize;

use crate::args::{CheckLink, LinkArguments, LinkCommand, LinkKeys, MakeLink};
use crate::failure::Failure;
use crate::message::Url;
use crate::out::{Outcome, Output};
use crate::value::read_keys;
use crate::world;

pub(crate) fn run(arguments: &LinkArguments, out: &mut Output) -> Result<Outcome, Failure> {
    match &arguments.command {
        LinkCommand::Make(arguments) => make(arguments, out),
        LinkCommand::Check(arguments) => check(arguments, out),
    }
}

fn make(arguments: &MakeLink, out: &mut Output) -> Result<Outcome, Failure> {
    let terms = Terms {
        methods: arguments.methods.clone(),
        uses: arguments.uses,
        address: arguments.address,
        key: arguments.key_id.clone(),
        free: arguments.free.clone(),
        any_host: arguments.any_host,
        ..Terms::lasting(arguments.expires_in)
    };
    let made = links(&arguments.keys)?.make(&arguments.url, &terms, world::number()?, now(&arguments.keys));
    let link = made.map_err(|fault| {
        Failure::arguments(format!("no link can be made: {fault}"), "see `countersign link make --help`")
    })?;
    if arguments.keys.json {
        out.json(&serde_json::json!({ "url": link }))?;
    } else {
        writeln!(out, "{link}")?;
    }
    Ok(Outcome::Holds)
}

fn check(arguments: &CheckLink, out: &mut Output) -> Result<Outcome, Failure> {
    // A fragment is never sent.
    let sent = arguments.url.split_once('#').map_or(arguments.url.as_str(), |(sent, _)| sent);
    let url = Url::parse(sent)
        .map_err(|error| Failure::arguments(error.to_string(), "give the whole URL, between quotes"))?;
    let request = Request {
        method: &arguments.method,
        // A client sends no port that is the scheme's own.
        authority: url
            .authority
            .strip_suffix(&format!(":{}", url.transport.default_port()))
            .unwrap_or(&url.authority),
        target: &url.target,
        address: arguments.address,
        key_id: arguments.key_id.as_deref().map(str::as_bytes),
    };
    let checked = links(&arguments.keys)?.check(&request, now(&arguments.keys));
    let verdict = match &checked {
        Ok(Checked::Holds(followed)) => Verdict::of(followed),
        Ok(Checked::Uses(uses)) => {
            Verdict::Verified { until: uses.until().secs(), uses: uses.most(), needs_resign: uses.needs_resign() }
        }
        Err(refused) => Verdict::Rejected { reason: refused.code() },
    };
    if arguments.keys.json {
        out.json(&verdict)?;
    } else {
        match (&verdict, checked.err()) {
            (Verdict::Verified { until, uses, needs_resign }, _) => {
                writeln!(out, "holds\n  until  {}", world::instant(UnixTime::from_secs(*until)))?;
                if let Some(uses) = uses {
                    writeln!(out, "  uses   {uses} in all; how many are left, the gateway's store knows")?;
                }
                if *needs_resign {
                    writeln!(out, "  key    an old one")?;
                }
            }
            (Verdict::Rejected { reason }, refused) => {
                let why = refused.as_ref().map(Refused::to_string).unwrap_or_default();
                writeln!(out, "rejected {reason}: {why}")?;
            }
        }
    }
    Ok(if matches!(verdict, Verdict::Verified { .. }) { Outcome::Holds } else { Outcome::Refused })
}

#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    Verified { until: i64, uses: Option<u16>, needs_resign: bool },
    Rejected { reason: &'static str },
}

impl Verdict {
    fn of(followed: &Followed) -> Self {
        Self::Verified {
            until: followed.until().secs(),
            uses: followed.uses(),
            needs_resign: followed.needs_resign(),
        }
    }
}

fn links(keys: &LinkKeys) -> Result<Links, Failure> {
    let secrets = read_keys(&keys.key, &keys.key_file)?;
    let keys = Keys::newest_first(secrets.iter().map(|key| key.expose().as_bytes()));
    let made = keys.map_err(Into::into).and_then(|keys| Links::new(&keys));
    made.map_err(|fault| Failure::arguments(fault.to_string(), "`openssl rand -hex 32` makes one"))
}

fn now(keys: &LinkKeys) -> UnixTime {
    keys.now.map_or_else(world::now, UnixTime::from_secs)
}
