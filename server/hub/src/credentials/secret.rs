//! Secrets as text: a prefix that says the kind, 256 random bits, and a checksum.

use sha2::{Digest, Sha256};

use crate::{Error, Result, text::hex};

/// How each kind begins, so that scanners and redactors find it.
pub(super) const PERSONAL: &str = "car_pat_";
pub(super) const RUN: &str = "car_run_";
pub(super) const THREAD: &str = "car_thr_";
pub(super) const ACCESS: &str = "car_at_";
pub(super) const SESSION: &str = "car_ses_";
pub(super) const PROOF: &str = "car_prf_";
pub(super) const PAIRING: &str = "car_pair_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Letters that hold 256 bits, and those of the checksum.
const RANDOM: usize = 43;
const CHECK: usize = 6;

/// A new secret.
pub(super) fn make(prefix: &str) -> Result<String> {
    let body = letters(ALPHABET, RANDOM)?;
    let check = checksum(&format!("{prefix}{body}"));
    Ok(format!("{prefix}{body}{check}"))
}

/// Letters of an alphabet, each as likely as any other.
pub(super) fn letters(alphabet: &[u8], count: usize) -> Result<String> {
    // Bytes at or above the last whole multiple would favour the first letters.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(count);
    let mut bytes = [0_u8; 64];
    while text.len() < count {
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        let good = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        let left = count - text.len();
        text.extend(good.take(left).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

/// Whether a text has the shape of a secret of this kind and its checksum holds. Tokens of the
/// first release carry a checksum of another kind.
pub(super) fn is_whole(prefix: &str, secret: &str) -> bool {
    let Some(body) = secret.strip_prefix(prefix) else { return false };
    if body.len() != RANDOM + CHECK || !body.is_ascii() {
        return false;
    }
    let (random, check) = body.split_at(RANDOM);
    check == checksum(&secret[..secret.len() - CHECK])
        || prefix == PERSONAL && check == &hash(random)[..CHECK]
}

/// CRC-32 in six letters.
fn checksum(text: &str) -> String {
    let mut rest = CRC.checksum(text.as_bytes()) as usize;
    let mut letters = [b'0'; CHECK];
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    letters.iter().map(|letter| char::from(*letter)).collect()
}

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// What is kept of a secret. Tables are keyed by it: how far a wrong one matches cannot be
/// measured.
pub(super) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_whole_or_it_is_not() {
        let secret = make(PERSONAL).unwrap();
        assert_eq!(secret.len(), PERSONAL.len() + RANDOM + CHECK);
        assert!(is_whole(PERSONAL, &secret));
        assert!(!is_whole(SESSION, &secret));
        for at in PERSONAL.len()..secret.len() {
            let mut other = secret.clone().into_bytes();
            other[at] = if other[at] == b'a' { b'b' } else { b'a' };
            assert!(!is_whole(PERSONAL, std::str::from_utf8(&other).unwrap()), "letter {at}");
        }
        assert!(!is_whole(PERSONAL, &secret[..secret.len() - 1]));
        assert!(!is_whole(PERSONAL, &format!("{secret}x")));
        assert!(!is_whole(PERSONAL, &format!("{PERSONAL}{}", "ä".repeat(24))));
    }

    #[test]
    fn tokens_of_the_first_release_are_whole_too() {
        let random = "B".repeat(RANDOM);
        assert!(is_whole(PERSONAL, &format!("{PERSONAL}{random}{}", &hash(&random)[..CHECK])));
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value of CRC-32/ISO-HDLC: 0xCBF43926.
        let mut value = 0_u64;
        for letter in checksum("123456789").bytes() {
            let digit = ALPHABET.iter().position(|known| *known == letter).unwrap();
            value = value * 62 + u64::try_from(digit).unwrap();
        }
        assert_eq!(value, 0xCBF4_3926);
    }
}
