//! A prerequisite of a condition or a verb.

/// A program, a file or a property of the machine.
#[derive(serde::Serialize)]
pub(super) struct Prerequisite {
    pub(super) name: String,
    /// Its purpose, or the isolation level of a condition.
    pub(super) purpose: String,
    pub(super) found: bool,
    /// Its location, or the reason why it is missing.
    pub(super) detail: String,
    /// The fix where it is missing.
    pub(super) fix: Option<String>,
}

impl Prerequisite {
    /// Prints the prerequisite for a person.
    pub(super) fn print(&self) {
        let mark = if self.found { "found  " } else { "missing" };
        println!("  {mark}  {:<24} {}: {}", self.name, self.purpose, self.detail);
        if let Some(fix) = self.fix.as_ref().filter(|_| !self.found) {
            println!("           {:<24} fix: {fix}", "");
        }
    }
}
