//! How a record becomes a line of the journal. Written by hand: a line of sixteen megabytes must
//! pass through in small pieces, and nothing of what is carried is looked at but its bytes.

use std::io::{self, Write};

use crate::entry::Exit;

/// What the shim writes down.
pub(crate) enum Record<'a> {
    Start { pid: i32, starttime: u64, argv0: &'a [u8] },
    In(&'a [u8]),
    Output(Stream, Text<'a>),
    Exit(Exit),
}

/// Which of the agent's outputs.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// A line of output; `cut` is its full length if the cap took some of it.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) cut: Option<u64>,
}

/// Writes one line, with its line feed.
pub(crate) fn write(out: &mut impl Write, n: u64, at_us: i64, record: &Record) -> io::Result<()> {
    write!(out, r#"{{"n":{n},"at":{at_us},"dir":"#)?;
    match record {
        Record::Start { pid, starttime, argv0 } => {
            write!(out, r#""start","pid":{pid},"starttime":{starttime},"argv0":"#)?;
            string(out, argv0)?;
        }
        Record::In(line) => {
            out.write_all(br#""in","line":"#)?;
            string(out, line)?;
        }
        Record::Output(stream, text) => {
            let dir = match stream {
                Stream::Out => "out",
                Stream::Err => "err",
            };
            write!(out, r#""{dir}","line":"#)?;
            if string(out, text.bytes)? {
                out.write_all(br#","lossy":true"#)?;
            }
            if let Some(bytes) = text.cut {
                write!(out, r#","cut":{bytes}"#)?;
            }
        }
        Record::Exit(exit) => {
            out.write_all(br#""exit","code":"#)?;
            number(out, exit.code)?;
            out.write_all(br#","signal":"#)?;
            number(out, exit.signal)?;
            write!(out, r#","killed":{},"left":{}"#, exit.killed, exit.left)?;
        }
    }
    out.write_all(b"}\n")
}

fn number(out: &mut impl Write, value: Option<i32>) -> io::Result<()> {
    match value {
        Some(value) => write!(out, "{value}"),
        None => out.write_all(b"null"),
    }
}

/// Writes a JSON string and says whether something in it was not UTF-8.
fn string(out: &mut impl Write, bytes: &[u8]) -> io::Result<bool> {
    let mut lossy = false;
    out.write_all(b"\"")?;
    for chunk in bytes.utf8_chunks() {
        escaped(out, chunk.valid().as_bytes())?;
        if !chunk.invalid().is_empty() {
            lossy = true;
            out.write_all("\u{FFFD}".as_bytes())?;
        }
    }
    out.write_all(b"\"")?;
    Ok(lossy)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn escaped(out: &mut impl Write, mut text: &[u8]) -> io::Result<()> {
    while let Some(at) = text.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, rest) = text.split_at(at);
        out.write_all(plain)?;
        match rest[0] {
            b'"' => out.write_all(br#"\""#)?,
            b'\\' => out.write_all(br"\\")?,
            b'\n' => out.write_all(br"\n")?,
            b'\r' => out.write_all(br"\r")?,
            b'\t' => out.write_all(br"\t")?,
            control => {
                let [high, low] = [control >> 4, control & 15].map(|digit| HEX[usize::from(digit)]);
                out.write_all(&[b'\\', b'u', b'0', b'0', high, low])?;
            }
        }
        text = &rest[1..];
    }
    out.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Entry, EntryKind, Line, decode};

    fn read_back(record: &Record) -> EntryKind {
        let mut line = Vec::new();
        write(&mut line, 7, -3, record).unwrap();
        assert_eq!(line.iter().filter(|&&b| b == b'\n').count(), 1);
        let Entry { n, at_us, kind } = decode(&line).unwrap();
        assert_eq!((n, at_us), (7, -3));
        kind
    }

    #[test]
    fn every_character_survives() {
        let all: String =
            (0..=0x2ff).filter_map(char::from_u32).chain("\u{2028}🦀".chars()).collect();
        let kind = read_back(&Record::In(all.as_bytes()));
        assert_eq!(kind, EntryKind::In(all));
    }

    #[test]
    fn what_is_not_utf8_is_replaced_and_marked() {
        let text = Text { bytes: b"a\xff\0\xe2\x82b", cut: Some(99) };
        let kind = read_back(&Record::Output(Stream::Err, text));
        let line = "a\u{FFFD}\0\u{FFFD}b".to_owned();
        assert_eq!(kind, EntryKind::Err(Line { line, cut: Some(99), lossy: true }));
    }

    #[test]
    fn a_cut_anywhere_is_torn_never_something_else() {
        let mut line = Vec::new();
        let exit = Exit { code: Some(3), signal: None, killed: 2, left: 0 };
        write(&mut line, 1, 1, &Record::Exit(exit)).unwrap();
        for end in 0..line.len() - 1 {
            assert_eq!(decode(&line[..end]), None, "{}", String::from_utf8_lossy(&line[..end]));
        }
        assert_eq!(read_back(&Record::Exit(exit)), EntryKind::Exit(exit));
    }
}
