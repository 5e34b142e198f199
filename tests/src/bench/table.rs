//! What was measured: printed beside its budget and the last recorded figure, and kept as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The figures of one run, in the order in which they were measured.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    budget: Option<Budget>,
}

#[derive(Clone, Copy)]
pub(super) enum Budget {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Serialize, Deserialize)]
struct Figure {
    value: f64,
    unit: String,
}

type Figures = BTreeMap<String, Figure>;

impl Table {
    pub(super) fn add(
        &mut self,
        name: &'static str,
        value: f64,
        unit: &'static str,
        budget: Option<Budget>,
    ) {
        self.rows.push(Row { name, value, unit, budget });
    }

    /// One line a figure; `recorded` is what an earlier run on some machine had.
    pub(super) fn render(&self, recorded: &str) -> String {
        let recorded: Figures = serde_json::from_str(recorded).unwrap_or_default();
        let mut text = format!(
            "{:<58} {:>12} {:<6} {:>14} {:>20}\n",
            "", "now", "", "budget", "against recorded"
        );
        for row in &self.rows {
            let budget = match row.budget {
                Some(Budget::AtMost(most)) => format!("<= {}", number(most)),
                Some(Budget::AtLeast(least)) => format!(">= {}", number(least)),
                None => String::new(),
            };
            let verdict = if row.within() { "" } else { "  OVER BUDGET" };
            let before = match recorded.get(row.name) {
                Some(figure) if figure.value > 0.0 => {
                    format!("{:.2} x {}", row.value / figure.value, number(figure.value))
                }
                _ => "-".to_owned(),
            };
            let _ = writeln!(
                text,
                "{:<58} {:>12} {:<6} {budget:>14} {before:>20}{verdict}",
                row.name,
                number(row.value),
                row.unit
            );
        }
        text
    }

    pub(super) fn all_within(&self) -> bool {
        self.rows.iter().all(Row::within)
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let figures: Figures = self
            .rows
            .iter()
            .map(|row| {
                (row.name.to_owned(), Figure { value: row.value, unit: row.unit.to_owned() })
            })
            .collect();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("cannot make {}", parent.display()))?;
        }
        let json = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Row {
    fn within(&self) -> bool {
        match self.budget {
            Some(Budget::AtMost(most)) => self.value <= most,
            Some(Budget::AtLeast(least)) => self.value >= least,
            None => true,
        }
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
