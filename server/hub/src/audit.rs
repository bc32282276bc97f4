//! Who did what: every act leaves a line in the audit chain, in the transaction of the act itself
//! where it has one, else in one of its own before the answer.

use std::path::Path;

use car_api::{
    Page, PageQuery, Timestamp,
    audit::{Actor, AuditHead, AuditLine, AuditReport, Outcome},
};
use car_store::{AuditEntry, AuditQuery, Write};

use crate::{Error, Hub, Result, clock, cursor, index};

/// Which lines of the audit chain are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditFilter {
    /// Only of this actor, by id or kind.
    pub actor: Option<String>,
    /// Only of this verb.
    pub verb: Option<String>,
    /// Only to this object.
    pub object: Option<String>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
}

/// What is about to be done by somebody, to be noted when it is.
#[derive(Debug, Clone)]
#[must_use = "an act that is not committed is not in the chain"]
pub(crate) struct Act(AuditEntry);

impl Act {
    fn new(actor: &Actor, verb: &'static str, object: impl ToString) -> Self {
        Self(AuditEntry {
            at: clock::now(),
            actor: actor.clone(),
            ip_claimed: None,
            verb: verb.to_owned(),
            object: object.to_string(),
            outcome: Outcome::Done,
            detail: None,
        })
    }

    /// Something the hub does by itself.
    pub(crate) fn of_hub(verb: &'static str, object: impl ToString) -> Self {
        Self::new(&Actor::hub(), verb, object)
    }

    /// More about it, at most a paragraph.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        let cut = detail.char_indices().nth(1000).map(|(at, _)| at);
        detail.truncate(cut.unwrap_or(detail.len()));
        self.0.detail = Some(detail);
        self
    }

    /// The line that says it was begun; the act itself is noted later.
    pub(crate) fn begun(&self) -> Write {
        self.clone().ended(Outcome::Begun)
    }

    /// The line that says it is done.
    pub(crate) fn done(self) -> Write {
        self.ended(Outcome::Done)
    }

    /// The line that says how it went.
    pub(crate) fn ended(mut self, outcome: Outcome) -> Write {
        self.0.at = clock::now();
        self.0.outcome = outcome;
        Write::Audit(Box::new(self.0))
    }
}

/// Who does what is about to be committed.
pub(crate) fn actor_of(act: &Write) -> Option<&str> {
    let Write::Audit(entry) = act else { return None };
    Some(entry.actor.name.as_str())
}

/// Who does what, as an act to be committed has it, for people.
pub(crate) fn who_does(act: &Write) -> Option<String> {
    let Write::Audit(entry) = act else { return None };
    Some(format!("{} by {}", entry.verb, entry.actor.name))
}

impl Hub {
    /// What is about to be done by whoever acts through this handle: `verb` is the operation's id.
    pub(crate) fn act(&self, verb: &'static str, object: impl ToString) -> Act {
        let mut act = Act::new(&self.actor, verb, object);
        act.0.ip_claimed = self.claimed.as_deref().map(str::to_owned);
        act
    }

    /// Notes what was done outside the database.
    pub(crate) async fn note(&self, act: Act) -> Result<()> {
        self.inner.store.commit(vec![act.done()]).await?;
        Ok(())
    }

    /// Notes that credentials were refused; how many and which is for the detail.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_refused_credentials(&self, detail: String) -> Result<()> {
        let act = Act::of_hub("authenticate", "").detail(detail);
        self.inner.store.commit(vec![act.ended(Outcome::Refused)]).await?;
        Ok(())
    }

    /// A page of the audit chain, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn audit_list(
        &self,
        filter: AuditFilter,
        page: PageQuery,
    ) -> Result<Page<AuditLine>> {
        let limit = index::limit(&page)?;
        let before = cursor::read(&page)?;
        let AuditFilter { actor, verb, object, since } = filter;
        let more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let query = AuditQuery { actor, verb, object, since, before, limit: more };
        let lines = self.inner.store.audit_lines(&query).await?;
        Ok(index::cut(lines, limit, |line| line.seq.to_string()))
    }

    /// The end of the audit chain, or where it ended with a line.
    ///
    /// # Errors
    /// See the API.
    pub async fn audit_head(&self, line: Option<i64>) -> Result<AuditHead> {
        let Some(seq) = line else { return Ok(self.inner.store.audit_head().await?) };
        let there = self.inner.store.audit_head_at(seq).await?;
        there.ok_or_else(|| Error::not_found(format!("line {seq} of the audit chain")))
    }

    /// Walks the audit chain, and looks whether a head that somebody kept is part of it.
    ///
    /// # Errors
    /// See the API.
    pub async fn audit_verify(&self, kept: Option<AuditHead>) -> Result<AuditReport> {
        Ok(self.inner.store.verify_audit(kept.as_ref()).await?)
    }
}

/// Walks the audit chain of the hub at `root`, whether it is served or not.
///
/// # Errors
/// The root has no database of a hub.
pub async fn verify_audit(root: &Path, kept: Option<&AuditHead>) -> Result<AuditReport> {
    let file = root.join(car_files::CAR_DIR).join("hub.sqlite3");
    if !file.is_file() {
        return Err(Error::not_found(format!("database at {}", file.display())));
    }
    Ok(car_store::verify_audit_file(&file, kept).await?)
}
