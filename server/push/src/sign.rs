//! Signatures as Standard Webhooks has them: HMAC-SHA256 over `<id>.<timestamp>.<body>`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2_hmac::Sha256;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// The value of `webhook-signature`: one signature for each secret, apart by spaces. A secret that
/// cannot be read signs nothing.
pub(crate) fn signatures(secrets: &[String], id: &str, seconds: i64, body: &str) -> String {
    let signed = format!("{id}.{seconds}.{body}");
    let each: Vec<_> = secrets.iter().filter_map(|secret| signature(secret, &signed)).collect();
    each.join(" ")
}

fn signature(secret: &str, signed: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(signed.as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let sign = |secrets: &[String]| {
            let body = r#"{"test": 2432232314}"#;
            signatures(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret)), expected);
        assert_eq!(sign(&[secret.clone(), secret]), format!("{expected} {expected}"));
        assert_eq!(sign(&["no secret".to_owned()]), "");
    }
}
