//! The binary, run as others run it: exit status, streams, and the contract of the request commands.

mod aws_sigv4;
mod commands;
mod contract;
mod gateway;
mod hawk;
mod raw;
mod support;
mod trial;
mod vendors;
mod webhooks;
