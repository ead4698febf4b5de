//! Central as sensors see it: the real program, over HTTPS on the loopback, trusted by its own CA alone.

mod access;
mod api;
mod backup;
mod batches;
mod bodies;
mod crash;
mod faults;
mod program;
mod retention;
mod service;
mod troubles;
mod upgrade;
mod web;
