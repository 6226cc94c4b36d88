//! The command lines that the real tools accept.

/// A command, its flags with a value (`!` before a required flag), its flags without a value, and the number of its other
/// words.
type Known = (&'static str, &'static [&'static str], &'static [&'static str], usize);

const KNOWN: [Known; 20] = [
    ("kind get clusters", &[], &[], 0),
    (
        "kind create cluster",
        &["--name", "--config", "--image", "--wait", "--kubeconfig"],
        &["--retain"],
        0,
    ),
    ("kind delete cluster", &["--name", "--kubeconfig"], &[], 0),
    ("kind load image-archive", &["--name", "--nodes"], &[], 1),
    (
        "eksctl create cluster",
        &["--config-file", "--kubeconfig", "--timeout"],
        &["--dry-run"],
        0,
    ),
    (
        "eksctl delete cluster",
        &["--name", "--region", "--timeout", "--config-file", "--parallel"],
        &["--wait", "--force", "--disable-nodegroup-eviction"],
        0,
    ),
    (
        "aws sts get-caller-identity",
        &["--region", "--query", "--output"],
        &[],
        0,
    ),
    (
        "aws ec2 create-placement-group",
        &["--region", "!--group-name", "--strategy", "--tag-specifications"],
        &[],
        0,
    ),
    (
        "aws ec2 describe-placement-groups",
        &["--region", "--filters", "--query", "--output"],
        &[],
        0,
    ),
    ("aws ec2 delete-placement-group", &["--region", "!--group-name"], &[], 0),
    (
        "aws ecr create-repository",
        &["--region", "!--repository-name", "--tags"],
        &[],
        0,
    ),
    (
        "aws ecr describe-repositories",
        &["--region", "--query", "--output"],
        &[],
        0,
    ),
    (
        "aws ecr delete-repository",
        &["--region", "!--repository-name"],
        &["--force"],
        0,
    ),
    ("aws ecr get-login-password", &["--region"], &[], 0),
    (
        "aws ecr describe-images",
        &["--region", "!--repository-name", "--image-ids", "--query", "--output"],
        &[],
        0,
    ),
    (
        "aws cloudformation describe-stacks",
        &["--region", "--stack-name", "--query", "--output"],
        &[],
        0,
    ),
    (
        "aws cloudformation delete-stack",
        &["--region", "!--stack-name"],
        &[],
        0,
    ),
    (
        "aws cloudformation wait stack-delete-complete",
        &["--region", "!--stack-name"],
        &[],
        0,
    ),
    ("docker login", &["--username", "-u"], &["--password-stdin"], 1),
    ("docker load", &["--input", "-i"], &["--quiet"], 0),
];

/// Docker's commands that take only names.
const NAMES_ONLY: [Known; 4] = [
    ("docker images", &[], &["--quiet"], 1),
    ("docker tag", &[], &[], 2),
    ("docker push", &[], &[], 1),
    ("docker image rm", &[], &["--force"], 1),
];

/// A parsed command line.
pub(crate) struct Call {
    pub(crate) command: &'static str,
    flags: Vec<(String, String)>,
    pub(crate) words: Vec<String>,
}

impl Call {
    pub(crate) fn parse(line: &[String]) -> Result<Self, String> {
        let mut known = KNOWN.iter().chain(&NAMES_ONLY);
        let known = known.find(|known| {
            let words: Vec<_> = known.0.split(' ').collect();
            line.len() >= words.len() && line.iter().zip(&words).all(|(is, known)| is == known)
        });
        let &(command, valued, plain, count) = known.ok_or("unknown command")?;
        let mut rest = line[command.split(' ').count()..].iter();
        let (mut flags, mut words) = (Vec::new(), Vec::new());
        while let Some(word) = rest.next() {
            if plain.contains(&word.as_str()) {
                flags.push((word.clone(), String::new()));
            } else if valued.iter().any(|known| known.trim_start_matches('!') == word) {
                let value = rest.next().ok_or(format!("flag needs an argument: {word}"))?;
                flags.push((word.clone(), value.clone()));
            } else if word.starts_with('-') {
                return Err(format!("unknown flag: {word}"));
            } else {
                words.push(word.clone());
            }
        }
        for required in valued.iter().filter_map(|known| known.strip_prefix('!')) {
            if !flags.iter().any(|(flag, _)| flag == required) {
                return Err(format!("the following arguments are required: {required}"));
            }
        }
        if words.len() != count {
            return Err(format!("accepts {count} arg(s), received {}", words.len()));
        }
        Ok(Self { command, flags, words })
    }

    pub(crate) fn flag(&self, name: &str) -> Result<&str, String> {
        let found = self.flags.iter().find(|(flag, _)| flag == name);
        found.map(|(_, value)| value.as_str()).ok_or(format!("no {name} given"))
    }
}
