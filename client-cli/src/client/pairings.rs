//! Letting somebody in, and asking to be let in.

use car_api::{
    Page, PairingId,
    pairing::{
        PairFinish, PairOutcome, PairRequest, PairRequested, Pairing, PairingCreate,
        PairingCreated, PairingDecide, PairingState,
    },
};

use super::Client;
use crate::ClientError;

impl Client {
    /// Who asks to be let in, and who did a moment ago.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn pairing_list(&self) -> Result<Page<Pairing>, ClientError> {
        self.get("pairing_list", &["pairings"]).json().await
    }

    /// Opens a code for one browser.
    ///
    /// # Errors
    /// `unavailable` when too many are open.
    pub async fn pairing_create(
        &self,
        body: &PairingCreate,
    ) -> Result<PairingCreated, ClientError> {
        self.post("pairing_create", &["pairings"]).body(body).json().await
    }

    /// A pairing; waits up to `wait` seconds for it to become another than `seen`.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn pairing_get(
        &self,
        pairing: &PairingId,
        seen: Option<PairingState>,
        wait: Option<u32>,
    ) -> Result<Pairing, ClientError> {
        let call = self.get("pairing_get", &["pairings", pairing.as_str()]);
        call.query("seen", seen).query("wait", wait).json().await
    }

    /// Lets somebody in, or not.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition`.
    pub async fn pairing_decide(
        &self,
        pairing: &PairingId,
        body: &PairingDecide,
    ) -> Result<Pairing, ClientError> {
        let path = ["pairings", pairing.as_str(), "decide"];
        self.post("pairing_decide", &path).body(body).json().await
    }

    /// Asks to be let in; needs no token.
    ///
    /// # Errors
    /// `not_found` for a code nobody opened, `unavailable` when too many ask.
    pub async fn pair_request(&self, body: &PairRequest) -> Result<PairRequested, ClientError> {
        self.post("pair_request", &["pair"]).body(body).json().await
    }

    /// Asks for the outcome; needs no token.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition` when it was fetched already.
    pub async fn pair_finish(&self, body: &PairFinish) -> Result<PairOutcome, ClientError> {
        self.post("pair_finish", &["pair", "finish"]).body(body).json().await
    }
}
