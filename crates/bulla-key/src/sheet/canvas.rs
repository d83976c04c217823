//! Draws an SVG document with positions in millimetres, in memory that is wiped on drop.

use std::fmt::Write;

use zeroize::Zeroizing;

use super::qr::Qr;

/// A font. Its size is in millimetres.
#[derive(Clone, Copy)]
pub(super) struct Font {
    family: &'static str,
    size: f32,
    bold: bool,
}

impl Font {
    pub(super) const fn sans(size: f32) -> Font {
        Font { family: "sans-serif", size, bold: false }
    }

    pub(super) const fn mono(size: f32) -> Font {
        Font { family: "monospace", size, bold: false }
    }

    pub(super) const fn bold(self) -> Font {
        Font { bold: true, ..self }
    }
}

/// The end of a text element that its position refers to.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    End,
}

/// A page to draw on.
pub(super) struct Canvas {
    svg: Zeroizing<String>,
    shift: f32,
}

impl Canvas {
    /// Creates a white page. `capacity` is in bytes.
    pub(super) fn new(width: f32, height: f32, capacity: usize) -> Canvas {
        let mut canvas =
            Canvas { svg: Zeroizing::new(String::with_capacity(capacity)), shift: 0.0 };
        canvas.write(format_args!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
             viewBox=\"0 0 {width} {height}\">\n\
             <style>@page {{ size: {width}mm {height}mm; margin: 0 }}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
        ));
        canvas
    }

    /// Shifts everything drawn from now on to the right by `by` millimetres.
    pub(super) fn shift(&mut self, by: f32) {
        self.shift = by;
    }

    /// Draws a line of text.
    pub(super) fn text(&mut self, x: f32, y: f32, font: Font, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.open_text(x, y, font);
        self.write(format_args!("{anchor}>"));
        self.close_text(text);
    }

    /// Draws a line of text, stretched or compressed to `width`.
    pub(super) fn spaced(&mut self, x: f32, y: f32, font: Font, width: f32, text: &str) {
        self.open_text(x, y, font);
        self.write(format_args!(" textLength=\"{width:.2}\">"));
        self.close_text(text);
    }

    /// Draws a horizontal line from `x` to `to`.
    pub(super) fn line(&mut self, x: f32, y: f32, to: f32, thickness: f32) {
        let (x, to) = (x + self.shift, to + self.shift);
        self.write(format_args!(
            "<path d=\"M{x:.2} {y:.2}H{to:.2}\" stroke=\"black\" stroke-width=\"{thickness}\"/>\n"
        ));
    }

    /// Draws the outline of a rectangle.
    pub(super) fn frame(&mut self, x: f32, y: f32, width: f32, height: f32, thickness: f32) {
        let x = x + self.shift;
        self.write(format_args!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
             fill=\"none\" stroke=\"black\" stroke-width=\"{thickness}\"/>\n"
        ));
    }

    /// Draws a QR code with its margin, as a path with one rectangle per horizontal run of dark
    /// modules.
    pub(super) fn modules(&mut self, x: f32, y: f32, side: f32, qr: &Qr) {
        let x = x + self.shift;
        let modules = qr.side();
        self.write(format_args!(
            "<svg x=\"{x:.2}\" y=\"{y:.2}\" width=\"{side:.2}\" height=\"{side:.2}\" \
             viewBox=\"0 0 {modules} {modules}\" shape-rendering=\"crispEdges\">\n<path d=\""
        ));
        for row in 0..modules {
            let mut column = 0;
            while column < modules {
                let dark =
                    (column..modules).take_while(|column| qr.is_dark(*column, row)).count() as u16;
                if dark > 0 {
                    self.write(format_args!("M{column} {row}h{dark}v1h-{dark}z"));
                }
                column += dark + 1;
            }
        }
        self.svg.push_str("\"/>\n</svg>\n");
    }

    /// Returns the complete document.
    pub(super) fn finish(mut self) -> Zeroizing<String> {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn open_text(&mut self, x: f32, y: f32, Font { family, size, bold }: Font) {
        let x = x + self.shift;
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        self.write(format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-family=\"{family}\" font-size=\"{size}\"{weight}"
        ));
    }

    fn close_text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.svg.push_str("&amp;"),
                '<' => self.svg.push_str("&lt;"),
                '>' => self.svg.push_str("&gt;"),
                // Some of these characters are not allowed in XML (XML 1.0, section 2.2), and none
                // of them can be printed.
                c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {
                    self.svg.push('\u{FFFD}')
                }
                c => self.svg.push(c),
            }
        }
        self.svg.push_str("</text>\n");
    }

    fn write(&mut self, text: std::fmt::Arguments) {
        // Writing to a `String` never fails.
        let _ = self.svg.write_fmt(text);
    }
}
