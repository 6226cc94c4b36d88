//! Pushing an image to ECR with the Docker client.

use std::path::Path;

use engines::{CommandLine, CommandRunner, EngineError};

/// Pushes the image of this name in an archive, and returns its reference with the digest.
pub(super) fn push(
    commands: &CommandRunner,
    region: &str,
    repository: &str,
    archive: &Path,
    reference: &str,
) -> Result<String, EngineError> {
    let account = CommandLine::new(["aws", "sts", "get-caller-identity", "--region", region]);
    let account = commands.output(&account.arg("--query").arg("Account").arg("--output").arg("text"))?;
    let registry = format!("{account}.dkr.ecr.{region}.amazonaws.com");
    let tag = reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let remote = format!("{registry}/{repository}:{tag}");
    // The Docker client stores the registry's password in this folder, which is removed at the end.
    let home = tempfile::tempdir().map_err(EngineError::file(std::env::temp_dir()))?;
    let docker = |words: &[&str]| {
        CommandLine::new(["docker"])
            .env("DOCKER_CONFIG", home.path())
            .args(words)
    };
    let was_there = !commands.output(&docker(&["images", "--quiet", reference]))?.is_empty();
    let pushed = (|| {
        commands.run(&docker(&["load", "--input"]).arg(archive))?;
        commands.run(&docker(&["tag", reference, &remote]))?;
        let password = CommandLine::new(["aws", "ecr", "get-login-password", "--region", region]);
        let login = docker(&["login", "--username", "AWS", "--password-stdin", &registry]);
        commands.pipe(&password, &login)?;
        commands.run(&docker(&["push", &remote]))?;
        let digest = CommandLine::new(["aws", "ecr", "describe-images", "--region", region]);
        let digest = digest.arg("--repository-name").arg(repository);
        let digest = digest.arg("--image-ids").arg(format!("imageTag={tag}"));
        let digest = digest.arg("--query").arg("imageDetails[0].imageDigest").arg("--output");
        commands.output(&digest.arg("text"))
    })();
    let mut names = vec![remote.as_str()];
    if !was_there {
        names.push(reference);
    }
    for name in names {
        // The image may be missing after an error. The first error is reported.
        _ = commands
            .for_cleaning_up()
            .output(&docker(&["image", "rm", "--force", name]));
    }
    let digest = pushed?;
    commands.check_stop()?;
    Ok(format!("{registry}/{repository}@{digest}"))
}
