//! The command line's end of the socket.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{SocketAddrUnix, SocketFlags},
};

use super::{
    Inventory, Query, Reload, SOCKET_NAME, Stage, Status, Update,
    peer::{Peer, own_uid},
    protocol::{CLIENT_TIME, MAX_REPLY, REPLY, Reply, Request, RequestLine},
    run_dir::stream_socket,
    timed::Timed,
};
use crate::live::Subject;

/// How long a sensor may take to say how it is doing.
const STATUS_TIME: Duration = Duration::from_secs(10);
/// How long it may take for the next line about a change: outputs are given time to confirm.
const CHANGE_TIME: Duration = Duration::from_secs(120);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(
        "no sensor runs with the run directory {}{}. Start it (systemctl start sophoslinuxsensor), or name the run \
         directory of the one you mean with -run-dir",
        run_dir.display(),
        if *died { ": the last one ended without warning" } else { "" }
    )]
    NotRunning { run_dir: PathBuf, died: bool },

    #[error("{}: only root and the sensor's own user may ask; try again with sudo", path.display())]
    NotAllowed { path: PathBuf },

    #[error("{}: this socket belongs to uid {uid}, so it is not the sensor's", path.display())]
    Stranger { path: PathBuf, uid: u32 },

    #[error("the sensor has too many callers; try again in a few seconds")]
    Busy,

    #[error("the sensor gave no answer within {} seconds", _0.as_secs())]
    Late(Duration),

    #[error("{0}")]
    Refused(String),

    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },

    #[error(
        "the sensor's answer was not understood ({0}); is it another version? A restart of the sensor helps after an upgrade"
    )]
    NotUnderstood(String),

    #[error("the sensor has ended")]
    Ended,
}

/// How the sensor with this run directory is doing.
///
/// # Errors
/// No sensor runs there, or it gave no answer.
pub fn status(run_dir: &Path) -> Result<Status, ClientError> {
    match Connection::open(run_dir, Request::Status, None, STATUS_TIME)?.next()? {
        Reply::Status { status } => Ok(*status),
        other => Err(unexpected(other)),
    }
}

/// What is configured of the sensor with this run directory, and what came of it.
///
/// # Errors
/// No sensor runs there, or it gave no answer.
pub fn inventory(run_dir: &Path) -> Result<Inventory, ClientError> {
    match Connection::open(run_dir, Request::Inventory, None, STATUS_TIME)?.next()? {
        Reply::Inventory(inventory) => Ok(*inventory),
        other => Err(unexpected(other)),
    }
}

/// Has the sensor with this run directory read its configuration again.
///
/// # Errors
/// No sensor runs there, or it gave no answer. A configuration that was refused is no error here.
pub fn reload(run_dir: &Path) -> Result<Reload, ClientError> {
    match Connection::open(run_dir, Request::Reload, None, CHANGE_TIME)?.next()? {
        Reply::Reloaded(reload) => Ok(reload),
        other => Err(unexpected(other)),
    }
}

/// Has the sensor with this run directory check itself; each stage is reported as it is over. Whether all passed.
///
/// # Errors
/// No sensor runs there, or it stopped answering. A stage that failed is no error here.
pub fn test_alert(run_dir: &Path, mut report: impl FnMut(Stage)) -> Result<bool, ClientError> {
    let mut connection = Connection::open(run_dir, Request::TestAlert, None, CHANGE_TIME)?;
    loop {
        match connection.next()? {
            Reply::Stage(stage) => report(stage),
            Reply::Tested { passed } => return Ok(passed),
            other => return Err(unexpected(other)),
        }
    }
}

