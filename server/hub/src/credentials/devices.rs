//! Paired browsers: a cookie, and a proof beside it that other ports of the machine do not get.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use car_api::{DeviceId, Page, Scope, Timestamp, audit::ActorKind, device::Device};
use car_store::{DeviceRow, Write};

use super::{Grant, Reach, Refused, Rights, Standing, person, secret};
use crate::{Error, Hub, Result, clock};

/// How long a browser may go unused, and how long it may be used at all, in ms.
const IDLE_MS: i64 = 7 * DAY_MS;
const ABSOLUTE_MS: i64 = 30 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

/// How long the secret before the last rotation is still taken once the new one was seen, in ms:
/// requests of another tab may be under way.
const OVERLAP_MS: i64 = 60_000;

/// Every browser that is paired.
pub(super) struct Devices {
    by_id: HashMap<DeviceId, Known>,
    /// By the hash of the cookie's secret, present or previous.
    by_hash: HashMap<String, DeviceId>,
}

struct Known {
    row: DeviceRow,
    rights: Arc<Rights>,
    /// Since when the present secret is known to have arrived.
    seen_at: Option<Timestamp>,
}

impl Known {
    fn new(row: DeviceRow) -> Self {
        let rights = Rights {
            scopes: row.scopes.iter().copied().collect(),
            reach: Reach::new(row.repos.clone(), None),
        };
        Self { row, rights: Arc::new(rights), seen_at: None }
    }

    fn expires_at(&self) -> Timestamp {
        let idle = self.row.last_used_at.plus_millis(IDLE_MS);
        idle.min(self.row.created_at.plus_millis(ABSOLUTE_MS))
    }
}

impl Devices {
    pub(super) fn new(rows: Vec<DeviceRow>) -> Self {
        let mut all = Self { by_id: HashMap::new(), by_hash: HashMap::new() };
        for row in rows {
            all.insert(row);
        }
        all
    }

    fn insert(&mut self, row: DeviceRow) {
        self.by_hash.insert(row.secret_hash.clone(), row.id.clone());
        if let Some(previous) = &row.previous_hash {
            self.by_hash.insert(previous.clone(), row.id.clone());
        }
        self.by_id.insert(row.id.clone(), Known::new(row));
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &DeviceId> {
        self.by_id.keys()
    }

    /// What a browser may do that is let in, without its cookie.
    pub(super) fn grant_of(&self, id: &DeviceId) -> Option<Grant> {
        let known = self.by_id.get(id).filter(|known| clock::now() < known.expires_at())?;
        Some(Grant {
            actor: person(ActorKind::Device, id.as_str(), &known.row.name),
            rights: known.rights.clone(),
            expires_at: Some(known.expires_at()),
            standing: Standing::Device { device: id.clone(), rotation_due: false },
        })
    }

    pub(super) fn stands(&self, device: &DeviceId) -> bool {
        self.by_id.get(device).is_some_and(|known| clock::now() < known.expires_at())
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&DeviceId) -> bool) {
        self.by_id.retain(|id, _| keep(id));
        let known = &self.by_id;
        self.by_hash.retain(|_, id| known.contains_key(id));
    }

    /// The browser with this cookie and proof, and what has to be written of its use.
    fn look(
        &mut self,
        secret: &str,
        proof: &str,
        now: Timestamp,
    ) -> Result<(Grant, Option<DeviceRow>), Refused> {
        let hash = secret::hash(secret);
        let id = self.by_hash.get(&hash).ok_or(Refused::Unknown)?.clone();
        let known = self.by_id.get_mut(&id).ok_or(Refused::Unknown)?;
        // Both are hashes: how far they agree tells nothing about the proof.
        if known.row.proof_hash != secret::hash(proof) {
            return Err(Refused::Proof);
        }
        if known.expires_at() <= now {
            return Err(Refused::Expired);
        }
        let mut changed = false;
        let is_present = hash == known.row.secret_hash;
        if is_present && known.row.previous_hash.is_some() {
            let seen_at = *known.seen_at.get_or_insert(now);
            if now.millis_since(seen_at) > OVERLAP_MS
                && let Some(previous) = known.row.previous_hash.take()
            {
                self.by_hash.remove(&previous);
                changed = true;
            }
        } else if !is_present && known.seen_at.is_some_and(|at| now.millis_since(at) > OVERLAP_MS) {
            return Err(Refused::Revoked);
        }
        let age = now.millis_since(known.row.rotated_at);
        let rotation_due = if is_present {
            known.row.previous_hash.is_none() && age > DAY_MS
        } else {
            // The new secret never arrived; a moment later it is given once more.
            known.seen_at.is_none() && age > OVERLAP_MS
        };
        if now.millis_since(known.row.last_used_at) > 60_000 {
            known.row.last_used_at = now;
            changed = true;
        }
        let grant = Grant {
            actor: person(ActorKind::Device, id.as_str(), &known.row.name),
            rights: known.rights.clone(),
            expires_at: Some(known.expires_at()),
            standing: Standing::Device { device: id, rotation_due },
        };
        Ok((grant, changed.then(|| known.row.clone())))
    }

