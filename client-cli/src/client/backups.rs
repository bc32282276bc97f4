//! Backups, and the report of a restore.

use car_api::{
    Page,
    backup::{Backup, BackupCreate},
    job::Job,
};

use super::Client;
use crate::ClientError;

impl Client {
    /// The backups in the hub's backup directory, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn backup_list(&self) -> Result<Page<Backup>, ClientError> {
        self.get("backup_list", &["backups"]).json().await
    }

    /// Makes a backup.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn backup_create(&self, body: &BackupCreate) -> Result<Job, ClientError> {
        self.post("backup_create", &["backups"]).body(body).json().await
    }

    /// Lets a restored hub work again.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn restore_confirm(&self) -> Result<(), ClientError> {
        self.post("restore_confirm", &["hub", "restore", "confirm"]).done().await
    }
}
