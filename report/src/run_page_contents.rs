//! What a run's page shows, gathered.

use std::path::Path;

use analysis::principles::checklist;
use anyhow::Result;
use dataset::Run;
use report::claims::JudgedClaims;
use report::reproduction::Reproduction;
use report::run_facts::run_facts;
use report::study::StudyResults;
use report::{evidence, figures, results, run_page, secondary_estimates};
use samples::{StudyRecording, run_samples, study_recordings};

/// The imported study, if it was imported.
pub(crate) fn recordings(study: &Path) -> Result<Option<Vec<StudyRecording>>> {
    if !study.join("manifest.json").exists() {
        return Ok(None);
    }
    Ok(Some(study_recordings(study)?))
}

/// All that a run's page shows.
pub(crate) fn page(run: &Path, study_folder: &Path, out: &Path) -> Result<run_page::Page> {
    let recorded = Run::open(run)?;
    let samples = run_samples(&recorded)?;
    let results = results::results(&recorded.manifest, &samples)?;
    let recordings = recordings(study_folder)?;
    let study = recordings.as_deref().map(StudyResults::compute).transpose()?;
    let mut found = evidence::of_run(&recorded.manifest, &samples, &results)?;
    if let Some(study) = &study {
        found.extend(evidence::of_study(study)?);
    }
    let checklist = checklist(&run_facts(&recorded.manifest, &results));
    let mut figures = figures::run(&results, &samples)?;
    let reproduction = Reproduction::of(&recorded, &samples)?;
    let theirs = recordings
        .as_deref()
        .map(figures::study)
        .transpose()?
        .unwrap_or_default();
    let ours = reproduction.as_ref().map_or(&[][..], |ours| &ours.figures);
    // Each beside its original, where there is one.
    for index in 0..theirs.len().max(ours.len()) {
        figures.extend(theirs.get(index).into_iter().chain(ours.get(index)).cloned());
    }
    let study_notes = if study.is_some() {
        Run::open(study_folder)?.manifest.notes
    } else {
        Vec::new()
    };
    Ok(run_page::Page {
        command: format!(
            "report html --run {} --study {} --out {}",
            run.display(),
            study_folder.display(),
            out.display()
        ),
        further: secondary_estimates::secondary_estimates(&recorded.manifest, &samples)?,
        manifest: recorded.manifest,
        results,
        study,
        study_notes,
        reproduction,
        claims: JudgedClaims::of(&found)?,
        checklist,
        figures,
    })
}
