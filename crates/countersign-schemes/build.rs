//! Lists the files of the repository's `schemes` folder for `src/catalogue.rs`.

#![expect(clippy::disallowed_methods, reason = "a build script's work is to read the environment and folders")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let folder = manifest.join("../../schemes");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(stem), Some("toml")) = (stem, path.extension().and_then(|ending| ending.to_str())) {
            files.push((stem.to_owned(), path));
        }
    }
    files.sort();
    fs::write(out.join("catalogue.rs"), table(&files))
}

fn table(files: &[(String, PathBuf)]) -> String {
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
    code
}
