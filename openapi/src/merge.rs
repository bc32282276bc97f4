//! JSON merge patches (RFC 7396).

use serde::{Deserialize, Deserializer};

/// Reads a field of a patch that is there: `null` takes the value out. Together with
/// `#[serde(default)]`, an absent field is `None`.
pub(crate) fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
