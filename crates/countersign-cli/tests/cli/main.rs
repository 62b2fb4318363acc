//! The binary, run as others run it: exit status, streams, and the contract of the request commands.

mod aws_sigv4;
mod aws_streaming;
mod certificates;
mod changes;
mod commands;
mod contract;
mod gateway;
mod hawk;
mod jwk;
mod keys;
mod message_signatures;
mod newcomer;
mod raw;
mod suites;
mod support;
mod trial;
mod values;
mod vendors;
mod webhooks;
