//! A TLS server for HTTP/1.1 that does by each request what a script says.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// What is done to a request.
pub(super) enum Act {
    Reply(Vec<u8>),
    /// Nothing is said, and the connection stays.
    Hang,
    /// Bytes, then the connection is torn down without a word.
    Break(Vec<u8>),
    /// Bytes one by one, for ever.
    Drip,
    /// Bytes without an end.
    Flood,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Decompressed.
    pub(super) body: Vec<u8>,
    /// Which connection it came on.
    pub(super) connection: usize,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn key(&self) -> &str {
        self.header("idempotency-key").unwrap()
    }

    pub(super) fn alerts(&self) -> Vec<u128> {
        let batch = AlertBatch::decode(&*self.body).unwrap();
        batch.alerts.iter().map(|alert| Uuid::parse_str(&alert.uuid).unwrap().as_u128()).collect()
    }

    /// How many alerts or rows it brings.
    pub(super) fn messages(&self) -> usize {
        if self.path.ends_with("/events") {
            EventBatch::decode(&*self.body).unwrap().rows.len()
        } else {
            AlertBatch::decode(&*self.body).unwrap().alerts.len()
        }
    }
}

type Script = Box<dyn FnMut(&Request) -> Act + Send>;

/// The server, with the authority that it is trusted by.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) authority: Authority,
    pub(super) folder: Folder,
    pub(super) requests: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    pub(super) fn start(script: impl FnMut(&Request) -> Act + Send + 'static) -> Self {
        let authority = Authority::new("authority");
        let folder = Folder::of(&authority, &[]);
        let config = authority.server(7, |_| {}).config();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for (connection, socket) in listener.incoming().enumerate() {
                let (config, script, seen) = (Arc::clone(&config), Arc::clone(&script), Arc::clone(&seen));
                thread::spawn(move || serve(socket.unwrap(), config, connection, &script, &seen));
            }
        });
        Self { address, authority, folder, requests }
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(&format!("https://localhost:{}", self.address.port())).unwrap()
    }

    /// Requests other than hello.
    pub(super) fn batches(&self) -> Vec<Request> {
        self.requests.lock().unwrap().iter().filter(|request| !request.path.ends_with("hello")).cloned().collect()
    }
}

fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    connection: usize,
    script: &Mutex<Script>,
    seen: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), socket));
    loop {
        let request = read(&mut stream, connection).ok()?;
        let act = (script.lock().unwrap())(&request);
        seen.lock().unwrap().push(request);
        let out = stream.get_mut();
        match act {
            Act::Reply(bytes) => out.write_all(&bytes).and_then(|()| out.flush()).ok()?,
            Act::Hang => loop {
                // Ends when the other side gives up.
                if !matches!(out.read(&mut [0; 64]), Ok(1..)) {
                    return None;
                }
            },
            Act::Break(bytes) => {
                out.write_all(&bytes).and_then(|()| out.flush()).ok()?;
                rustix::net::sockopt::set_socket_linger(&out.sock, Some(Duration::ZERO)).unwrap();
                return None;
            }
            Act::Drip => {
                out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").ok()?;
                loop {
                    out.write_all(b"x").and_then(|()| out.flush()).ok()?;
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Act::Flood => {
                out.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
                loop {
                    out.write_all(b"10000\r\n").ok()?;
                    out.write_all(&[b'x'; 0x10000]).and_then(|()| out.write_all(b"\r\n")).ok()?;
                }
            }
        }
    }
}

fn read(stream: &mut impl io::BufRead, connection: usize) -> io::Result<Request> {
    let mut line = || {
        let mut line = String::new();
        match stream.read_line(&mut line)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(line.trim_end().to_owned()),
        }
    };
    let path = line()?.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { path, headers, body: Vec::new(), connection };
    request.body = vec![0; request.header("content-length").unwrap_or("0").parse().unwrap()];
    stream.read_exact(&mut request.body)?;
    if request.header("content-encoding") == Some("zstd") {
        request.body = zstd::decode_all(&*request.body)?;
    }
    Ok(request)
}

/// A reply with further headers (each line ended by `\r\n`).
pub(super) fn http(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut reply = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    reply.extend_from_slice(body);
    reply
}
