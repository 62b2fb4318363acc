//! Which server to write to: the one that was named, the one that sentinels call the master, or the one that has a
//! shard's slot.
//!
//! Sentinels are all asked, and what most of those say that answer is taken: one that is cut off from the others still
//! names the old master. What they say is never enough to accept anything; the history of the server's writes is
//! compared by every script.

use std::collections::HashMap;
use std::sync::Arc;

use redis::{Pipeline, Value};

use crate::error::NoLink;
use crate::link::{Dialer, answered, text};
use crate::options::{Address, Login, RedisOptions, Servers};

/// Where the server of a shard is.
pub(crate) async fn locate(dialer: &Arc<Dialer>, options: &RedisOptions, shard: &str) -> Result<Address, NoLink> {
    match &options.servers {
        Servers::Single(address) => Ok(address.clone()),
        Servers::Sentinel { sentinels, master, login } => elected(dialer, sentinels, master, login.as_ref()).await,
        Servers::Cluster(seeds) => node_of(dialer, seeds, options.login.as_ref(), shard).await,
    }
}

async fn elected(
    dialer: &Arc<Dialer>,
    sentinels: &[Address],
    master: &str,
    login: Option<&Login>,
) -> Result<Address, NoLink> {
    let mut asked = tokio::task::JoinSet::new();
    for sentinel in sentinels {
        let (dialer, sentinel) = (Arc::clone(dialer), sentinel.clone());
        let (master, login) = (master.to_owned(), login.cloned());
        asked.spawn(async move {
            let mut question = Pipeline::with_capacity(1);
            question.cmd("SENTINEL").arg("get-master-addr-by-name").arg(master);
            let values = dialer.ask(&sentinel, login.as_ref(), &question).await?;
            let said = values.first().and_then(pair);
            said.ok_or_else(|| NoLink::Away(format!("{sentinel} knows no master of this name")))
        });
    }
    let mut votes: HashMap<Address, usize> = HashMap::new();
    let mut why = NoLink::Away("there is no sentinel to ask".to_owned());
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(address)) => {
                *votes.entry(address).or_default() += 1;
                // More than half of all have said so: the others need not be waited for.
                if let Some((address, _)) = votes.iter().find(|(_, count)| **count * 2 > sentinels.len()) {
                    return Ok(address.clone());
                }
            }
            Ok(Err(error)) => why = error,
            Err(error) => why = NoLink::Away(error.to_string()),
        }
    }
    votes.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address).ok_or(why)
}

/// The first node that knows who has the slot is believed: who is asked wrongly says so.
async fn node_of(
    dialer: &Arc<Dialer>,
    seeds: &[Address],
    login: Option<&Login>,
    shard: &str,
) -> Result<Address, NoLink> {
    let mut asked = tokio::task::JoinSet::new();
    for seed in seeds {
        let (dialer, seed, login, shard) = (Arc::clone(dialer), seed.clone(), login.cloned(), shard.to_owned());
        asked.spawn(async move {
            let mut question = Pipeline::with_capacity(2);
            question.cmd("CLUSTER").arg("KEYSLOT").arg(shard);
            question.cmd("CLUSTER").arg("SLOTS");
            let values = dialer.ask(&seed, login.as_ref(), &question).await?;
            node_in(&values, &seed).ok_or_else(|| unanswered(&seed, values))
        });
    }
    let mut why = NoLink::Away("there is no node to ask".to_owned());
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(address)) => return Ok(address),
            Ok(Err(error)) => why = error,
            Err(error) => why = NoLink::Away(error.to_string()),
        }
    }
    Err(why)
}

fn unanswered(seed: &Address, values: Vec<Value>) -> NoLink {
    let refused = values.into_iter().find_map(|value| answered(value).err());
    match refused {
        Some(trouble) => NoLink::Away(format!("{seed}: {trouble:?}")),
        None => NoLink::Away(format!("{seed} knows nobody who has the slot")),
    }
}

/// Reads the answers to `CLUSTER KEYSLOT` and `CLUSTER SLOTS`: ranges of slots, each with its nodes, the master first.
fn node_in(values: &[Value], asked: &Address) -> Option<Address> {
    let (Value::Int(slot), Value::Array(ranges)) = (values.first()?, values.get(1)?) else { return None };
    let has_it = |range: &&Value| {
        let Value::Array(parts) = range else { return false };
        matches!(parts.as_slice(), [Value::Int(from), Value::Int(to), ..] if (from..=to).contains(&slot))
    };
    let Value::Array(parts) = ranges.iter().find(has_it)? else { return None };
    let address = pair(parts.get(2)?)?;
    // A node that does not know its own address means the one that it was asked at.
    let host = if address.host.is_empty() || address.host == "?" { asked.host.clone() } else { address.host };
    Some(Address { host, port: address.port })
}

/// A host and a port, in either form that servers write.
fn pair(value: &Value) -> Option<Address> {
    let Value::Array(parts) = value else { return None };
    let host = match parts.first()? {
        Value::Nil => String::new(),
        host => text(host)?,
    };
    let port = match parts.get(1)? {
        Value::Int(port) => u16::try_from(*port).ok()?,
        port => text(port)?.parse().ok()?,
    };
    Some(Address { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str, port: i64) -> Value {
        Value::Array(vec![Value::BulkString(host.as_bytes().to_vec()), Value::Int(port)])
    }

    fn slots() -> Value {
        let range = |from, to, host, port| {
            Value::Array(vec![Value::Int(from), Value::Int(to), node(host, port), node("r", 9)])
        };
        Value::Array(vec![range(0, 5460, "a", 1), range(5461, 10_922, "", 2), range(10_923, 16_383, "c", 3)])
    }

    #[test]
    fn the_node_is_the_master_of_the_range() {
        let asked = Address::new("seed", 7);
        for (slot, expected) in [(0, ("a", 1)), (5460, ("a", 1)), (5461, ("seed", 2)), (16_383, ("c", 3))] {
            let found = node_in(&[Value::Int(slot), slots()], &asked);
            assert_eq!(found, Some(Address::new(expected.0, expected.1)), "{slot}");
        }
        assert_eq!(node_in(&[Value::Int(16_384), slots()], &asked), None);
        assert_eq!(node_in(&[Value::Nil, slots()], &asked), None);
        assert_eq!(node_in(&[], &asked), None);
    }

    #[test]
    fn a_pair_is_read_in_both_forms() {
        let words = Value::Array(vec![Value::BulkString(b"::1".to_vec()), Value::BulkString(b"6379".to_vec())]);
        assert_eq!(pair(&words).map(|address| address.to_string()), Some("[::1]:6379".to_owned()));
        assert_eq!(pair(&Value::Nil), None);
        assert_eq!(pair(&Value::Array(vec![Value::Int(1), Value::Int(70_000)])), None);
    }
}
