//! Personal access tokens, and the short-lived ones they are exchanged for.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use car_api::{
    Code, Page, PageQuery, RepoId, RunId, Scope, TokenId,
    audit::ActorKind,
    token::{AccessToken, Token, TokenCreate, TokenCreated, TokenExchange},
};
use car_store::{TokenRow, Write};

use super::{
    Grant, Reach, Refused, Rights, Standing, Wanted,
    jwt::{self, Kind},
    person, secret,
};
use crate::{Error, Hub, Result, clock, idempotency::Made, index, text::is_a_line};

/// Days a token lives when nothing is said.
const DAYS: u32 = 90;
/// The longest life of a token.
const MAX_DAYS: u32 = 366;
/// How long what is exchanged for one lives, in ms.
const ACCESS_MS: i64 = 10 * 60_000;

/// Every token that works, by the hash of its secret.
pub(super) struct Tokens {
    by_hash: HashMap<String, Known>,
    hashes: HashMap<TokenId, String>,
}

struct Known {
    token: Token,
    grant: Grant,
}

impl Known {
    fn new(token: Token) -> Self {
        let grant = Grant {
            actor: person(ActorKind::Token, token.id.as_str(), &token.name),
            rights: Arc::new(Rights {
                scopes: token.scopes.iter().copied().collect(),
                reach: Reach::new(token.repos.clone(), token.run.clone()),
            }),
            expires_at: token.expires_at,
            standing: Standing::Token(token.id.clone()),
        };
        Self { token, grant }
    }
}

impl Tokens {
    pub(super) fn new(rows: Vec<TokenRow>) -> Self {
        let mut all = Self { by_hash: HashMap::new(), hashes: HashMap::new() };
        for row in rows {
            all.insert(row);
        }
        all
    }

    fn insert(&mut self, row: TokenRow) {
        self.hashes.insert(row.token.id.clone(), row.secret_hash.clone());
        self.by_hash.insert(row.secret_hash, Known::new(row.token));
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &TokenId> {
        self.hashes.keys()
    }

    pub(super) fn has(&self, token: &TokenId) -> bool {
        self.hashes.contains_key(token)
    }

    fn get(&self, token: &TokenId) -> Option<&Known> {
        self.by_hash.get(self.hashes.get(token)?)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&TokenId) -> bool) {
        self.hashes.retain(|id, _| keep(id));
        let hashes = &self.hashes;
        self.by_hash.retain(|_, known| hashes.contains_key(&known.token.id));
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
        let reach = self.wanted_reach(body.repos, body.run).await?;
        let wanted = Wanted { scopes: given_scopes(body.scopes)?, reach };
        self.may_give(&wanted)?;
        self.make_token("token_create", &body.name, wanted, body.days).await
    }

