//! Which of several things is meant by a piece of its id.

use crate::failure::Failure;

/// So many letters of an id's end name it: its beginning is a time that many share.
const ENOUGH: usize = 4;

/// Whether a text is a whole generated id of this kind (`run_` and 32 more letters), which needs
/// no looking up.
pub(crate) fn is_whole(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The one thing whose id is the text, begins with it (with or without its kind, as in `run_`), or
/// ends with it.
pub(crate) fn one<T>(
    text: &str,
    what: &str,
    things: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> &str,
) -> Result<T, Failure> {
    let mut hits: Vec<T> = Vec::new();
    for thing in things {
        if id(&thing) == text {
            return Ok(thing);
        }
        if fits(id(&thing), text) {
            hits.push(thing);
        }
    }
    if hits.len() > 1 {
        let some = hits.iter().take(5).map(|hit| format!("\n  {}", id(hit)));
        let more = if hits.len() > 5 { "\n  …" } else { "" };
        return Err(Failure::Usage(format!(
            "several {what}s are meant by `{text}`; say more of the id:{}{more}",
            some.collect::<String>()
        )));
    }
    hits.pop().ok_or_else(|| Failure::NotFound(format!("there is no {what} `{text}`")))
}

fn fits(id: &str, text: &str) -> bool {
    let bare = id.split_once('_').map_or(id, |(_, bare)| bare);
    id.starts_with(text) || bare.starts_with(text) || (text.len() >= ENOUGH && id.ends_with(text))
}

/// The last letters of an id, which the commands take for the whole.
pub(crate) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_an_id_is_enough_when_only_one_has_it() {
        let ids = ["run_0193aa01", "run_0193bb02", "run_0193bb99", "run_0193"];
        let one = |text: &str| one(text, "run", ids, |id| id).map_err(|e| e.status());
        assert_eq!(one("run_0193bb02"), Ok("run_0193bb02"));
        assert_eq!(one("run_0193"), Ok("run_0193"), "a whole id is no beginning of others");
        assert_eq!(one("0193aa"), Ok("run_0193aa01"));
        assert_eq!(one("run_0193bb9"), Ok("run_0193bb99"));
        assert_eq!(one("bb02"), Ok("run_0193bb02"));
        assert_eq!(one("0193bb"), Err(2));
        assert_eq!(one("02"), Err(3), "too short for an end");
        assert_eq!(one("zzzz"), Err(3));
    }

    #[test]
    fn only_a_generated_id_is_whole() {
        assert!(is_whole("run_0193aa01bb02cc03dd04ee05ff060708", "run_"));
        assert!(!is_whole("run_0193", "run_"));
        assert!(!is_whole("job_0193aa01bb02cc03dd04ee05ff060708", "run_"));
    }
}
