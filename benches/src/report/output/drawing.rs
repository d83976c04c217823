//! Draws line charts and bar charts as SVG, on a light card that is also readable on dark pages.

use svg::node::element::{Circle, Line as Stroke, Polyline, Rectangle, Text};
use svg::{Document, Node};

/// A line chart.
pub(crate) struct LineChart<'a> {
    pub(crate) title: &'a str,
    /// The conditions of the measurement.
    pub(crate) caption: &'a str,
    pub(crate) x: Axis<'a>,
    pub(crate) y: Axis<'a>,
    pub(crate) lines: Vec<Line<'a>>,
}

/// An axis, from its first tick to its last.
pub(crate) struct Axis<'a> {
    /// The quantity and its unit.
    pub(crate) label: &'a str,
    /// Whether the scale is logarithmic.
    pub(crate) log: bool,
    /// Values and their labels, in ascending order.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// A series in a line chart.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether the series is a bound rather than a measurement of bulla. Bounds are dashed.
    pub(crate) bound: bool,
}

/// A chart of horizontal bars.
pub(crate) struct BarChart<'a> {
    pub(crate) title: &'a str,
    pub(crate) caption: &'a str,
    /// The quantity and its unit.
    pub(crate) label: &'a str,
    pub(crate) bars: Vec<Bar>,
}

/// A bar with its name to the left and a note to the right.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) note: String,
    /// Whether the bar is bulla's, which has its own colour.
    pub(crate) ours: bool,
}

const WIDTH: f64 = 820.0;
const MARGIN: f64 = 24.0;
const CARD: &str = "#fbfaf7";
const INK: &str = "#24292f";
const SOFT: &str = "#57606a";
const GRID: &str = "#d8dee4";
/// Colours of series, which readers with colour vision deficiency can also distinguish.
const COLOURS: [&str; 4] = ["#b5451b", "#0b6e99", "#8a6d00", "#7d4e9e"];
/// Colours of bounds.
const BOUND_COLOURS: [&str; 2] = ["#2f363d", "#8c959f"];

impl LineChart<'_> {
    /// Returns the chart as an SVG document.
    pub(crate) fn draw(&self) -> String {
        const HEIGHT: f64 = 430.0;
        let mut picture = Picture::new(HEIGHT, self.title, self.caption);
        let top = self.legend(&mut picture) + 16.0;
        let (left, right, bottom) = (MARGIN + 62.0, WIDTH - MARGIN - 24.0, HEIGHT - MARGIN - 42.0);

        for (value, label) in &self.x.ticks {
            let x = self.x.position(*value, left, right);
            picture.stroke((x, top), (x, bottom), GRID);
            picture.text((x, bottom + 18.0), label, Style { anchor: "middle", ..SMALL });
        }
        for (value, label) in &self.y.ticks {
            let y = self.y.position(*value, bottom, top);
            picture.stroke((left, y), (right, y), GRID);
            picture.text((left - 8.0, y + 4.0), label, Style { anchor: "end", ..SMALL });
        }
        picture.stroke((left, bottom), (right, bottom), SOFT);
        picture.stroke((left, top), (left, bottom), SOFT);
        picture.text(
            ((left + right) / 2.0, bottom + 42.0),
            self.x.label,
            Style { anchor: "middle", ..LABEL },
        );
        let upright = Text::new(self.y.label)
            .set(
                "transform",
                format!("translate({:.1} {:.1}) rotate(-90)", MARGIN + 4.0, (top + bottom) / 2.0),
            )
            .set("text-anchor", "middle")
            .set("font-size", LABEL.size)
            .set("fill", LABEL.colour);
        picture.0.append(upright);

        for (number, line) in self.lines.iter().enumerate() {
            let colour = self.colour(number);
            let positions: Vec<(f64, f64)> = line
                .points
                .iter()
                .map(|(x, y)| (self.x.position(*x, left, right), self.y.position(*y, bottom, top)))
                .collect();
            let points: Vec<String> =
                positions.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let drawn = Polyline::new()
                .set("points", points.join(" "))
                .set("fill", "none")
                .set("stroke", colour)
                .set("stroke-width", 2.5)
                .set("stroke-dasharray", if line.bound { "6 5" } else { "none" });
            picture.0.append(drawn);
            for (x, y) in positions {
                picture.0.append(
                    Circle::new().set("cx", x).set("cy", y).set("r", 3.5).set("fill", colour),
                );
            }
        }
        picture.0.to_string()
    }

    /// Returns a line's colour. Charts that start with the same lines use the same colours.
    fn colour(&self, number: usize) -> &'static str {
        let bound = self.lines[number].bound;
        let before = self.lines[..number].iter().filter(|line| line.bound == bound).count();
        if bound {
            BOUND_COLOURS[before % BOUND_COLOURS.len()]
        } else {
            COLOURS[before % COLOURS.len()]
        }
    }

    /// Draws the names of the lines above the chart, in one or more rows, and returns the baseline
    /// of the last row.
    fn legend(&self, picture: &mut Picture) -> f64 {
        let (mut x, mut y) = (MARGIN, 84.0);
        for (number, line) in self.lines.iter().enumerate() {
            let width = 34.0 + 7.2 * line.name.chars().count() as f64 + 22.0;
            if x + width > WIDTH - MARGIN {
                (x, y) = (MARGIN, y + 22.0);
            }
            let sample = Stroke::new()
                .set("x1", x)
                .set("y1", y - 4.0)
                .set("x2", x + 28.0)
                .set("y2", y - 4.0)
                .set("stroke", self.colour(number))
                .set("stroke-width", 2.5)
                .set("stroke-dasharray", if line.bound { "6 5" } else { "none" });
            picture.0.append(sample);
            picture.text((x + 34.0, y), line.name, LABEL);
            x += width;
        }
        y
    }
}

