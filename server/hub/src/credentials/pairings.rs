//! Letting a browser or another machine in. Nothing of it outlives the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use car_api::{
    Code, Page, PairingId, Scope,
    pairing::{
        PairOutcome, PairRequest, PairRequested, Pairing, PairingCreate, PairingCreated,
        PairingDecide, PairingKind, PairingState,
    },
};
use tokio::{sync::watch, time::timeout};

use super::{
    Wanted, secret,
    tokens::{given_days, given_scopes},
};
use crate::{Error, Hub, Result, clock};

/// How long a pairing can be claimed and decided, and how long it is known after its end, in ms.
const OPEN_MS: i64 = 10 * 60_000;
const KNOWN_MS: i64 = 10 * 60_000;

/// Wrong codes that burn all open ones.
const TRIES: u32 = 5;

/// Pairings of each kind at once.
const OPEN_AT_ONCE: usize = 16;

/// Pairings that are remembered at all.
const KNOWN_AT_ONCE: usize = 256;

/// How often it is said that some were refused for want of room.
const TOLD: Duration = Duration::from_secs(60);

/// Letters of a short code: none that is taken for another, none that makes words.
const SHORT: &[u8] = b"BCDFGHJKMNPQRSTVWXZ23456789";

/// The longest name the other side can give itself.
const NAME_MAX: usize = 80;

/// Every pairing that is open or was a moment ago.
pub(super) struct Pairings {
    table: Mutex<Table>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<PairingId, Entry>,
    wrong: u32,
    /// When it was last said that there was no room, and how many were refused since.
    told: Option<Instant>,
    refused: u64,
}

struct Entry {
    pairing: Pairing,
    /// What the browser has to know, as a hash.
    code: Option<String>,
    /// What the one who asks has to know to be told the outcome, as a hash.
    secret: Option<String>,
    /// What was approved.
    given: Option<(Wanted, Option<u32>)>,
}