/// Has the sensor with this run directory tell events, alerts or running processes, and shows them until all are told or `show` says that it is
/// enough. [`Update::Pause`] stands where no more is there for the moment.
///
/// # Errors
/// No sensor runs there, it refused the query, or it has ended.
pub fn show(
    run_dir: &Path,
    subject: Subject,
    query: &Query,
    mut show: impl FnMut(Update<'_>) -> bool,
) -> Result<(), ClientError> {
    let request = match subject {
        Subject::Events => Request::Events,
        Subject::Alerts => Request::Alerts,
        Subject::Processes => Request::Processes,
        Subject::Top => Request::Top,
    };
    let mut connection = Connection::open(run_dir, request, Some(query.clone()), STATUS_TIME)?;
    let mut line = connection.line()?;
    connection.reader.get_mut().endless();
    loop {
        let told = if line.starts_with(REPLY) {
            match understood(&line)? {
                Reply::Notes { notes } => Update::Notes(notes),
                Reply::Line(line) => Update::Line(*line),
                Reply::Top(top) => Update::Top(*top),
                Reply::Lost { count } => Update::Lost(count),
                Reply::End => return Ok(()),
                other => return Err(unexpected(other)),
            }
        } else {
            line.push(b'\n');
            Update::Json(&line)
        };
        if !show(told) || connection.reader.buffer().is_empty() && !show(Update::Pause) {
            return Ok(());
        }
        line = connection.next_line()?;
    }
}

fn understood(line: &[u8]) -> Result<Reply, ClientError> {
    match serde_json::from_slice(line).map_err(|error| ClientError::NotUnderstood(error.to_string()))? {
        Reply::Error { message } => Err(ClientError::Refused(message)),
        reply => Ok(reply),
    }
}

struct Connection {
    path: PathBuf,
    reader: BufReader<Timed<UnixStream>>,
    /// How long each reply may take.
    time: Duration,
}

impl Connection {
    fn open(run_dir: &Path, request: Request, query: Option<Query>, time: Duration) -> Result<Self, ClientError> {
        let path = run_dir.join(SOCKET_NAME);
        let failed = |source: io::Error| ClientError::Io { path: path.clone(), source };
        let address = SocketAddrUnix::new(&path).map_err(|errno| failed(errno.into()))?;
        // Without waiting: a sensor that does not take callers in would hold this one for ever.
        let socket =
            stream_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).map_err(|errno| failed(errno.into()))?;
        rustix::net::connect(&socket, &address).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => ClientError::NotRunning { run_dir: run_dir.to_owned(), died: false },
            Errno::CONNREFUSED => ClientError::NotRunning { run_dir: run_dir.to_owned(), died: true },
            Errno::ACCESS | Errno::PERM => ClientError::NotAllowed { path: path.clone() },
            Errno::AGAIN => ClientError::Busy,
            other => failed(other.into()),
        })?;
        let peer = Peer::of(socket.as_fd()).map_err(failed)?;
        if !peer.is_trusted(own_uid()) {
            return Err(ClientError::Stranger { path, uid: peer.uid });
        }
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false).map_err(failed)?;
        let line = serde_json::to_string(&RequestLine { request, query }).map_err(|error| failed(error.into()))? + "\n";
        let mut timed = Timed::new(stream, CLIENT_TIME);
        match timed.write_all(line.as_bytes()) {
            Ok(()) => {}
            // The sensor has turned this caller away; why is in its reply.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(Self { path, reader: BufReader::new(timed), time })
    }

    fn next(&mut self) -> Result<Reply, ClientError> {
        understood(&self.line()?)
    }

    /// The next line within the time.
    fn line(&mut self) -> Result<Vec<u8>, ClientError> {
        self.reader.get_mut().restart(self.time);
        self.next_line().map_err(|error| match error {
            ClientError::Ended => ClientError::NotUnderstood("it ended in the middle".to_owned()),
            other => other,
        })
    }

    fn next_line(&mut self) -> Result<Vec<u8>, ClientError> {
        let limit = u64::try_from(MAX_REPLY).unwrap_or(u64::MAX);
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => ClientError::Late(self.time),
            _ => ClientError::Io { path: self.path.clone(), source },
        })?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            None => Err(ClientError::Ended),
            Some(_) => Err(ClientError::NotUnderstood("it ended in the middle".to_owned())),
        }
    }
}

fn unexpected(reply: Reply) -> ClientError {
    let name = match reply {
        Reply::Status { .. } => "status",
        Reply::Stage(_) => "stage",
        Reply::Tested { .. } => "tested",
        Reply::Reloaded(_) => "reloaded",
        Reply::Inventory(_) => "inventory",
        Reply::Notes { .. } => "notes",
        Reply::Line(_) => "line",
        Reply::Top(_) => "top",
        Reply::Lost { .. } => "lost",
        Reply::End => "end",
        Reply::Error { .. } => "error",
    };
    ClientError::NotUnderstood(format!("a reply that was not asked for: {name}"))
}
