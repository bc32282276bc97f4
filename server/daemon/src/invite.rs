//! The link that opens the paired page for whoever sits at the hub's terminal.

use std::time::Duration;

use car_api::{
    Scope,
    pairing::{Pairing, PairingCreate, PairingDecide, PairingState},
};
use car_hub::{Hub, ReachedAt};
use tokio::task::JoinHandle;

use crate::program::{Error, say};

/// How long one look at the pairing waits for news.
const WAIT: Duration = Duration::from_secs(60);

/// Opens a code for one browser, prints its link, and lets the browser in that claims it: the link
/// is seen in this terminal only, so its owner has said yes by opening it.
pub(crate) async fn browser(hub: &Hub, url: &str) -> Result<JoinHandle<()>, Error> {
    let scopes = [Scope::USUAL, &[Scope::Admin]].concat();
    let body = PairingCreate { scopes: Some(scopes), repos: Vec::new() };
    let made = hub.pairing_create(body, ReachedAt::default()).await?;
    say(format_args!("Open this link in your browser; it works once, for ten minutes:"));
    say(format_args!("\n  {url}/pair#{}\n", made.code));
    Ok(tokio::spawn(let_in(hub.clone(), made.pairing)))
}

async fn let_in(hub: Hub, mut pairing: Pairing) {
    loop {
        let next = match pairing.state {
            PairingState::Open | PairingState::Approved => {
                hub.pairing_get(&pairing.id, Some(pairing.state), WAIT).await
            }
            PairingState::Waiting => {
                let yes = PairingDecide { approve: true, scopes: None, repos: None, days: None };
                hub.pairing_decide(&pairing.id, yes).await
            }
            PairingState::Done => {
                let name = pairing.name.as_deref().unwrap_or("a browser");
                return say(format_args!("{name} is paired; `car pair` lets in another."));
            }
            PairingState::Denied => return,
            PairingState::Expired => {
                return say("The link has run out; `car pair` makes another.");
            }
        };
        match next {
            Ok(next) => pairing = next,
            Err(error) => return tracing::warn!("no browser was let in: {error}"),
        }
    }
}
