//! The program as its users meet it. The modules are marked as tests so that the lints know.

#[cfg(test)]
mod commands;
mod events;
#[cfg(test)]
mod stub;
