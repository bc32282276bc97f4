//! What can go wrong with the database.

/// Why something was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique rule of the schema forbids it.
    #[error("it exists already")]
    Conflict,
    /// No space is left on the device.
    #[error("the disk is full")]
    DiskFull,
    /// A stored value cannot be read.
    #[error("a stored {what} cannot be read: {detail}")]
    Corrupt {
        /// What kind of value.
        what: &'static str,
        /// Why not.
        detail: String,
    },
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Anything else the database says.
    #[error(transparent)]
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// What an operation of the store gives.
pub type Result<T> = std::result::Result<T, Error>;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            if database.is_unique_violation() {
                return Self::Conflict;
            }
            // SQLITE_FULL
            if database.code().is_some_and(|code| code == "13") {
                return Self::DiskFull;
            }
        }
        Self::Database(error)
    }
}

impl Error {
    pub(crate) fn corrupt(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, detail: detail.to_string() }
    }
}
