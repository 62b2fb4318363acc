//! The replay store and the uses of keys against PostgreSQL servers of the tests' own.

mod conformance;
mod faults;
mod support;
mod uses;
