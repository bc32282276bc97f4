//! Personal access tokens.

use std::{collections::HashMap, sync::PoisonError};

use car_api::{
    Page, PageQuery, TokenId,
    token::{Token, TokenCreate, TokenCreated},
};
use car_store::{TokenRow, Write};
use sha2::{Digest, Sha256};

use crate::{
    Error, Hub, Result, clock,
    idempotency::Made,
    index,
    text::{hex, is_a_line},
};

/// How a secret begins, so that scanners and redactors find it.
const PREFIX: &str = "car_pat_";
/// Days a token lives when nothing is said.
const DAYS: u32 = 90;
/// The longest life of a token.
const MAX_DAYS: u32 = 366;

/// Every token that works, by the hash of its secret.
pub(crate) struct Tokens {
    by_hash: HashMap<String, Token>,
}

impl Tokens {
    pub(crate) fn new(rows: Vec<TokenRow>) -> Self {
        Self { by_hash: rows.into_iter().map(|row| (row.secret_hash, row.token)).collect() }
    }
}

impl Hub {
    /// The tokens of this hub, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn token_list(&self, page: PageQuery) -> Result<Page<Token>> {
        let mut all: Vec<Token> =
            self.inner.store.tokens().await?.into_iter().map(|row| row.token).collect();
        // Ids made later sort later.
        all.sort_by(|a, b| a.id.cmp(&b.id));
        index::page_of(all, &page, |token| token.id.clone())
    }

    /// A new token; the only time its secret is shown.
    ///
    /// # Errors
    /// See the API.
    pub async fn token_create(&self, body: TokenCreate) -> Result<TokenCreated> {
        let name = body.name.trim();
        if !is_a_line(name, 200) {
            return Err(Error::bad_request(
                "`name` is one line of 1 to 200 characters that say what it is for.",
            ));
        }
        let days = body.days.unwrap_or(DAYS);
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(Error::bad_request(format!("`days` is 1 to {MAX_DAYS}.")));
        }
        let now = clock::now();
        let secret = secret()?;
        let token = Token {
            id: TokenId::generate(),
            name: name.to_owned(),
            created_at: now,
            expires_at: Some(now.plus_millis(i64::from(days) * 86_400_000)),
            last_used_at: None,
        };
        let secret_hash = hash(&secret);
        let row = TokenRow { token: token.clone(), secret_hash: secret_hash.clone() };
        let mut writes = vec![Write::TokenCreate(row)];
        writes.extend(self.remember(&Made::Token { id: token.id.clone() })?);
        self.inner.store.commit(writes).await?;
        let mut tokens = self.inner.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.by_hash.insert(secret_hash, token.clone());
        Ok(TokenCreated { token, secret })
    }

    /// The token works no longer, at once.
    ///
    /// # Errors
    /// See the API.
    pub async fn token_delete(&self, token: &TokenId) -> Result<()> {
        let known = {
            let tokens = self.inner.tokens.read().unwrap_or_else(PoisonError::into_inner);
            tokens.by_hash.values().any(|known| known.id == *token)
        };
        if !known {
            return Err(Error::not_found(format!("token `{token}`")));
        }
        self.inner.store.commit(vec![Write::TokenRevoke(token.clone(), clock::now())]).await?;
        let mut tokens = self.inner.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.by_hash.retain(|_, known| known.id != *token);
        Ok(())
    }

    /// The token a secret belongs to, if it is valid now.
    #[must_use]
    pub fn authenticate(&self, secret: &str) -> Option<Token> {
        // The table is keyed by the secret's hash: how far a wrong one matches cannot be measured.
        let hash = hash(secret);
        let now = clock::now();
        let token = {
            let tokens = self.inner.tokens.read().unwrap_or_else(PoisonError::into_inner);
            tokens.by_hash.get(&hash)?.clone()
        };
        if token.expires_at.is_some_and(|at| at <= now) {
            return None;
        }
        // To the minute is enough, and keeps reads from writing.
        if token.last_used_at.is_none_or(|at| now.millis_since(at) > 60_000) {
            let mut tokens = self.inner.tokens.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tokens.by_hash.get_mut(&hash) {
                known.last_used_at = Some(now);
            }
            let (store, id) = (self.inner.store.clone(), token.id.clone());
            tokio::spawn(async move { store.commit(vec![Write::TokenUsed(id, now)]).await });
        }
        Some(token)
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// 256 random bits and a checksum, so that a scanner tells a secret from noise.
fn secret() -> Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0_u8; 43];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    let random: String =
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
    let check = &hash(&random)[..6];
    Ok(format!("{PREFIX}{random}{check}"))
}
