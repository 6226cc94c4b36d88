//! The servers that an experiment can name: the command that starts one, and how often it receives.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clusters::Image;

use crate::definition::Sut;

/// A single source file, which the JDK compiles when it starts.
const JAVA: (&str, &str) = ("HttpServerApp.java", include_str!("../../sut/java/HttpServerApp.java"));

/// The command that starts a server which listens on `address`.
/// Its files are in `binaries`, or written to `folder`.
pub(crate) fn command(binaries: &Path, folder: &Path, sut: &Sut, address: SocketAddr) -> Result<Vec<OsString>> {
    match sut {
        Sut::Synthetic {
            accept,
            receive,
            reads_per_request,
            response_bytes,
            work_ns,
            threads,
        } => {
            let mut words: Vec<OsString> = vec![binaries.join("sut").into()];
            for (flag, value) in [
                ("--listen", address.to_string()),
                ("--accept", accept.name().to_owned()),
                ("--receive", receive.name().to_owned()),
                ("--reads-per-request", reads_per_request.to_string()),
                ("--response-bytes", response_bytes.to_string()),
                ("--work-ns", work_ns.to_string()),
                ("--threads", threads.to_string()),
            ] {
                words.extend([flag.into(), value.into()]);
            }
            Ok(words)
        }
        Sut::Java {} => {
            let (name, text) = JAVA;
            let source = folder.join(name);
            fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
            Ok(vec!["java".into(), source.into(), address.to_string().into()])
        }
    }
}

/// The same in a container, whose image holds the synthetic server alone.
pub(crate) fn command_in_image(sut: &Sut, address: SocketAddr) -> Result<Vec<String>> {
    ensure!(
        matches!(sut, Sut::Synthetic { .. }),
        "images hold the synthetic server only; use another [sut], or a condition local-*"
    );
    let program = Path::new(Image::SUT);
    let words = command(
        program.parent().unwrap_or(program),
        Path::new(Image::WORK),
        sut,
        address,
    )?;
    Ok(words
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect())
}

/// How many receives of payload the hook must have seen after so many requests.
pub(crate) fn receives(sut: &Sut, requests: u64) -> RangeInclusive<u64> {
    match sut {
        Sut::Synthetic { reads_per_request, .. } => {
            let expected = requests * u64::from(*reads_per_request);
            expected..=expected
        }
        // The JDK's library decides how it reads; a request cannot arrive without a read.
        Sut::Java {} => requests..=u64::MAX,
    }
}
