//! A cluster of three masters, on this machine.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use countersign_store_redis::{Address, Servers};

use super::{Server, eventually, free_port};

/// The masters, and after them the replica of each, if they have any.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

/// One for all tests of a program that run at a time. The last of them stops it.
static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

impl Cluster {
    pub(crate) fn with_replicas() -> Self {
        let cluster = Self::of((0..6).map(|_| node()).collect());
        let (masters, replicas) = cluster.nodes.split_at(3);
        for (master, replica) in masters.iter().zip(replicas) {
            let id = master.ask(&["CLUSTER", "MYID"]);
            eventually("it becomes a replica", || replica.ask(&["CLUSTER", "REPLICATE", &id]) == "OK");
        }
        eventually("the replicas follow", || {
            masters.iter().all(|master| master.info("slave0").contains("state=online"))
        });
        cluster.settles();
        cluster
    }

    /// One of masters alone.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Self::of((0..3).map(|_| node()).collect());
            cluster.settles();
            let cluster = Arc::new(cluster);
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    /// Nodes that know each other, the first three of them with all slots.
    fn of(nodes: Vec<Server>) -> Self {
        for (node, range) in nodes.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]) {
            assert_eq!(node.ask(&["CLUSTER", "ADDSLOTSRANGE", range.0, range.1]), "OK");
        }
        for node in &nodes[1..] {
            let bus = node.ask(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.rsplit(' ').next().unwrap_or_default().to_owned();
            assert_eq!(nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), &bus]), "OK");
        }
        let all = format!("cluster_known_nodes:{}", nodes.len());
        eventually("the nodes know each other", || nodes.iter().all(|node| says(node, &all)));
        Self { nodes }
    }

    fn settles(&self) {
        eventually("the cluster is up", || self.nodes.iter().all(|node| says(node, "cluster_state:ok")));
    }

    /// How it is found.
    pub(crate) fn servers(&self) -> Servers {
        Servers::Cluster(self.nodes.iter().map(|node| Address::new("127.0.0.1", node.port)).collect())
    }
}

/// One node, which knows no other yet.
pub(crate) fn node() -> Server {
    let bus = free_port().to_string();
    let timeout = ["--cluster-node-timeout", "1000"];
    Server::with(&[&["--save", "", "--cluster-enabled", "yes", "--cluster-port", &bus], &timeout[..]].concat())
}

/// Whether a line of `CLUSTER INFO` begins so.
pub(crate) fn says(node: &Server, line: &str) -> bool {
    node.ask(&["CLUSTER", "INFO"]).contains(line)
}
