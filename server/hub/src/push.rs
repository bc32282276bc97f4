//! Web push: a paired browser as a way out for notifications, answered from where they are shown.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use car_api::{
    Code, DeviceId,
    audit::ActorKind,
    inbox::{InboxAct, InboxAction},
    notification::{ChannelKind, Notification, NotificationChannel},
    push::{PushAct, PushActed, PushAction, PushKey, PushPayload, PushSubscribe},
};
use car_files::key_files;
use car_store::ChannelRow;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Hub, NewChannel, PushAddress, Result, clock,
    hub::{Inner, blocking},
};

/// The name of the key's file.
const FILE: &str = "push";

/// The key browsers subscribe with, once it was needed.
pub(crate) type Key = tokio::sync::OnceCell<Kept>;

/// The key as it is kept: another one would end every subscription.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// PKCS #8 in base64url.
    pkcs8: String,
}

impl Hub {
    /// The key a browser subscribes with.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_key_get(&self) -> Result<PushKey> {
        let kept = self.inner.push_key().await?;
        let pair = BASE64.decode(&kept.pkcs8).ok();
        let pair = pair
            .and_then(|key| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key).ok());
        let pair = pair.ok_or_else(|| Error::internal("the key of web push cannot be read"))?;
        Ok(PushKey { public_key: BASE64.encode(pair.public_key().as_ref()) })
    }

    /// The caller's browser as a way out.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_get(&self) -> Result<NotificationChannel> {
        let device = self.device()?;
        let rows = self.inner.store.channels().await?;
        let own = rows.into_iter().find(|row| row.channel.device.as_ref() == Some(&device));
        own.map(|row| row.channel)
            .ok_or_else(|| Error::not_found("subscription of this browser".to_owned()))
    }

    /// The caller's browser is sent notifications from now on.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_subscribe(&self, body: PushSubscribe) -> Result<NotificationChannel> {
        let device = self.device()?;
        let key = self.inner.push_key().await?;
        let PushSubscribe { endpoint, p256dh, auth, kinds, quiet } = body;
        let target = host_of(&endpoint);
        let address = PushAddress { endpoint, p256dh, auth };
        let address = serde_json::to_string(&address).map_err(Error::internal)?;
        let address = self.inner.carrier(ChannelKind::WebPush)?.check(&address);
        let address = address.map_err(|why| Error::new(Code::Unprocessable, why))?;
        let new = NewChannel {
            kind: ChannelKind::WebPush,
            name: self.actor().name.clone(),
            target,
            address,
            secrets: vec![key.pkcs8.clone()],
            device: Some(device),
            kinds,
            quiet,
        };
        let channel = self.channel_add(new).await?;
        self.note(self.act("push_subscribe", &channel.id)).await?;
        Ok(channel)
    }

    /// The caller's browser is sent nothing any more.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_unsubscribe(&self) -> Result<()> {
        let channel = self.push_get().await?;
        self.channel_delete(&channel.id).await?;
        self.note(self.act("push_unsubscribe", &channel.id)).await
    }

    /// Sends a trial to the caller's browser.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_test(&self) -> Result<Notification> {
        let channel = self.push_get().await?;
        let sent = self.channel_test(&channel.id).await?;
        self.note(self.act("push_test", &channel.id)).await?;
        Ok(sent)
    }

    /// Does what was chosen on a notification; its token says who does it.
    ///
    /// # Errors
    /// See the API.
    pub async fn push_act(&self, body: PushAct) -> Result<PushActed> {
        let empty = body.body.as_ref().is_none_or(|text| text.trim().is_empty());
        if body.action == InboxAction::Reply && empty {
            return Err(Error::new(Code::Unprocessable, "`body`: a reply needs a text."));
        }
        let (item, grant) = self.push_token_use(&body.token).await?;
        let hub = self.acting(&grant);
        hub.note(hub.act("push_act", &item).detail(body.action.as_str())).await?;
        hub.inbox_act(&item, InboxAct { action: body.action, body: body.body }).await?;
        let open_items = hub.inbox_counts().await?.open;
        Ok(PushActed { open_items, at: clock::now() })
    }

    /// The browser that acts.
    fn device(&self) -> Result<DeviceId> {
        let device = (self.actor().kind == ActorKind::Device).then(|| self.actor().id.parse().ok());
        device.flatten().ok_or_else(|| {
            let detail = "Only a paired browser can be pushed to; a program takes a channel.";
            Error::new(Code::Forbidden, detail)
        })
    }
}

