//! The real shim process, with shell scripts for agents.

#[cfg(test)]
mod endings;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod versions;
