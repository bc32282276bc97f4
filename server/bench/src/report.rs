//! What was measured, as a table and as a file.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};

use crate::Outcome;

/// The columns of the table after the bar, in order.
pub(crate) const COLUMNS: &[&str] = &["CAR Hub", "floor", "CAR 1.2.1", "CAR 2.2.3"];

/// One measured thing.
pub(crate) struct Row {
    part: &'static str,
    what: String,
    unit: &'static str,
    /// What the hub's own value must not exceed.
    bar: Option<f64>,
    /// Every value measured, by column.
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Row {
    pub(crate) fn new(part: &'static str, what: impl Into<String>, unit: &'static str) -> Self {
        Self { part, what: what.into(), unit, bar: None, values: BTreeMap::new() }
    }

    pub(crate) fn bar(mut self, bar: f64) -> Self {
        self.bar = Some(bar);
        self
    }

    pub(crate) fn add(&mut self, column: &'static str, value: f64) {
        self.values.entry(column).or_default().push(value);
    }

    pub(crate) fn with(mut self, column: &'static str, value: f64) -> Self {
        self.add(column, value);
        self
    }

    pub(crate) fn median(&self, column: &str) -> Option<f64> {
        self.values.get(column).map(|values| crate::stats::median(values))
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn push(&mut self, row: Row) {
        println!("{}", line(&row));
        self.rows.push(row);
    }

    /// Something a reader of the table must know.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("note: {text}");
        self.notes.push(text);
    }

    pub(crate) fn table(&self, machine: &Value) -> String {
        let mut text = String::from("# Measured\n\n");
        for (name, value) in machine.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(text, "\nMedians of interleaved rounds.\n");
        let _ = writeln!(text, "| id | what | unit | bar | met | {} |", COLUMNS.join(" | "));
        let _ = writeln!(text, "|---|---|---|---|---|{}", "---:|".repeat(COLUMNS.len()));
        for row in &self.rows {
            let _ = writeln!(text, "{}", line(row));
        }
        for note in &self.notes {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    /// Writes `latest.md` and `<date>.json`.
    pub(crate) fn write(&self, dir: &Path, machine: &Value) -> Outcome<()> {
        fs::create_dir_all(dir)?;
        let rows: Vec<Value> = self.rows.iter().map(json_row).collect();
        let all = json!({ "machine": machine, "rows": rows, "notes": self.notes });
        let date = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
        fs::write(dir.join(format!("{date}.json")), serde_json::to_vec_pretty(&all)?)?;
        fs::write(dir.join("latest.md"), self.table(machine))?;
        Ok(())
    }
}

fn json_row(row: &Row) -> Value {
    json!({
        "part": row.part,
        "what": row.what,
        "unit": row.unit,
        "bar": row.bar,
        "medians": row.values.keys().map(|c| (*c, row.median(c))).collect::<BTreeMap<_, _>>(),
        "values": row.values,
    })
}

fn line(row: &Row) -> String {
    let cells: Vec<String> =
        COLUMNS.iter().map(|column| row.median(column).map_or("–".to_owned(), number)).collect();
    let met = match (row.bar, row.median("CAR Hub")) {
        (Some(bar), Some(value)) if value <= bar => "yes",
        (Some(_), Some(_)) => "**no**",
        (None, _) | (_, None) => "",
    };
    let bar = row.bar.map_or(String::new(), |bar| format!("≤ {}", number(bar)));
    let Row { part, what, unit, .. } = row;
    format!("| {part} | {what} | {unit} | {bar} | {met} | {} |", cells.join(" | "))
}

/// Three figures that say something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
