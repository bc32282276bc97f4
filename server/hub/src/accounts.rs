//! Accounts of agents: who has no quota left, and what was last reported.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use car_api::{Timestamp, item::RateLimit};
use car_store::AccountRow;

/// What every run of the hub knows of the accounts.
#[derive(Default)]
pub(crate) struct Accounts {
    rows: Mutex<HashMap<String, AccountRow>>,
}

impl Accounts {
    pub(crate) fn new(rows: Vec<AccountRow>) -> Self {
        let rows = rows.into_iter().map(|row| (row.account.clone(), row)).collect();
        Self { rows: Mutex::new(rows) }
    }

    fn change(&self, account: &str, change: impl FnOnce(&mut AccountRow)) -> AccountRow {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(account.to_owned()).or_insert_with(|| AccountRow {
            account: account.to_owned(),
            held_until: None,
            limits: Vec::new(),
        });
        change(row);
        row.clone()
    }

    /// No turn of this account begins before then. An account that is held longer stays so.
    pub(crate) fn hold(&self, account: &str, until: Timestamp, now: Timestamp) -> AccountRow {
        self.change(account, |row| {
            let held = row.held_until.filter(|at| *at > now);
            row.held_until = Some(held.map_or(until, |at| at.max(until)));
        })
    }

    /// Turns of this account may begin again.
    pub(crate) fn release(&self, account: &str) -> AccountRow {
        self.change(account, |row| row.held_until = None)
    }

    /// Until when the account is held, if it is now.
    pub(crate) fn held(&self, account: &str, now: Timestamp) -> Option<Timestamp> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(account)?.held_until.filter(|at| *at > now)
    }

    /// All that is known, by account.
    pub(crate) fn all(&self) -> Vec<AccountRow> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<AccountRow> = rows.values().cloned().collect();
        all.sort_by(|a, b| a.account.cmp(&b.account));
        all
    }

    /// What the account reported of its quota.
    pub(crate) fn report(&self, account: &str, limits: Vec<RateLimit>) -> AccountRow {
        self.change(account, |row| row.limits = limits)
    }

    /// The quota windows of an account as last reported.
    pub(crate) fn limits(&self, account: &str) -> Vec<RateLimit> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(account).map(|row| row.limits.clone()).unwrap_or_default()
    }
}
