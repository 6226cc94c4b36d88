//! No file names the host of a package registry: packages come from the sources that a machine's own tools are set up for.

use super::files::TrackedFile;

/// The hosts, in parts, because this file names none either.
const HOSTS: [[&str; 2]; 17] = [
    ["deb.", "debian.org"],
    ["security.", "debian.org"],
    ["snapshot.", "debian.org"],
    ["archive.", "ubuntu.com"],
    ["crates", ".io"],
    ["pypi", ".org"],
    ["files.", "pythonhosted.org"],
    ["registry.", "npmjs.org"],
    ["repo1.", "maven.org"],
    ["repo.", "maven.apache.org"],
    ["proxy.", "golang.org"],
    ["apt.", "envoyproxy.io"],
    ["registry-1.", "docker.io"],
    ["registry.", "k8s.io"],
    ["ghcr", ".io"],
    ["quay", ".io"],
    ["mcr.", "microsoft.com"],
];

/// Files that tools write and that name a registry's index, and recordings of earlier runs.
const LEFT_OUT: [&str; 2] = ["Cargo.lock", "data/reference/"];

/// Finds the names of hosts.
pub(super) fn unnamed(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files
        .iter()
        .filter(|file| !LEFT_OUT.iter().any(|left_out| file.path.starts_with(left_out)))
    {
        for (index, line) in file.text.lines().enumerate() {
            let hosts = HOSTS.iter().map(|parts| parts.concat());
            for host in hosts.filter(|host| line.contains(host.as_str())) {
                breaches.push(format!(
                    "{}:{}: names the registry's host {host}; name the package and its tool instead",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_outside_of_lock_files_and_recordings() {
        let text = format!("first\nfetch {}\n", HOSTS[0].concat());
        let files = [".ci/run", "Cargo.lock", "data/reference/x/manifest.json"];
        let found = unnamed(&files.map(|path| TrackedFile::new(path, &text)));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(".ci/run:2: "), "{found:?}");
    }
}
