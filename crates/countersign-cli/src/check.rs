//! `countersign check`: a gateway's configuration and its schemes, every fault with its place, and what is weak about
//! the schemes.

use std::io::Write as _;

use countersign_gateway::config::{Config, ConfigError};
use countersign_schemes::SchemeError;
use countersign_schemes::lint::LocatedFinding;
use serde::Serialize;

use crate::args::CheckArguments;
use crate::failure::Failure;
use crate::lint::{self, Linted};
use crate::out::{Outcome, Output};

pub(crate) fn run(arguments: &CheckArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => {
            if let (true, ConfigError::Faulty(faults)) = (arguments.json, &error) {
                out.json(&Checked {
                    routes: None,
                    findings: Vec::new(),
                    faults: faults.files.iter().flat_map(SchemeError::located).collect(),
                })?;
            }
            return Err(error.into());
        }
    };
    if arguments.json {
        let routes = config
            .routes
            .iter()
            .map(|route| RouteRow { path: route.path.value.to_string(), scheme: route.demands() });
        let findings = lint::of_configuration(&config).iter().flat_map(Linted::rows).collect();
        out.json(&Checked { routes: Some(routes.collect()), findings, faults: Vec::new() })?;
    } else {
        writeln!(out, "{} can be served", arguments.config.display())?;
        for route in &config.routes {
            writeln!(out, "  {}  {}", route.path.value, route.demands())?;
        }
        for linted in lint::of_configuration(&config) {
            writeln!(out)?;
            linted.print(out)?;
        }
    }
    Ok(Outcome::Holds)
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<Vec<RouteRow<'a>>>,
    /// What is weak about the schemes. It does not keep them from being served.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<LocatedFinding>,
    faults: Vec<countersign_schemes::Located>,
}

#[derive(Debug, Serialize)]
struct RouteRow<'a> {
    path: String,
    scheme: &'a str,
}
