//! The caller's own credential, the keys that sign, and paired browsers.

use car_api::{
    DeviceId, Page,
    device::Device,
    key::SigningKey,
    token::{AccessToken, Credential, LoggedOut, TokenExchange, WsTicket, WsTicketCreate},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// What the token of this client is and allows.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn credential_get(&self) -> Result<Credential, ClientError> {
        self.get("credential_get", &["credential"]).json().await
    }

    /// Ends the token of this client.
    ///
    /// # Errors
    /// `forbidden` for one that runs out by itself.
    pub async fn credential_delete(&self) -> Result<(), ClientError> {
        self.delete("credential_delete", &["credential"]).done().await
    }

    /// Ends every credential but this client's own.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn token_delete_others(&self) -> Result<LoggedOut, ClientError> {
        self.post("token_delete_others", &["tokens", "delete-others"]).json().await
    }

    /// A token of ten minutes in exchange for this client's personal one.
    ///
    /// # Errors
    /// `forbidden` for scopes it does not have.
    pub async fn token_exchange(&self, body: &TokenExchange) -> Result<AccessToken, ClientError> {
        self.post("token_exchange", &["tokens", "exchange"]).body(body).json().await
    }

    /// A ticket that opens one WebSocket.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ws_ticket_create(&self, body: &WsTicketCreate) -> Result<WsTicket, ClientError> {
        self.post("ws_ticket_create", &["ws-tickets"]).body(body).json().await
    }

    /// The paired browsers.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn device_list(&self) -> Result<Page<Device>, ClientError> {
        self.get("device_list", &["devices"]).json().await
    }

    /// Has a browser pair again.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn device_delete(&self, device: &DeviceId) -> Result<(), ClientError> {
        self.delete("device_delete", &["devices", device.as_str()]).done().await
    }

    /// The keys whose signatures are believed.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn key_list(&self) -> Result<Page<SigningKey>, ClientError> {
        self.get("key_list", &["keys"]).json().await
    }

    /// Has the hub sign with a new key.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn key_rotate(&self) -> Result<Page<SigningKey>, ClientError> {
        self.post("key_rotate", &["keys", "rotate"]).json().await
    }
}
