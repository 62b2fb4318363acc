//! What runs inside the server: three scripts, put together from their parts.
//!
//! A script is one step to everybody else, so what it reads holds while it writes. Its first line (`#!lua`, from Redis
//! 7.0 on) has the server refuse it before it begins where it lacks memory, replicas, or leave to write.

use redis::Cmd;

use crate::job::Job;
use crate::options::Limits;

/// How many entries one call decides at most: about a millisecond of the server's time.
pub(crate) const BATCH: usize = 128;
/// How many dead entries are freed along with each new one.
const SWEEP: usize = 3;
/// How many are freed in one go where the server is short of memory.
const SWEEP_ALL: usize = 10_000;

const COMMON: &str = include_str!("scripts/common.lua");

/// The names by which the server knows the scripts, which are made from what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scripts {
    admit: String,
    tidy: String,
    adopt: String,
}

/// The scripts, to be loaded in this order.
pub(crate) fn sources() -> [String; 3] {
    let put = |first: &str, rest: &str| format!("{first}\n{COMMON}\n{rest}");
    let (admit, adopt) = (include_str!("scripts/admit.lua"), include_str!("scripts/adopt.lua"));
    // What frees memory must be able to run without any.
    [put("#!lua", admit), put("#!lua flags=allow-oom", admit), put("#!lua flags=allow-oom", adopt)]
}

impl Scripts {
    /// From the names that the server gave.
    pub(crate) fn of(names: [String; 3]) -> Self {
        let [admit, tidy, adopt] = names;
        Self { admit, tidy, adopt }
    }

    /// Decides the entries, of which none is accepted with fewer replicas than these.
    pub(crate) fn admit(&self, shard: &str, limits: Limits, replicas: u32, jobs: &[Job]) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&self.admit).arg(1).arg(shard);
        cmd.arg(limits.entries).arg(limits.entries_per_key).arg(SWEEP * (jobs.len() + 2)).arg(0).arg(replicas);
        for job in jobs {
            let asked = &job.asked;
            cmd.arg(&asked.fingerprint[..])
                .arg(&asked.whose[..])
                .arg(&asked.value[..])
                .arg(asked.now)
                .arg(asked.since);
        }
        cmd
    }

    /// Waits until so many replicas have what this connection wrote. The answer is how many have.
    pub(crate) fn wait(replicas: u32, millis: u64) -> Cmd {
        let mut cmd = redis::cmd("WAIT");
        cmd.arg(replicas).arg(millis.max(1));
        cmd
    }

    /// Frees what is over at `now`. The answer is how many entries that were.
    pub(crate) fn tidy(&self, shard: &str, now: u32) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&self.tidy).arg(1).arg(shard).arg(0).arg(0).arg(SWEEP_ALL).arg(now).arg(0);
        cmd
    }

    /// Begins a history.
    pub(crate) fn adopt(&self, shard: &str, now: u32, margin: u64, vouched: bool) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&self.adopt).arg(1).arg(shard).arg(now).arg(margin).arg(u8::from(vouched));
        cmd
    }
}
