//! The recovery sheet: a printable page with a key.
//!
//! The sheet shows the 64 digits, the same digits as a QR code, the backup that the key belongs to,
//! and instructions for restoring it. It is a black-and-white SVG image the size of the paper. The
//! fonts are generic, and the layout does not depend on their character widths. The QR code encodes
//! the digits in upper case, as text that [`key_text::parse`] accepts.

use bulla::Key;
use zeroize::Zeroizing;

use crate::key_text::{self, DIGITS};

// Modules are listed in dependency order: each imports only from those above it.
mod qr;
mod canvas;

use canvas::{Anchor, Canvas, Font};
use qr::Qr;

/// A paper size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// 210 by 297 mm (ISO 216).
    #[default]
    A4,
    /// 8.5 by 11 inches (ANSI Y14.1).
    Letter,
}

impl Paper {
    /// Returns the width and height, in millimetres.
    const fn size(self) -> (f32, f32) {
        match self {
            Paper::A4 => (210.0, 297.0),
            Paper::Letter => (215.9, 279.4),
        }
    }
}

/// The public information on a sheet.
///
/// A field that is not set becomes a blank line to fill in by hand. Without
/// [`instructions`](SheetInfo::instructions), the sheet explains how to restore with the `bulla`
/// command. Texts may contain any character. Long texts are shortened in the middle.
#[derive(Clone, Debug, Default)]
pub struct SheetInfo<'a> {
    paper: Paper,
    date: Option<&'a str>,
    container: Option<(&'a str, [u8; ID_LEN])>,
    instructions: Option<&'a [&'a str]>,
}

impl<'a> SheetInfo<'a> {
    /// Creates the information for an A4 sheet with all fields blank.
    pub fn new() -> SheetInfo<'a> {
        SheetInfo::default()
    }

    /// Sets the paper size.
    pub fn paper(mut self, paper: Paper) -> SheetInfo<'a> {
        self.paper = paper;
        self
    }

    /// Sets the date to print, as text.
    pub fn date(mut self, date: &'a str) -> SheetInfo<'a> {
        self.date = Some(date);
        self
    }

    /// Sets the name and ID of the container that the key belongs to. `salt` is the salt from the
    /// container's [header](bulla::Header), and its first 8 bytes are shown as the ID.
    pub fn container(mut self, name: &'a str, salt: &[u8; 32]) -> SheetInfo<'a> {
        self.container = Some((name, std::array::from_fn(|i| salt[i])));
        self
    }

    /// Sets the restore instructions. The default describes the `bulla` command. Other software has
    /// to set its own. A sheet has room for 6 lines of 52 characters.
    pub fn instructions(mut self, lines: &'a [&'a str]) -> SheetInfo<'a> {
        self.instructions = Some(lines);
        self
    }
}

/// Draws the sheet as an SVG document.
///
/// This exposes the key. The document and all intermediate copies of the key are wiped on drop,
/// except for the QR encoder's stack temporaries. The caller must wipe any copies of the document.
///
/// ```
/// use bulla_key::sheet::{self, Paper, SheetInfo};
///
/// let key = bulla::Key::from_bytes(&[0x5A; 32]);
/// let svg = sheet::svg(&key, &SheetInfo::new().paper(Paper::Letter).date("25 November 2026"));
/// assert!(svg.starts_with("<?xml") && svg.contains(">5a5a</text>"));
/// ```
pub fn svg(key: &Key, info: &SheetInfo) -> Zeroizing<String> {
    let (width, height) = info.paper.size();
    let mut page = Canvas::new(width, height, MAX_LEN);
    // All positions are for A4. A Letter page is wider by this much on each side.
    page.shift((width - Paper::A4.size().0) / 2.0);
    draw_title(&mut page);
    draw_fields(&mut page, info);
    draw_digits(&mut page, key);
    draw_code(&mut page, key);
    draw_instructions(&mut page, info);
    draw_footer(&mut page, height);
    page.finish()
}

