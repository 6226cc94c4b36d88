//! A folder with the project's programs, a short definition, and challenges.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use challenge::{DelayShare, Instrument};
use tempfile::TempDir;

/// Launches of a trial.
pub(crate) const LAUNCHES: u32 = 2;

/// A folder for one test.
pub(crate) struct Room {
    directory: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The built programs with a short definition.
    pub(crate) fn instrument(&self) -> Instrument {
        let built = Path::new(env!("CARGO_BIN_EXE_challenge")).parent().unwrap();
        for name in ["runner", "sut", "loadgen"] {
            assert!(
                built.join(name).exists(),
                "{name} is not built: cargo test --workspace --no-run"
            );
        }
        let definition = self.path("challenge.toml");
        let text = include_str!("../../../experiments/challenge.toml");
        let text = text.replace("launches = 10", &format!("launches = {LAUNCHES}"));
        let text = text.replace("rounds = 2_000", "rounds = 120");
        let text = text.replace(
            "warm_up_rounds = 250\nsegment_rounds = 250",
            "warm_up_rounds = 20\nsegment_rounds = 20",
        );
        // Other tests use the processors at the same time. A load generator that spins would wait for its next turn.
        let text = text.replace("wait = \"spin\"", "wait = \"sleep\"");
        fs::write(&definition, text).unwrap();
        let [hook, sealed_hook] = hooks();
        Instrument {
            binaries: built.to_owned(),
            hook: hook.clone(),
            sealed_hook: sealed_hook.clone(),
            definition,
        }
    }

    /// Begins a challenge and measures all its trials.
    pub(crate) fn examined(&self, trials: usize, delays: &[DelayShare], instrument: &Instrument) -> PathBuf {
        let folder = self.path("challenge");
        challenge::begin(&folder, trials, delays).unwrap();
        challenge::examine(&folder, instrument, None).unwrap();
        folder
    }
}

/// The hook and the object that is sealed, built once for each test process.
fn hooks() -> &'static [PathBuf; 2] {
    static BUILT: OnceLock<[PathBuf; 2]> = OnceLock::new();
    BUILT.get_or_init(|| {
        let packages = ["-p", "readhook", "-p", "readhook-sealed"];
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--profile", "hook", "--message-format", "json"])
            .args(packages)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        ["libreadhook.so", "libreadhook_sealed.so"].map(|name| {
            let end = format!("/hook/{name}");
            let file = messages.split('"').find(|text| text.ends_with(&end));
            file.unwrap_or_else(|| panic!("cargo named no {name}")).into()
        })
    })
}
