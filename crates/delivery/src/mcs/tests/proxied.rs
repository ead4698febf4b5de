//! Through a proxy.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::*;

/// A proxy that connects whoever has the password. Yields its address and what it is asked.
fn proxy(password: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, questions) = channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, asked) = (socket.unwrap(), asked.clone());
            thread::spawn(move || connect(socket, password, &asked));
        }
    });
    (address, questions)
}

fn connect(mut socket: TcpStream, password: &str, asked: &Report<String>) -> Option<()> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let mut question = String::new();
    while !question.ends_with("\r\n\r\n") {
        if reader.read_line(&mut question).ok()? == 0 {
            return None;
        }
    }
    let line = question.lines().next()?.to_owned();
    asked.send(line.clone()).ok()?;
    if !question.to_lowercase().contains(&format!("proxy-authorization: basic {password}").to_lowercase()) {
        socket.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").ok()?;
        return None;
    }
    let target = TcpStream::connect(line.split(' ').nth(1)?).ok()?;
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from, mut to) = (target.try_clone().ok()?, socket.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut reader, &mut &target).ok()?;
    Some(())
}

#[test]
fn central_is_reached_through_a_proxy_with_a_password() {
    // "sensor:p@ss" in base64.
    let (address, questions) = proxy("c2Vuc29yOnBAc3M=");
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |settings| {
        settings.proxy = Some(Url::parse(&format!("http://sensor:p%40ss@{address}")).unwrap());
    });
    sensor.append(vec![alert(1), rows(2, 2)]);
    sensor.until_empty();
    assert_eq!(questions.recv().unwrap(), format!("CONNECT localhost:{} HTTP/1.1", peer.address.port()));
    let requests = peer.requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.header("proxy-authorization").is_none()));
}

#[test]
fn a_proxy_that_refuses_is_told_without_the_password() {
    let (address, questions) = proxy("b3RoZXI6b3RoZXI=");
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |settings| {
        settings.proxy = Some(Url::parse(&format!("http://sensor:hunter2@{address}")).unwrap());
    });
    sensor.append(vec![alert(1)]);
    let error = sensor.until_it_fails("");
    assert!(error.contains(&format!("through the proxy {address}")) && !error.contains("hunter2"), "{error}");
    assert!(questions.recv().unwrap().starts_with("CONNECT"));
    assert!(peer.requests.lock().unwrap().is_empty(), "nothing goes past the proxy");
}
