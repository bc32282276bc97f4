//! Where a page of a list ended. To a client it is an opaque word; here it is the last entry's key
//! with a mark, so that a word that was made up is told from one of ours.

use std::str::FromStr;

use car_api::PageQuery;

use crate::{Error, Result, text::hex};

/// How a cursor begins; another number when what follows changes its meaning.
const MARK: &str = "c1";

/// The cursor behind an entry.
pub(crate) fn seal(key: &str) -> String {
    format!("{MARK}{}", hex(key.as_bytes()))
}

/// The key of the entry a page begins behind.
pub(crate) fn open(cursor: &str) -> Result<String> {
    let digits = cursor.strip_prefix(MARK).filter(|digits| digits.len().is_multiple_of(2));
    let bytes: Option<Vec<u8>> = digits.and_then(|digits| {
        let pairs = digits.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    });
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(unknown)
}

/// The key a page begins behind, as the list has it; `None` for the first page.
pub(crate) fn read<T: FromStr>(page: &PageQuery) -> Result<Option<T>> {
    let key = page.after.as_deref().map(open).transpose()?;
    key.map(|key| key.parse().map_err(|_| unknown())).transpose()
}

/// The refusal of a word that is no cursor.
pub(crate) fn unknown() -> Error {
    Error::bad_request(
        "`after` is no cursor of this list. Send the `next` of the page before as it came, with \
         the same filters, or leave `after` out to begin at the beginning.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_cursors_are_read() {
        for key in ["", "run_0197", "a|00000000000000000001 TICKET-001.md", "ü"] {
            assert_eq!(open(&seal(key)).unwrap(), key);
        }
        for bad in ["", "c1x", "c16", "run_0197", "c2aa", "c1zz", "c1ff", "c1é"] {
            assert_eq!(open(bad).unwrap_err().code, car_api::Code::BadRequest, "{bad}");
        }
    }
}
