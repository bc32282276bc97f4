//! Who is let in, as what, and until when.
//!
//! Everything that decides it is in memory, loaded when the hub opens: a request costs a hash or a
//! signature, and what is revoked is worth nothing at once. Secrets are kept nowhere, only their
//! hashes; the keys that sign tokens are files beside the database.

mod devices;
mod jwt;
mod keys;
mod pairings;
mod push_tokens;
mod renewal;
mod rights;
mod run_tokens;
mod secret;
mod thread_tokens;
mod tokens;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::Path,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use car_api::{
    DeviceId, RunId, Scope, ThreadId, Timestamp, TokenId,
    audit::{Actor, ActorKind},
    token::Credential,
};
use car_store::{RunGrantRow, Store, ThreadGrantRow, Write};
use tokio::sync::watch;

use crate::{Hub, Result, clock, hub::blocking};
use devices::Devices;
use keys::Keys;
use pairings::Pairings;
pub use pairings::{Finished, ReachedAt};
use renewal::Granted as _;
pub use rights::{Reach, Rights};
use tokens::Tokens;

/// What came with a request.
#[derive(Debug, Clone, Copy)]
pub enum Presented<'a> {
    /// The secret of an `Authorization: Bearer` header.
    Bearer(&'a str),
    /// A browser's cookie, and the proof it keeps beside it.
    Browser {
        /// The cookie's value.
        secret: &'a str,
        /// The value of `X-Car-Proof`.
        proof: &'a str,
    },
}

/// Why a credential was not taken. Told apart for the audit and for whoever holds it; never more
/// than its holder knows already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It is no credential of any kind.
    Malformed,
    /// Its checksum does not hold: it was cut, mistyped or made up.
    Checksum,
    /// It is not known: never was, or it was deleted.
    Unknown,
    /// It has run out.
    Expired,
    /// It is not good yet.
    Early,
    /// Its signature, or the key it names, is not this hub's.
    Signature,
    /// It is signed, but not made for this use: another hub's, another kind's, or incomplete.
    Claims,
    /// It was good, and its owner ended it.
    Revoked,
    /// The cookie came without the right proof.
    Proof,
}

impl Refused {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Checksum => "checksum",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Early => "early",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Revoked => "revoked",
            Self::Proof => "proof",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Somebody whose credential was found good.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who acts.
    pub actor: Arc<Actor>,
    /// What the credential allows and reaches.
    pub rights: Arc<Rights>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    standing: Standing,
}

/// What has to be so for a grant to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Token(TokenId),
    Access { token: TokenId, epoch: u64 },
    Device { device: DeviceId, rotation_due: bool },
    Run { run: RunId, token: String, epoch: u64 },
    Thread { thread: ThreadId, token: String, epoch: u64 },
}

impl Grant {
    /// The same as it goes over the wire.
    #[must_use]
    pub fn credential(&self) -> Credential {
        let (repos, run) = self.rights.reach.limits();
        Credential {
            actor: Actor::clone(&self.actor),
            scopes: self.rights.scopes.iter().copied().collect(),
            repos,
            run,
            expires_at: self.expires_at,
        }
    }
}

/// Everything that lets somebody in.
pub(crate) struct Credentials {
    tokens: RwLock<Tokens>,
    devices: RwLock<Devices>,
    runs: RwLock<HashMap<RunId, RunGrantRow>>,
    threads: RwLock<HashMap<ThreadId, ThreadGrantRow>>,
    keys: Keys,
    pairings: Pairings,
    /// The token of whoever sits at the hub's machine; only it gives `terminal` on.
    owner: RwLock<Option<TokenId>>,
    /// Signed tokens carry the number that was here when they were made; counting it up ends them
    /// all.
    epoch: AtomicU64,
    instance: String,
    revoked: watch::Sender<u64>,
}

