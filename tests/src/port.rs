//! Ports of this host.

use std::net::{TcpListener, TcpStream};

/// A port of the loopback that nobody listens at.
///
/// # Panics
/// There is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// Whether somebody listens at a port of the loopback.
pub fn listens(port: u16) -> impl Fn() -> bool {
    move || TcpStream::connect(("127.0.0.1", port)).is_ok()
}
