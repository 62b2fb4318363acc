//! Puts a batch of questions to the server and makes sense of what it says, within the time of the eldest.
//!
//! What is mended on the way: a server that forgot the scripts, one whose history broke off (which is adopted, and what
//! it may have lost is quarantined), one that is full of entries that are over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::{Pipeline, Value};
use tokio::time::{Instant, timeout_at};

use crate::job::{Decision, Job, decision};
use crate::link::{Link, Trouble, answered, text};
use crate::options::{Beginning, RedisOptions};
use crate::script::Scripts;
use countersign_core::replay::{FirstUse, StoreError};
use countersign_core::time::{TimeFormat, UnixTime};

/// Why there are no answers.
#[derive(Debug)]
pub(crate) enum Failure {
    Late,
    Server(Trouble),
}

/// Which shard, and under which rules.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) key: String,
    pub(crate) options: Arc<RedisOptions>,
    /// That replicas did not follow lately. WAIT blocks the connection, so it is then sent only where there is something
    /// to wait for, which costs such a batch a second round trip.
    pub(crate) lagging: AtomicBool,
}

/// What a script answered.
enum Said {
    Letters(Vec<Decision>),
    /// Writes may have been lost.
    HistoryBroke,
}

/// Decides all jobs, in their order.
pub(crate) async fn decide(link: &mut Link, shard: &Shard, jobs: &[Job]) -> Result<Vec<Decision>, Failure> {
    let deadline = jobs.iter().map(|job| job.deadline).min().unwrap_or_else(Instant::now);
    let decided = timeout_at(deadline, ask_until_decided(link, shard, jobs, deadline)).await;
    decided.map_err(|_| Failure::Late)?.map_err(Failure::Server)
}

async fn ask_until_decided(
    link: &mut Link,
    shard: &Shard,
    jobs: &[Job],
    deadline: Instant,
) -> Result<Vec<Decision>, Trouble> {
    let now = jobs.iter().map(|job| job.asked.now).max().unwrap_or(0);
    for _ in 0..ATTEMPTS {
        match ask(link, shard, jobs, deadline).await {
            Ok(Said::Letters(decisions)) => return Ok(decisions),
            Ok(Said::HistoryBroke) => drop(adopt(link, shard, now, false).await?),
            Err(Trouble::NoScript) => link.reload().await?,
            Err(Trouble::NoMemory) => {
                let freed = link.command(link.scripts.tidy(&shard.key, now)).await?;
                if !matches!(freed, Value::Int(1..)) {
                    return Ok(jobs.iter().map(|_| Err(StoreError::Full)).collect());
                }
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Err(Trouble::Refused(format!("{} does not settle", link.server)))
}

async fn ask(link: &mut Link, shard: &Shard, jobs: &[Job], deadline: Instant) -> Result<Said, Trouble> {
    let replicas = shard.options.replicas;
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(link.scripts.admit(&shard.key, shard.options.limits_of_shard(), replicas, jobs));
    let waits_at_once = replicas > 0 && !shard.lagging.load(Ordering::Relaxed);
    if waits_at_once {
        pipeline.add_command(Scripts::wait(replicas, patience(deadline)));
    }
    let mut values = link.query(&pipeline).await?.into_iter();
    let letters = text(&answered(values.next().unwrap_or_default())?).unwrap_or_default();
    if letters == "!" {
        return Ok(Said::HistoryBroke);
    }
    let decisions: Option<Vec<Decision>> = letters.bytes().map(decision).collect();
    let Some(mut decisions) = decisions.filter(|decisions| decisions.len() == jobs.len()) else {
        return Err(Trouble::Refused(format!("{} answered what it was not asked", link.server)));
    };
    let waited = if waits_at_once {
        answered(values.next().unwrap_or_default())?
    } else if replicas > 0 && letters.contains('F') {
        link.command(Scripts::wait(replicas, patience(deadline))).await?
    } else {
        return Ok(Said::Letters(decisions));
    };
    let have = if let Value::Int(have) = waited { have } else { 0 };
    let enough = have >= i64::from(replicas);
    shard.lagging.store(!enough, Ordering::Relaxed);
    if !enough {
        let why = format!("Redis: {have} of the {replicas} replicas that have to have an entry had it in time");
        for decision in decisions.iter_mut().filter(|decision| **decision == Ok(FirstUse::First)) {
            *decision = Err(StoreError::Unavailable(why.clone()));
        }
    }
    Ok(Said::Letters(decisions))
}

/// Begins a history, unless one goes on. Where it is `vouched` that nothing was ever written, nothing is doubted.
pub(crate) async fn adopt(link: &mut Link, shard: &Shard, now: u32, vouched: bool) -> Result<Beginning, Trouble> {
    let options = &shard.options;
    // What was accepted in a part of a second may have been so until its end.
    let margin = options.clock_margin.as_millis().div_ceil(1_000);
    let margin = u64::try_from(margin).unwrap_or(u64::MAX);
    let adopt = link.scripts.adopt(&shard.key, now, margin, vouched);
    Ok(match link.command(adopt).await? {
        Value::Int(lost @ 0..) => {
            let until = UnixTime::from_secs(lost);
            tracing::warn!(
                server = %link.server, shard = shard.key, until = civil(until),
                "this Redis is new, was restarted or promoted, or has its first replica, and may have lost what was \
                 accepted; requests that could have been accepted up to then are not decided"
            );
            Beginning::Doubted(until)
        }
        Value::Int(_) => {
            tracing::info!(server = %link.server, shard = shard.key, "a new store");
            Beginning::New
        }
        _ => Beginning::Known,
    })
}

fn civil(time: UnixTime) -> String {
    let mut text = Vec::new();
    TimeFormat::Iso.write(time, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// For how many milliseconds replicas are waited for, so that the answer is back in time. A server looks at its clock ten
/// times a second where it has nothing else to do, and may be so much later.
fn patience(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    (left / 5 * 4).saturating_sub(TICK).max(left / 4)
}

const TICK: u64 = 100;
/// Script forgotten, history broken off, memory short: each once, and once more.
const ATTEMPTS: usize = 5;
