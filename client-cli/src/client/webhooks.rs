//! Webhooks and their ledgers.

use car_api::{
    DeliveryId, Page, PageQuery, WebhookId,
    webhook::{
        DeliveryStatus, Webhook, WebhookCreate, WebhookDelivery, WebhookSecret, WebhookUpdate,
    },
};

use super::Client;
use crate::ClientError;

impl Client {
    /// Webhooks of this hub, without their secrets.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn webhook_list(&self, page: &PageQuery) -> Result<Page<Webhook>, ClientError> {
        self.get("webhook_list", &["webhooks"]).page(page).json().await
    }

    /// Makes a webhook; its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// `bad_request` for an address or a kind of event that is none.
    pub async fn webhook_create(&self, body: &WebhookCreate) -> Result<WebhookSecret, ClientError> {
        self.post("webhook_create", &["webhooks"]).body(body).json().await
    }

    /// One webhook.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_get(&self, id: &WebhookId) -> Result<Webhook, ClientError> {
        self.get("webhook_get", &["webhooks", id.as_str()]).json().await
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `not_found`; `bad_request` as for creating one.
    pub async fn webhook_update(
        &self,
        id: &WebhookId,
        body: &WebhookUpdate,
    ) -> Result<Webhook, ClientError> {
        self.patch("webhook_update", &["webhooks", id.as_str()]).body(body).json().await
    }

    /// Deletes a webhook and its ledger.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_delete(&self, id: &WebhookId) -> Result<(), ClientError> {
        self.delete("webhook_delete", &["webhooks", id.as_str()]).done().await
    }

    /// Gives a webhook a new secret; the one before stays valid for a day.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_rotate(&self, id: &WebhookId) -> Result<WebhookSecret, ClientError> {
        self.post("webhook_rotate", &["webhooks", id.as_str(), "rotate"]).json().await
    }

    /// Sends a test at once; the answer says what became of it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_test(&self, id: &WebhookId) -> Result<WebhookDelivery, ClientError> {
        self.post("webhook_test", &["webhooks", id.as_str(), "test"]).json().await
    }

    /// A page of a webhook's ledger, newest first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_deliveries(
        &self,
        id: &WebhookId,
        status: Option<DeliveryStatus>,
        page: &PageQuery,
    ) -> Result<Page<WebhookDelivery>, ClientError> {
        self.get("webhook_deliveries", &["webhooks", id.as_str(), "deliveries"])
            .query("status", status)
            .page(page)
            .json()
            .await
    }

    /// Sends a delivery again, with its id.
    ///
    /// # Errors
    /// `not_found`; `illegal_transition` while the webhook is turned off.
    pub async fn webhook_redeliver(
        &self,
        id: &WebhookId,
        delivery: &DeliveryId,
    ) -> Result<WebhookDelivery, ClientError> {
        let path = ["webhooks", id.as_str(), "deliveries", delivery.as_str(), "redeliver"];
        self.post("webhook_redeliver", &path).json().await
    }
}
