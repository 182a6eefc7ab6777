//! The timeline as an inline SVG: phases and severities as bands, containment as bars, everything else as marks on
//! lanes. Shapes carry the same meaning as colours. No script, no outside reference; places are rounded to a tenth, so
//! that the same document gives the same bytes.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};

use super::escape;
use super::marks::{self, Row};
use super::scale::Scale;
use crate::postmortem::document::{Document, Stretch};
use crate::timeline::{Entry, Lane, Tone, cut, minute, span};

const WIDTH: f64 = 1120.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 14.0;
const LANE: f64 = 28.0;
/// Width of a letter at the size of labels: an estimate on the safe side, there is no font to ask.
const LETTER: f64 = 6.6;
/// Marks nearer than this become one, in units of the drawing; more where there are many.
const NEAR: f64 = 15.0;
const NEAR_CROWDED: f64 = 32.0;
/// From here on a lane counts as crowded.
const CROWDED: usize = 60;
/// Most bars of containment; more would push the lanes off the page.
const MOST_BARS: usize = 6;

pub fn draw(document: &Document) -> String {
    let rows = marks::rows(document);
    let scale = marks::scale(document, &rows);
    if scale.segments.is_empty() {
        return String::new();
    }
    let mut figure = Figure {
        scale,
        body: String::new(),
        y: 8.0,
    };
    figure.flags(document);
    let top = figure.y;
    figure.band("phase", &document.impact.phases, 26.0);
    figure.band("severity", &document.impact.severities, 18.0);
    figure.containment(document);
    for row in &rows {
        figure.lane(row);
    }
    let bottom = figure.y;
    figure.axis(bottom);
    let height = figure.y + 4.0;
    let title = format!("Timeline of {}", document.header.number);
    let mut out = String::with_capacity(figure.body.len() + 1_024);
    let _ = write!(
        out,
        "<svg class=\"figure\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-labelledby=\"figure-title figure-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"figure-title\">{}</title>\n<desc id=\"figure-desc\">{}</desc>\n",
        escaped(&title),
        escaped(&marks::described(document, &rows)),
    );
    figure.grid(document, top, bottom, &mut out);
    out.push_str(&figure.body);
    out.push_str("</svg>");
    out
}

struct Figure {
    scale: Scale,
    body: String,
    y: f64,
}

/// A moment and where its label stands.
struct Flag {
    x: f64,
    /// Where the label ends.
    right: f64,
    /// The label stands to the left of the pole, for want of room on the right.
    turned: bool,
    /// Counted downwards; any start.
    level: i32,
    at: DateTime<Utc>,
    word: &'static str,
    event: u64,
}

impl Figure {
    fn x(&self, at: DateTime<Utc>) -> f64 {
        on_page(self.scale.place(at))
    }

    /// Moments. Each stands below those whose labels it would run through, so that no pole crosses a label.
    fn flags(&mut self, document: &Document) {
        let mut flags: Vec<Flag> = Vec::new();
        for (at, word, event) in marks::flags(document) {
            let x = self.x(at);
            let width = word.len() as f64 * LETTER + 12.0;
            let turned = x + width > WIDTH;
            let (left, right) = if turned { (x - width, x) } else { (x, x + width) };
            let near = flags
                .iter()
                .filter(|flag| flag.right > left)
                .map(|flag| flag.level);
            let level = match turned {
                true => near.min().map_or(0, |level| level - 1),
                false => near.max().map_or(0, |level| level + 1),
            };
            flags.push(Flag {
                x,
                right,
                turned,
                level,
                at,
                word,
                event,
            });
        }
        let top = flags.iter().map(|flag| flag.level).min().unwrap_or(0);
        let levels = flags.iter().map(|flag| flag.level - top + 1).max().unwrap_or(0);
        let bottom = self.y + f64::from(levels) * 16.0 + 6.0;
        for flag in &flags {
            let y = self.y + f64::from(flag.level - top) * 16.0;
            self.flag(flag, y, bottom);
        }
        self.y = bottom;
    }

    fn flag(&mut self, flag: &Flag, y: f64, bottom: f64) {
        let Flag { x, word, event, .. } = flag;
        let (anchor, shift) = if flag.turned {
            ("end", -5.0)
        } else {
            ("start", 5.0)
        };
        let _ = writeln!(
            self.body,
            "<a href=\"#e{event}\" tabindex=\"-1\"><title>{word}: {}</title><line class=\"f-pole\" x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"f-flag\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{word}</text></a>",
            minute(flag.at),
            x + shift,
            y + 11.0,
        );
    }

