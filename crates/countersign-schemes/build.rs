//! Lists the files of the repository's `schemes` folder for `src/catalogue.rs`, and of each scheme's `vectors` the
//! first message that its vendor's own library signed.

#![expect(clippy::disallowed_methods, reason = "a build script's work is to read the environment and folders")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let folder = manifest.join("../../schemes");
    let vectors = manifest.join("../../vectors");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed={}", vectors.display());

    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(stem), Some("toml")) = (stem, path.extension().and_then(|ending| ending.to_str())) {
            files.push((stem.to_owned(), path));
        }
    }
    files.sort();
    let examples = files.iter().map(|(name, _)| example(&vectors.join(name).join("sdk.jsonl")));
    let examples = examples.collect::<io::Result<Vec<_>>>()?;
    fs::write(out.join("catalogue.rs"), table(&files, &examples))
}

/// The first line of a file; empty where there is no such file.
fn example(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().next().unwrap_or_default().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn table(files: &[(String, PathBuf)], examples: &[String]) -> String {
    let mut code = format!(
        "static NAMES: [&str; {}] = {:?};\n",
        files.len(),
        files.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    let _ = writeln!(code, "static TEXTS: [&str; {}] = [", files.len());
    for (_, path) in files {
        let _ = writeln!(code, "    include_str!({:?}),", Path::new(path).display().to_string());
    }
    code.push_str("];\n");
    let _ = writeln!(code, "static EXAMPLES: [&str; {}] = {examples:?};", files.len());
    code
}
