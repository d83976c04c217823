//! The recovery sheet: one page that holds a key, to be printed and filed.
//!
//! It shows the 64 digits, a QR code of them, what the key belongs to, and what to do with it. It
//! is an SVG image of the size of the paper, in black and white, with generic fonts only: no place
//! on it depends on how wide a font runs. The QR code holds the digits in upper case, as text that
//! [`key_text::parse`] reads.

use bulla::Key;
use zeroize::Zeroizing;

use crate::key_text::{self, DIGITS};

// Floors: a module uses only those above it in this list.
mod canvas;
mod qr;

use canvas::{Anchor, Canvas, Font};
use qr::Qr;

/// Bytes in the longest sheet. It is reserved at once, so that no growing leaves a copy behind.
const MAX_LEN: usize = 32 * 1024;
/// Characters of a text from outside that are shown; a longer one loses its middle.
const MAX_TEXT: usize = 40;
/// Lines of [`SheetInfo::instructions`] that are shown, and characters of each.
const MAX_LINES: usize = 6;
const MAX_LINE: usize = 52;
/// Bytes of a container's salt that are shown as its id.
const ID_LEN: usize = 8;

/// A sheet of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// 210 by 297 mm (ISO 216).
    #[default]
    A4,
    /// 8.5 by 11 inches (ANSI Y14.1).
    Letter,
}

impl Paper {
    /// Width and height in millimetres.
    const fn size(self) -> (f32, f32) {
        match self {
            Paper::A4 => (210.0, 297.0),
            Paper::Letter => (215.9, 279.4),
        }
    }
}

/// What a sheet says besides the key. Nothing of it is secret.
///
/// Whatever is left out becomes a line to be filled in by hand, or, as for
/// [`instructions`](SheetInfo::instructions), is what the command `bulla` needs. Texts may hold any
/// character; long ones lose their middle.
#[derive(Clone, Debug, Default)]
pub struct SheetInfo<'a> {
    paper: Paper,
    date: Option<&'a str>,
    container: Option<(&'a str, [u8; ID_LEN])>,
    instructions: Option<&'a [&'a str]>,
}

impl<'a> SheetInfo<'a> {
    /// A sheet of A4 that has everything but the key filled in by hand.
    pub fn new() -> SheetInfo<'a> {
        SheetInfo::default()
    }

    /// The paper to print on.
    pub fn paper(mut self, paper: Paper) -> SheetInfo<'a> {
        self.paper = paper;
        self
    }

    /// The day on which the sheet is made, as its reader would write it.
    pub fn date(mut self, date: &'a str) -> SheetInfo<'a> {
        self.date = Some(date);
        self
    }

    /// The container that the key belongs to: its name, and the salt of its
    /// [header](bulla::Header), whose first 8 bytes are shown as its id.
    pub fn container(mut self, name: &'a str, salt: &[u8; 32]) -> SheetInfo<'a> {
        self.container = Some((name, std::array::from_fn(|i| salt[i])));
        self
    }

    /// How to restore with the key, where that is not by the command `bulla`: at most 6 lines of at
    /// most 52 characters.
    pub fn instructions(mut self, lines: &'a [&'a str]) -> SheetInfo<'a> {
        self.instructions = Some(lines);
        self
    }
}

/// The sheet as an SVG document.
///
/// This exposes the key. The document is wiped when dropped, and so is what is needed to draw it,
/// except for what the QR encoder leaves on the stack while it works; whoever copies the document
/// must wipe the copy.
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
    // All places are on A4; Letter is wider by this at either side, and the page ends earlier.
    page.shift((width - Paper::A4.size().0) / 2.0);
    head(&mut page);
    facts(&mut page, info);
    digits(&mut page, key);
    code(&mut page, key);
    advice(&mut page, info);
    foot(&mut page, height);
    page.finish()
}

/// Edges of what is printed, in millimetres on A4.
const LEFT: f32 = 22.0;
const RIGHT: f32 = 188.0;

const TITLE: Font = Font::sans(9.5).bold();
const HEADING: Font = Font::sans(4.4).bold();
const BODY: Font = Font::sans(3.9);
const SMALL: Font = Font::sans(3.2);
const COMMAND: Font = Font::mono(3.7);
const DIGIT: Font = Font::mono(9.0);

fn head(page: &mut Canvas) {
    page.text(LEFT, 29.0, TITLE, Anchor::Start, "Recovery key");
    page.text(
        LEFT,
        37.0,
        BODY,
        Anchor::Start,
        "This page opens your encrypted backup. Keep it as you would keep a passport.",
    );
    page.line(LEFT, 42.0, RIGHT, 0.6);
}

