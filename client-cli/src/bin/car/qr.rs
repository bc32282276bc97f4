//! A QR code as text, two rows of it in a line, small enough for a terminal of 80 columns.

use std::io;

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

use crate::failure::Failure;

/// The text as a QR code. With colours it is black on white on every terminal; without, the light
/// parts are drawn, as is right on a dark one.
pub(crate) fn drawn(text: &str, colour: bool) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(io::Error::other)?;
    let mut renderer = code.render::<Dense1x2>();
    if colour {
        let plain = renderer.build();
        let lines = plain.lines().map(|line| format!("\x1b[30;107m{line}\x1b[0m\n"));
        return Ok(lines.collect());
    }
    Ok(renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

#[cfg(test)]
mod tests {
    use qrcode::Color;

    use super::*;

    const LINK: &str =
        "https://workstation-of-somebody.tail1234.ts.net/pair#AAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn it_fits_a_terminal_and_every_module_is_there() {
        let code = QrCode::with_error_correction_level(LINK, EcLevel::L).unwrap();
        let (width, quiet) = (code.width(), 4);
        let drawn = drawn(LINK, false).unwrap();
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        assert!(lines.iter().all(|line| line.len() == width + 2 * quiet));
        assert!(lines[0].len() <= 60, "{} columns", lines[0].len());
        // Light parts are drawn.
        let light = |x: usize, y: usize| match (lines[(y + quiet) / 2][x + quiet], (y + quiet) % 2)
        {
            ('█', _) | ('▀', 0) | ('▄', 1) => true,
            (' ' | '▀' | '▄', _) => false,
            (other, _) => panic!("{other:?}"),
        };
        for y in 0..width {
            for x in 0..width {
                assert_eq!(light(x, y), code[(x, y)] == Color::Light, "{x},{y}");
            }
        }
        let coloured = super::drawn(LINK, true).unwrap();
        assert!(
            coloured
                .lines()
                .all(|line| line.starts_with("\x1b[30;107m") && line.ends_with("\x1b[0m"))
        );
    }
}
