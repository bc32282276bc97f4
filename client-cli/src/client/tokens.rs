//! Personal access tokens.

use car_api::{
    Page, TokenId,
    token::{Token, TokenCreate, TokenCreated},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// Tokens of this hub, without their secrets.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn token_list(&self) -> Result<Page<Token>, ClientError> {
        self.get("token_list", &["tokens"]).all().await
    }

    /// Makes a token; its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// `bad_request` for a number of days out of range.
    pub async fn token_create(&self, body: &TokenCreate) -> Result<TokenCreated, ClientError> {
        self.post("token_create", &["tokens"]).body(body).json().await
    }

    /// Makes a token stop working, at once.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn token_delete(&self, token: &TokenId) -> Result<(), ClientError> {
        self.delete("token_delete", &["tokens", token.as_str()]).done().await
    }
}
