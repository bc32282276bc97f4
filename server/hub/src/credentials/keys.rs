//! The hub's own key table: files beside the database, so that a copy of the database can mint
//! nothing.

use std::{
    path::PathBuf,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use car_api::{KeyId, Page, Timestamp, key::SigningKey};
use car_files::key_files;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use crate::{Error, Hub, Result, clock, hub::blocking};

/// How long a key signs, and how long it is still believed after the next one came, in ms.
const SIGNS_MS: i64 = 90 * 86_400_000;
const VERIFIES_MS: i64 = 24 * 3_600_000;

/// The keys, oldest first; the last one signs.
pub(super) struct Keys {
    root: PathBuf,
    keys: RwLock<Vec<Key>>,
}

/// One key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: KeyId,
    pub(super) signing: EncodingKey,
    verifying: DecodingKey,
    created_at: Timestamp,
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: KeyId,
    created_at: Timestamp,
    /// PKCS #8, Base64.
    pkcs8: String,
}

impl Keys {
    /// Reads the keys of a hub's root, and makes one when there is none that may sign.
    pub(super) fn open(root: PathBuf) -> Result<Self> {
        let mut keys = Vec::new();
        for (name, bytes) in key_files::list(&root)? {
            let kept: Kept = serde_json::from_slice(&bytes)
                .map_err(|error| Error::internal(format!("key file {name}: {error}")))?;
            keys.push(Key::from_kept(&kept)?);
        }
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let all = Self { root, keys: RwLock::new(keys) };
        all.rotate_when_due()?;
        Ok(all)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that signs now.
    pub(super) fn signing(&self) -> Result<Key> {
        self.rotate_when_due()?;
        self.read().last().cloned().ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// The key of that name, if what it signed is still believed.
    pub(super) fn verifying(&self, id: &str) -> Option<DecodingKey> {
        let keys = self.read();
        let at = keys.iter().position(|key| key.id.as_str() == id)?;
        let until = keys.get(at + 1).map(|next| next.created_at.plus_millis(VERIFIES_MS));
        let good = until.is_none_or(|until| clock::now() < until);
        good.then(|| keys.get(at).map(|key| key.verifying.clone())).flatten()
    }

    fn rotate_when_due(&self) -> Result<()> {
        let now = clock::now();
        let fresh = |key: &Key| now.millis_since(key.created_at) < SIGNS_MS;
        if self.read().last().is_some_and(fresh) {
            return Ok(());
        }
        self.rotate()
    }

    /// Makes the next key, and forgets those nobody is to believe any more.
    fn rotate(&self) -> Result<()> {
        let now = clock::now();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| Error::internal("no key could be made"))?;
        let kept =
            Kept { id: KeyId::generate(), created_at: now, pkcs8: STANDARD.encode(pkcs8.as_ref()) };
        let key = Key::from_kept(&kept)?;
        let bytes = serde_json::to_vec_pretty(&kept).map_err(Error::internal)?;
        // On disk first: what it signs must be believed after a restart.
        key_files::write(&self.root, kept.id.as_str(), &bytes)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.push(key);
        while let [old, next, ..] = keys.as_slice()
            && now.millis_since(next.created_at) >= VERIFIES_MS
        {
            key_files::remove(&self.root, old.id.as_str())?;
            keys.remove(0);
        }
        Ok(())
    }

    fn views(&self) -> Vec<SigningKey> {
        let (keys, now) = (self.read(), clock::now());
        let next = keys.iter().skip(1).map(Some).chain([None]);
        let both = keys.iter().zip(next);
        let views = both.map(|(key, next)| SigningKey {
            id: key.id.clone(),
            created_at: key.created_at,
            signs: next.is_none(),
            verifies_until: next.map(|next| next.created_at.plus_millis(VERIFIES_MS)),
            rotates_at: next.is_none().then(|| key.created_at.plus_millis(SIGNS_MS)),
        });
        views.filter(|view| view.verifies_until.is_none_or(|until| now < until)).collect()
    }
}

impl Key {
    fn from_kept(kept: &Kept) -> Result<Self> {
        let broken = |why: String| Error::internal(format!("key {}: {why}", kept.id));
        let pkcs8 = STANDARD.decode(&kept.pkcs8).map_err(|error| broken(error.to_string()))?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|error| broken(error.to_string()))?;
        Ok(Self {
            id: kept.id.clone(),
            created_at: kept.created_at,
            signing: EncodingKey::from_ed_der(&pkcs8),
            verifying: DecodingKey::from_ed_der(pair.public_key().as_ref()),
        })
    }
}

impl Hub {
    /// The keys whose signatures are believed, oldest first.
    #[must_use]
    pub fn key_list(&self) -> Page<SigningKey> {
        Page { items: self.inner.credentials.keys.views(), next: None }
    }

    /// Makes the next key at once. What the one before signed is believed for another day.
    ///
    /// # Errors
    /// The key cannot be kept.
    pub async fn key_rotate(&self) -> Result<Page<SigningKey>> {
        let inner = self.inner.clone();
        blocking(move || inner.credentials.keys.rotate()).await?;
        self.note(self.act("key_rotate", "")).await?;
        Ok(self.key_list())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use car_api::Scope;

    use super::*;
    use crate::credentials::{
        Refused,
        jwt::{self, Kind, Order},
    };

    fn token(keys: &Keys, kind: Kind) -> String {
        let scopes = BTreeSet::from([Scope::Read]);
        let order = Order {
            kind,
            instance: "here",
            subject: "run_1",
            id: "a".to_owned(),
            scopes: &scopes,
            epoch: 1,
            life_ms: 60_000,
        };
        jwt::sign(keys, order).unwrap().0
    }

    #[test]
    fn the_key_before_is_believed_and_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".codex-autorunner")).unwrap();
        let keys = Keys::open(dir.path().to_owned()).unwrap();
        let old = token(&keys, Kind::Run);
        keys.rotate().unwrap();
        let new = token(&keys, Kind::Run);
        let again = Keys::open(dir.path().to_owned()).unwrap();
        assert_eq!(again.views(), keys.views());
        for token in [&old, &new] {
            assert!(jwt::verify(&again, Kind::Run, "here", token).is_ok());
            let other = jwt::verify(&again, Kind::Access, "here", token).unwrap_err();
            assert_eq!(other, Refused::Claims);
            let other = jwt::verify(&again, Kind::Run, "elsewhere", token).unwrap_err();
            assert_eq!(other, Refused::Claims);
        }
        // A day later the one before is believed no more, and with the next rotation it goes.
        {
            let mut all = again.keys.write().unwrap();
            for key in all.iter_mut() {
                key.created_at = key.created_at.plus_millis(-VERIFIES_MS);
            }
        }
        assert_eq!(jwt::verify(&again, Kind::Run, "here", &old).unwrap_err(), Refused::Signature);
        assert!(jwt::verify(&again, Kind::Run, "here", &new).is_ok());
        again.rotate().unwrap();
        assert_eq!(again.keys.read().unwrap().len(), 2);
        assert_eq!(key_files::list(dir.path()).unwrap().len(), 2);
    }

    #[test]
    fn a_key_that_is_old_makes_room_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".codex-autorunner")).unwrap();
        let keys = Keys::open(dir.path().to_owned()).unwrap();
        let before = keys.signing().unwrap().id;
        assert_eq!(keys.signing().unwrap().id, before);
        keys.keys.write().unwrap()[0].created_at = clock::now().plus_millis(-SIGNS_MS);
        assert_ne!(keys.signing().unwrap().id, before);
    }
}
