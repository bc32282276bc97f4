//! Packs the files of `web/` for a program that carries them with it.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

#[path = "src/bundle.rs"]
mod bundle;
#[path = "src/kinds.rs"]
mod kinds;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/bundle.rs");
    println!("cargo:rerun-if-changed=src/kinds.rs");
    let missing = |name: &str| io::Error::other(format!("{name} is not set"));
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?);
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?;
    let root = Path::new(&here).join("../../web").canonicalize()?;
    // While somebody works on them they are read from the directory, and nothing is built anew.
    let mut names = Vec::new();
    if env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        println!("cargo:rerun-if-changed={}", root.display());
        kinds::walk(&root, &mut |name, _| names.push(name))?;
    }
    let mut contents = Vec::new();
    let mut modules = BTreeMap::new();
    for name in names {
        let bytes = fs::read(root.join(&name))?;
        if bundle::is_module(&name) {
            modules.insert(name, String::from_utf8(bytes).map_err(io::Error::other)?);
        } else {
            contents.push((name, bytes));
        }
    }
    if !modules.is_empty() {
        let modules = bundle::bundled(&modules).map_err(io::Error::other)?;
        contents.extend(modules.into_iter().map(|(name, text)| (name, text.into_bytes())));
    }
    let mut table = String::from("[\n");
    for (place, (name, bytes)) in contents.iter().enumerate() {
        let (plain, packed) = (out.join(format!("{place}.plain")), out.join(format!("{place}.gz")));
        fs::write(&plain, bytes)?;
        let mut encoder = GzEncoder::new(fs::File::create(&packed)?, Compression::best());
        encoder.write_all(bytes)?;
        encoder.finish()?;
        line(
            &mut table,
            format_args!("({name:?}, include_bytes!({plain:?}), include_bytes!({packed:?})),"),
        );
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)
}

fn line(table: &mut String, text: fmt::Arguments<'_>) {
    table.push_str(&text.to_string());
    table.push('\n');
}
