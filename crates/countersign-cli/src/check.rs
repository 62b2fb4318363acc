//! `countersign check`: a gateway's configuration and its schemes, every fault with its place.

use std::io::Write as _;

use countersign_gateway::config::{Config, ConfigError};
use countersign_schemes::SchemeError;
use serde::Serialize;

use crate::args::CheckArguments;
use crate::failure::Failure;
use crate::out::{Outcome, Output};

pub(crate) fn run(arguments: &CheckArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => {
            if let (true, ConfigError::Faulty(faults)) = (arguments.json, &error) {
                out.json(&Checked {
                    routes: None,
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
            .map(|route| RouteRow { path: route.path.value.to_string(), scheme: &route.scheme.scheme.name });
        out.json(&Checked { routes: Some(routes.collect()), faults: Vec::new() })?;
    } else {
        writeln!(out, "{} can be served", arguments.config.display())?;
        for route in &config.routes {
            writeln!(out, "  {}  {}", route.path.value, route.scheme.scheme.name)?;
        }
    }
    Ok(Outcome::Holds)
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<Vec<RouteRow<'a>>>,
    faults: Vec<countersign_schemes::Located>,
}

#[derive(Debug, Serialize)]
struct RouteRow<'a> {
    path: String,
    scheme: &'a str,
}
