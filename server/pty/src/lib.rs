//! One shell on a pseudo-terminal: what it writes, by offset, and what is typed into it.
//!
//! Everything the shell wrote has a place, counted in bytes from its first one. The newest mebibyte
//! is in memory, the rest in the record on disk, so a viewer asks from where it is and gets what
//! follows: one that was away misses nothing, and one that reads slowly holds up nobody. It does
//! not know who looks, what a hub is, or how a shell's children are found: whoever starts a shell
//! ends what it left.

mod record;
mod ring;
mod shell;

pub use record::{end as record_end, read as read_record};
pub use shell::{Exit, Shell, Size, Start, State, Terminal, start};
