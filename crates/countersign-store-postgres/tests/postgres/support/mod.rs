//! A database cluster of the tests' own, in a temporary folder on a free port, from Debian's `postgresql`.
//!
//! The server does not run as root: where the tests do, it runs as `postgres`. Tests of one program that run at the same
//! time share a cluster; the last one stops it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A cluster that runs, with a superuser `countersign` who needs no password on this machine.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    pub(crate) port: u16,
}

static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

impl Cluster {
    /// The cluster that tests share.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::start(&[]));
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    /// A new cluster with further settings, as in `fsync=off`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let cluster = Self::made(settings);
        let made = cluster.tool("initdb", &["-U", "countersign", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        assert!(made.status.success(), "initdb: {}", text(&made));
        cluster.run();
        cluster
    }

    /// A folder for a cluster that is made in another way.
    pub(crate) fn made(settings: &[&str]) -> Self {
        // In memory, where that can be had: thousands of commits one after the other would wait for a disk each.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
            assert!(owned.success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self { folder, settings, server: Mutex::new(None), port }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server of a cluster that is there, and waits until it answers.
    pub(crate) fn run(&self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = as_postgres(&bin("postgres"));
        command.arg("-D").arg(self.data()).args(["-c", "listen_addresses=127.0.0.1", "-p", &self.port.to_string()]);
        command.arg("-k").arg(self.folder.path());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        *self.server.lock().unwrap() = Some(spawned.unwrap());
        let started = Instant::now();
        while !self.answers() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_mins(1), "the server does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        let host = self.folder.path().to_str().unwrap();
        let port = self.port.to_string();
        let ready = ["-h", host, "-p", &port, "-d", "postgres", "-q"];
        Command::new(bin("pg_isready")).args(ready).status().is_ok_and(|status| status.success())
    }

    /// Stops the server: `fast`, or `immediate`, as a crash would.
    pub(crate) fn stop(&self, mode: &str) {
        let Some(mut server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let stopped = self.tool("pg_ctl", &["stop", "-m", mode, "-w", "-t", "60"]);
        if !stopped.status.success() {
            let _ = server.kill();
        }
        let _ = server.wait();
    }

    /// Runs one of the cluster's tools on its data.
    pub(crate) fn tool(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = as_postgres(&bin(name));
        command.args(arguments).arg("-D").arg(self.data()).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Runs SQL as the superuser.
    pub(crate) fn sql(&self, text: &str) -> String {
        let (host, port) = (self.folder.path().to_str().unwrap(), self.port.to_string());
        let common = ["-h", host, "-p", &port, "-U", "countersign", "-d", "postgres", "-qAtX"];
        let mut command = Command::new(bin("psql"));
        let output = command.args(common).args(["-v", "ON_ERROR_STOP=1", "-c", text]).output().unwrap();
        assert!(output.status.success(), "{text}: {}", self::text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The process id of the server.
    pub(crate) fn sql_pid(&self) -> u32 {
        self.server.lock().unwrap().as_ref().unwrap().id()
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://countersign@127.0.0.1:{}/postgres", self.port)
    }

    /// A schema's name that no test has had.
    pub(crate) fn new_schema() -> String {
        format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("immediate");
    }
}

/// Where Debian puts the servers' programs; elsewhere they are in `PATH`.
fn bin(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    let in_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
    };
    found.pop().or_else(in_path).unwrap_or_else(|| panic!("there is no {name}: apt-get install postgresql"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    // Unlike `runuser` it becomes the program, so that its process is ours to wait for.
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
