//! Programs that start, fork and end: the five sorts of records of the class, and the parts that only they have.

mod args;
mod baseline;
mod exec;
mod exit;
mod failed;
mod fork;
mod image;
mod script;
