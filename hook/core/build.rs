//! Compiles `hook/words.txt` to the word file that the hook carries.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let list = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../words.txt");
    println!("cargo:rerun-if-changed={}", list.display());
    let text = fs::read(&list).map_err(|error| format!("hook/words.txt: {error}"))?;
    let file = readhook_compile::compile(&text).map_err(|error| format!("hook/words.txt: {error}"))?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("default.words"), file)?;
    Ok(())
}
