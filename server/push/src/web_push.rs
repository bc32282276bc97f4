//! Web push: an encrypted `POST` to the push service of a browser (RFC 8030).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use car_hub::{Attempt, Channel, Message, PushAddress, Sent};
use reqwest::{
    StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};

use crate::{answer, clients::Clients, ece, vapid};

/// How long a push service keeps a message for a device that is away, in seconds.
const TTL: &str = "86400";

/// The longest address.
const URL_MAX: usize = 2048;

/// Hosts of the push services of browsers: a device that is paired must not be able to send the hub
/// anywhere else. A name that begins with a dot means every name that ends so.
const SERVICES: &[&str] = &[
    "android.googleapis.com",
    "fcm.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
];

/// The sender of web pushes.
#[derive(Debug)]
pub struct WebPushes {
    clients: Clients,
    subject: String,
    further: Vec<String>,
}

impl WebPushes {
    /// A sender. `subject` is where a push service may turn to (`https:` or `mailto:`); `further`
    /// names services (`host` or `host:port`) beside those of the browsers.
    #[must_use]
    pub fn new(timeout_s: u64, subject: String, further: Vec<String>) -> Self {
        Self { clients: Clients::new(timeout_s), subject, further }
    }

    async fn post(&self, message: &Message) -> Sent {
        let failed = |detail: &str| Sent::NotTaken {
            status: None,
            detail: detail.to_owned(),
            retry_after: None,
        };
        let Some((url, p256dh, auth)) = self.read(&message.to).ok() else {
            return failed("the subscription cannot be read");
        };
        if message.body.len() > ece::LONGEST {
            return failed("the message is too long for a push service");
        }
        let Some(body) = ece::encrypt(&p256dh, &auth, message.body.as_bytes()) else {
            return failed("the message could not be encrypted");
        };
        let seconds = message.at.micros().div_euclid(1_000_000);
        let origin = url.origin().ascii_serialization();
        let key = message.secrets.first().map_or("", String::as_str);
        let Some(authorization) = vapid::authorization(key, &origin, &self.subject, seconds) else {
            return failed("the message could not be signed");
        };
        let client = match self.clients.of(url.scheme()) {
            Ok(client) => client,
            Err(detail) => return failed(&detail),
        };
        let request = client
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL)
            .header("urgency", "high")
            .body(body);
        match request.send().await {
            Ok(answer) => gone(answer::read(answer).await),
            Err(error) => failed(&crate::clients::innermost(&error.without_url())),
        }
    }

    /// Address, key and secret of a subscription.
    fn read(&self, to: &str) -> Result<(Url, Vec<u8>, Vec<u8>), String> {
        let address: PushAddress = serde_json::from_str(to)
            .map_err(|error| format!("this is no subscription ({error})."))?;
        if address.endpoint.len() > URL_MAX {
            return Err(format!("an address has {URL_MAX} bytes at most."));
        }
        let url = Url::parse(&address.endpoint)
            .map_err(|error| format!("the endpoint is no URL ({error})."))?;
        self.allow(&url)?;
        let part = |name: &str, text: &str, length: usize| match BASE64
            .decode(text.trim_end_matches('='))
        {
            Ok(bytes) if bytes.len() == length => Ok(bytes),
            Ok(_) | Err(_) => Err(format!("`{name}` is not {length} bytes in base64url.")),
        };
        let p256dh = part("p256dh", &address.p256dh, ece::POINT)?;
        let auth = part("auth", &address.auth, ece::AUTH)?;
        Ok((url, p256dh, auth))
    }

    fn allow(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        let named = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        if self.further.contains(&named) && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        let service = SERVICES
            .iter()
            .any(|known| host == *known || (known.starts_with('.') && host.ends_with(known)));
        let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        if url.scheme() == "https" && service && plain {
            return Ok(());
        }
        Err(format!(
            "`{named}` is no push service this hub knows; its owner can name it in \
             `notifications.push_services`."
        ))
    }
}

/// A push service says 404 or 410 when the subscription is over.
fn gone(sent: Sent) -> Sent {
    match sent {
        Sent::NotTaken { status: Some(status), detail, .. }
            if status == StatusCode::NOT_FOUND.as_u16() =>
        {
            Sent::Unwanted { status: Some(status), detail }
        }
        sent @ (Sent::Taken { .. } | Sent::NotTaken { .. } | Sent::Unwanted { .. }) => sent,
    }
}

impl Channel for WebPushes {
    fn check(&self, to: &str) -> Result<String, String> {
        self.read(to).map(|_| to.to_owned())
    }

    fn send<'a>(&'a self, message: &'a Message) -> Attempt<'a> {
        Box::pin(self.post(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_push_services_are_sent_to() {
        let pushes = WebPushes::new(1, String::new(), vec!["127.0.0.1:9".to_owned()]);
        let to = |endpoint: &str| {
            let address = PushAddress {
                endpoint: endpoint.to_owned(),
                p256dh: BASE64.encode([4; ece::POINT]),
                auth: BASE64.encode([1; ece::AUTH]),
            };
            pushes.check(&serde_json::to_string(&address).unwrap())
        };
        for good in [
            "https://fcm.googleapis.com/fcm/send/x",
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "https://web.push.apple.com/x",
            "https://db5p.notify.windows.com/w/?token=x",
            "http://127.0.0.1:9/x",
        ] {
            assert!(to(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com:8443/x",
            "https://user@fcm.googleapis.com/x",
            "https://evilpush.apple.com.example/x",
            "https://xnotify.windows.com/x",
            "http://169.254.169.254/latest",
            "https://127.0.0.1/x",
            "http://127.0.0.1:10/x",
            "file:///etc/passwd",
        ] {
            assert!(to(bad).is_err(), "{bad}");
        }
    }
}
