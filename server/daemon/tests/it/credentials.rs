//! Credentials of every kind, good and hostile, at every door.

pub(crate) mod keep;
mod links;
mod login;
mod matrix;
pub(crate) mod pairing;
mod revocation;
mod run_token;
mod signed;
mod sockets;

use std::{fs, path::PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use car_api::{
    Scope,
    token::{TokenCreate, TokenCreated},
};
use car_client::Client;
use serde_json::Value;

use crate::harness::TestHub;

pub(crate) fn target(path: &str) -> String {
    crate::harness::target(path)
}

/// A token with these scopes.
async fn token(client: &Client, scopes: &[Scope]) -> TokenCreated {
    let body = TokenCreate {
        name: "test".to_owned(),
        scopes: Some(scopes.to_vec()),
        ..TokenCreate::default()
    };
    client.token_create(&body).await.unwrap()
}

/// The key a hub signs with, taken from its file as a thief would.
struct Key {
    id: String,
    pair: Ed25519KeyPair,
}

impl Key {
    fn of(hub: &TestHub) -> Self {
        let dir = hub.root().join(".codex-autorunner/keys");
        let files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        let kept: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
        let pkcs8 = STANDARD.decode(kept["pkcs8"].as_str().unwrap()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap();
        Self { id: kept["id"].as_str().unwrap().to_owned(), pair }
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn sign(&self, head: &str, claims: &str) -> String {
        signed(head, claims, |message| self.pair.sign(message).as_ref().to_vec())
    }
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(head: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", b64(head), b64(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", b64(signature))
}

fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
