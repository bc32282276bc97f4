//! Notifications and the channels they leave by.

use car_api::{
    ChannelId, NotificationId, Page, PageQuery,
    notification::{
        ChannelCreate, ChannelSecret, ChannelUpdate, Notification, NotificationChannel,
        NotificationStatus,
    },
};

use super::Client;
use crate::ClientError;

impl Client {
    /// A page of the notifications, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn notification_list(
        &self,
        status: Option<NotificationStatus>,
        page: &PageQuery,
    ) -> Result<Page<Notification>, ClientError> {
        let call = self.get("notification_list", &["notifications"]);
        call.query("status", status).page(page).json().await
    }

    /// One notification.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn notification_get(&self, id: &NotificationId) -> Result<Notification, ClientError> {
        self.get("notification_get", &["notifications", id.as_str()]).json().await
    }

    /// A person has seen it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn notification_seen(
        &self,
        id: &NotificationId,
    ) -> Result<Notification, ClientError> {
        self.post("notification_seen", &["notifications", id.as_str(), "seen"]).json().await
    }

    /// Sends it again where it was given up.
    ///
    /// # Errors
    /// `not_found`; `illegal_transition` when it was given up nowhere.
    pub async fn notification_retry(
        &self,
        id: &NotificationId,
    ) -> Result<Notification, ClientError> {
        self.post("notification_retry", &["notifications", id.as_str(), "retry"]).json().await
    }

    /// A page of the channels, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn channel_list(
        &self,
        page: &PageQuery,
    ) -> Result<Page<NotificationChannel>, ClientError> {
        self.get("channel_list", &["channels"]).page(page).json().await
    }

    /// Makes a webhook channel; its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// `unprocessable` for an address that is none.
    pub async fn channel_create(&self, body: &ChannelCreate) -> Result<ChannelSecret, ClientError> {
        self.post("channel_create", &["channels"]).body(body).json().await
    }

    /// One channel.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn channel_get(&self, id: &ChannelId) -> Result<NotificationChannel, ClientError> {
        self.get("channel_get", &["channels", id.as_str()]).json().await
    }

    /// Changes a channel.
    ///
    /// # Errors
    /// `not_found`; `unprocessable` as for creating one.
    pub async fn channel_update(
        &self,
        id: &ChannelId,
        body: &ChannelUpdate,
    ) -> Result<NotificationChannel, ClientError> {
        self.patch("channel_update", &["channels", id.as_str()]).body(body).json().await
    }

    /// Deletes a channel.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn channel_delete(&self, id: &ChannelId) -> Result<(), ClientError> {
        self.delete("channel_delete", &["channels", id.as_str()]).done().await
    }

    /// Sends a trial at once; the answer says what became of it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn channel_test(&self, id: &ChannelId) -> Result<Notification, ClientError> {
        self.post("channel_test", &["channels", id.as_str(), "test"]).json().await
    }
}
