//! Who sends (RFC 8292): a token for one push service, signed with the key the browser subscribed
//! with.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

/// How long a token holds, in seconds; push services take a day at most.
const LIFE: i64 = 12 * 3600;

/// The value of `authorization`. `None` when the key cannot be read.
pub(crate) fn authorization(pkcs8: &str, origin: &str, subject: &str, now: i64) -> Option<String> {
    let pkcs8 = BASE64.decode(pkcs8).ok()?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).ok()?;
    let claims = serde_json::json!({ "aud": origin, "exp": now + LIFE, "sub": subject });
    let signed = format!(
        "{}.{}",
        BASE64.encode(r#"{"typ":"JWT","alg":"ES256"}"#),
        BASE64.encode(claims.to_string())
    );
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
    let public = BASE64.encode(pair.public_key().as_ref());
    Some(format!("vapid t={signed}.{}, k={public}", BASE64.encode(signature)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_token_is_signed_with_the_key_it_names() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pkcs8 = BASE64.encode(pair.to_pkcs8v1().unwrap().as_ref());
        let header =
            authorization(&pkcs8, "https://push.example", "mailto:me@example.org", 1000).unwrap();
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64.decode(key).unwrap());
        key.verify(signed.as_bytes(), &BASE64.decode(signature).unwrap()).unwrap();
        let claims = BASE64.decode(signed.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["exp"], 1000 + LIFE);
        assert_eq!(authorization("no key", "https://push.example", "x", 0), None);
    }
}
