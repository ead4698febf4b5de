//! An HTTP receiver that replies as a test says and keeps what came.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use reqwest::Url;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) path: String,
    /// What it says of the body's length, if it does.
    pub(crate) length: Option<usize>,
    pub(crate) body: String,
}

/// Listens until the tests end.
pub(crate) struct Receiver {
    pub(crate) url: Url,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Receiver {
    /// One that replies with what this makes of a request: a status and a body.
    pub(crate) fn start(mut reply: impl FnMut(&Came) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&came);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut length = None;
                while line != "\r\n" {
                    line.clear();
                    if stream.read_line(&mut line).unwrap() == 0 {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = Some(value.trim().parse().unwrap());
                    }
                }
                let mut body = vec![0; length.unwrap_or(0)];
                stream.read_exact(&mut body).unwrap();
                let request = Came { path, length, body: String::from_utf8(body).unwrap() };
                all.lock().unwrap().push(request.clone());
                let (status, body) = reply(&request);
                let length = body.len();
                // Who asked may be gone.
                let _ = write!(
                    stream.get_mut(),
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, came }
    }

    /// The requests so far to paths that end so.
    pub(crate) fn came(&self, path: &str) -> Vec<Came> {
        self.came.lock().unwrap().iter().filter(|came| came.path.contains(path)).cloned().collect()
    }
}
