//! `cargo xtask interop`: the vendors' SDKs sign random requests, which Countersign must verify; Countersign signs,
//! and the SDKs that verify must accept it.
//!
//! The drivers in `interop/drivers` know the SDKs, and this knows the drivers: it installs what they name, carries
//! lines to and fro, and counts. What a line is, the command line decides; nothing here knows any scheme.

mod driver;
mod exchange;
mod report;
mod scratch;
mod values;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::{Failure, cargo, command, counted, run as run_command, stdout_of};
use driver::Driver;
use report::Report;

/// What a run is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Options {
    /// Requests of each scheme, in each direction.
    count: usize,
    seed: String,
    /// Drivers or schemes; none: all.
    names: Vec<String>,
}

/// Everything, or the drivers and schemes that are named.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    if let ["values", arguments @ ..] = arguments {
        return values::run(root, arguments);
    }
    let options = Options::read(arguments)?;
    let chosen = chosen(driver::list(root)?, &options.names)?;
    let countersign = countersign(root)?;
    let mut report = Report::default();
    for driver in &chosen {
        // What one driver lacks is no reason to leave the others out.
        match scratch::install(root, driver, None) {
            Ok(place) => report.add(driver, exchange::both_ways(root, &countersign, driver, &place, &options))?,
            Err(why) => report.broken(driver, &why.to_string()),
        }
    }
    report.finish(root)
}

/// Where Python finds the frameworks that sign values.
pub(crate) fn python_path(root: &Path) -> Result<std::ffi::OsString, Failure> {
    values::python_path(root)
}

/// A few requests with the SDKs that are installed in seconds. Where they cannot be, that is told and is no failure.
pub(crate) fn quick(root: &Path) -> Result<(), Failure> {
    if let Err(Failure::Program(why)) = stdout_of(command(root, "python3").arg("--version")) {
        println!("skipped: {why}");
        return Ok(());
    }
    let options = Options { count: 10, ..Options::default() };
    let countersign = countersign(root)?;
    let mut report = Report::default();
    let all = driver::list(root)?;
    let left_out = all.iter().filter(|driver| !driver.quick).count();
    let mut patience = PATIENCE;
    for driver in all.iter().filter(|driver| driver.quick) {
        let started = Instant::now();
        let place = scratch::install(root, driver, Some(patience));
        patience = patience.saturating_sub(started.elapsed());
        match place {
            Ok(place) => report.add(driver, exchange::both_ways(root, &countersign, driver, &place, &options))?,
            Err(why) => println!("skipped: {}: {why}", driver.name),
        }
    }
    if left_out > 0 {
        println!("left to `cargo xtask interop`: {}", counted(left_out, "driver"));
    }
    report.finish(root)?;
    values::quick(root, &countersign, patience)
}

/// How long installing may take, all SDKs together, before the small run goes on with those that are there.
const PATIENCE: Duration = Duration::from_mins(1);

impl Default for Options {
    fn default() -> Self {
        Self { count: 300, seed: "1".to_owned(), names: Vec::new() }
    }
}

impl Options {
    fn read(arguments: &[&str]) -> Result<Self, Failure> {
        let usage =
            || Failure::Usage("usage: cargo xtask interop [--count N] [--seed S] [DRIVER|SCHEME…]".to_owned());
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--count" => {
                    let count = rest.next().and_then(|count| count.parse().ok()).filter(|count| *count > 0);
                    options.count = count.ok_or_else(usage)?;
                }
                "--seed" => (*rest.next().ok_or_else(usage)?).clone_into(&mut options.seed),
                option if option.starts_with('-') => return Err(usage()),
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// The drivers that are named, or one of whose schemes is, with those schemes alone.
fn chosen(all: Vec<Driver>, names: &[String]) -> Result<Vec<Driver>, Failure> {
    let known = |name: &&String| all.iter().any(|driver| driver.name == **name || driver.schemes.contains(name));
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let drivers: Vec<&str> = all.iter().map(|driver| driver.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "error: no driver and no driver's scheme is named `{unknown}`\nhint: there are {}",
            drivers.join(", ")
        )));
    }
    let narrowed = all.into_iter().filter_map(|mut driver| {
        if !names.is_empty() && !names.contains(&driver.name) {
            driver.schemes.retain(|scheme| names.contains(scheme));
        }
        (!driver.schemes.is_empty()).then_some(driver)
    });
    Ok(narrowed.collect())
}

/// Builds the command line, and says where it is.
fn countersign(root: &Path) -> Result<std::path::PathBuf, Failure> {
    run_command(cargo(root).args(["build", "--quiet", "--package", "countersign-cli"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    Ok(target.join("debug/countersign"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(name: &str, schemes: &[&str]) -> Driver {
        let schemes = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
        Driver { name: name.to_owned(), schemes, ..Driver::default() }
    }

    #[test]
    fn options_are_read_or_refused() {
        let read = Options::read(&["--count", "7", "hawk", "--seed", "x"]).unwrap();
        assert_eq!(read, Options { count: 7, seed: "x".to_owned(), names: vec!["hawk".to_owned()] });
        assert_eq!(Options::read(&[]).unwrap(), Options::default());
        for wrong in [&["--count"][..], &["--count", "0"], &["--count", "x"], &["--seed"], &["--all"]] {
            assert_eq!(Options::read(wrong).unwrap_err().exit_status(), 2, "{wrong:?}");
        }
    }

    #[test]
    fn a_driver_is_chosen_by_its_name_or_by_a_scheme() {
        let names = |names: &[&str]| -> Vec<(String, usize)> {
            let all = vec![driver("botocore", &["aws-sigv4", "aws-sigv4-query"]), driver("hawk", &["hawk", "bewit"])];
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let chosen = chosen(all, &names).unwrap_or_default();
            chosen.into_iter().map(|driver| (driver.name, driver.schemes.len())).collect()
        };
        let pairs =
            |pairs: &[(&str, usize)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(names(&[]), pairs(&[("botocore", 2), ("hawk", 2)]));
        assert_eq!(names(&["botocore"]), pairs(&[("botocore", 2)]));
        assert_eq!(names(&["aws-sigv4-query", "bewit"]), pairs(&[("botocore", 1), ("hawk", 1)]));
        assert_eq!(names(&["hawk"]), pairs(&[("hawk", 2)]), "the driver's name counts first");
        assert_eq!(names(&["stripe"]), []);
    }
}
