//! `runner record`: records the runs of the registered plan, resumes a recording that stopped, and keeps the ledger.

mod budget;
mod ledger_file;
mod plan_file;
mod refresh;
mod verdicts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use dataset::{Grid, Run};
use model::{FactorLevel, LedgerEvent, MANIFEST_FILE, Manifest, RecordingEnd};

use crate::launch::container::EngineOptions;
use crate::launch::installation::Installation;
use crate::load;
use crate::observe::survey;
use crate::record::budget::PlanCost;
use crate::record::ledger_file::LedgerFile;
use crate::record::plan_file::{PlanFile, PlannedRecording};
use crate::run::folder::{PLAN, RunFolder};
use crate::run::registration::{ActiveRegistration, Registration, same_machine, same_plan};
use crate::run::working_tree::{RECORDINGS, WorkingTree};
use crate::run::{RunEnvironment, availability};
use crate::signals::stop_flag;

/// The folder of the ready servers.
const SERVERS: &str = "sut/macro";
/// The ledger's file in the folder of recordings.
const LEDGER: &str = "ledger.jsonl";

/// The command line of `runner record`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RecordingCommand {
    /// The registered plan, a file of the repository
    #[arg(long, default_value = plan_file::REGISTERED)]
    plan: PathBuf,
    /// Run one launch of each cell and condition in a temporary folder, print how long the plan takes on this machine, and
    /// record nothing; fails if the plan is above its budget
    #[arg(long)]
    dry_run: bool,
    /// Copy hashes, lengths and levels of the definitions into the plan; recordings by the old plan become exploratory
    #[arg(long, conflicts_with = "dry_run")]
    refresh: bool,
    /// Record this run alone; may be given several times
    #[arg(long, conflicts_with = "refresh")]
    only: Vec<String>,
    /// The project's hook [default: ../hook/libreadhook.so, from this program's folder]
    #[arg(long)]
    hook: Option<PathBuf>,
    #[command(flatten)]
    engines: EngineOptions,
}

/// Records the plan's runs that are not recorded yet, or does what an option asks for instead.
///
/// # Errors
/// If the plan does not fit the tree, the tree is not clean, a part is above its budget, a folder holds the recording of another
/// machine or plan, or a launch fails.
pub(crate) fn run(options: &RecordingCommand) -> Result<()> {
    let plan = PlanFile::read(&options.plan)?;
    if options.refresh {
        return refresh::refresh(&plan);
    }
    let recordings = plan.recordings(&options.only)?;
    let stopped = stop_flag()?;
    let setting = Installation::find(options.hook.as_deref())?;
    let environment = RunEnvironment::new(&setting, &options.engines, &stopped);
    if options.dry_run {
        let cost = PlanCost::measure(&recordings, environment)?;
        print!("{}", cost.table(&plan.plan.budget));
        return cost.within(&plan.plan.budget);
    }
    verdicts::can_judge(&plan, &setting.binaries)?;
    let machine = dataset::this_machine().id();
    let folder = Path::new(RECORDINGS).join(&machine);
    let ledger = LedgerFile {
        path: Path::new(RECORDINGS).join(LEDGER),
    };
    let folders = plan.plan.runs.iter().map(|run| folder.join(&run.name));
    let tree = WorkingTree {
        may_differ: folders.chain([ledger.path.clone()]).collect(),
    };
    let registration = Registration {
        plan_sha256: plan.sha256(),
        machine,
        commit: tree.clean_commit()?,
    };
    tree.contains(plan.files())?;
    let recorder = PlanRecorder {
        plan: &plan,
        folder: &folder,
        ledger: &ledger,
        environment: RunEnvironment {
            registration: Some(ActiveRegistration {
                registration: &registration,
                tree: &tree,
            }),
            ..environment
        },
        registration: &registration,
        tree: &tree,
    };
    let mut missing = Vec::new();
    for recording in recordings {
        if recorder.is_complete(&recording)? {
            println!(
                "{} is recorded in {}",
                recording.run.name,
                recorder.folder_of(&recording).display()
            );
        } else if recorder.is_possible(&recording) {
            missing.push(recording);
        }
    }
    let cost = PlanCost::measure(&missing, environment)?;
    print!("{}", cost.table(&plan.plan.budget));
    cost.within(&plan.plan.budget)?;
    missing.into_iter().try_for_each(|recording| recorder.record(recording))
}

/// Records runs of one plan on this machine.
struct PlanRecorder<'a> {
    plan: &'a PlanFile,
    /// The folder of this machine's recordings.
    folder: &'a Path,
    ledger: &'a LedgerFile,
    environment: RunEnvironment<'a>,
    registration: &'a Registration,
    tree: &'a WorkingTree,
}

