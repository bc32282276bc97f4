//! Small things about text.

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// So many random bytes, as text.
pub(crate) fn random(count: usize) -> crate::Result<String> {
    let mut bytes = vec![0_u8; count];
    getrandom::fill(&mut bytes).map_err(|error| crate::Error::internal(error.to_string()))?;
    Ok(hex(&bytes))
}

/// Whether a text is one line that says something and is not too long.
pub(crate) fn is_a_line(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}
