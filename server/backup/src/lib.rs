//! Archives of files: written whole or not at all, checked to the last byte, unpacked safely.
//!
//! An archive is a tar in a zstd frame, so that `tar --zstd -xf` reads it anywhere. Its first entry
//! says what it is; its last, `SHA256SUMS`, has the digest of every other entry in the form that
//! `sha256sum -c` reads. This crate knows that much and walks directories that agents can write to;
//! it knows no database and not what the files mean.

mod error;
mod lock;
mod read;
mod sums;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use read::{first, unpack, verify};
pub use walk::{Found, walk};
pub use write::{Writer, Written, clear_halves};

/// The last entry of every archive.
pub const SUMS: &str = "SHA256SUMS";
