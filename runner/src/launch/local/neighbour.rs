//! The program of a neighbour on this machine.

use std::path::Path;

use model::Neighbour;

use crate::program::found;

/// Returns the reason why a neighbour cannot be started on this machine; `None` where it can.
pub(crate) fn lacking(neighbour: &Neighbour) -> Option<String> {
    let program = neighbour.command.first()?;
    found(Path::new(program))
        .is_none()
        .then(|| format!("neighbour: {program} is not installed; on Debian, try `apt-get install {program}`"))
}