/// Maximum length of a sheet, in bytes. The full capacity is reserved from the start, because
/// growing the buffer would leave an unwiped copy behind.
const MAX_LEN: usize = 32 * 1024;
/// Maximum length of a caller's text, in characters. A longer text is shortened in the middle.
const MAX_TEXT: usize = 40;
/// Maximum number of lines shown of [`SheetInfo::instructions`].
const MAX_LINES: usize = 6;
/// Maximum length of an instruction line, in characters.
const MAX_LINE: usize = 52;
/// Number of bytes of a container's salt that are shown as its ID.
const ID_LEN: usize = 8;

/// Left and right edges of the printed area, in millimetres on A4.
const LEFT: f32 = 22.0;
const RIGHT: f32 = 188.0;

const TITLE: Font = Font::sans(9.5).bold();
const HEADING: Font = Font::sans(4.4).bold();
const BODY: Font = Font::sans(3.9);
const SMALL: Font = Font::sans(3.2);
const COMMAND: Font = Font::mono(3.7);
const DIGIT: Font = Font::mono(9.0);

fn draw_title(page: &mut Canvas) {
    page.text(LEFT, 29.0, TITLE, Anchor::Start, "Recovery key");
    page.text(
        LEFT,
        37.0,
        BODY,
        Anchor::Start,
        "This page opens your encrypted backup. Protect it like a passport.",
    );
    page.line(LEFT, 42.0, RIGHT, 0.6);
}

/// Draws the backup's name and ID, the date, and a blank line for notes.
fn draw_fields(page: &mut Canvas, info: &SheetInfo) {
    const VALUE: f32 = LEFT + 22.0;
    let mut y = 51.0;
    let mut row = |name: &str, value: Option<&str>| {
        page.text(LEFT, y, BODY, Anchor::Start, name);
        match value {
            Some(value) => page.text(VALUE, y, BODY.bold(), Anchor::Start, value),
            None => page.line(VALUE, y + 1.0, RIGHT, 0.25),
        }
        y += 9.0;
    };
    match &info.container {
        Some((name, id)) => {
            row("Backup", Some(&shortened(name, MAX_TEXT)));
            row(
                "Backup ID",
                Some(&id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            );
        }
        None => row("Backup", None),
    }
    row("Printed", info.date.map(|date| shortened(date, MAX_TEXT)).as_deref());
    row("Notes", None);
    if info.container.is_none() {
        // Fill the space that the ID would take.
        row("", None);
    }
}

/// Draws the 64 digits in 4 rows of 4 groups. The groups are numbered as in
/// [`Mistake`](crate::typing::Mistake).
fn draw_digits(page: &mut Canvas, key: &Key) {
    const TOP: f32 = 97.0;
    const ROW: f32 = 18.0;
    const COLUMN: f32 = 41.5;
    /// The width of a group. In nearly every monospaced font, the width of a digit is 0.6 times the
    /// font size of 9 mm. Other fonts are stretched or compressed to this width.
    const GROUP_WIDTH: f32 = 4.0 * 0.6 * 9.0;

    page.text(LEFT, TOP - 4.0, HEADING, Anchor::Start, "The key: 64 digits, 0 to 9 and a to f");
    page.frame(LEFT, TOP, RIGHT - LEFT, 4.0 * ROW, 0.5);
    let text = key_text::format(key);
    for (number, group) in text.split_whitespace().enumerate() {
        let (row, column) = ((number / 4) as f32, (number % 4) as f32);
        let (x, y) = (LEFT + column * COLUMN, TOP + row * ROW);
        if column == 0.0 && row > 0.0 {
            page.line(LEFT, y, RIGHT, 0.2);
        }
        page.text(x + 8.5, y + 12.0, SMALL, Anchor::End, &(number + 1).to_string());
        page.spaced(x + 11.5, y + 12.0, DIGIT, GROUP_WIDTH, group);
    }
}

/// Side length of the QR code, including its margin.
const CODE_SIDE: f32 = 60.0;
/// Top of the QR code's modules.
const CODE_TOP: f32 = 180.0;

fn draw_code(page: &mut Canvas, key: &Key) {
    let text = key_text::format(key);
    let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
    digits.extend(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()));
    let qr = Qr::new(&digits);
    // The margin extends beyond the printed area, so that the modules align with the text.
    let margin = CODE_SIDE * qr::MARGIN as f32 / qr.side() as f32;
    page.modules(LEFT - margin, CODE_TOP - margin, CODE_SIDE, &qr);
    page.text(
        LEFT,
        CODE_TOP + CODE_SIDE - 2.0 * margin + 5.5,
        SMALL,
        Anchor::Start,
        "The same digits as a QR code",
    );
}

