//! The files of the contract, on a real disk.

#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod conditional;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod seeding;
#[cfg(test)]
mod tree;

#[cfg(test)]
use tree::{Tree, names};
