//! Tokens of agents are made anew before they run out, for as long as somebody needs them.

use std::{pin::Pin, sync::Arc, time::Duration};

use car_api::Timestamp;
use car_store::{RunGrantRow, ThreadGrantRow};

use crate::{clock, hub::Inner};

/// How long one token is good, in ms.
pub(super) const LIFE_MS: i64 = 24 * 3_600_000;

/// After which time the next one is made, in ms.
const RENEW_MS: i64 = 12 * 3_600_000;

/// A new token on its way.
pub(super) type Renewing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What an agent was given a token for.
pub(super) trait Granted: Clone + PartialEq + Send + Sync + 'static {
    /// When its token was signed.
    fn issued_at(&self) -> Timestamp;

    /// The ids of the tokens that are good for it: the last one, and the one before, which an agent
    /// may have read just now.
    fn tokens(&self) -> (&str, Option<&str>);

    /// Those there are.
    fn all(hub: &Inner) -> Vec<Self>;

    /// Signs another token. What goes wrong is logged.
    fn renew(self, hub: &Arc<Inner>) -> Renewing<'_>;

    /// Whether a token of this id is good for it.
    fn takes(&self, token: &str) -> bool {
        let (present, previous) = self.tokens();
        present == token || previous == Some(token)
    }
}

/// Has a token made anew when it is due, unless it is another one by then.
pub(super) fn later<G: Granted>(hub: &Arc<Inner>, grant: &G) {
    let due = clock::until(grant.issued_at().plus_millis(RENEW_MS));
    let (hub, grant) = (Arc::downgrade(hub), grant.clone());
    tokio::spawn(async move {
        tokio::time::sleep(due.max(Duration::from_millis(1))).await;
        let Some(hub) = hub.upgrade() else { return };
        if G::all(&hub).contains(&grant) {
            grant.renew(&hub).await;
        }
    });
}

async fn now<G: Granted>(hub: &Arc<Inner>) {
    for grant in G::all(hub) {
        grant.renew(hub).await;
    }
}

fn keep<G: Granted>(hub: &Arc<Inner>) {
    for grant in G::all(hub) {
        later(hub, &grant);
    }
}

impl Inner {
    /// New tokens for all agents, after all that were signed have ended.
    pub(super) async fn renew_agent_tokens(self: &Arc<Self>) {
        now::<RunGrantRow>(self).await;
        now::<ThreadGrantRow>(self).await;
    }

    /// Sees to it that no agent's token runs out, also those of an earlier process of the hub.
    pub(crate) fn keep_agent_tokens(self: &Arc<Self>) {
        keep::<RunGrantRow>(self);
        keep::<ThreadGrantRow>(self);
    }
}