    fn label(&mut self, text: &str, height: f64) {
        let y = self.y + height / 2.0 + 4.0;
        let _ = writeln!(
            self.body,
            "<text class=\"f-lane\" x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 12.0
        );
    }

    fn band(&mut self, kind: &str, bands: &[Stretch], height: f64) {
        if bands.is_empty() {
            return;
        }
        self.label(kind, height);
        for band in bands {
            let (left, right) = (self.x(band.from), self.x(band.to));
            let width = (right - left).max(2.0);
            let name = escaped(&band.name);
            let told = band.name.chars().count() as f64 * LETTER + 8.0;
            let shown = match width {
                width if width >= told => name.as_str(),
                _ => "",
            };
            let open = if band.open { ", not ended" } else { "" };
            let _ = writeln!(
                self.body,
                "<g><title>{name}: {}{open}, from {}</title><rect class=\"f-{kind} f-{kind}-{name}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\" rx=\"3\"/><text class=\"f-in f-in-{name}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{shown}</text></g>",
                band.length,
                minute(band.from),
                self.y,
                left + width / 2.0,
                self.y + height / 2.0 + 4.0,
            );
        }
        self.y += height + 5.0;
    }

    fn containment(&mut self, document: &Document) {
        if document.containment.is_empty() {
            return;
        }
        self.label("contained", 16.0);
        for contained in document.containment.iter().take(MOST_BARS) {
            let Some(since) = contained.since else { continue };
            let left = self.x(since);
            let right = contained.until.map_or(WIDTH - RIGHT, |until| self.x(until));
            let name = escaped(&format!("{} {}", contained.proposal, contained.state));
            let width = (right - left).max(2.0);
            let shown = if width > name.len() as f64 * LETTER {
                name.as_str()
            } else {
                ""
            };
            let _ = writeln!(
                self.body,
                "<g><title>{}: {}</title><rect class=\"f-contained\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\" rx=\"3\"/>\
                 <text class=\"f-small\" x=\"{:.1}\" y=\"{:.1}\">{shown}</text></g>",
                name,
                escaped(&contained.title),
                self.y + 1.0,
                left + 5.0,
                self.y + 12.0,
            );
            self.y += 17.0;
        }
        self.y += 3.0;
    }

    fn lane(&mut self, row: &Row<'_>) {
        self.label(row.lane.word(), LANE);
        let middle = self.y + LANE / 2.0;
        let _ = writeln!(
            self.body,
            "<line class=\"f-line\" x1=\"{LEFT:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\"/>",
            WIDTH - RIGHT
        );
        let near = if row.marks.len() > CROWDED {
            NEAR_CROWDED
        } else {
            NEAR
        };
        for (place, cluster) in marks::clustered(&self.scale, &row.marks, near / (WIDTH - LEFT - RIGHT)) {
            mark(&mut self.body, row.lane, on_page(place), middle, &cluster);
        }
        self.y += LANE;
    }

    /// Lines behind everything: where phases begin, and where time is drawn short.
    fn grid(&self, document: &Document, top: f64, bottom: f64, out: &mut String) {
        for segment in self.scale.segments.iter().filter(|segment| segment.quiet) {
            let (left, right) = (on_page(segment.left), on_page(segment.right));
            let _ = writeln!(
                out,
                "<g><title>{} left out here: nothing was recorded</title><rect class=\"f-quiet\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/></g>",
                span(segment.to - segment.from),
                right - left,
                bottom - top + 6.0,
            );
        }
        for band in &document.impact.phases {
            let x = self.x(band.from);
            let _ = writeln!(
                out,
                "<line class=\"f-grid\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
            );
        }
    }