    /// The token of the hub's owner on its own machine: it may everything.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn token_create_for_owner(&self, name: &str, days: u32) -> Result<TokenCreated> {
        let scopes = Scope::ALL.iter().copied().collect();
        let wanted = Wanted { scopes, reach: Reach::Hub };
        self.make_token("token_create", name, wanted, Some(days)).await
    }

    /// Makes a token; `verb` is the operation it came by.
    pub(super) async fn make_token(
        &self,
        verb: &'static str,
        name: &str,
        wanted: Wanted,
        days: Option<u32>,
    ) -> Result<TokenCreated> {
        let name = name.trim();
        if !is_a_line(name, 200) {
            return Err(Error::bad_request(
                "`name` is one line of 1 to 200 characters that say what it is for.",
            ));
        }
        let days = given_days(days)?;
        let now = clock::now();
        let secret = secret::make(secret::PERSONAL)?;
        let (repos, run) = wanted.reach.limits();
        let token = Token {
            id: TokenId::generate(),
            name: name.to_owned(),
            scopes: wanted.scopes.into_iter().collect(),
            repos,
            run,
            created_at: now,
            expires_at: Some(now.plus_millis(i64::from(days) * 86_400_000)),
            last_used_at: None,
        };
        self.inner.config.redactor.learn([secret.as_str()]);
        let row = TokenRow { token: token.clone(), secret_hash: secret::hash(&secret) };
        let act = self.act(verb, &token.id).detail(format!("{name}, {days} days"));
        let mut writes = vec![Write::TokenCreate(row.clone()), act.done()];
        writes.extend(self.remember(&Made::Token { id: token.id.clone() })?);
        self.inner.store.commit(writes).await?;
        self.inner.credentials.tokens_mut().insert(row);
        Ok(TokenCreated { token, secret })
    }

    /// The token works no longer, at once.
    ///
    /// # Errors
    /// See the API.
    pub async fn token_delete(&self, token: &TokenId) -> Result<()> {
        if !self.inner.credentials.tokens().has(token) {
            return Err(Error::not_found(format!("token `{token}`")));
        }
        let revoke = Write::TokenRevoke(token.clone(), clock::now());
        self.inner.store.commit(vec![revoke, self.act("token_delete", token).done()]).await?;
        self.inner.credentials.tokens_mut().retain(|known| known != token);
        self.inner.credentials.tell_revoked();
        Ok(())
    }

    /// Ends the personal token the caller came with.
    ///
    /// # Errors
    /// The caller came with something else.
    pub async fn credential_delete(&self, grant: &Grant) -> Result<()> {
        match &grant.standing {
            Standing::Token(token) => self.token_delete(token).await,
            Standing::Device { device, .. } => self.device_delete(device).await,
            Standing::Access { .. } | Standing::Run { .. } | Standing::Thread { .. } => {
                Err(Error::new(Code::Forbidden, "This credential runs out by itself."))
            }
        }
    }

    pub(super) fn authenticate_token(&self, secret: &str) -> Result<Grant, Refused> {
        if !secret::is_whole(secret::PERSONAL, secret) {
            return Err(Refused::Checksum);
        }
        let hash = secret::hash(secret);
        let now = clock::now();
        let (grant, used) = {
            let tokens = self.inner.credentials.tokens();
            let known = tokens.by_hash.get(&hash).ok_or(Refused::Unknown)?;
            (known.grant.clone(), known.token.last_used_at)
        };
        if grant.expires_at.is_some_and(|at| at <= now) {
            return Err(Refused::Expired);
        }
        // To the minute is enough, and keeps reads from writing.
        if used.is_none_or(|at| now.millis_since(at) > 60_000)
            && let Some(known) = self.inner.credentials.tokens_mut().by_hash.get_mut(&hash)
        {
            known.token.last_used_at = Some(now);
            let (store, id) = (self.inner.store.clone(), known.token.id.clone());
            tokio::spawn(async move { store.commit(vec![Write::TokenUsed(id, now)]).await });
        }
        Ok(grant)
    }

    /// A signed token of ten minutes in exchange for a personal one.
    ///
    /// # Errors
    /// See the API.
    pub fn token_exchange(&self, grant: &Grant, body: TokenExchange) -> Result<AccessToken> {
        let Standing::Token(token) = &grant.standing else {
            let detail = "Only a personal token (`car_pat_…`) can be exchanged.";
            return Err(Error::new(Code::Forbidden, detail));
        };
        let own = &grant.rights.scopes;
        let scopes: BTreeSet<Scope> = match body.scopes {
            Some(scopes) => scopes.into_iter().collect(),
            None => own.clone(),
        };
        if scopes.is_empty() {
            return Err(Error::bad_request("`scopes` names at least one scope."));
        }
        if let Some(scope) = scopes.difference(own).next() {
            let detail = format!("The token does not allow `{scope}`.");
            return Err(Error::new(Code::Forbidden, detail));
        }
        let credentials = &self.inner.credentials;
        let life =
            ACCESS_MS.min(grant.expires_at.map_or(i64::MAX, |end| end.millis_since(clock::now())));
        let order = jwt::Order {
            kind: Kind::Access,
            instance: &credentials.instance,
            subject: token.as_str(),
            id: secret::letters(b"0123456789abcdef", 32)?,
            scopes: &scopes,
            epoch: credentials.epoch(),
            life_ms: life,
        };
        let (signed, expires_at) = jwt::sign(&credentials.keys, order)?;
        let secret = format!("{}{signed}", secret::ACCESS);
        Ok(AccessToken { secret, scopes: scopes.into_iter().collect(), expires_at })
    }

    pub(super) fn authenticate_access(&self, signed: &str) -> Result<Grant, Refused> {
        let credentials = &self.inner.credentials;
        let claims = jwt::verify(&credentials.keys, Kind::Access, &credentials.instance, signed)?;
        let token: TokenId = claims.subject.parse().map_err(|_| Refused::Claims)?;
        if claims.epoch != credentials.epoch() {
            return Err(Refused::Revoked);
        }
        let tokens = credentials.tokens();
        let known = tokens.get(&token).ok_or(Refused::Revoked)?;
        let own = &known.grant.rights;
        Ok(Grant {
            actor: known.grant.actor.clone(),
            rights: Arc::new(Rights {
                scopes: claims.scopes.intersection(&own.scopes).copied().collect(),
                reach: own.reach.clone(),
            }),
            expires_at: Some(claims.expires_at),
            standing: Standing::Access { token, epoch: claims.epoch },
        })
    }

    pub(super) async fn wanted_reach(
        &self,
        repos: Vec<RepoId>,
        run: Option<RunId>,
    ) -> Result<Reach> {
        for repo in &repos {
            self.inner.index.repo(repo)?;
        }
        let Some(run) = run else { return Ok(Reach::new(repos, None)) };
        let row = self.inner.store.run(&run).await?;
        let row = row.ok_or_else(|| Error::not_found(format!("run `{run}`")))?;
        if !repos.is_empty() && repos != [row.repo.clone()] {
            let detail = format!("The run belongs to `{}`; leave `repos` out.", row.repo);
            return Err(Error::new(Code::Unprocessable, detail));
        }
        Ok(Reach::Run { run, repo: row.repo })
    }
}

/// For how many days a credential shall work.
pub(super) fn given_days(wanted: Option<u32>) -> Result<u32> {
    let days = wanted.unwrap_or(DAYS);
    if (1..=MAX_DAYS).contains(&days) {
        return Ok(days);
    }
    Err(Error::bad_request(format!("`days` is 1 to {MAX_DAYS}.")))
}

/// The scopes a person's credential shall have.
pub(super) fn given_scopes(wanted: Option<Vec<Scope>>) -> Result<BTreeSet<Scope>> {
    let scopes: BTreeSet<Scope> =
        wanted.unwrap_or_else(|| Scope::USUAL.to_vec()).into_iter().collect();
    if scopes.is_empty() {
        return Err(Error::bad_request("`scopes` names at least one scope."));
    }
    Ok(scopes)
}
