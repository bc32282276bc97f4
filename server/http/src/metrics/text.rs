//! The text exposition format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

use car_hub::measure::Durations;

/// What a family of samples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label and its value.
type Label<'a> = (&'a str, &'a str);

/// A text that is being written.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    name: &'static str,
}

impl Text {
    /// Begins a family: everything of one name stands together.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        let kind = kind.word();
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.name = name;
        self
    }

    /// One number of the family.
    pub(super) fn sample(&mut self, labels: &[Label<'_>], value: f64) -> &mut Self {
        self.line("", labels, value);
        self
    }

    /// A histogram of the family.
    pub(super) fn durations(&mut self, labels: &[Label<'_>], durations: &Durations) -> &mut Self {
        for (bound, within) in Durations::BOUNDS.iter().zip(durations.within) {
            self.bucket(labels, &bound.to_string(), within);
        }
        self.bucket(labels, "+Inf", durations.count);
        self.line("_sum", labels, durations.sum);
        self.line("_count", labels, super::float(durations.count));
        self
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn bucket(&mut self, labels: &[Label<'_>], bound: &str, many: u64) {
        let labels: Vec<Label<'_>> = labels.iter().copied().chain([("le", bound)]).collect();
        self.line("_bucket", &labels, super::float(many));
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (place, (name, value)) in labels.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{name}=\"{}\"", escaped(value));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn families_are_written_as_prometheus_reads_them() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "As.")
            .sample(&[], 3.0)
            .sample(&[("x", "1"), ("y", "q\"\\\n")], 0.5);
        let mut took = Durations::default();
        took.add(Duration::from_millis(3));
        took.add(Duration::from_secs(60));
        text.family("b_seconds", Kind::Histogram, "Bs.").durations(&[("o", "p")], &took);
        let text = text.finish();
        assert!(text.starts_with("# HELP a_total As.\n# TYPE a_total counter\na_total 3\n"));
        assert!(text.contains("a_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 0.5\n"));
        assert!(text.contains("b_seconds_bucket{o=\"p\",le=\"0.0025\"} 0\n"));
        assert!(text.contains("b_seconds_bucket{o=\"p\",le=\"0.005\"} 1\n"));
        assert!(text.contains("b_seconds_bucket{o=\"p\",le=\"10\"} 1\n"));
        assert!(text.contains("b_seconds_bucket{o=\"p\",le=\"+Inf\"} 2\n"));
        assert!(text.ends_with("b_seconds_sum{o=\"p\"} 60.003\nb_seconds_count{o=\"p\"} 2\n"));
    }
}