    /// Replaces the cookie's secret; the one that was presented stays good until the new one is
    /// seen.
    fn rotate(
        &mut self,
        id: &DeviceId,
        presented: &str,
        new: &str,
        now: Timestamp,
    ) -> Option<DeviceRow> {
        let known = self.by_id.get_mut(id)?;
        let (presented, new) = (secret::hash(presented), secret::hash(new));
        self.by_hash.remove(&known.row.secret_hash);
        if let Some(previous) = &known.row.previous_hash {
            self.by_hash.remove(previous);
        }
        self.by_hash.insert(presented.clone(), id.clone());
        self.by_hash.insert(new.clone(), id.clone());
        known.row.previous_hash = Some(presented);
        known.row.secret_hash = new;
        known.row.rotated_at = now;
        known.seen_at = None;
        Some(known.row.clone())
    }
}

/// A browser that was just let in.
pub(super) struct Made {
    pub(super) device: Device,
    pub(super) secret: String,
    pub(super) proof: String,
}

impl Hub {
    /// The paired browsers, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn device_list(&self) -> Result<Page<Device>> {
        let devices = self.inner.credentials.devices();
        let now = clock::now();
        let alive = devices.by_id.values().filter(|known| now < known.expires_at());
        let mut items: Vec<Device> = alive.map(|known| view(&known.row)).collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Page { items, next: None })
    }

    /// The browser has to pair again, at once.
    ///
    /// # Errors
    /// See the API.
    pub async fn device_delete(&self, device: &DeviceId) -> Result<()> {
        if !self.inner.credentials.devices().by_id.contains_key(device) {
            return Err(Error::not_found(format!("device `{device}`")));
        }
        self.inner.forget_device(device).await?;
        let revoke = Write::DeviceRevoke(device.clone(), clock::now());
        self.inner.store.commit(vec![revoke, self.act("device_delete", device).done()]).await?;
        self.inner.credentials.devices_mut().retain(|known| known != device);
        self.inner.credentials.tell_revoked();
        Ok(())
    }

    pub(super) fn authenticate_device(&self, secret: &str, proof: &str) -> Result<Grant, Refused> {
        if !secret::is_whole(secret::SESSION, secret) {
            return Err(Refused::Checksum);
        }
        if !secret::is_whole(secret::PROOF, proof) {
            return Err(Refused::Proof);
        }
        let now = clock::now();
        let (grant, changed) = self.inner.credentials.devices_mut().look(secret, proof, now)?;
        if let Some(row) = changed {
            let store = self.inner.store.clone();
            tokio::spawn(async move { store.commit(vec![Write::DeviceUpdate(row.into())]).await });
        }
        Ok(grant)
    }

    /// Whether a cookie is the one of the browser a grant is about. Says nothing of the proof, so it
    /// is for those who have another one.
    #[must_use]
    pub fn is_session_of(&self, secret: &str, grant: &Grant) -> bool {
        let Standing::Device { device, .. } = &grant.standing else { return false };
        let devices = self.inner.credentials.devices();
        secret::is_whole(secret::SESSION, secret)
            && devices.by_hash.get(&secret::hash(secret)) == Some(device)
    }

    /// A new secret for a browser's cookie when it is time for one; it is on disk when this
    /// returns. `presented` is the one the browser came with.
    pub async fn device_rotate(&self, grant: &Grant, presented: &str) -> Option<String> {
        let Standing::Device { device, rotation_due: true } = &grant.standing else { return None };
        let new = secret::make(secret::SESSION).ok()?;
        let row = {
            let mut devices = self.inner.credentials.devices_mut();
            // Another request may have been quicker.
            let known = devices.by_id.get(device)?;
            let now = clock::now();
            if now.millis_since(known.row.rotated_at) <= OVERLAP_MS {
                return None;
            }
            devices.rotate(device, presented, &new, now)?
        };
        self.inner.store.commit(vec![Write::DeviceUpdate(row.into())]).await.ok()?;
        Some(new)
    }

    pub(super) async fn make_device(
        &self,
        name: &str,
        scopes: BTreeSet<Scope>,
        reach: &Reach,
    ) -> Result<Made> {
        let now = clock::now();
        let (secret, proof) = (secret::make(secret::SESSION)?, secret::make(secret::PROOF)?);
        let row = DeviceRow {
            id: DeviceId::generate(),
            name: name.to_owned(),
            scopes: scopes.into_iter().collect(),
            repos: reach.limits().0,
            secret_hash: secret::hash(&secret),
            previous_hash: None,
            proof_hash: secret::hash(&proof),
            rotated_at: now,
            created_at: now,
            last_used_at: now,
        };
        self.inner.config.redactor.learn([secret.as_str(), proof.as_str()]);
        let act = self.act("pair_finish", &row.id).detail(name);
        self.inner
            .store
            .commit(vec![Write::DeviceCreate(Box::new(row.clone())), act.done()])
            .await?;
        let device = view(&row);
        self.inner.credentials.devices_mut().insert(row);
        Ok(Made { device, secret, proof })
    }
}