impl PlanRecorder<'_> {
    fn folder_of(&self, recording: &PlannedRecording<'_>) -> PathBuf {
        self.folder.join(&recording.run.name)
    }

    fn last_event(&self, recording: &PlannedRecording<'_>) -> Result<Option<LedgerEvent>> {
        self.ledger.last(&recording.run.name, self.registration)
    }

    /// Returns whether a run is recorded, so that nothing is left to do.
    ///
    /// # Errors
    /// If its folder holds the recording of another machine or plan, or a recording that the ledger does not have.
    fn is_complete(&self, recording: &PlannedRecording<'_>) -> Result<bool> {
        let folder = self.folder_of(recording);
        let manifests = manifests(recording, &folder)?;
        let not_ours = || format!("{} cannot be continued", folder.display());
        for manifest in &manifests {
            self.is_ours(manifest).with_context(not_ours)?;
        }
        let last = self.last_event(recording)?;
        let begun = !manifests.is_empty() || has_begun(recording, &folder);
        ensure!(
            !begun || last.is_some(),
            "{} has no line of the recording in {}; a recording without its line is not by the plan: give its folder another name",
            self.ledger.path.display(),
            folder.display()
        );
        let written = manifests.len() == recording.cells.len() && (recording.has_no_factors() || Grid::is_at(&folder));
        let ended = matches!(
            last,
            Some(LedgerEvent::End {
                how: RecordingEnd::Complete,
                ..
            })
        );
        if written && ended {
            return Ok(true);
        }
        for cell in cell_folders(recording, &folder) {
            if let Some(known) = RunFolder::registration(&cell)? {
                known
                    .may_go_on_as(self.registration, self.tree)
                    .with_context(not_ours)?;
            }
        }
        Ok(false)
    }

    fn is_ours(&self, manifest: &Manifest) -> Result<()> {
        same_machine(&manifest.machine.id(), &self.registration.machine)?;
        let plan = manifest.plan_sha256.as_deref().unwrap_or("that is not registered");
        same_plan(plan, &self.registration.plan_sha256)
    }

    /// Returns whether a condition of the run is available; prints the reasons if none is.
    fn is_possible(&self, recording: &PlannedRecording<'_>) -> bool {
        let RunEnvironment { engines, stopped, .. } = self.environment;
        let mut reasons = Vec::new();
        for &condition in &recording.run.conditions {
            match availability::best(condition, engines, stopped) {
                Ok(_) => return true,
                Err(reason) => reasons.push(format!("{condition}: {reason}")),
            }
        }
        println!("left out: {}: {}", recording.run.name, reasons.join("; "));
        false
    }

    /// Observes the functions by which servers receive, unless that is done.
    fn observe(&self, folder: &Path) -> Result<()> {
        if folder.join(dataset::OBSERVED_FILE).exists() {
            return Ok(());
        }
        survey::run(&ready_servers()?, &self.environment.setting.hook, folder)
    }

    /// Records a run, or continues its recording, and writes the lines of the ledger.
    fn record(&self, recording: PlannedRecording<'_>) -> Result<()> {
        let name = recording.run.name.clone();
        let folder = self.folder_of(&recording);
        let add = |event| self.ledger.add(&name, self.registration, event);
        if let Some(LedgerEvent::Begin | LedgerEvent::Resume) = self.last_event(&recording)? {
            add(LedgerEvent::End {
                how: RecordingEnd::Killed,
                reason: Some("it wrote no end".to_owned()),
                verdicts: BTreeMap::new(),
            })?;
        }
        add(if has_begun(&recording, &folder) {
            LedgerEvent::Resume
        } else {
            LedgerEvent::Begin
        })?;
        eprintln!("recording {name}");
        let observe = recording.run.observe;
        let recorded = load::all(recording.cells, &folder, self.environment)
            .and_then(|_invalid| if observe { self.observe(&folder) } else { Ok(()) })
            .and_then(|()| verdicts::of(self.plan, &name, self.folder, &self.environment.setting.binaries));
        match recorded {
            Ok(verdicts) => add(LedgerEvent::End {
                how: RecordingEnd::Complete,
                reason: None,
                verdicts,
            }),
            Err(error) => {
                let how = if self.environment.stopped.load(Ordering::Relaxed) {
                    RecordingEnd::Interrupted
                } else {
                    RecordingEnd::Failed
                };
                add(LedgerEvent::End {
                    how,
                    reason: Some(format!("{error:#}")),
                    verdicts: BTreeMap::new(),
                })?;
                Err(error)
            }
        }
    }
}

/// Returns the files of all ready servers.
fn ready_servers() -> Result<Vec<PathBuf>> {
    let listing = fs::read_dir(SERVERS).with_context(|| format!("cannot list {SERVERS}"))?;
    let mut servers: Vec<PathBuf> = listing.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    servers.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    servers.sort();
    Ok(servers)
}

/// Returns the folders of a recording's cells; of a run without factors, the run's.
fn cell_folders(recording: &PlannedRecording<'_>, folder: &Path) -> Vec<PathBuf> {
    let cells = recording.cells.iter();
    cells
        .map(|cell| folder.join(FactorLevel::folder_name(&cell.cell)))
        .collect()
}

/// Returns whether a folder holds a part of the recording.
fn has_begun(recording: &PlannedRecording<'_>, folder: &Path) -> bool {
    cell_folders(recording, folder)
        .iter()
        .any(|cell| cell.join(PLAN).exists())
}

/// Returns the manifests of the finished cells.
fn manifests(recording: &PlannedRecording<'_>, folder: &Path) -> Result<Vec<Manifest>> {
    let finished = cell_folders(recording, folder).into_iter();
    let finished = finished.filter(|cell| cell.join(MANIFEST_FILE).exists());
    finished.map(|cell| Ok(Run::open(&cell)?.manifest)).collect()
}
