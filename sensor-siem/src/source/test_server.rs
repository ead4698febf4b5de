//! A server that replies as a test says.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use reqwest::Url;
use secrecy::SecretString;

use super::{Connection, Credentials, Pace, Rates, Session, Tenant};

pub(crate) const TENANT: &str = "11111111-2222-4333-8444-555555555555";

/// What a request is replied to with.
pub(crate) enum Reply {
    With(u16, &'static str, String),
    /// 200 with a date, Unix seconds.
    Dated(u64, String),
    /// 200 with a body in gzip.
    Gzip(Vec<u8>),
    /// The connection ends in the middle of the body.
    Cut,
    /// The connection ends at once.
    Reset,
}

/// A request: its first line, its headers in small letters, its body.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

pub(crate) struct Server {
    pub(crate) url: Url,
    pub(crate) came: Arc<Mutex<Vec<Came>>>,
}

pub(crate) fn ok(body: impl Into<String>) -> Reply {
    Reply::With(200, "", body.into())
}

pub(crate) fn token(name: &str) -> Reply {
    ok(format!(r#"{{"access_token": "{name}", "expires_in": 3600, "token_type": "bearer", "message": "OK"}}"#))
}

pub(crate) fn page(items: &str, has_more: bool, cursor: &str) -> Reply {
    ok(format!(r#"{{"has_more": {has_more}, "items": [{items}], "next_cursor": "{cursor}"}}"#))
}

impl Server {
    /// Replies with these, one after the other. `SELF` in a body is this server's own URL.
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        Self::answering(move |_| replies.pop_front().unwrap_or(Reply::With(418, "", "no more replies".into())))
    }

    /// Replies with what comes of the request's first line.
    pub(crate) fn answering(mut reply: impl FnMut(&str) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let own = url.to_string();
        let came = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&came);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let Some(came) = read(&mut stream) else { continue };
                let mut reply = reply(&came.line);
                all.lock().unwrap().push(came);
                if let Reply::With(.., body) | Reply::Dated(_, body) = &mut reply {
                    *body = body.replace("SELF", &own);
                }
                answer(stream.get_mut(), reply);
            }
        });
        Self { url, came }
    }

    pub(crate) fn session(&self, credentials: Credentials) -> Session {
        let pace = Pace { first: Duration::from_millis(1), most: Duration::from_millis(5), ..Pace::default() };
        Session::new(credentials, &Self::connection(), pace).unwrap()
    }

    pub(crate) fn connection() -> Connection {
        let timeout = Duration::from_secs(20);
        Connection { ca_file: None, proxy: None, timeout, rates: Rates::default(), replies: 2 }
    }

    pub(crate) fn of_client(&self, tenant: Option<&str>) -> Session {
        self.session(self.client(tenant))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.client(None)
    }

    fn client(&self, tenant: Option<&str>) -> Credentials {
        Credentials::Client {
            id: "client-a".into(),
            secret: SecretString::from("hunter2 +&="),
            tenants: tenant.map(str::to_owned).into_iter().collect(),
            auth_url: self.url.join("/api/v2/oauth2/token").unwrap(),
            api_host: self.url.clone(),
        }
    }

    /// The first lines of the requests, without the protocol.
    pub(crate) fn lines(&self) -> Vec<String> {
        let came = self.came.lock().unwrap();
        came.iter().map(|came| came.line.trim_end().trim_end_matches(" HTTP/1.1").to_owned()).collect()
    }

    pub(crate) fn came(&self, at: usize) -> Came {
        self.came.lock().unwrap()[at].clone()
    }

    pub(crate) fn tenant(&self) -> Tenant {
        Tenant { id: TENANT.into(), name: None, host: Some(self.url.clone()), token: None }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Came> {
    let (mut line, mut headers, mut length) = (String::new(), String::new(), 0);
    stream.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).ok()? <= 2 {
            break;
        }
        let header = header.to_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers += &header;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Came { line, headers, body: String::from_utf8(body).ok()? })
}

fn answer(stream: &mut TcpStream, reply: Reply) {
    // Who asked may be gone.
    let _ = match reply {
        Reply::With(status, header, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::Dated(date, body) => write!(
            stream,
            "HTTP/1.1 200 X\r\ndate: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(date)),
            body.len()
        ),
        Reply::Gzip(body) => {
            let length = body.len();
            let head = format!("content-encoding: gzip\r\ncontent-length: {length}\r\nconnection: close");
            write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n").and_then(|()| stream.write_all(&body))
        }
        Reply::Cut => write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{{\"items\": ["),
        Reply::Reset => Ok(()),
    };
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}
