//! The picture of how cost grows: an SVG of four panels, logarithmic both ways, in the reader's light or dark.

use std::fmt::Write as _;

/// What was measured at one place of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    /// The share of one core.
    pub cpu: f64,
    /// In milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// The share of the records that tabs were not sent, and that gaps named.
    pub named: f64,
}

/// A panel's size, and the space around it for its words.
const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 44.0;
const BETWEEN: f64 = 86.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#334}.title{font-weight:600;font-size:13px}\
.axis{stroke:#c4c8d4}.a{stroke:#2457c5;fill:#2457c5}.b{stroke:#b4541a;fill:#b4541a}polyline.a,polyline.b{fill:none;stroke-width:2}\
text.a,text.b{stroke:none}@media(prefers-color-scheme:dark){svg{background:#14161c}text{fill:#ccd2e0}.axis{stroke:#3a4050}\
.a{stroke:#7aa5ff;fill:#7aa5ff}.b{stroke:#f0a070;fill:#f0a070}}";

/// A line of a panel: its class, its name, and its points.
type Line = (&'static str, &'static str, Vec<(f64, f64)>);

/// Draws both series: while the tabs grow, and while the rate grows.
pub(super) fn draw([tabs, rates]: &[Vec<Point>; 2]) -> String {
    let (wide, high) = (LEFT + 2.0 * WIDTH + BETWEEN + 30.0, TOP + 2.0 * HEIGHT + BETWEEN + 44.0);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-label="How cost grows"><style>{STYLE}</style>"#
    );
    for (row, (points, axis)) in [(tabs, "tabs"), (rates, "records a second")].into_iter().enumerate() {
        let top = TOP + row as f64 * (HEIGHT + BETWEEN);
        let of = |y: fn(&Point) -> f64| points.iter().map(|point| (point.x, y(point))).collect();
        panel(&mut svg, (LEFT, top), "Server, % of a core", axis, &[("a", "", of(|point| point.cpu * 100.0))]);
        let latency: [Line; 2] = [("a", "p50", of(|point| point.p50)), ("b", "p99", of(|point| point.p99))];
        panel(&mut svg, (LEFT + WIDTH + BETWEEN, top), "Latency, ms", axis, &latency);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, (left, top): (f64, f64), title: &str, axis: &str, lines: &[Line]) {
    let all = || lines.iter().flat_map(|(_, _, points)| points);
    let across = Scale::over(all().map(|(x, _)| *x), left, left + WIDTH);
    let up = Scale::over(all().map(|(_, y)| *y), top + HEIGHT, top);
    let (bottom, right) = (top + HEIGHT, left + WIDTH);
    // Writing to a string does not fail.
    let _ = write!(svg, r#"<text class="title" x="{left}" y="{}">{title}</text>"#, top - 14.0);
    for decade in across.decades() {
        let x = across.at(decade);
        let _ = write!(svg, r#"<line class="axis" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/>"#);
        let _ = write!(svg, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{}</text>"#, bottom + 17.0, number(decade));
    }
    for decade in up.decades() {
        let y = up.at(decade);
        let _ = write!(svg, r#"<line class="axis" x1="{left}" y1="{y:.1}" x2="{right}" y2="{y:.1}"/>"#);
        let _ =
            write!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>"#, left - 7.0, y + 4.0, number(decade));
    }
    let _ = write!(svg, r#"<text x="{right}" y="{}" text-anchor="end">{axis}</text>"#, bottom + 34.0);
    // The first line's name stands below it, the next one's above: latencies are drawn from the smallest to the largest.
    for ((class, name, points), aside) in lines.iter().zip([18.0, -8.0]) {
        let places: Vec<_> = points.iter().map(|(x, y)| (across.at(*x), up.at(*y))).collect();
        let joined: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(svg, r#"<polyline class="{class}" points="{}"/>"#, joined.join(" "));
        for (x, y) in &places {
            let _ = write!(svg, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="3"/>"#);
        }
        if let Some((x, y)) = places.last() {
            let _ = write!(
                svg,
                r#"<text class="{class}" x="{:.1}" y="{:.1}" text-anchor="end">{name}</text>"#,
                x - 6.0,
                y + aside
            );
        }
    }
}

/// Whole decades, from one place to another.
struct Scale {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Scale {
    /// The decades that hold all `values` above zero.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (least, most) = values
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        let (first, last) =
            if least.is_finite() { (least.log10().floor() as i32, most.log10().ceil() as i32) } else { (0, 1) };
        Self { first, last: last.max(first + 1), from, to }
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|exponent| 10_f64.powi(exponent))
    }

    /// Where a value stands. What is not above zero stands at the beginning.
    fn at(&self, value: f64) -> f64 {
        let along = if value > 0.0 { value.log10() - f64::from(self.first) } else { 0.0 };
        self.from + (self.to - self.from) * (along / f64::from(self.last - self.first)).clamp(0.0, 1.0)
    }
}

fn number(value: f64) -> String {
    if value >= 1_000.0 { format!("{}k", value / 1_000.0) } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, cpu: f64, p99: f64) -> Point {
        Point { x, cpu, p50: 1.0, p99, named: 0.0 }
    }

    #[test]
    fn a_value_stands_among_its_decades() {
        let scale = Scale::over([3.0, 200.0, 0.0].into_iter(), 100.0, 400.0);
        assert_eq!(scale.decades().collect::<Vec<_>>(), [1.0, 10.0, 100.0, 1_000.0]);
        for (value, place) in [(1.0, 100.0), (10.0, 200.0), (100.0, 300.0), (1_000.0, 400.0), (0.0, 100.0)] {
            assert!((scale.at(value) - place).abs() < 1e-9, "{value} is at {}", scale.at(value));
        }
        // Upwards, as in a picture.
        assert!((Scale::over([1.0, 100.0].into_iter(), 200.0, 0.0).at(10.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_or_none_has_a_scale_too() {
        assert_eq!(Scale::over([10.0].into_iter(), 0.0, 1.0).decades().count(), 2);
        assert_eq!(Scale::over(std::iter::empty(), 0.0, 1.0).decades().count(), 2);
    }

    #[test]
    fn every_point_is_drawn_and_nothing_lies_outside() {
        let series = [vec![point(1.0, 0.01, 3.0), point(1_000.0, 0.9, 70.0)], vec![point(100.0, 0.02, 5.0)]];
        let svg = draw(&series);
        // In each row: one for the processor, two for the latencies.
        assert_eq!(svg.matches("<circle").count(), 9);
        assert_eq!(svg.matches("<polyline").count(), 6);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        for place in svg.split("cx=\"").skip(1) {
            let x: f64 = place.split('"').next().unwrap().parse().unwrap();
            assert!((LEFT..=LEFT + 2.0 * WIDTH + BETWEEN).contains(&x), "{x}");
        }
    }
}
