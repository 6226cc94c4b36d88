//! Compiles `hook/words.txt` into the tables of the scanner.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

mod automaton;

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../words.txt");
    println!("cargo:rerun-if-changed={}", path.display());
    println!("cargo:rerun-if-changed=build");
    let text = fs::read_to_string(&path).map_err(|error| format!("hook/words.txt: {error}"))?;
    let words: Vec<&str> = text.lines().collect();
    if let Some(line) = words.iter().position(|word| word.is_empty() || word.len() > 64) {
        return Err(format!("hook/words.txt line {}: expected 1 to 64 bytes", line + 1).into());
    }
    let tables = automaton::compile(&words)?;
    let mut out = String::new();
    writeln!(
        out,
        "/// All words of `hook/words.txt`, in its order.\npub const WORDS: &[&str] = &{words:?};"
    )?;
    writeln!(out, "const CLASSES: [u8; 256] = {:?};", tables.classes)?;
    writeln!(out, "const STRIDE: u16 = {};", tables.stride)?;
    writeln!(out, "const FIRST_HIT: u16 = {};", tables.first_hit)?;
    writeln!(out, "static NEXT: [u16; {}] = {:?};", tables.next.len(), tables.next)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("tables.rs"), out)?;
    Ok(())
}
