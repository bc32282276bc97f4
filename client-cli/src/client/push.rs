//! Web push, as a paired browser uses it.

use car_api::{
    notification::{Notification, NotificationChannel},
    push::{PushAct, PushActed, PushKey, PushSubscribe},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// The key a browser subscribes with.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn push_key_get(&self) -> Result<PushKey, ClientError> {
        self.get("push_key_get", &["push", "key"]).json().await
    }

    /// How the caller's browser is pushed to.
    ///
    /// # Errors
    /// `forbidden` to all but browsers, `not_found`.
    pub async fn push_get(&self) -> Result<NotificationChannel, ClientError> {
        self.get("push_get", &["push", "subscription"]).json().await
    }

    /// Has notifications pushed to the caller's browser.
    ///
    /// # Errors
    /// `forbidden` to all but browsers, `unprocessable`.
    pub async fn push_subscribe(
        &self,
        body: &PushSubscribe,
    ) -> Result<NotificationChannel, ClientError> {
        self.put("push_subscribe", &["push", "subscription"]).body(body).json().await
    }

    /// Ends that.
    ///
    /// # Errors
    /// `forbidden` to all but browsers, `not_found`.
    pub async fn push_unsubscribe(&self) -> Result<(), ClientError> {
        self.delete("push_unsubscribe", &["push", "subscription"]).done().await
    }

    /// Pushes a trial.
    ///
    /// # Errors
    /// `forbidden` to all but browsers, `not_found`.
    pub async fn push_test(&self) -> Result<Notification, ClientError> {
        self.post("push_test", &["push", "subscription", "test"]).json().await
    }

    /// Does one of the actions of a notification.
    ///
    /// # Errors
    /// `unauthenticated` when the token is not taken; else as the action.
    pub async fn push_act(&self, body: &PushAct) -> Result<PushActed, ClientError> {
        self.post("push_act", &["push", "act"]).body(body).json().await
    }
}
