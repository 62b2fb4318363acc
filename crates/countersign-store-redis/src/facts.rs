//! What a server says about itself (`INFO`), and whether it will do.

use std::collections::HashMap;

use crate::error::{NoLink, RedisError};
use crate::options::Address;

/// What of `INFO` matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    version: String,
    role: String,
    loading: bool,
    clustered: bool,
    policy: String,
    pub(crate) run_id: String,
    pub(crate) replicas: u32,
    pub(crate) appends: bool,
}

impl Facts {
    /// Reads an answer to `INFO`. A server that leaves something out says nothing good by it.
    pub(crate) fn read(info: &str) -> Self {
        let lines = info.lines().filter_map(|line| line.trim_end().split_once(':'));
        let said: HashMap<&str, &str> = lines.collect();
        let text = |name: &str| said.get(name).copied().unwrap_or_default().to_owned();
        Self {
            version: text("redis_version"),
            role: text("role"),
            loading: text("loading") != "0",
            clustered: text("cluster_enabled") == "1",
            policy: text("maxmemory_policy"),
            run_id: text("run_id"),
            replicas: text("connected_slaves").parse().unwrap_or(0),
            appends: text("aof_enabled") == "1",
        }
    }

    /// Whether this is a server to write to.
    pub(crate) fn judge(&self, server: &Address, in_cluster: bool) -> Result<(), NoLink> {
        let server = || server.clone();
        let major: u32 = self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        if major < 7 {
            return Err(NoLink::Unfit(RedisError::TooOld { server: server(), version: self.version.clone() }));
        }
        if self.clustered != in_cluster {
            return Err(NoLink::Unfit(RedisError::Cluster { server: server(), clustered: self.clustered }));
        }
        // Where no `maxmemory` is set today, one may be tomorrow, and nobody would tell us.
        if self.policy != "noeviction" {
            return Err(NoLink::Unfit(RedisError::Evicts { server: server(), policy: self.policy.clone() }));
        }
        if self.loading {
            return Err(NoLink::Away(format!("{} is loading its data", server())));
        }
        if self.role != "master" {
            return Err(NoLink::Away(format!("{} is a replica", server())));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nloading:0\r\nmaxmemory_policy:noeviction\r\n\
                        role:master\r\nconnected_slaves:2\r\ncluster_enabled:0\r\naof_enabled:1\r\n";

    fn judged(change: (&str, &str)) -> Result<(), NoLink> {
        Facts::read(&GOOD.replace(change.0, change.1)).judge(&Address::new("h", 1), false)
    }

    #[test]
    fn a_good_server_will_do() {
        assert!(judged(("", "")).is_ok());
        let facts = Facts::read(GOOD);
        assert_eq!((facts.run_id.as_str(), facts.replicas, facts.appends), ("abc", 2, true));
    }

    #[test]
    fn attack_25_a_server_that_may_evict_will_not_do_whatever_its_memory() {
        for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random", ""] {
            let judged = judged(("noeviction", policy));
            assert!(matches!(judged, Err(NoLink::Unfit(RedisError::Evicts { .. }))), "{policy}: {judged:?}");
        }
    }

    #[test]
    fn what_will_do_later_is_away_and_what_will_not_is_unfit() {
        assert!(matches!(judged(("role:master", "role:slave")), Err(NoLink::Away(_))));
        assert!(matches!(judged(("loading:0", "loading:1")), Err(NoLink::Away(_))));
        assert!(matches!(judged(("7.0.15", "6.2.7")), Err(NoLink::Unfit(RedisError::TooOld { .. }))));
        assert!(matches!(judged(("redis_version:7.0.15", "")), Err(NoLink::Unfit(RedisError::TooOld { .. }))));
        let clustered = judged(("cluster_enabled:0", "cluster_enabled:1"));
        assert!(matches!(clustered, Err(NoLink::Unfit(RedisError::Cluster { clustered: true, .. }))));
    }
}
