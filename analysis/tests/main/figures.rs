//! Figures: the same data give the same bytes, no element is cut off, bad input is refused.
//!
//! `tests/figures/` has the expected drawings. After an intended change, run the tests with
//! `UPDATE_FIGURES=1` and look at them again.

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use analysis::FiveNumbers;
use analysis::figures::{
    BoxGroup, BoxPlot, BoxSeries, Figure, FigureError, Forest, ForestRow, Panel, Response, ResponseSeries, RunSequence,
    Sequence, Thinned, box_plot, forest, response, run_sequence,
};
use resvg::usvg::{Options, Tree, fontdb};

fn assert_unchanged(figure: &Figure) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/figures")
        .join(format!("{}.svg", figure.name));
    if env::var_os("UPDATE_FIGURES").is_some() {
        fs::write(&path, &figure.svg).expect("the folder of the drawings can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        figure.svg == expected,
        "{} differs from what is drawn now; see the top of this file",
        path.display()
    );
}

/// Panics if the renderer, with its own layout of texts, draws an element beyond the edges of the figure.
fn assert_inside(figure: &Figure) {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../fonts/OpenSans-Regular.ttf").to_vec());
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(&figure.svg, &options).expect("a figure is valid SVG");
    for child in tree.root().children() {
        // A clip path shows in the layer's box, not in the children's.
        let reach = child.abs_layer_bounding_box().expect("every element has a size");
        let clipped = matches!(child, resvg::usvg::Node::Group(group) if group.clip_path().is_some());
        let inside = reach.left() >= -0.01
            && reach.top() >= -0.01
            && reach.right() <= tree.size().width() + 0.01
            && reach.bottom() <= tree.size().height() + 0.01;
        assert!(clipped || inside, "`{}` is cut off: {reach:?}", figure.name);
    }
}

fn numbers(median: f64) -> FiveNumbers {
    FiveNumbers {
        whisker_low: median * 0.7,
        q1: median * 0.9,
        median,
        q3: median * 1.15,
        whisker_high: median * 1.6,
    }
}

fn boxes(name: &str, labels: &[&str], series: &[&str], scale: f64) -> BoxPlot {
    let group = |(index, label): (usize, &&str)| BoxGroup {
        label: (*label).to_owned(),
        series: series
            .iter()
            .enumerate()
            .map(|(position, name)| BoxSeries {
                name: (*name).to_owned(),
                numbers: numbers(scale * (2.0 + index as f64 * 0.3 + position as f64 * 0.1)),
            })
            .collect(),
    };
    BoxPlot {
        name: name.to_owned(),
        caption: "Round-trip times <without> the warm-up.".to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits: None,
        groups: labels.iter().enumerate().map(group).collect(),
    }
}

fn sequence(name: &str, iterations: u64, scale: f64) -> Sequence {
    let mut values = Thinned::new(iterations, 300);
    for iteration in 0..iterations {
        // Powers of two fractions only: the same on every machine.
        let saw = (iteration * 37 % 64) as f64 / 64.0;
        let spike = if iteration % 97 == 0 { 4.0 } else { 1.0 };
        values.push(iteration, scale * (1.0 + saw) * spike);
    }
    Sequence {
        name: name.to_owned(),
        values,
    }
}

fn run(name: &str, iterations: u64, scale: f64) -> RunSequence {
    RunSequence {
        name: name.to_owned(),
        caption: String::new(),
        x_title: "Iteration".to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits: None,
        panels: vec![
            Panel {
                series: vec![
                    sequence("docker", iterations, scale),
                    sequence("kind", iterations, scale * 1.5),
                ],
            },
            Panel {
                series: vec![sequence("AWS pod", iterations, scale * 0.5)],
            },
        ],
    }
}

fn row(group: Option<&str>, label: &str, value: f64, half: f64) -> ForestRow {
    ForestRow {
        label: label.to_owned(),
        group: group.map(str::to_owned),
        value,
        confidence_interval: (value - half, value + half),
    }
}

fn effects(name: &str, scale: f64) -> Forest {
    Forest {
        name: name.to_owned(),
        caption: "Effects by launch.".to_owned(),
        x_title: "Difference of median wire time (µs), 95 % CI".to_owned(),
        x_limits: None,
        rows: vec![
            row(
                Some("local-pod"),
                "control \u{2212} unmodified",
                0.01 * scale,
                0.0625 * scale,
            ),
            row(Some("local-pod"), "scan \u{2212} forward", 0.43 * scale, 0.0625 * scale),
            row(Some("local-bridge"), "log \u{2212} scan", -1.75 * scale, 0.25 * scale),
        ],
    }
}