    fn axis(&mut self, bottom: f64) {
        let y = bottom + 4.0;
        let _ = writeln!(
            self.body,
            "<line class=\"f-axis\" x1=\"{LEFT:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>",
            WIDTH - RIGHT
        );
        let mut day = None;
        let mut free = 0.0;
        for segment in self.scale.segments.clone() {
            let (left, right) = (on_page(segment.left), on_page(segment.right));
            if segment.quiet {
                let text = roughly(segment.to - segment.from);
                let middle = (left + right) / 2.0;
                let _ = writeln!(
                    self.body,
                    "<text class=\"f-break\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">⋯ {text}</text>",
                    y + 41.0
                );
                continue;
            }
            for at in ticks(segment.from, segment.to, right - left) {
                let x = self.x(at);
                if x < free || x > WIDTH - 16.0 {
                    continue;
                }
                free = x + 44.0;
                let _ = writeln!(
                    self.body,
                    "<line class=\"f-axis\" x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/><text class=\"f-tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    y + 4.0,
                    y + 16.0,
                    at.format("%H:%M"),
                );
                if day != Some(at.date_naive()) {
                    day = Some(at.date_naive());
                    let _ = writeln!(
                        self.body,
                        "<text class=\"f-tick f-day\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                        y + 29.0,
                        at.format("%-d %b")
                    );
                }
            }
        }
        let breaks = self.scale.segments.iter().any(|segment| segment.quiet);
        self.y = y + if breaks { 46.0 } else { 34.0 };
    }
}

fn on_page(place: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * place
}

/// One mark, or a pill with the number of those it stands for.
fn mark(out: &mut String, lane: Lane, x: f64, y: f64, cluster: &[&Entry]) {
    let Some(first) = cluster.first() else { return };
    let tone = marks::worst(cluster);
    let word = tone_word(tone);
    let title = match cluster.len() {
        1 => format!(
            "#{} {} {}",
            first.event,
            minute(first.at),
            cut(&first.sentence, 160)
        ),
        several => {
            let last = cluster.last().map_or(first.at, |last| last.at);
            format!(
                "{several} {} from {} to {}, from #{} on",
                lane.word(),
                minute(first.at),
                minute(last),
                first.event
            )
        }
    };
    let _ = write!(
        out,
        "<a href=\"#e{}\" tabindex=\"-1\"><title>{}</title>",
        first.event,
        escaped(&title)
    );
    match (cluster.len(), tone) {
        (1, Tone::Good) => {
            let _ = write!(
                out,
                "<circle class=\"f-mark f-{word}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\"/>"
            );
        }
        (1, Tone::Plain) => {
            let _ = write!(
                out,
                "<circle class=\"f-mark f-{word}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"
            );
        }
        (1, Tone::Bad) => {
            let _ = write!(
                out,
                "<rect class=\"f-mark f-{word}\" x=\"{:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"1\"/>",
                x - 5.5,
                y - 5.5
            );
        }
        (1, Tone::Warn) => polygon(out, word, &[(x, y - 6.5), (x + 6.5, y + 5.0), (x - 6.5, y + 5.0)]),
        (1, Tone::Unknown) => polygon(
            out,
            word,
            &[(x, y - 6.5), (x + 6.0, y), (x, y + 6.5), (x - 6.0, y)],
        ),
        (several, _) => {
            let number = if several > 999 {
                format!("{}k", several / 1_000)
            } else {
                several.to_string()
            };
            let width = number.len() as f64 * LETTER + 8.0;
            let _ = write!(
                out,
                "<rect class=\"f-mark f-{word}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"16\" rx=\"8\"/>\
                 <text class=\"f-count f-count-{word}\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{number}</text>",
                x - width / 2.0,
                y - 8.0,
                y + 4.0,
            );
        }
    }
    out.push_str("</a>\n");
}

fn polygon(out: &mut String, word: &str, corners: &[(f64, f64)]) {
    let points: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = write!(
        out,
        "<polygon class=\"f-mark f-{word}\" points=\"{}\"/>",
        points.join(" ")
    );
}

fn tone_word(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Unknown => "unknown",
    }
}

/// The length of a break by its largest unit: there is no room for more.
fn roughly(length: TimeDelta) -> String {
    let whole = span(length);
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Round times, far enough apart for their labels.
fn ticks(from: DateTime<Utc>, to: DateTime<Utc>, width: f64) -> Vec<DateTime<Utc>> {
    const STEPS: [i64; 12] = [
        60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    ];
    let seconds = (to - from).num_seconds().max(1);
    let most = (width / 62.0).max(1.0) as i64;
    let step = STEPS.iter().copied().find(|step| seconds / step <= most);
    let step = step.unwrap_or_else(|| 86_400 * (seconds / 86_400 / most + 1));
    let first = from.timestamp().div_euclid(step) * step;
    (0..=seconds / step + 1)
        .filter_map(|number| DateTime::from_timestamp(first + number * step, 0))
        .filter(|at| *at >= from && *at <= to)
        .collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A string takes whatever is written.
    let _ = escape::html(text, &mut out);
    out
}
