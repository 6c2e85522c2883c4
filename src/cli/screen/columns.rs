//! Tables for people: columns as wide as what stands in them.

use super::super::out;
use super::{Colour, Screen, harmless};

/// What stands in a row at a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub(in crate::cli) fn new(text: &str) -> Self {
        Self { text: harmless(text), colour: None }
    }

    pub(in crate::cli) fn in_colour(text: &str, colour: Option<Colour>) -> Self {
        Self { colour, ..Self::new(text) }
    }
}

/// A table that is printed piece by piece: columns only grow, so that what is printed stays as it is.
#[derive(Debug)]
pub(in crate::cli) struct Table {
    screen: Screen,
    names: Option<Vec<Cell>>,
    widths: Vec<usize>,
}

impl Table {
    /// A table with a line of names above it, which comes with the first rows.
    pub(in crate::cli) fn new(screen: Screen, names: &[&str]) -> Self {
        let names: Vec<Cell> = names.iter().map(|name| Cell::in_colour(name, Some(Colour::Strong))).collect();
        Self { screen, widths: Vec::new(), names: Some(names) }
    }

    /// Prints rows; says whether somebody was there to read them.
    pub(in crate::cli) fn print(&mut self, rows: Vec<Vec<Cell>>) -> bool {
        let text = self.text(rows);
        text.is_empty() || out::bytes(text.as_bytes())
    }

    fn text(&mut self, rows: Vec<Vec<Cell>>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let rows: Vec<_> = self.names.take().into_iter().chain(rows).collect();
        for row in &rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[Cell]) -> String {
        // No blanks stand at the end of a line.
        let used = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        let mut line = String::new();
        for (number, (cell, width)) in row.iter().zip(&self.widths).take(used).enumerate() {
            line.push_str(&self.screen.paint(&cell.text, cell.colour));
            if number + 1 < used {
                let missing = width.saturating_sub(cell.text.chars().count());
                line.push_str(&" ".repeat(missing + 2));
            }
        }
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_only_grow() {
        let mut table = Table::new(Screen::plain(None), &["id", "state", "why"]);
        let row = |texts: [&str; 3]| texts.map(Cell::new).to_vec();
        assert_eq!(table.text(Vec::new()), "");
        let first = table.text(vec![row(["a", "delivered", ""]), row(["bcd", "failed", "x\ty"])]);
        assert_eq!(first, "id   state      why\na    delivered\nbcd  failed     x\\ty\n");
        assert_eq!(table.text(vec![row(["e", "f", "g"])]), "e    f          g\n");
    }
}
