//! Both ends of the control socket.

use std::{io::Write as _, os::unix::net::UnixStream};

use super::{
    Status, lines, lists,
    protocol::{MAX_REQUEST, Reply},
    render,
    server::read_request,
    top, tree,
};
use crate::live::Filter;

/// What a caller may write, and what a sensor of another version may reply.
///
/// # Panics
///
/// If a request is taken that is too long, if a line for people would command a terminal, or there are no sockets to be had.
pub fn control(bytes: &[u8]) {
    // As much as a socket holds: nobody reads meanwhile.
    let bytes = &bytes[..bytes.len().min(4 * MAX_REQUEST)];
    let (server, mut client) = UnixStream::pair().expect("there are sockets");
    client.write_all(bytes).expect("a fresh socket has room");
    drop(client);
    if let Ok(request) = read_request(&server) {
        let _ = request.query.map(|query| Filter::new(&query).map_err(|report| assert!(report.has_errors())));
        let line = bytes.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        assert!(line.len() <= MAX_REQUEST);
    }
    match serde_json::from_slice(bytes) {
        Ok(Reply::Status { status }) => {
            assert!(!render::status(&status).is_empty());
            let _: Result<Status, _> = serde_json::from_str(&render::status_json(&status));
        }
        Ok(Reply::Stage(stage)) => assert!(!render::stage(&stage).is_empty()),
        Ok(Reply::Reloaded(reload)) => assert!(!render::reload(&reload).is_empty()),
        Ok(Reply::Inventory(inventory)) => {
            let width = usize::from(bytes[0]);
            let texts = [
                lists::policies(&inventory.policies, 0, Some(width)),
                lists::tables(&inventory.tables, 0, Some(width)),
                lists::lists(&inventory.lists, None),
                lists::outputs(&inventory.outputs, None),
            ];
            assert!(!texts.concat().contains(|char: char| char != '\n' && char.is_control()));
        }
        Ok(Reply::Top(round)) => {
            assert!(!top::render(&round, Some(80)).contains(|char: char| char != '\n' && char.is_control()));
        }
        Ok(Reply::Line(line)) => {
            let shown = lines::line(&line, false);
            assert!(shown.lines().count() == 1 && !shown.trim_end().contains(char::is_control));
            let shown = tree::tree(&[*line], 0, false, Some(80));
            assert!(shown.lines().count() == 2 && !shown.contains(|char: char| char != '\n' && char.is_control()));
        }
        Ok(Reply::Tested { .. } | Reply::Notes { .. } | Reply::Lost { .. } | Reply::End | Reply::Error { .. })
        | Err(_) => {}
    }
}