impl BarChart<'_> {
    /// Returns the chart as an SVG document.
    pub(crate) fn draw(&self) -> String {
        const STEP: f64 = 34.0;
        const TOP: f64 = 82.0;
        let bottom = TOP + STEP * self.bars.len() as f64;
        let mut picture = Picture::new(bottom + 58.0, self.title, self.caption);
        let longest = self.bars.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0);
        // Leave room for the names on the left and the notes on the right.
        let left = MARGIN + 7.0 * longest as f64 + 10.0;
        let notes = self.bars.iter().map(|bar| bar.note.chars().count()).max().unwrap_or(0);
        let right = (WIDTH - MARGIN - 7.0 * notes as f64 - 12.0).max(left + 120.0);
        let axis = Axis {
            label: self.label,
            log: false,
            ticks: ticks(self.bars.iter().map(|bar| bar.value)),
        };
        for (value, label) in &axis.ticks {
            let x = axis.position(*value, left, right);
            picture.stroke((x, TOP), (x, bottom), GRID);
            picture.text((x, bottom + 18.0), label, Style { anchor: "middle", ..SMALL });
        }
        for (number, bar) in self.bars.iter().enumerate() {
            let y = TOP + STEP * number as f64;
            let end = axis.position(bar.value, left, right);
            let drawn = Rectangle::new()
                .set("x", left)
                .set("y", y + 6.0)
                .set("width", format!("{:.1}", end - left))
                .set("height", STEP - 12.0)
                .set("rx", 2)
                .set("fill", if bar.ours { COLOURS[0] } else { "#8c959f" });
            picture.0.append(drawn);
            picture.text((left - 8.0, y + 21.5), &bar.name, Style { anchor: "end", ..LABEL });
            picture.text((end + 8.0, y + 21.5), &bar.note, LABEL);
        }
        picture.stroke((left, TOP), (left, bottom), SOFT);
        picture.text(
            ((left + right) / 2.0, bottom + 42.0),
            self.label,
            Style { anchor: "middle", ..LABEL },
        );
        picture.0.to_string()
    }
}

impl Axis<'_> {
    /// Returns a value's coordinate on an axis that extends between two coordinates.
    fn position(&self, value: f64, from: f64, to: f64) -> f64 {
        let scaled = |value: f64| if self.log { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let (Some((first, _)), Some((last, _))) = (self.ticks.first(), self.ticks.last()) else {
            return from;
        };
        if first == last {
            return (from + to) / 2.0;
        }
        from + (to - from) * (scaled(value) - scaled(*first)) / (scaled(*last) - scaled(*first))
    }
}

