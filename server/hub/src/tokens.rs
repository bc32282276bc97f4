//! Operations on tokens.

use car_api::{
    Page, TokenId,
    token::{Token, TokenCreate, TokenCreated},
};

use crate::{Error, Hub, Result};

impl Hub {
    /// token_list
    ///
    /// # Errors
    /// See the API.
    pub async fn token_list(&self) -> Result<Page<Token>> {
        Err(Error::not_found("token_list"))
    }

    /// token_create
    ///
    /// # Errors
    /// See the API.
    pub async fn token_create(&self, body: TokenCreate) -> Result<TokenCreated> {
        let _ = (body,);
        Err(Error::not_found("token_create"))
    }

    /// token_delete
    ///
    /// # Errors
    /// See the API.
    pub async fn token_delete(&self, token: &TokenId) -> Result<()> {
        let _ = (token,);
        Err(Error::not_found("token_delete"))
    }

    /// The token a secret belongs to, if it is valid now.
    #[must_use]
    pub fn authenticate(&self, secret: &str) -> Option<Token> {
        let _ = secret;
        None
    }
}
