//! The tables of exhibits, for a terminal and for a page.

use std::fmt;

use analysis::text_table;
use maud::{Markup, html};

/// Headings and rows of the same length; the first column is text, all others are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Above the columns.
    pub headings: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Vec<String>>,
    /// Notes of a sentence or two each.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            headings: headings.map(str::to_owned).to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// The table as HTML.
    #[must_use]
    pub fn html(&self) -> Markup {
        html! {
            table {
                thead { tr { @for heading in &self.headings { th { (heading) } } } }
                tbody { @for row in &self.rows { tr { @for cell in row { td { (cell) } } } } }
            }
            @for note in &self.notes { p { (note) } }
        }
    }
}

impl fmt::Display for Table {
    /// Columns of equal width, two spaces between them; notes below.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = std::iter::once(&self.headings).chain(&self.rows).cloned().collect();
        formatter.write_str(&text_table(&rows))?;
        if !self.notes.is_empty() {
            writeln!(formatter, "\n{}", self.notes.join("\n"))?;
        }
        Ok(())
    }
}