fn view(row: &DeviceRow) -> Device {
    let known = Known::new(row.clone());
    Device {
        id: row.id.clone(),
        name: row.name.clone(),
        scopes: row.scopes.clone(),
        repos: row.repos.clone(),
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: known.expires_at(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(ms: i64) -> Timestamp {
        START.plus_millis(ms)
    }

    fn paired() -> Devices {
        Devices::new(vec![DeviceRow {
            id: "dev_1".parse().unwrap(),
            name: "phone".to_owned(),
            scopes: Scope::USUAL.to_vec(),
            repos: Vec::new(),
            secret_hash: secret::hash("one"),
            previous_hash: None,
            proof_hash: secret::hash("proof"),
            rotated_at: START,
            created_at: START,
            last_used_at: START,
        }])
    }

    fn due(devices: &mut Devices, secret: &str, ms: i64) -> Result<bool, Refused> {
        let (grant, _) = devices.look(secret, "proof", at(ms))?;
        let Standing::Device { rotation_due, .. } = grant.standing else { panic!("a device") };
        Ok(rotation_due)
    }

    #[test]
    fn a_session_ends_when_it_is_unused_or_old() {
        let mut devices = paired();
        assert_eq!(devices.look("one", "other", START).unwrap_err(), Refused::Proof);
        assert_eq!(devices.look("two", "proof", START).unwrap_err(), Refused::Unknown);
        assert!(due(&mut devices, "one", IDLE_MS - 1).is_ok());
        assert_eq!(due(&mut devices, "one", 2 * IDLE_MS), Err(Refused::Expired));
        let mut devices = paired();
        for day in 1..30 {
            due(&mut devices, "one", day * DAY_MS).unwrap();
        }
        assert_eq!(due(&mut devices, "one", ABSOLUTE_MS), Err(Refused::Expired));
    }

    #[test]
    fn a_rotation_cuts_off_no_second_tab_and_no_lost_answer() {
        let mut devices = paired();
        let id: DeviceId = "dev_1".parse().unwrap();
        assert!(!due(&mut devices, "one", DAY_MS).unwrap());
        assert!(due(&mut devices, "one", DAY_MS + 1).unwrap());
        devices.rotate(&id, "one", "two", at(DAY_MS + 1)).unwrap();
        // The answer was lost: the old secret goes on, and after a moment a new one is due.
        assert!(!due(&mut devices, "one", DAY_MS + 2).unwrap());
        assert!(due(&mut devices, "one", 2 * DAY_MS).unwrap());
        devices.rotate(&id, "one", "three", at(2 * DAY_MS)).unwrap();
        assert_eq!(due(&mut devices, "two", 2 * DAY_MS), Err(Refused::Unknown));
        // The new one arrived; the other tab has a moment.
        assert!(!due(&mut devices, "three", 2 * DAY_MS + 5).unwrap());
        assert!(!due(&mut devices, "one", 2 * DAY_MS + 10).unwrap());
        assert!(due(&mut devices, "one", 2 * DAY_MS + OVERLAP_MS + 6).is_err());
        assert!(due(&mut devices, "three", 2 * DAY_MS + OVERLAP_MS + 7).is_ok());
        assert_eq!(due(&mut devices, "one", 2 * DAY_MS + OVERLAP_MS + 8), Err(Refused::Unknown));
    }
}
