//! `trousseau targets`, and the shipped targets against the embedded server over real sockets.

#[path = "targets/command.rs"]
mod command;
#[path = "targets/live.rs"]
mod live;
