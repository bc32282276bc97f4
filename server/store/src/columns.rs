//! Values as columns: JSON as text, words as text, times as microseconds.

use car_api::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::corrupt("value", e))
}

/// A value from JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::corrupt(what, e))
}

/// A value from JSON text that may be absent.
pub(crate) fn from_json_opt<T: DeserializeOwned>(
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<T>> {
    text.map(|text| from_json(what, text)).transpose()
}

/// An id or a word from text.
pub(crate) fn parse<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e| Error::corrupt(what, e))
}

/// An id or a word that may be absent.
pub(crate) fn parse_opt<T: std::str::FromStr>(
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<T>>
where
    T::Err: std::fmt::Display,
{
    text.map(|text| parse(what, text)).transpose()
}

/// A time that may be absent, as a column.
pub(crate) fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::micros)
}

/// A time that may be absent, from a column.
pub(crate) fn time(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

/// A struct read from a row by its columns' names. sqlx's derive would compile SQLite a second
/// time for the host.
macro_rules! row {
    (struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        struct $name { $($field: $type),+ }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?),+ })
            }
        }
    };
}
pub(crate) use row;