/// Returns at most nine ticks, from zero to at least the greatest value.
pub(crate) fn ticks(values: impl Iterator<Item = f64>) -> Vec<(f64, String)> {
    let greatest = values.fold(0.0f64, f64::max).max(1e-9);
    let power = 10f64.powf(greatest.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0]
        .map(|part| part * power)
        .into_iter()
        .find(|step| greatest / step <= 7.0);
    let step = step.unwrap_or(2.0 * power);
    let count = (greatest / step).ceil() as usize;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    (0..=count)
        .map(|tick| (tick as f64 * step, format!("{:.decimals$}", tick as f64 * step)))
        .collect()
}

/// Returns ticks at the powers of ten that enclose all values.
pub(crate) fn powers_of_ten(
    values: impl Iterator<Item = f64>,
    label: impl Fn(f64) -> String,
) -> Vec<(f64, String)> {
    let (least, greatest) = values
        .fold((f64::MAX, f64::MIN_POSITIVE), |(least, greatest), value| {
            (least.min(value), greatest.max(value))
        });
    let (first, last) = (least.log10().floor() as i32, greatest.log10().ceil() as i32);
    (first..=last.max(first + 1))
        .map(|power| (10f64.powi(power), label(10f64.powi(power))))
        .collect()
}

#[derive(Clone, Copy)]
struct Style {
    size: f64,
    weight: &'static str,
    anchor: &'static str,
    colour: &'static str,
}

const TITLE: Style = Style { size: 18.0, weight: "600", anchor: "start", colour: INK };
const LABEL: Style = Style { size: 13.0, weight: "400", anchor: "start", colour: INK };
const SMALL: Style = Style { size: 12.0, weight: "400", anchor: "start", colour: SOFT };

struct Picture(Document);

impl Picture {
    /// Starts a card with a title and a caption.
    fn new(height: f64, title: &str, caption: &str) -> Picture {
        let card = Rectangle::new()
            .set("width", WIDTH - 1.0)
            .set("height", height - 1.0)
            .set("x", 0.5)
            .set("y", 0.5)
            .set("rx", 8)
            .set("fill", CARD)
            .set("stroke", GRID);
        let document = Document::new()
            .set("viewBox", (0, 0, WIDTH, height))
            .set("width", WIDTH)
            .set("height", height)
            .set("role", "img")
            .set("aria-label", title.replace('"', "'"))
            .set(
                "font-family",
                "system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif",
            )
            .add(card);
        let mut picture = Picture(document);
        picture.text((MARGIN, 34.0), title, TITLE);
        picture.text((MARGIN, 56.0), caption, SMALL);
        picture
    }

    fn text(&mut self, (x, y): (f64, f64), text: &str, style: Style) {
        let text = Text::new(text)
            .set("x", format!("{x:.1}"))
            .set("y", format!("{y:.1}"))
            .set("font-size", style.size)
            .set("font-weight", style.weight)
            .set("text-anchor", style.anchor)
            .set("fill", style.colour)
            // A halo in the card's colour keeps text readable where it crosses a grid line.
            .set("stroke", CARD)
            .set("stroke-width", 4)
            .set("paint-order", "stroke");
        self.0.append(text);
    }

    fn stroke(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
        let line = Stroke::new()
            .set("x1", format!("{x1:.1}"))
            .set("y1", format!("{y1:.1}"))
            .set("x2", format!("{x2:.1}"))
            .set("y2", format!("{y2:.1}"))
            .set("stroke", colour);
        self.0.append(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_start_at_zero_and_reach_the_greatest_value() {
        for greatest in [0.0034, 0.9, 1.0, 5.3, 47.0, 3512.0] {
            let ticks = ticks([greatest / 2.0, greatest].into_iter());
            assert_eq!(ticks[0].0, 0.0);
            assert!(ticks[ticks.len() - 1].0 >= greatest, "{greatest}");
            assert!((2..=9).contains(&ticks.len()), "{greatest}: {}", ticks.len());
        }
    }

    #[test]
    fn powers_of_ten_enclose_all_values() {
        let ticks = powers_of_ten([0.02, 30.0].into_iter(), |value| value.to_string());
        assert_eq!(
            ticks.iter().map(|(value, _)| value.log10().round()).collect::<Vec<_>>(),
            [-2.0, -1.0, 0.0, 1.0, 2.0]
        );
    }

    #[test]
    fn a_logarithmic_axis_centres_the_geometric_mean() {
        let axis = Axis {
            label: "",
            log: true,
            ticks: vec![(1.0, String::new()), (100.0, String::new())],
        };
        assert!((axis.position(10.0, 0.0, 200.0) - 100.0).abs() < 1e-9);
    }
}
