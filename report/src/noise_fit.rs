//! The noise of the simulation study, fitted to recordings.

use std::path::Path;

use analysis::simulation::{fit_launches, fit_within};
use anyhow::{Context, Result, bail};
use dataset::Run;
use samples::{run_samples, study_recordings};

use crate::calibration;
use crate::simulation_study::NoiseFits;

/// Fits the noise: of requests to the imported study, of launches to the coverage experiment, and the scale of requests to a
/// run of the coverage experiment with observations.
///
/// # Errors
/// When a file cannot be read or holds too little.
pub fn fit(study: &Path, calibration: &Path, run: &Path) -> Result<NoiseFits> {
    let recordings = study_recordings(study)?;
    let within = recordings
        .iter()
        .map(|recording| {
            let rest = recording.unmodified_ns.get(analysis::ssp2023::WARM_UP_ROWS..);
            fit_within(&recording.condition, rest.unwrap_or_default())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let run = Run::open(run)?;
    let samples = run_samples(&run)?;
    let contrast = run.manifest.contrasts().first();
    let baseline = &contrast.context("the run's plan has no contrast")?.baseline;
    let wide = samples.launches.iter().filter_map(|launch| {
        let wire = &launch.arms.get(baseline)?.wire;
        Some(wire.quantile(0.75)? - wire.quantile(0.25)?)
    });
    let wide: Vec<f64> = wide.collect();
    if wide.is_empty() {
        bail!(
            "{}: no launch with kernel stamps of arm `{baseline}`",
            run.directory.display()
        );
    }
    Ok(NoiseFits {
        within,
        iqr_ns: analysis::mean(&wide),
        launches: fit_launches(&a_a_errors(calibration)?)?,
    })
}

fn a_a_errors(path: &Path) -> Result<Vec<f64>> {
    let found = calibration::read(path)?;
    let interleaved = found.into_iter().filter(|found| found.schedule == "interleaved");
    interleaved
        .flat_map(|found| found.repeated)
        .find(|repeated| repeated.name == "A/A")
        .map(|repeated| repeated.errors_ns)
        .with_context(|| format!("{}: no interleaved A/A", path.display()))
}
