//! Packs the files of `web/` for a program that carries them with it.

use std::{
    env, fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

#[path = "src/bundle.rs"]
mod bundle;
#[path = "src/kinds.rs"]
mod kinds;
#[path = "src/sent.rs"]
mod sent;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/bundle.rs");
    println!("cargo:rerun-if-changed=src/kinds.rs");
    println!("cargo:rerun-if-changed=src/sent.rs");
    let missing = |name: &str| io::Error::other(format!("{name} is not set"));
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?);
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?;
    let root = Path::new(&here).join("../../web").canonicalize()?;
    // While somebody works on them they are read from the directory, and nothing is built anew.
    let mut names = Vec::new();
    if env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        kinds::walk(&root, &mut |name, _| names.push(name))?;
        // Not the whole of it: the tests beside them are sent to nobody.
        for name in &names {
            let dir = name.rsplit_once('/').map_or(name.as_str(), |(dir, _)| dir);
            println!("cargo:rerun-if-changed={}", root.join(dir).display());
        }
    }
    let read = |name: String| Ok((name.clone(), fs::read(root.join(name))?));
    let files = names.into_iter().map(read).collect::<io::Result<Vec<_>>>()?;
    let mut table = String::from("[\n");
    for (place, (name, bytes)) in sent::sent(files).map_err(io::Error::other)?.iter().enumerate() {
        let kept = |end: &str, bytes: &[u8]| {
            let file = out.join(format!("{place}.{end}"));
            fs::write(&file, bytes)?;
            io::Result::Ok(file)
        };
        let (gzip, brotli) = (gzip(bytes)?, brotli(bytes)?);
        line(
            &mut table,
            format_args!(
                "({name:?}, include_bytes!({:?}), include_bytes!({:?}), include_bytes!({:?})),",
                kept("plain", bytes)?,
                kept("gz", shorter(&gzip, bytes))?,
                kept("br", shorter(&brotli, bytes))?,
            ),
        );
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn brotli(mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut packed, &BrotliEncoderParams::default())?;
    Ok(packed)
}

/// Nothing where packing gains nothing.
fn shorter<'a>(packed: &'a [u8], plain: &[u8]) -> &'a [u8] {
    if packed.len() < plain.len() { packed } else { &[] }
}

fn line(table: &mut String, text: fmt::Arguments<'_>) {
    table.push_str(&text.to_string());
    table.push('\n');
}
