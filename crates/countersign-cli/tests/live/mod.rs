//! What the tests of the running program share: real processes on free ports, which always end with their test.
//!
//! Nothing here knows how a signature is verified. Requests are signed by the articles' Python clients, by the
//! program itself, or in `signing` from nothing but a hash function.

#![expect(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses its own part of this")]

mod client;
mod gateway;
mod program;
pub mod signing;
mod upstream;

pub use client::{Connection, Response};
pub use gateway::{Gateway, Held};
pub use program::{Finished, countersign, end_group, python, run, signal};
pub use upstream::{Received, Upstream};

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A folder with a configuration and its store, an upstream that remembers every byte, and a gateway between the two.
pub struct Site {
    pub gateway: Gateway,
    pub upstream: Upstream,
    folder: tempfile::TempDir,
}

impl Site {
    /// Starts everything. `routes` is the rest of the configuration, with `{upstream}` where its URL belongs.
    pub fn start(routes: &str, keys: &[(&str, &str)]) -> Self {
        Self::held(routes, keys, &Held::default())
    }

    /// The same, with the gateway's process held in some way.
    pub fn held(routes: &str, keys: &[(&str, &str)], held: &Held) -> Self {
        let upstream = Upstream::start();
        let folder = tempfile::tempdir().unwrap();
        let routes = routes.replace("{upstream}", &upstream.url());
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nconsole = \"127.0.0.1:0\"\nworkers = 4\n[store]\npath = \"store\"\n{routes}"
        );
        std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
        for (id, secret) in keys {
            add_key(folder.path(), id, secret);
        }
        let gateway = Gateway::start(folder.path(), held);
        Self { gateway, upstream, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.folder().join("gateway.toml")
    }

    /// Sends on a connection of its own and reads one response.
    pub fn send(&self, wire: impl AsRef<[u8]>) -> Response {
        let mut connection = Connection::to(self.gateway.addr());
        connection.write(wire.as_ref());
        connection.read()
    }

    /// The URL of a path behind the gateway.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.gateway.addr())
    }

    /// Starts another gateway in the place of one that has ended.
    pub fn restart(&mut self, held: &Held) {
        self.gateway = Gateway::start(self.folder.path(), held);
    }
}

/// Adds a key to the store of a folder, whether a gateway runs there or not.
pub fn add_key(folder: &Path, id: &str, secret: &str) {
    let config = folder.join("gateway.toml");
    let added = countersign(["keys", "add", id, "--secret", secret, "--legacy", "-c", config.to_str().unwrap()]);
    assert_eq!(added.status, 0, "{added}");
}

/// Writes a file that nobody but its owner can read.
pub fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder of the articles' clients.
pub fn articles() -> PathBuf {
    root().join("examples/articles")
}