/// What the key belongs to, since when, and a line for whatever a person wants to add.
fn facts(page: &mut Canvas, info: &SheetInfo) {
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
            row("For", Some(&shortened(name, MAX_TEXT)));
            row("Its id", Some(&id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
        }
        None => row("For", None),
    }
    row("Printed", info.date.map(|date| shortened(date, MAX_TEXT)).as_deref());
    row("Note", None);
    if info.container.is_none() {
        // Room for more.
        row("", None);
    }
}

/// The 64 digits: 4 rows of 4 groups. The groups are numbered as the message counts that says which
/// digit was mistyped.
fn digits(page: &mut Canvas, key: &Key) {
    const TOP: f32 = 97.0;
    const ROW: f32 = 18.0;
    const COLUMN: f32 = 41.5;
    /// Digits of 9 mm take 0.6 of that in nearly every monospaced font; those that are wider or
    /// narrower are set so.
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

/// Edge of the QR code with its margin, and where it stands.
const CODE_SIDE: f32 = 60.0;
const CODE_TOP: f32 = 180.0;

fn code(page: &mut Canvas, key: &Key) {
    let text = key_text::format(key);
    let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
    digits.extend(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()));
    let qr = Qr::new(&digits);
    // Its margin reaches beyond what is printed, so that its modules stand flush with the text.
    let margin = CODE_SIDE * qr::MARGIN as f32 / qr.side() as f32;
    page.modules(LEFT - margin, CODE_TOP - margin, CODE_SIDE, &qr);
    page.text(
        LEFT,
        CODE_TOP + CODE_SIDE - 2.0 * margin + 5.5,
        SMALL,
        Anchor::Start,
        "The same digits, to be scanned",
    );
}

/// What to do with the page, in two sentences.
fn advice(page: &mut Canvas, info: &SheetInfo) {
    const X: f32 = LEFT + 59.0;
    let mut y = CODE_TOP + 3.3;
    let mut line = |font: Font, indent: f32, step: f32, text: &str| {
        page.text(X + indent, y, font, Anchor::Start, text);
        y += step;
    };
    line(HEADING, 0.0, 6.4, "Keep it");
    line(BODY, 0.0, 5.2, "Keep this page apart from the backup, where it is safe");
    line(BODY, 0.0, 5.2, "from fire and from strangers: who holds both can read");
    line(BODY, 0.0, 9.6, "everything, and without the key nobody ever can.");
    line(HEADING, 0.0, 6.4, "Use it");
    if let Some(lines) = info.instructions {
        for text in lines.iter().take(MAX_LINES) {
            line(BODY, 0.0, 5.2, &shortened(text, MAX_LINE));
        }
        return;
    }
    line(BODY, 0.0, 5.8, "Get bulla from the address below, run");
    line(COMMAND, 3.0, 5.8, "bulla restore BACKUP -C DIRECTORY");
    line(BODY, 0.0, 5.2, "(for a single sealed file: bulla open FILE), and type the");
    line(BODY, 0.0, 5.2, "digits when it asks for the key; spaces and capitals do");
    line(BODY, 0.0, 5.2, "not matter.");
}

fn foot(page: &mut Canvas, height: f32) {
    let y = height - 20.0;
    page.line(LEFT, y - 6.0, RIGHT, 0.25);
    page.text(LEFT, y, SMALL, Anchor::Start, concat!("bulla ", env!("CARGO_PKG_VERSION")));
    page.text(RIGHT, y, SMALL, Anchor::End, env!("CARGO_PKG_REPOSITORY"));
}

/// A text of at most `max` characters, without its middle if it is longer.
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
    fn longest_sheet_fits_in_what_is_reserved() {
        // Six bytes for each character: `&quot;`.
        let long = "\"".repeat(1000);
        let lines = [long.as_str(); 10];
        for byte in (0..=255).step_by(17) {
            let key = Key::from_bytes(&[byte; 32]);
            let info =
                SheetInfo::new().date(&long).container(&long, &[0xFF; 32]).instructions(&lines);
            let svg = svg(&key, &info);
            assert_eq!(svg.capacity(), MAX_LEN, "it never grew");
        }
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shortened("abcdefgh", 8), "abcdefgh");
        assert_eq!(shortened("abcdefgh", 7), "abc\u{2026}fgh");
        assert_eq!(shortened("äöüäöü", 4), "ä\u{2026}öü");
    }
}