impl Inner {
    /// The key, made when it is first needed.
    async fn push_key(&self) -> Result<Kept> {
        let root = self.config.root.clone();
        let kept = self.push_key.get_or_try_init(async || {
            blocking(move || match key_files::secret(&root, FILE)? {
                Some(bytes) => serde_json::from_slice(&bytes).map_err(Error::internal),
                None => make(&root),
            })
            .await
        });
        let kept = kept.await?.clone();
        self.config.redactor.learn([kept.pkcs8.as_str()]);
        Ok(kept)
    }

    /// What a browser is sent: what can be done about it, and a token that lets it.
    pub(crate) async fn push_payload(
        &self,
        row: &ChannelRow,
        one: &Notification,
    ) -> Result<String> {
        let mut payload = PushPayload {
            id: one.id.to_string(),
            title: one.title.clone(),
            line: one.line.clone(),
            kind: one.kind,
            open: Some(place_of(one)),
            open_items: self.store.inbox_counts().await?.open,
            token: None,
            actions: Vec::new(),
        };
        if let (Some(item), Some(device)) = (&one.item, &row.channel.device) {
            let id = format!("{}.{}", one.id, row.channel.id);
            payload.token = Some(self.push_token(item, device, id)?);
            payload.actions = one.actions.iter().take(ACTIONS).copied().map(button).collect();
        }
        // A push service takes 4 KiB.
        for _ in 0..MOST {
            let text = serde_json::to_string(&payload).map_err(Error::internal)?;
            if text.len() <= LONGEST {
                return Ok(text);
            }
            let half = payload.line.chars().count() / 2;
            payload.line = payload.line.chars().take(half).collect();
            payload.title = payload.title.chars().take(TITLE).collect();
        }
        Err(Error::internal("a notification is too long for web push"))
    }
}

/// Browsers show two buttons.
const ACTIONS: usize = 3;
/// Bytes of a message before it is encrypted.
const LONGEST: usize = 3900;
/// Signs of a title that is shortened.
const TITLE: usize = 200;
/// How often a line is halved before it is given up.
const MOST: usize = 16;

fn make(root: &std::path::Path) -> Result<Kept> {
    let broken = |_| Error::internal("no key could be made");
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let kept = Kept { pkcs8: BASE64.encode(pkcs8.map_err(broken)?.as_ref()) };
    let bytes = serde_json::to_vec_pretty(&kept).map_err(Error::internal)?;
    key_files::write_secret(root, FILE, &bytes)?;
    Ok(kept)
}

/// The host of an address: all of it that is no secret.
fn host_of(endpoint: &str) -> String {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().chars().take(200).collect()
}

/// Where a notification is looked at.
fn place_of(one: &Notification) -> String {
    match (&one.run, &one.thread) {
        (Some(run), _) => format!("#/runs/{run}"),
        (None, Some(thread)) => format!("#/threads/{thread}"),
        (None, None) => "#/".to_owned(),
    }
}

fn button(action: InboxAction) -> PushAction {
    let title = match action {
        InboxAction::Reply => "Answer",
        InboxAction::Approve => "Allow",
        InboxAction::Decline => "Deny",
        InboxAction::Resume => "Go on",
        InboxAction::Retry => "Try again",
        InboxAction::Done => "It is done",
        InboxAction::Stop => "Stop",
        InboxAction::Dismiss => "Put away",
        InboxAction::Escalate => "Show me",
    };
    PushAction { action, title: title.to_owned() }
}
