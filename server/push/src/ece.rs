//! Encryption for a browser (RFC 8291 over RFC 8188): only the page that subscribed can read what
//! the push service carries.

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};

/// The longest message every push service takes: 4096 bytes encrypted.
pub(crate) const LONGEST: usize = 4096 - 86 - 17;

/// Bytes of a record; there is one.
const RECORD: u32 = 4096;

/// A subscription's public key: an uncompressed point of P-256.
pub(crate) const POINT: usize = 65;
/// A subscription's shared secret.
pub(crate) const AUTH: usize = 16;

/// Encrypts with a key pair and a salt of this message's own. `None` when the browser's key is none.
pub(crate) fn encrypt(p256dh: &[u8], auth: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut salt = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    encrypt_with(&PrivateKey::generate(&ECDH_P256).ok()?, salt, p256dh, auth, plain)
}

fn encrypt_with(
    own: &PrivateKey,
    salt: [u8; 16],
    p256dh: &[u8],
    auth: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let public = own.compute_public_key().ok()?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, p256dh);
    let shared = Salt::new(HKDF_SHA256, auth);
    let prk = agree(own, peer, (), |secret| Ok(shared.extract(secret))).ok()?;
    let mut ikm = [0_u8; 32];
    fill(&prk, &[b"WebPush: info\0", p256dh, public.as_ref()], &mut ikm)?;
    let prk = Salt::new(HKDF_SHA256, &salt).extract(&ikm);
    let (mut key, mut nonce) = ([0_u8; 16], [0_u8; 12]);
    fill(&prk, &[b"Content-Encoding: aes128gcm\0"], &mut key)?;
    fill(&prk, &[b"Content-Encoding: nonce\0"], &mut nonce)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    // The last record ends with a 2; nothing is padded.
    let mut sealed = [plain, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .ok()?;
    let size = u8::try_from(public.as_ref().len()).ok()?;
    Some([&salt, &RECORD.to_be_bytes()[..], &[size], public.as_ref(), &sealed].concat())
}

/// How many bytes a key has.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn fill(prk: &Prk, info: &[&[u8]], out: &mut [u8]) -> Option<()> {
    prk.expand(info, Length(out.len())).ok()?.fill(out).ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_specification() {
        let own = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let p256dh = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let plain = b"When I grow up, I want to be a watermelon";
        let sealed = encrypt_with(&own, salt, &p256dh, &auth, plain).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), expected);
        let longest = encrypt(&p256dh, &auth, &vec![b'x'; LONGEST]).unwrap();
        assert_eq!(longest.len(), 4096);
        assert_eq!(encrypt(&p256dh[..64], &auth, plain), None);
        assert_eq!(encrypt(&[4; POINT], &auth, plain), None, "no point of the curve");
    }
}