/// Draws the instructions for keeping the page and for restoring with it.
fn draw_instructions(page: &mut Canvas, info: &SheetInfo) {
    const X: f32 = LEFT + 59.0;
    let mut y = CODE_TOP + 3.3;
    let mut line = |font: Font, indent: f32, step: f32, text: &str| {
        page.text(X + indent, y, font, Anchor::Start, text);
        y += step;
    };
    line(HEADING, 0.0, 6.4, "Keep this page safe");
    line(BODY, 0.0, 5.2, "Store it away from the backup, protected from fire");
    line(BODY, 0.0, 5.2, "and theft. Anyone who has both can read everything.");
    line(BODY, 0.0, 9.6, "Without the key, nobody can.");
    line(HEADING, 0.0, 6.4, "Restore");
    if let Some(lines) = info.instructions {
        for text in lines.iter().take(MAX_LINES) {
            line(BODY, 0.0, 5.2, &shortened(text, MAX_LINE));
        }
        return;
    }
    line(
        BODY,
        0.0,
        5.8,
        concat!("Install bulla ", env!("CARGO_PKG_VERSION"), " or later, and run"),
    );
    line(COMMAND, 3.0, 5.8, "bulla restore BACKUP -C DIRECTORY");
    line(BODY, 0.0, 5.8, "or, for a single sealed file,");
    line(COMMAND, 3.0, 5.8, "bulla open FILE");
    line(BODY, 0.0, 5.2, "Type the digits when asked for the key. Spaces and");
    line(BODY, 0.0, 5.2, "upper or lower case do not matter.");
}

/// Draws the version and the format. The sheet shows no web address, because a printed address can
/// outlive its domain registration, and a stranger could then take it over.
fn draw_footer(page: &mut Canvas, height: f32) {
    let y = height - 20.0;
    page.line(LEFT, y - 6.0, RIGHT, 0.25);
    page.text(LEFT, y, SMALL, Anchor::Start, concat!("bulla ", env!("CARGO_PKG_VERSION")));
    page.text(RIGHT, y, SMALL, Anchor::End, "Encrypted backup, Bulla container format, version 1");
}

/// Returns the text, shortened in the middle to at most `max` characters.
fn shortened(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let (head, tail) = ((max - 1) / 2, (max - 1).div_ceil(2));
    text.chars().take(head).chain(['\u{2026}']).chain(text.chars().skip(count - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_sheet_fits_the_reserved_capacity() {
        let long = "\"".repeat(1000);
        let lines = [long.as_str(); 10];
        for byte in (0..=255).step_by(17) {
            let key = Key::from_bytes(&[byte; 32]);
            let info =
                SheetInfo::new().date(&long).container(&long, &[0xFF; 32]).instructions(&lines);
            let svg = svg(&key, &info);
            assert_eq!(svg.capacity(), MAX_LEN, "the buffer was reallocated");
        }
    }

    #[test]
    fn shortens_long_texts_in_the_middle() {
        assert_eq!(shortened("abcdefgh", 8), "abcdefgh");
        assert_eq!(shortened("abcdefgh", 7), "abc\u{2026}fgh");
        assert_eq!(shortened("äöüäöü", 4), "ä\u{2026}öü");
    }
}