fn doses(name: &str, levels: &[&str], log: bool, scale: f64) -> Response {
    let of = |name: &str, factor: f64| ResponseSeries {
        name: name.to_owned(),
        values: (0..levels.len())
            .map(|level| {
                let value = scale * factor * f64::from(2_u32.pow(u32::try_from(level).expect("few")));
                // Nothing was measured at one of them.
                (level != 1).then_some((value, (0.7 * value, 1.4 * value)))
            })
            .collect(),
    };
    Response {
        name: name.to_owned(),
        caption: "Spread by dose.".to_owned(),
        x_title: "Processor time of the neighbour".to_owned(),
        y_title: "MDE (µs), 95 % CI".to_owned(),
        log,
        line: Some((2.0 * scale, "target".to_owned())),
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        joined: true,
        series: vec![of("interleaved", 1.0), of("sequential", 3.0)],
    }
}

#[test]
fn the_drawings_are_unchanged() {
    let conditions = ["docker", "kind", "AWS pod", "AWS nodes"];
    let plot = boxes("box-plot", &conditions, &["unmodified", "with hook"], 1.0);
    assert_unchanged(&box_plot(&plot).expect("drawable"));
    assert_unchanged(&run_sequence(&run("run-sequence", 2_000, 2.0)).expect("drawable"));
    assert_unchanged(&forest(&effects("forest", 1.0)).expect("drawable"));
    let levels = ["none", "25 %", "50 %", "100 %"];
    assert_unchanged(&response(&doses("response", &levels, false, 1.0)).expect("drawable"));
    assert_unchanged(&response(&doses("response-log", &levels, true, 1.0)).expect("drawable"));
}

#[test]
fn nothing_is_cut_off() {
    let long = [
        "a condition with a name that is far too long for its place",
        "unbreakably_long_condition_name",
        "c",
    ];
    let many = [
        "unmodified",
        "control",
        "forward",
        "scan",
        "log",
        "delay-5us",
        "another rather long treatment",
    ];
    for scale in [1e-3, 1.0, 1e5] {
        for figure in [
            box_plot(&boxes("one", &["only"], &["unmodified"], scale)),
            box_plot(&boxes("many", &long, &many, scale)),
            run_sequence(&run("short", 1, scale)),
            run_sequence(&run("ten-thousand", 10_000, scale)),
            run_sequence(&run("odd", 10_007, scale)),
            forest(&effects("effects", scale)),
            response(&doses("doses", &long, false, scale)),
            response(&doses("doses-log", &["one"], true, scale)),
        ] {
            assert_inside(&figure.expect("drawable"));
        }
    }
    let mut plot = effects("long", 1.0);
    plot.x_title = "An axis title that explains at length what was subtracted from what, in which unit, by how many \
                    launches, and how sure one may be of it"
        .to_owned();
    plot.rows.push(row(Some(long[0]), long[0], 3.0, 40.0));
    plot.x_limits = Some((-2.0, 2.0));
    assert_inside(&forest(&plot).expect("drawable"));
}

#[test]
fn text_is_escaped_and_described_for_those_who_cannot_see() {
    let figure = box_plot(&boxes("escaped", &["<script>"], &["a & b"], 1.0)).expect("drawable");
    assert!(!figure.svg.contains("<script>") && figure.svg.contains("&lt;script&gt;"));
    let html = figure.to_html();
    assert!(
        html.starts_with("<figure role=\"img\" aria-label=\"Box plot of RTT (ms). &lt;script&gt;, a &amp; b: median")
    );
    assert!(html.contains("<figcaption>Round-trip times &lt;without&gt; the warm-up.</figcaption>"));
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_reason() {
    let empty = box_plot(&boxes("nothing", &[], &[], 1.0)).unwrap_err();
    assert_eq!(
        empty.to_string(),
        "figure `nothing` has no data: expected at least one box"
    );
    let mut plot = effects("upside-down", 1.0);
    plot.rows[0].confidence_interval = (1.0, 0.0);
    assert!(matches!(forest(&plot), Err(FigureError::Value { .. })));
    plot.rows[0].confidence_interval = (0.0, f64::NAN);
    assert!(
        forest(&plot)
            .unwrap_err()
            .to_string()
            .contains("expected a finite number")
    );
    let negative = run_sequence(&run("negative", 10, -1.0)).unwrap_err();
    assert!(negative.to_string().contains("more than zero"), "{negative}");
    let mut below = doses("below", &["one"], true, 1.0);
    below.series[0].values[0] = Some((1.0, (-0.1, 2.0)));
    assert!(matches!(response(&below), Err(FigureError::Value { .. })));
    below.series.clear();
    assert!(matches!(response(&below), Err(FigureError::Empty { .. })));
    let mut reversed = run("reversed", 10, 1.0);
    reversed.y_limits = Some((20.0, 1.0));
    assert!(reversed.panels.len() == 2 && run_sequence(&reversed).is_err());
}

#[cfg(feature = "png")]
#[test]
fn a_png_has_the_size_asked_for() {
    let figure = forest(&effects("png", 1.0)).expect("drawable");
    let png = figure.to_png(2.0).expect("renders");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(u32::from_be_bytes([png[16], png[17], png[18], png[19]]), 1_056);
    assert!(figure.to_png(0.0).is_err() && figure.to_png(f32::NAN).is_err() && figure.to_png(1e9).is_err());
}
