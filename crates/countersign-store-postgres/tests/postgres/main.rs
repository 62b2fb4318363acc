//! The replay store against PostgreSQL servers of the tests' own.

mod conformance;
mod faults;
mod support;
