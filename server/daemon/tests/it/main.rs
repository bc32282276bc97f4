//! What holds for the program as a whole, seen from outside.

mod contract;
mod layers;