impl Credentials {
    pub(crate) async fn open(root: &Path, store: &Store, instance: String) -> Result<Self> {
        let root = root.to_owned();
        let epoch = store.fact(EPOCH).await?.and_then(|text| text.parse().ok()).unwrap_or(1);
        let runs = store.run_grants().await?.into_iter().map(|row| (row.run.clone(), row));
        let threads = store.thread_grants().await?.into_iter();
        Ok(Self {
            threads: RwLock::new(threads.map(|row| (row.thread.clone(), row)).collect()),
            tokens: RwLock::new(Tokens::new(store.tokens().await?)),
            devices: RwLock::new(Devices::new(store.devices().await?)),
            runs: RwLock::new(runs.collect()),
            keys: blocking(move || Keys::open(root)).await?,
            pairings: Pairings::default(),
            owner: RwLock::default(),
            epoch: AtomicU64::new(epoch),
            instance,
            revoked: watch::Sender::new(0),
        })
    }

    fn tokens(&self) -> RwLockReadGuard<'_, Tokens> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens_mut(&self) -> RwLockWriteGuard<'_, Tokens> {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn devices(&self) -> RwLockReadGuard<'_, Devices> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn devices_mut(&self) -> RwLockWriteGuard<'_, Devices> {
        self.devices.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self) -> RwLockReadGuard<'_, HashMap<RunId, RunGrantRow>> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs_mut(&self) -> RwLockWriteGuard<'_, HashMap<RunId, RunGrantRow>> {
        self.runs.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> RwLockReadGuard<'_, HashMap<ThreadId, ThreadGrantRow>> {
        self.threads.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads_mut(&self) -> RwLockWriteGuard<'_, HashMap<ThreadId, ThreadGrantRow>> {
        self.threads.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Has everybody who listens look whether they may still.
    fn tell_revoked(&self) {
        self.revoked.send_modify(|count| *count += 1);
    }
}

/// The fact that holds the epoch of signed tokens.
const EPOCH: &str = "credentials_epoch";

/// What is about to be given to somebody, checked.
struct Wanted {
    scopes: BTreeSet<Scope>,
    reach: Reach,
}

impl Hub {
    /// Who came with this, if it is good now.
    ///
    /// # Errors
    /// Why it is not.
    pub fn authenticate(&self, presented: Presented<'_>) -> Result<Grant, Refused> {
        match presented {
            Presented::Bearer(secret) => {
                if secret.starts_with(secret::PERSONAL) {
                    self.authenticate_token(secret)
                } else if let Some(signed) = secret.strip_prefix(secret::RUN) {
                    self.authenticate_run(signed)
                } else if let Some(signed) = secret.strip_prefix(secret::THREAD) {
                    self.authenticate_thread(signed)
                } else if let Some(signed) = secret.strip_prefix(secret::ACCESS) {
                    self.authenticate_access(signed)
                } else {
                    Err(Refused::Malformed)
                }
            }
            Presented::Browser { secret, proof } => self.authenticate_device(secret, proof),
        }
    }

    /// Whether somebody who was let in may stay; long answers ask again whenever
    /// [`Hub::revocations`] changes.
    #[must_use]
    pub fn stands(&self, grant: &Grant) -> bool {
        let credentials = &self.inner.credentials;
        if grant.expires_at.is_some_and(|end| end <= clock::now()) {
            // A browser's end moves on with each use, also by another tab.
            let Standing::Device { device, .. } = &grant.standing else { return false };
            return credentials.devices().stands(device);
        }
        match &grant.standing {
            Standing::Token(token) => credentials.tokens().has(token),
            Standing::Access { token, epoch } => {
                *epoch == credentials.epoch() && credentials.tokens().has(token)
            }
            Standing::Device { device, .. } => credentials.devices().stands(device),
            Standing::Thread { thread, token, epoch } => {
                *epoch == credentials.epoch()
                    && credentials.threads().get(thread).is_some_and(|row| row.takes(token))
            }
            Standing::Run { run, token, epoch } => {
                *epoch == credentials.epoch()
                    && credentials.runs().get(run).is_some_and(|row| row.takes(token))
            }
        }
    }

    /// Changes whenever somebody was shut out.
    #[must_use]
    pub fn revocations(&self) -> watch::Receiver<u64> {
        self.inner.credentials.revoked.subscribe()
    }

    /// The token behind a grant is the one of whoever sits at the hub's machine.
    pub fn is_owners(&self, grant: &Grant) {
        let Standing::Token(token) = &grant.standing else { return };
        let mut owner =
            self.inner.credentials.owner.write().unwrap_or_else(PoisonError::into_inner);
        *owner = Some(token.clone());
    }

    /// Whether the caller sits at the hub's machine: it has the owner's token, and came through no
    /// proxy.
    fn is_at_the_machine(&self) -> bool {
        let owner = self.inner.credentials.owner.read().unwrap_or_else(PoisonError::into_inner);
        let own = owner.as_ref().is_some_and(|owner| owner.as_str() == self.actor.id);
        own && self.actor.kind == ActorKind::Token && self.claimed.is_none()
    }

    /// Whether what is given out shall hold: nobody gives more than they have, and a shell on the
    /// machine is given at the machine only.
    fn may_give(&self, wanted: &Wanted) -> Result<()> {
        if wanted.scopes.contains(&Scope::Terminal) {
            if !self.is_at_the_machine() {
                let detail = "`terminal` is a shell on the hub's machine and given out there only: \
                              `car token create` or `car pair` with `--scopes`.";
                return Err(crate::Error::new(car_api::Code::Forbidden, detail));
            }
            if !wanted.reach.is_hub() {
                let detail = "A terminal reaches the whole machine: leave `repos` and `run` out.";
                return Err(crate::Error::bad_request(detail));
            }
        }
        let missing: Vec<_> = wanted.scopes.difference(&self.rights.scopes).collect();
        if let Some(scope) = missing.first() {
            let detail =
                format!("You may not give `{scope}`: your own credential does not have it.");
            return Err(crate::Error::new(car_api::Code::Forbidden, detail));
        }
        if !self.rights.reach.covers(&wanted.reach) {
            let detail = "You may not give more repos than your own credential reaches.";
            return Err(crate::Error::new(car_api::Code::Forbidden, detail));
        }
        Ok(())
    }

    /// Ends every credential but the caller's own: all other tokens, all other browsers, and all
    /// tokens that were signed. Agents at work get new ones.
    ///
    /// # Errors
    /// See the API.
    pub async fn token_delete_others(&self) -> Result<car_api::token::LoggedOut> {
        let credentials = &self.inner.credentials;
        let me = self.actor.id.as_str();
        let tokens: Vec<TokenId> =
            credentials.tokens().ids().filter(|id| id.as_str() != me).cloned().collect();
        let devices: Vec<DeviceId> =
            credentials.devices().ids().filter(|id| id.as_str() != me).cloned().collect();
        let epoch = credentials.epoch() + 1;
        let now = clock::now();
        let mut writes = vec![Write::Fact { name: EPOCH, value: epoch.to_string() }];
        writes.extend(tokens.iter().map(|id| Write::TokenRevoke(id.clone(), now)));
        for device in &devices {
            self.inner.forget_device(device).await?;
        }
        writes.extend(devices.iter().map(|id| Write::DeviceRevoke(id.clone(), now)));
        writes.push(self.act("token_delete_others", me).done());
        self.inner.store.commit(writes).await?;
        credentials.epoch.fetch_max(epoch, Ordering::AcqRel);
        credentials.tokens_mut().retain(|id| !tokens.contains(id));
        credentials.devices_mut().retain(|id| !devices.contains(id));
        credentials.tell_revoked();
        self.inner.renew_agent_tokens().await;
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(car_api::token::LoggedOut { tokens: count(tokens.len()), devices: count(devices.len()) })
    }
}

fn person(kind: ActorKind, id: &str, name: &str) -> Arc<Actor> {
    Arc::new(Actor { kind, id: id.to_owned(), name: name.to_owned() })
}
