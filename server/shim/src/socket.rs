//! The socket's place. A socket address holds 107 bytes of path; a directory may be far deeper, so
//! both sides go through a descriptor of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

const SOCKET: &str = "shim.sock";

/// Listens, for this user only. Changes the umask for an instant: only one thread may run.
pub(crate) fn listen(dir: &Path) -> io::Result<UnixListener> {
    remove(dir)?;
    let at = File::open(dir)?;
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(through(&at));
    rustix::process::umask(before);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to whoever listens in `dir`.
pub(crate) fn connect(dir: &Path) -> io::Result<UnixStream> {
    let at = File::open(dir)?;
    UnixStream::connect(through(&at))
}

/// Removes the socket, if there is one.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn through(dir: &File) -> PathBuf {
    format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()).into()
}
