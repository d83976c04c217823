//! Reads the recovery sheet back, as a document and by scanning its QR code.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use bulla::Key;
use bulla_key::key_text;
use bulla_key::sheet::{Paper, SheetInfo, svg};
use roxmltree::{Document, Node};

fn sample_key() -> Key {
    Key::from_bytes(&std::array::from_fn(|i| i as u8 * 8 + 1))
}

fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn number(node: Node, name: &str) -> f32 {
    node.attribute(name).unwrap().trim_end_matches("mm").parse().unwrap()
}

/// Returns the QR code's modules, as drawn by the document's paths.
fn modules(svg: &str) -> Vec<Vec<bool>> {
    let document = Document::parse(svg).unwrap();
    let code = document.root_element().children().find(|node| node.has_tag_name("svg")).unwrap();
    let side: usize =
        code.attribute("viewBox").unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let mut modules = vec![vec![false; side]; side];
    let path = code.first_element_child().unwrap().attribute("d").unwrap();
    for run in path.split('M').skip(1) {
        let (position, run) = run.split_once('h').unwrap();
        let (column, row) = position.split_once(' ').unwrap();
        let (width, rest) = run.split_once('v').unwrap();
        assert_eq!(rest, format!("1h-{width}z"), "not a rectangle one module high");
        let (column, row): (usize, usize) = (column.parse().unwrap(), row.parse().unwrap());
        modules[row][column..column + width.parse::<usize>().unwrap()].fill(true);
    }
    modules
}

/// Scans the modules, and returns the text and the error correction level.
fn scan(modules: &[Vec<bool>]) -> (String, u16) {
    const SCALE: usize = 4;
    let side = modules.len() * SCALE;
    let mut picture =
        rqrr::PreparedImage::prepare_from_bitmap(side, side, |x, y| modules[y / SCALE][x / SCALE]);
    let codes = picture.detect_grids();
    assert_eq!(codes.len(), 1);
    let (found, text) = codes[0].decode().unwrap();
    (text, found.ecc_level)
}

#[test]
fn shows_all_groups_in_order() {
    let sheet = svg(&sample_key(), &SheetInfo::new());
    let shown = key_text::format(&sample_key());
    let groups: Vec<&str> = shown.split_whitespace().collect();
    let texts = texts(&sheet);
    let shown_groups: Vec<&str> =
        texts.iter().map(String::as_str).filter(|text| groups.contains(text)).collect();
    assert_eq!(shown_groups, groups);
    for (number, group) in (1..=16).zip(&groups) {
        let position = texts.iter().position(|text| text == group).unwrap();
        assert_eq!(texts[position - 1], number.to_string(), "the number before each group");
    }
}

#[test]
fn qr_code_contains_the_key() {
    /// Level Q in a QR code's format information (ISO/IEC 18004, table 12).
    const QUARTILE: u16 = 3;
    let keys = (0..=255).step_by(51).map(|byte| Key::from_bytes(&[byte; 32])).chain([sample_key()]);
    for key in keys {
        let (text, level) = scan(&modules(&svg(&key, &SheetInfo::new())));
        assert_eq!(text.len(), key_text::DIGITS);
        assert!(text.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c)));
        assert_eq!(key_text::parse(&text).unwrap().expose(), key.expose());
        assert_eq!(level, QUARTILE);
    }
}

/// Part of the code is covered by a dark stain.
#[test]
fn qr_code_survives_a_stain() {
    let mut stained = modules(&svg(&sample_key(), &SheetInfo::new()));
    for row in &mut stained[22..28] {
        row[22..28].fill(true);
    }
    assert_eq!(key_text::parse(&scan(&stained).0).unwrap().expose(), sample_key().expose());
}

#[test]
fn qr_code_has_its_margin() {
    let modules = modules(&svg(&sample_key(), &SheetInfo::new()));
    let side = modules.len();
    for (row, modules) in modules.iter().enumerate() {
        for (column, dark) in modules.iter().enumerate() {
            let inside = |position: usize| (4..side - 4).contains(&position);
            assert!(!dark || inside(row) && inside(column), "{row} {column}");
        }
    }
}

/// The outer 10 mm stay blank on both paper sizes, because most printers cannot reach them.
#[test]
fn leaves_a_margin_on_the_page() {
    for (paper, width, height) in [(Paper::A4, 210.0, 297.0), (Paper::Letter, 215.9, 279.4)] {
        let sheet = svg(&sample_key(), &SheetInfo::new().paper(paper));
        let document = Document::parse(&sheet).unwrap();
        let root = document.root_element();
        assert_eq!((number(root, "width"), number(root, "height")), (width, height));
        assert_eq!(root.attribute("viewBox"), Some(format!("0 0 {width} {height}").as_str()));
        let mut placed = 0;
        for node in root.children().filter(|node| node.has_attribute("x")) {
            let (x, y) = (number(node, "x"), number(node, "y"));
            let extent =
                |name| node.attribute(name).map_or(0.0, |value| value.parse::<f32>().unwrap());
            assert!(x >= 10.0 && x + extent("width") <= width - 10.0, "{node:?}");
            assert!(y >= 10.0 && y + extent("height") <= height - 10.0, "{node:?}");
            placed += 1;
        }
        assert!(placed > 40, "{placed}");
    }
}

#[test]
fn shows_container_id_and_date() {
    let info = SheetInfo::new().container("photos.bulla", &[0xA7; 32]).date("25 November 2026");
    let texts = texts(&svg(&sample_key(), &info));
    for value in ["photos.bulla", "a7a7a7a7a7a7a7a7", "25 November 2026"] {
        assert!(texts.iter().any(|text| text == value), "{value}");
    }
}

/// A printed web address could be taken over by a stranger.
#[test]
fn shows_no_web_address() {
    let sheet = svg(&sample_key(), &SheetInfo::new().container("photos.bulla", &[0xA7; 32]));
    let texts = texts(&sheet);
    assert!(texts.iter().any(|text| text.contains("bulla restore")));
    for text in texts {
        let shows_address = ["://", "www.", ".com", ".org"].iter().any(|part| text.contains(part));
        assert!(!shows_address, "{text}");
    }
}

#[test]
fn shows_custom_instructions() {
    let sheet =
        svg(&sample_key(), &SheetInfo::new().instructions(&["Open Chats, and tap Restore."]));
    let texts = texts(&sheet);
    assert!(texts.iter().any(|text| text == "Open Chats, and tap Restore."));
    assert!(!texts.iter().any(|text| text.contains("bulla restore")));
}

/// Names are untrusted and must not inject markup.
#[test]
fn escapes_names() {
    for (name, shown) in [
        ("a</text><script>x</script>", "a</text><script>x</script>"),
        ("&amp; \"q\" 'q' <", "&amp; \"q\" 'q' <"),
        ("a\0\u{1b}[2J\n\u{FFFF}", "a\u{FFFD}\u{FFFD}[2J\u{FFFD}\u{FFFD}"),
        ("größe 備份", "größe 備份"),
    ] {
        let sheet = svg(&sample_key(), &SheetInfo::new().container(name, &[0; 32]).date(name));
        assert_eq!(texts(&sheet).iter().filter(|text| *text == shown).count(), 2, "{name:?}");
    }
}

#[test]
fn debug_output_contains_no_key() {
    let info = SheetInfo::new().container("photos.bulla", &[0xA7; 32]);
    svg(&sample_key(), &info);
    let shown = format!("{info:?}");
    let digits = key_text::format(&sample_key());
    assert!(digits.split_whitespace().all(|group| !shown.contains(group)), "{shown}");
}
