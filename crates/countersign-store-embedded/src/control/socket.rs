//! Where the control socket is, and how to get at it.
//!
//! The address of a Unix socket holds about a hundred bytes. A store's folder may be deeper than that, so a long path
//! is reached by way of the folder's descriptor, where there is `/proc`.

use crate::place;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket of a store's folder.
pub(crate) fn path_in(store: &Path) -> PathBuf {
    store.join("control.sock")
}

pub(crate) fn connect(path: &Path) -> io::Result<UnixStream> {
    let address = Address::of(path)?;
    UnixStream::connect(&address.path)
}

/// Listens on a socket that nobody but its owner can ever have connected to. One that was left behind gives way:
/// whoever listens here holds the store's lock, so nobody else can.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    // A socket is created with the permissions that the umask leaves. Until it has its own it stays in a folder
    // that others cannot enter.
    let inner = path.with_extension(format!("new-{}", std::process::id()));
    place::private_folder(&inner)?;
    let temporary = inner.join("s");
    let bound = (|| {
        let listener = UnixListener::bind(&Address::of(&temporary)?.path)?;
        std::fs::set_permissions(&temporary, Permissions::from_mode(0o600))?;
        std::fs::rename(&temporary, path)?;
        Ok(listener)
    })();
    if bound.is_err() {
        // Nothing is lost if it stays; the error that matters is the other one.
        drop(std::fs::remove_file(&temporary));
    }
    drop(std::fs::remove_dir(&inner));
    bound
}

/// A path that is short enough for a socket's address, for as long as this lives.
struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    fn of(path: &Path) -> io::Result<Self> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if path.as_os_str().len() <= MOST_BYTES {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let folder = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }
}

const MOST_BYTES: usize = 100;
