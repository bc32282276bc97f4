//! Tokens in pushed notifications: each lets its device do one of the actions, once.

use std::collections::BTreeSet;

use car_api::{Code, DeviceId, InboxItemId, Scope};
use car_store::Write;

use super::{
    Grant,
    jwt::{self, Kind, Order},
};
use crate::{Error, Hub, Result, clock, hub::Inner};

/// How long a token holds, in ms: as long as a push service keeps the message.
const LIFE_MS: i64 = 24 * 3_600_000;

impl Inner {
    /// A token for one item and device. However often a message is sent, `id` makes it one token.
    pub(crate) fn push_token(
        &self,
        item: &InboxItemId,
        device: &DeviceId,
        id: String,
    ) -> Result<String> {
        let order = Order {
            kind: Kind::Push,
            instance: &self.credentials.instance,
            subject: &format!("{item} {device}"),
            id,
            // What the device may do is looked at when it is done.
            scopes: &BTreeSet::from([Scope::Approve]),
            epoch: self.credentials.epoch(),
            life_ms: LIFE_MS,
        };
        Ok(jwt::sign(&self.credentials.keys, order)?.0)
    }
}

impl Hub {
    /// Uses a token up: the item it is for, and who acts.
    pub(crate) async fn push_token_use(&self, token: &str) -> Result<(InboxItemId, Grant)> {
        let credentials = &self.inner.credentials;
        let told = jwt::verify(&credentials.keys, Kind::Push, &credentials.instance, token)
            .map_err(|_| refused("it is not this hub's, or has run out"))?;
        if told.epoch != credentials.epoch() {
            return Err(refused("every credential of its time was ended"));
        }
        let (item, device) = told.subject.split_once(' ').unwrap_or_default();
        let parsed = item.parse().ok().zip(device.parse::<DeviceId>().ok());
        let (item, device) = parsed.ok_or_else(|| refused("it names nothing"))?;
        let grant = credentials.devices().grant_of(&device);
        let grant = grant.ok_or_else(|| refused("its device is not let in any more"))?;
        let used =
            Write::PushActionUsed { token: told.id, at: clock::now(), expires_at: told.expires_at };
        match self.inner.store.commit(vec![used]).await {
            Ok(_) => Ok((item, grant)),
            Err(car_store::Error::Conflict) => Err(refused("it was used")),
            Err(error) => Err(error.into()),
        }
    }
}

fn refused(why: &str) -> Error {
    let detail = format!("This notification's token is not taken: {why}. Open the hub instead.");
    Error::new(Code::Unauthenticated, detail)
}
