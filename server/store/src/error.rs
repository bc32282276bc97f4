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
    /// Somebody else holds the database for longer than the hub waits.
    #[error("the database is held by somebody else")]
    Busy,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Anything else the database says.
    #[error(transparent)]
    Database(sqlx::Error),
    /// A newer program changed the database in a way this one cannot work with.
    #[error(
        "a newer car-hub changed the database (schema {schema}, this car-hub knows {known}): use \
         that one{}", match .snapshot { Some(path) => format!(", or stop the hub and put {path} in the place of hub.sqlite3 to go back to what it was then"), None => String::new() }
    )]
    TooNew {
        /// Number of its newest migration.
        schema: i64,
        /// The newest this program knows.
        known: i64,
        /// The copy from before, of the schema this program knows.
        snapshot: Option<String>,
    },
    /// The database is damaged, so its schema is left as it is.
    #[error("the database is damaged ({0}); see `car-hub doctor`")]
    Damaged(String),
    /// There is not space enough for a copy before the schema is changed.
    #[error(
        "{needed} MiB are needed beside the database to bring its schema up to date, and {free} MiB are free"
    )]
    NoSpace {
        /// MiB needed.
        needed: u64,
        /// MiB there are.
        free: u64,
    },
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
            // The low byte is the primary code: SQLITE_FULL, SQLITE_BUSY, SQLITE_LOCKED.
            let code = database.code().and_then(|code| code.parse::<u32>().ok());
            match code.map(|code| code & 0xff) {
                Some(13) => return Self::DiskFull,
                Some(5 | 6) => return Self::Busy,
                _ => {}
            }
        }
        Self::Database(error)
    }
}

impl Error {
    /// The same error for another of those it holds for.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Conflict => Self::Conflict,
            Self::DiskFull => Self::DiskFull,
            Self::Busy => Self::Busy,
            Self::Closed => Self::Closed,
            Self::Corrupt { what, detail } => Self::corrupt(what, detail),
            Self::Database(_)
            | Self::Migrate(_)
            | Self::TooNew { .. }
            | Self::Damaged(_)
            | Self::NoSpace { .. } => Self::corrupt("transaction", self),
        }
    }

    pub(crate) fn corrupt(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, detail: detail.to_string() }
    }
}
