//! The measurements, one a file. Numbers are those of the performance bars; more will follow.

mod cli;
mod flows;
mod idle;
mod listing;
mod log;
mod spawned;
mod start;
mod stream;
mod threads;
mod turns;

use crate::{Bench, Outcome};

type Part = fn(&mut Bench) -> Outcome<()>;

/// Every part by its name, in the order in which they run.
pub(crate) const ALL: &[(&str, Part)] = &[
    ("P1", start::measure),
    ("P2", idle::measure),
    ("P3", cli::measure),
    ("P4", listing::measure),
    ("P5", turns::measure),
    ("P6", flows::measure),
    ("P7", stream::measure),
    ("P8", log::measure),
    ("P15", threads::measure),
];
