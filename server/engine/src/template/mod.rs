//! Templates of tickets: how one is named, and what in its text deserves a look.

mod reference;
mod scan;

pub use reference::{InvalidRef, TemplateRef, is_template_path};
pub use scan::scan;
