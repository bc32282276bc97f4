//! Text that fits the terminal: lines are broken between words, and what follows stands below the
//! text it belongs to.

use console::measure_text_width;

/// The text with no line wider than `width`, as far as its words allow.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    text.lines().map(|line| wrap_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if measure_text_width(line) <= width {
        return line.to_owned();
    }
    // A text that begins far to the right would have no room.
    let indent = Some(indent_of(line)).filter(|indent| *indent <= width / 2).unwrap_or(0);
    let (mut done, mut now) = (Vec::new(), " ".repeat(line.len() - line.trim_start().len()));
    let mut fresh = true;
    // The spaces between a label and its text stay; those between words are one.
    let (label, words) = line.split_at_checked(indent).unwrap_or(("", line));
    if !label.trim().is_empty() {
        now = label.to_owned();
    }
    for word in words.split_whitespace() {
        let gap = usize::from(!fresh);
        if !fresh && measure_text_width(&now) + gap + measure_text_width(word) > width {
            done.push(std::mem::replace(&mut now, " ".repeat(indent)));
            fresh = true;
        }
        if !fresh {
            now.push(' ');
        }
        now.push_str(word);
        fresh = false;
    }
    done.push(now);
    done.join("\n")
}

/// Where the text of a line begins: after a label and at least two spaces, or after its own indent.
fn indent_of(line: &str) -> usize {
    let own = line.len() - line.trim_start().len();
    if own > 0 {
        return own;
    }
    match line.find("  ") {
        Some(end) if end < 16 && !line[..end].contains(' ') => {
            line[end..].find(|c| c != ' ').map_or(0, |gap| end + gap)
        }
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_and_stand_below_their_text() {
        for (text, width, expected) in [
            ("short", 10, "short"),
            ("one two three", 8, "one two\nthree"),
            ("next       one two three", 23, "next       one two\n           three"),
            ("  one two three", 10, "  one two\n  three"),
            ("unbreakableword", 5, "unbreakableword"),
        ] {
            assert_eq!(wrap(text, Some(width)), expected);
        }
        assert_eq!(wrap("one two", None), "one two");
    }
}