impl Default for Pairings {
    fn default() -> Self {
        Self { table: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Pairings {
    /// The table as it is now: what nobody decided in time has expired, what is long over is gone.
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        for entry in table.entries.values_mut() {
            if is_open(entry.pairing.state) && entry.pairing.expires_at <= now {
                entry.end(PairingState::Expired);
            }
        }
        let known = |entry: &Entry| now.millis_since(entry.pairing.expires_at) < KNOWN_MS;
        table.entries.retain(|_, entry| known(entry));
        table
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Table {
    fn check_room(&mut self, kind: PairingKind) -> Result<()> {
        let open =
            self.entries.values().filter(|e| e.pairing.kind == kind && is_open(e.pairing.state));
        if open.count() < OPEN_AT_ONCE && self.entries.len() < KNOWN_AT_ONCE {
            return Ok(());
        }
        self.refused += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TOLD) {
            let count = std::mem::take(&mut self.refused);
            tracing::warn!(count, "refused to ask to be let in: too many others do");
            self.told = Some(Instant::now());
        }
        let detail = "Too many others ask to be let in; try again in ten minutes, or have the \
                      owner deny those (`car pair list`).";
        Err(Error::new(Code::RateLimited, detail))
    }

    fn by_secret(&mut self, secret: &str) -> Option<&mut Entry> {
        let hash = secret::hash(secret);
        self.entries.values_mut().find(|entry| entry.secret.as_ref() == Some(&hash))
    }

    fn get(&mut self, id: &PairingId) -> Result<&mut Entry> {
        self.entries.get_mut(id).ok_or_else(|| Error::not_found(format!("pairing `{id}`")))
    }
}

impl Entry {
    fn end(&mut self, state: PairingState) {
        self.pairing.state = state;
        self.code = None;
        self.given = None;
    }
}

fn is_open(state: PairingState) -> bool {
    match state {
        PairingState::Open | PairingState::Waiting | PairingState::Approved => true,
        PairingState::Done | PairingState::Denied | PairingState::Expired => false,
    }
}

/// What the one who asked is told, and the secret of a browser's cookie when it is let in.
pub struct Finished {
    /// The answer.
    pub outcome: PairOutcome,
    /// For the cookie.
    pub session: Option<String>,
}

/// Where others find the hub, as its proxy or tailnet names it.
#[derive(Debug, Default)]
pub struct ReachedAt {
    /// Its names, besides this machine's own.
    pub hosts: Vec<String>,
    /// The path before every address: empty, or begins with a slash and ends without one.
    pub base_path: String,
}

impl Hub {
    /// Opens a code for one browser.
    ///
    /// # Errors
    /// See the API.
    pub async fn pairing_create(
        &self,
        body: PairingCreate,
        reached: ReachedAt,
    ) -> Result<PairingCreated> {
        let wanted = self.wanted(body.scopes, body.repos).await?;
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let pairing = opened(PairingKind::Device, PairingState::Open, &wanted);
        self.inner.credentials.pairings.table().check_room(PairingKind::Device)?;
        self.note(self.act("pairing_create", &pairing.id)).await?;
        let mut table = self.inner.credentials.pairings.table();
        table.check_room(PairingKind::Device)?;
        let entry = Entry {
            pairing: pairing.clone(),
            code: Some(secret::hash(&code)),
            secret: None,
            given: Some((wanted, None)),
        };
        table.entries.insert(pairing.id.clone(), entry);
        let ReachedAt { hosts, base_path } = reached;
        Ok(PairingCreated { pairing, code, hosts, base_path })
    }

    /// Those who ask or asked a moment ago, oldest first.
    #[must_use]
    pub fn pairing_list(&self) -> Page<Pairing> {
        let table = self.inner.credentials.pairings.table();
        let mut items: Vec<Pairing> = table.entries.values().map(|e| e.pairing.clone()).collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Page { items, next: None }
    }

    /// One pairing; waits up to `wait` for it to become another than `seen`.
    ///
    /// # Errors
    /// See the API.
    pub async fn pairing_get(
        &self,
        id: &PairingId,
        seen: Option<PairingState>,
        wait: Duration,
    ) -> Result<Pairing> {
        let pairings = &self.inner.credentials.pairings;
        let look = || pairings.table().get(id).map(|entry| entry.pairing.clone());
        self.wait_for_pairing(wait, || look().map_or(true, |now| Some(now.state) != seen)).await;
        look()
    }

    /// Lets somebody in, or not.
    ///
    /// # Errors
    /// See the API.
    pub async fn pairing_decide(&self, id: &PairingId, body: PairingDecide) -> Result<Pairing> {
        let pairings = &self.inner.credentials.pairings;
        let asked = pairings.table().get(id)?.pairing.clone();
        let scopes = body.scopes.unwrap_or_else(|| asked.scopes.clone());
        let repos = body.repos.unwrap_or_else(|| asked.repos.clone());
        // Also where it is denied: a request that is wrong is wrong whatever it decides.
        given_scopes(Some(scopes.clone()))?;
        given_days(body.days)?;
        let wanted =
            if body.approve { Some(self.wanted(Some(scopes), repos).await?) } else { None };
        let decided = {
            let mut table = pairings.table();
            let entry = table.get(id)?;
            match (entry.pairing.state, wanted) {
                (PairingState::Waiting, Some(wanted)) => {
                    entry.pairing.scopes = wanted.scopes.iter().copied().collect();
                    entry.pairing.repos = wanted.reach.limits().0;
                    entry.pairing.state = PairingState::Approved;
                    entry.given = Some((wanted, body.days));
                }
                (PairingState::Open | PairingState::Waiting | PairingState::Approved, None) => {
                    entry.end(PairingState::Denied);
                }
                (state, _) => {
                    let detail = match state {
                        PairingState::Open => "Nobody has claimed this code yet.",
                        PairingState::Approved | PairingState::Done => "This was approved already.",
                        PairingState::Denied => "This was denied already.",
                        PairingState::Expired => {
                            "This has run out; the other side has to begin again."
                        }
                        PairingState::Waiting => "This waits for a decision.",
                    };
                    return Err(Error::new(Code::IllegalTransition, detail));
                }
            }
            entry.pairing.clone()
        };
        let word = if body.approve { "approved" } else { "denied" };
        let name = decided.name.as_deref().unwrap_or("nobody yet");
        let noted =
            self.note(self.act("pairing_decide", id).detail(format!("{word}: {name}"))).await;
        if let Err(error) = noted {
            // What the chain does not hold has not happened.
            pairings.table().get(id)?.end(PairingState::Denied);
            pairings.tell();
            return Err(error);
        }
        pairings.tell();
        Ok(decided)
    }

    /// Somebody without a credential asks to be let in. `address` is where the call came from.
    ///
    /// # Errors
    /// See the API.
    pub fn pair_request(
        &self,
        body: PairRequest,
        address: Option<String>,
    ) -> Result<PairRequested> {
        let pairings = &self.inner.credentials.pairings;
        let secret = secret::make(secret::PAIRING)?;
        let requested = match body {
            PairRequest::Device { code, name } => {
                let name = shown(&name)?;
                let mut table = pairings.table();
                let hash = secret::hash(&code);
                let found = table.entries.values_mut().find(|e| e.code.as_ref() == Some(&hash));
                let Some(entry) = found else {
                    table.wrong += 1;
                    if table.wrong >= TRIES {
                        burn(&mut table);
                        pairings.tell();
                    }
                    let detail = "This code is not known: it was used, has run out or was mistyped. \
                                  `car pair` at the hub's machine makes another.";
                    return Err(Error::new(Code::NotFound, detail));
                };
                // A code is good for one claim, whatever becomes of it.
                entry.code = None;
                entry.pairing.state = PairingState::Waiting;
                entry.pairing.name = Some(name);
                entry.pairing.address = address;
                entry.secret = Some(secret::hash(&secret));
                requested(&entry.pairing, secret)
            }
            PairRequest::Token { name, scopes } => {
                let name = shown(&name)?;
                let wanted = Wanted { scopes: given_scopes(scopes)?, reach: super::Reach::Hub };
                if wanted.scopes.contains(&Scope::Terminal) {
                    let detail = "`terminal` is not asked for: whoever approves this at the hub's \
                                  machine can add it (`car pair approve CODE --scopes …`).";
                    return Err(Error::new(Code::Forbidden, detail));
                }
                let mut table = pairings.table();
                table.check_room(PairingKind::Token)?;
                let short = secret::letters(SHORT, 8)?;
                let mut pairing = opened(PairingKind::Token, PairingState::Waiting, &wanted);
                pairing.name = Some(name);
                pairing.address = address;
                pairing.code = Some(format!("{}-{}", &short[..4], &short[4..]));
                let requested = requested(&pairing, secret.clone());
                let entry =
                    Entry { pairing, code: None, secret: Some(secret::hash(&secret)), given: None };
                table.entries.insert(requested.pairing.clone(), entry);
                requested
            }
        };
        pairings.tell();
        Ok(requested)
    }

    /// Waits until the one who knows this secret can be told an outcome, at most so long.
    pub async fn pair_wait(&self, secret: &str, wait: Duration) {
        let pairings = &self.inner.credentials.pairings;
        let state = || pairings.table().by_secret(secret).map(|entry| entry.pairing.state);
        self.wait_for_pairing(wait, || state() != Some(PairingState::Waiting)).await;
    }

    /// Tells the one who asked how it stands; hands out the credential, once.
    ///
    /// # Errors
    /// See the API.
    pub async fn pair_finish(&self, secret: &str) -> Result<Finished> {
        let pairings = &self.inner.credentials.pairings;
        let plain = |outcome| Ok(Finished { outcome, session: None });
        let (pairing, given) = {
            let mut table = pairings.table();
            let Some(entry) = table.by_secret(secret) else {
                let detail = "There is no such request, or it was over long ago; begin again.";
                return Err(Error::new(Code::NotFound, detail));
            };
            match entry.pairing.state {
                PairingState::Waiting | PairingState::Open => return plain(PairOutcome::Waiting),
                PairingState::Denied => return plain(PairOutcome::Denied),
                PairingState::Expired => return plain(PairOutcome::Expired),
                PairingState::Done => {
                    let detail = "The credential was fetched already; begin again.";
                    return Err(Error::new(Code::IllegalTransition, detail));
                }
                PairingState::Approved => {
                    let given = entry.given.take();
                    entry.end(PairingState::Done);
                    (entry.pairing.clone(), given)
                }
            }
        };
        pairings.tell();
        let Some((wanted, days)) = given else {
            return Err(Error::internal("an approved pairing without what was approved"));
        };
        let name = pairing.name.unwrap_or_default();
        match pairing.kind {
            PairingKind::Device => {
                let made = self.make_device(&name, wanted.scopes, &wanted.reach).await?;
                let outcome = PairOutcome::Device { device: made.device, proof: made.proof };
                Ok(Finished { outcome, session: Some(made.secret) })
            }
            PairingKind::Token => {
                let created = self.make_token("pair_finish", &name, wanted, days).await?;
                let instance = self.inner.credentials.instance.clone();
                plain(PairOutcome::Token { created, instance })
            }
        }
    }

    async fn wanted(
        &self,
        scopes: Option<Vec<Scope>>,
        repos: Vec<car_api::RepoId>,
    ) -> Result<Wanted> {
        let reach = self.wanted_reach(repos, None).await?;
        let wanted = Wanted { scopes: given_scopes(scopes)?, reach };
        self.may_give(&wanted)?;
        Ok(wanted)
    }

    async fn wait_for_pairing(&self, wait: Duration, enough: impl Fn() -> bool) {
        let mut changed = self.inner.credentials.pairings.changed.subscribe();
        let waited = async {
            while !enough() {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(wait, waited).await;
    }
}

/// Too many wrong codes: somebody guesses. No open code is good any more.
fn burn(table: &mut Table) {
    table.wrong = 0;
    for entry in table.entries.values_mut() {
        if entry.pairing.state == PairingState::Open {
            entry.end(PairingState::Expired);
        }
    }
}

fn opened(kind: PairingKind, state: PairingState, wanted: &Wanted) -> Pairing {
    let now = clock::now();
    Pairing {
        id: PairingId::generate(),
        kind,
        state,
        name: None,
        address: None,
        code: None,
        scopes: wanted.scopes.iter().copied().collect(),
        repos: wanted.reach.limits().0,
        created_at: now,
        expires_at: now.plus_millis(OPEN_MS),
    }
}

fn requested(pairing: &Pairing, secret: String) -> PairRequested {
    let Pairing { id, code, expires_at, .. } = pairing.clone();
    PairRequested { pairing: id, secret, code, expires_at }
}

/// A name the other side gave itself, as it may stand on the owner's terminal.
fn shown(name: &str) -> Result<String> {
    let name = name.trim();
    let odd = |c: char| {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        c.is_control() || hidden
    };
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(odd) {
        let detail = format!("`name` is 1 to {NAME_MAX} visible characters.");
        return Err(Error::new(Code::Unprocessable, detail));
    }
    Ok(name.to_owned())
}
