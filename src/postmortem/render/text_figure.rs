//! The figure in letters, for Markdown: most Git hosts take SVG out of it.

use super::marks;
use super::scale::Scale;
use crate::postmortem::document::{Document, Stretch};
use crate::timeline::{Entry, Tone};

const COLUMNS: usize = 72;
const GUTTER: usize = 10;

pub fn draw(document: &Document) -> String {
    let rows = marks::rows(document);
    let scale = marks::scale(document, &rows);
    let (Some(first), Some(last)) = (scale.segments.first(), scale.segments.last()) else {
        return String::new();
    };
    let (from, to) = (
        first.from.format("%d %b %H:%M").to_string(),
        last.to.format("%d %b %H:%M").to_string(),
    );
    let between = " ".repeat(COLUMNS.saturating_sub(from.len() + to.len()));
    let mut lines = vec![line("", &format!("{from}{between}{to}"))];
    lines.extend(flag_lines(document, &scale));
    lines.push(line(
        "phase",
        &band(&scale, &document.impact.phases, |name| name.to_owned()),
    ));
    lines.push(line(
        "severity",
        &band(&scale, &document.impact.severities, |name| name.to_owned()),
    ));
    for row in &rows {
        let mut here: Vec<Vec<&Entry>> = vec![Vec::new(); COLUMNS];
        for entry in &row.marks {
            here[column(scale.place(entry.at))].push(entry);
        }
        let mut cells = empty(&scale);
        for (cell, marks) in cells.iter_mut().zip(&here).filter(|(_, marks)| !marks.is_empty()) {
            *cell = letter(marks::worst(marks));
        }
        lines.push(line(row.lane.word(), &cells.iter().collect::<String>()));
    }
    lines.push(String::new());
    lines.push(line(
        "",
        "o good   ! doubtful   x bad   ? unknown   · other   ~ quiet, drawn short",
    ));
    lines.join("\n")
}

fn line(label: &str, text: &str) -> String {
    format!("{label:<GUTTER$}{text}").trim_end().to_owned()
}

fn column(place: f64) -> usize {
    ((place * COLUMNS as f64) as usize).min(COLUMNS - 1)
}

fn empty(scale: &Scale) -> Vec<char> {
    let mut cells = vec![' '; COLUMNS];
    for segment in scale.segments.iter().filter(|segment| segment.quiet) {
        for cell in &mut cells[column(segment.left)..column(segment.right)] {
            *cell = '~';
        }
    }
    cells
}

fn letter(tone: Tone) -> char {
    match tone {
        Tone::Good => 'o',
        Tone::Warn => '!',
        Tone::Bad => 'x',
        Tone::Unknown => '?',
        Tone::Plain => '·',
    }
}

/// Moments under each other, as many lines as their labels need.
fn flag_lines(document: &Document, scale: &Scale) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, word, _) in marks::flags(document) {
        let column = column(scale.place(at)).min(COLUMNS.saturating_sub(word.len() + 1));
        let fits = |line: &String| line.chars().count() < column.max(1);
        let place = lines.iter().position(fits).unwrap_or(lines.len());
        if place == lines.len() {
            lines.push(String::new());
        }
        let line = &mut lines[place];
        let missing = column.saturating_sub(line.chars().count());
        line.extend(std::iter::repeat_n(' ', missing));
        line.push('|');
        line.push_str(word);
    }
    lines
        .iter()
        .enumerate()
        .map(|(number, text)| line(if number == 0 { "moments" } else { "" }, text))
        .collect()
}

/// `[confirm ][contain    ]`, as much of each name as there is room for.
fn band(scale: &Scale, bands: &[Stretch], name: impl Fn(&str) -> String) -> String {
    let mut cells = empty(scale);
    for band in bands {
        let (from, to) = (column(scale.place(band.from)), column(scale.place(band.to)));
        let to = if band.open {
            COLUMNS - 1
        } else {
            to.saturating_sub(1).max(from)
        };
        let text: Vec<char> = name(&band.name).chars().collect();
        for (place, cell) in cells[from..=to].iter_mut().enumerate() {
            *cell = match place {
                0 => '[',
                place => text.get(place - 1).copied().unwrap_or('-'),
            };
        }
    }
    cells.iter().collect()
}
