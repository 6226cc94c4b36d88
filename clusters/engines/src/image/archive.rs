//! The archive of an image with one layer. The same files give the same bytes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::contents::{ImageContents, ImageEntry};
use super::layout::Image;
use crate::error::EngineError;

impl ImageContents {
    /// Makes the image that holds these files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn image(&self) -> Result<Image, EngineError> {
        image(self)
    }
}

fn image(contents: &ImageContents) -> Result<Image, EngineError> {
    let layer = layer(contents)?;
    let path: Vec<_> = contents
        .search_path
        .iter()
        .map(|folder| folder.to_string_lossy())
        .collect();
    let digest = sha256(&layer);
    let config = serde_json::to_vec(&json!({
        "architecture": match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        },
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": format!("{0}:{0}", Image::USER),
            "WorkingDir": Image::WORK,
            "Entrypoint": [Image::AGENT],
            "Env": [format!("PATH={}", path.join(":"))],
            "Labels": { Image::LABEL: "" },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": Image::NAME }],
    }))
    .unwrap_or_default();
    let id = sha256(&config);
    // The identifier of an image is the digest of its configuration, which names the layer.
    let reference = format!("{}:{}", Image::NAME, &id[..12]);
    let manifest = serde_json::to_vec(&json!([{
        "Config": format!("{id}.json"),
        "RepoTags": [reference],
        "Layers": [format!("{digest}/layer.tar")],
    }]))
    .unwrap_or_default();
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, Path::new(&format!("{id}.json")), &config, 0o644)?;
    folder(&mut archive, Path::new(&digest), 0o755)?;
    add(&mut archive, Path::new(&format!("{digest}/layer.tar")), &layer, 0o644)?;
    add(&mut archive, Path::new("manifest.json"), &manifest, 0o644)?;
    let archive = archive.into_inner().map_err(written)?;
    Ok(Image { reference, archive })
}

/// Returns the layer: the files, the folders above them, and the mount points of engines.
fn layer(contents: &ImageContents) -> Result<Vec<u8>, EngineError> {
    let mut folders: BTreeSet<&Path> = ["/dev", "/etc", "/proc", "/sys", "/tmp", Image::WORK]
        .map(Path::new)
        .into();
    for path in contents.entries.keys() {
        folders.extend(path.ancestors().skip(1).filter(|folder| *folder != Path::new("/")));
    }
    let mut archive = Builder::new(Vec::new());
    for path in folders {
        let mode = if path == Path::new(Image::WORK) { 0o1777 } else { 0o755 };
        folder(&mut archive, relative(path), mode)?;
    }
    for (inside, entry) in &contents.entries {
        match entry {
            ImageEntry::File(outside) => {
                let content = std::fs::read(outside).map_err(EngineError::file(outside))?;
                add(&mut archive, relative(inside), &content, 0o755)?;
            }
            ImageEntry::Link(target) => link(&mut archive, relative(inside), target)?,
        }
    }
    archive.into_inner().map_err(written)
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn folder(archive: &mut Builder<Vec<u8>>, path: &Path, mode: u32) -> Result<(), EngineError> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(mode);
    header.set_size(0);
    archive.append_data(&mut header, path, &[][..]).map_err(written)
}

/// Adds a file of user 0 with a modification time in 1970.
fn add(archive: &mut Builder<Vec<u8>>, path: &Path, content: &[u8], mode: u32) -> Result<(), EngineError> {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content).map_err(written)
}

fn link(archive: &mut Builder<Vec<u8>>, path: &Path, target: &Path) -> Result<(), EngineError> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_mode(0o777);
    header.set_size(0);
    archive.append_link(&mut header, path, target).map_err(written)
}

fn written(source: std::io::Error) -> EngineError {
    EngineError::File {
        path: "the image's archive".into(),
        source,
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(entries: [(&str, ImageEntry); 1]) -> ImageContents {
        ImageContents {
            entries: entries.map(|(path, entry)| (path.into(), entry)).into(),
            search_path: ["/bin".into(), "/usr/bin".into()].into(),
        }
    }

    #[test]
    fn the_same_files_give_the_same_image_and_other_files_another() {
        let of =
            |inside: &str, outside: &str| image(&holding([(inside, ImageEntry::File(outside.into()))])).expect("image");
        let one = of("/lib64/libc.so.6", "/proc/version");
        assert_eq!(one, of("/lib64/libc.so.6", "/proc/version"));
        assert_ne!(one.reference, of("/lib64/libc.so.6", "/proc/filesystems").reference);
        let mut archive = tar::Archive::new(&*one.archive);
        let names: Vec<String> = archive
            .entries()
            .expect("entries")
            .map(|entry| entry.expect("entry").path().expect("path").display().to_string())
            .collect();
        assert_eq!((names.len(), names[3].as_str()), (4, "manifest.json"));
    }

    #[test]
    fn a_layer_holds_the_folders_of_its_files() {
        let contents = holding([("/lib64/deep/libc.so.6", ImageEntry::Link("/lib/libc.so".into()))]);
        let layer = layer(&contents).expect("layer");
        let mut archive = tar::Archive::new(&*layer);
        let names: Vec<String> = archive
            .entries()
            .expect("entries")
            .map(|entry| entry.expect("entry").path().expect("path").display().to_string())
            .collect();
        let wanted = [
            "dev",
            "etc",
            "lib64",
            "lib64/deep",
            "proc",
            "sys",
            "tmp",
            "work",
            "lib64/deep/libc.so.6",
        ];
        assert_eq!(names, wanted);
    }
}
