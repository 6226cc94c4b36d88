//! Draws the three kinds of figures as SVG and PNG, to be looked at while working on the style:
//! `cargo run -p analysis --features png --example figures -- OUT_DIR [DIR_OF_THE_2023_RECORDINGS]`.
//! Without recordings the data are invented.

use std::path::{Path, PathBuf};
use std::{env, fs};

use analysis::figures::{
    BoxGroup, BoxPlot, BoxSeries, Figure, Forest, ForestRow, Panel, RunSequence, Sequence, Thinned, box_plot, forest,
    run_sequence,
};
use analysis::{Distribution, FiveNumbers};

type Failure = Box<dyn std::error::Error>;

/// Label, and the beginnings of the two recordings' names.
const CONDITIONS: [(&str, &str, &str); 4] = [
    ("docker", "docker-without-hook-", "docker-with-"),
    ("kind", "kind-without-hook-", "kind-with-"),
    ("AWS pod", "aws-pod-without-hook-", "aws-pod-with-"),
    ("AWS nodes", "aws-nodes-without-hook-", "aws-nodes-with-"),
];
const WARM_UP: usize = 4_000;
const SHOWN: usize = 10_000;

/// Response times in ms, unmodified and with the hook.
type Recordings = Vec<(&'static str, Vec<f64>, Vec<f64>)>;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let out = arguments
        .next()
        .ok_or("expected the folder to write to as first argument")?;
    let recordings = match arguments.next() {
        Some(directory) => read_all(&directory)?,
        None => invent_all(),
    };
    fs::create_dir_all(&out)?;
    for figure in [boxes(&recordings)?, sequence(&recordings)?, effects()?] {
        fs::write(out.join(format!("{}.svg", figure.name)), &figure.svg)?;
        fs::write(out.join(format!("{}.html", figure.name)), figure.to_html())?;
        fs::write(out.join(format!("{}.png", figure.name)), figure.to_png(2.0)?)?;
    }
    Ok(())
}

fn read_all(directory: &Path) -> Result<Recordings, Failure> {
    CONDITIONS
        .iter()
        .map(|(label, without, with)| Ok((*label, read(directory, without)?, read(directory, with)?)))
        .collect()
}

fn read(directory: &Path, beginning: &str) -> Result<Vec<f64>, Failure> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(beginning) {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let cells = text.lines().skip(1).filter_map(|line| line.split(',').nth(1));
        return cells.map(|cell| Ok(cell.parse::<f64>()?)).collect();
    }
    Err(format!("no recording {beginning}* in {}", directory.display()).into())
}

fn invent_all() -> Recordings {
    let mut state = 1_u64;
    let mut invent = |base: f64| -> Vec<f64> {
        let values = (0..WARM_UP + SHOWN).map(|iteration| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let uniform = ((state >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
            base * (1.0 + 2.0 * (-(iteration as f64) / 900.0).exp()) * (1.0 - 0.15 * uniform.ln())
        });
        values.collect()
    };
    let bases = [2.6, 2.9, 1.3, 1.9];
    CONDITIONS
        .iter()
        .zip(bases)
        .map(|((label, _, _), base)| (*label, invent(base), invent(base * 1.04)))
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "response times in ns are far below 2^63")]
fn numbers(values_ms: &[f64]) -> Option<FiveNumbers> {
    let mut distribution = Distribution::default();
    for value in values_ms.iter().skip(WARM_UP) {
        distribution.insert((value * 1e6).round() as i64);
    }
    FiveNumbers::of(&distribution).map(|numbers| numbers.scaled(1e-6))
}

fn boxes(recordings: &Recordings) -> Result<Figure, Failure> {
    let series = |name: &str, values: &[f64]| -> Result<BoxSeries, Failure> {
        Ok(BoxSeries {
            name: name.to_owned(),
            numbers: numbers(values).ok_or("a recording is empty")?,
        })
    };
    let groups = recordings.iter().map(|(label, without, with)| {
        let series = vec![series("unmodified", without)?, series("with hook", with)?];
        Ok(BoxGroup {
            label: (*label).to_owned(),
            series,
        })
    });
    Ok(box_plot(&BoxPlot {
        name: "box-plot".to_owned(),
        caption: "Round-trip times, warm-up excluded.".to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits: Some((0.0, 5.0)),
        groups: groups.collect::<Result<_, Failure>>()?,
    })?)
}

fn sequence(recordings: &Recordings) -> Result<Figure, Failure> {
    let series = |(label, values, _): &(&str, Vec<f64>, Vec<f64>)| {
        let mut thinned = Thinned::new(SHOWN as u64, 1_200);
        for (iteration, value) in values.iter().take(SHOWN).enumerate() {
            thinned.push(iteration as u64, *value);
        }
        Sequence {
            name: (*label).to_owned(),
            values: thinned,
        }
    };
    let panels = recordings.chunks(2).map(|pair| Panel {
        series: pair.iter().map(series).collect(),
    });
    Ok(run_sequence(&RunSequence {
        name: "run-sequence".to_owned(),
        caption: "Round-trip times of the unmodified program by request, warm-up included.".to_owned(),
        x_title: "Iteration".to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits: Some((1.0, 20.0)),
        panels: panels.collect(),
    })?)
}

fn effects() -> Result<Figure, Failure> {
    let rows = [
        ("local-pod", "control − unmodified", 0.01, -0.06, 0.08),
        ("local-pod", "forward − unmodified", 0.12, 0.05, 0.19),
        ("local-pod", "scan − forward", 0.43, 0.36, 0.50),
        ("local-pod", "log − scan", 1.87, 1.71, 2.03),
        ("local-bridge", "control − unmodified", -0.04, -0.15, 0.07),
        ("local-bridge", "forward − unmodified", 0.09, -0.04, 0.22),
        ("local-bridge", "scan − forward", 0.47, 0.33, 0.61),
        ("local-bridge", "log − scan", 2.11, 1.84, 2.38),
    ];
    let rows = rows.map(|(group, label, value, low, high)| ForestRow {
        label: label.to_owned(),
        group: Some(group.to_owned()),
        value,
        confidence_interval: (low, high),
    });
    Ok(forest(&Forest {
        name: "forest".to_owned(),
        caption: "Invented effects.".to_owned(),
        x_title: "Difference of median wire time (µs), 95 % CI".to_owned(),
        x_limits: None,
        rows: rows.to_vec(),
    })?)
}
