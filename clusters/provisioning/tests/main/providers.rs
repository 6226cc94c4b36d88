//! Clusters brought up and taken down with stand-ins for the tools: the command lines and their order, and that no resource
//! is left after any failure and any signal.

use std::process::Command;

use super::tools::{FakeTools, stderr};

const KIND_UP: &[&str] = &["up", "kind", "--archive", "image.tar", "--reference", "hook-latency:1"];
const NOTHING: [String; 0] = [];
const EKS_UP: &[&str] = &[
    "up",
    "eks",
    "--yes",
    "--archive",
    "image.tar",
    "--reference",
    "hook-latency:1",
];

/// Runs `cluster down`, which must succeed, and checks that no resource is left.
fn assert_removed(fakes: &FakeTools, provider: &str, faults: &[(&str, &str)], context: &str) {
    let output = fakes.run(&["down", provider], faults);
    assert!(output.status.success(), "{context}: {}", stderr(&output));
    assert_eq!(fakes.exists(), NOTHING, "{context}");
}

#[test]
fn a_kind_cluster_is_created_and_deleted() {
    let fakes = FakeTools::new();
    let output = fakes.run(KIND_UP, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fakes.exists(), ["cluster hook-latency", "kubeconfig kind.kubeconfig"]);
    assert_eq!(
        fakes.calls(),
        [
            "kind get clusters",
            "kind create cluster --name hook-latency --config kind/cluster.yaml --kubeconfig kubeconfigs/kind.kubeconfig \
             --wait 180s",
            "kind load image-archive image.tar --name hook-latency",
        ]
    );
    fakes.forget_calls();
    assert_removed(&fakes, "kind", &[], "after up");
    assert_eq!(
        fakes.calls(),
        [
            "kind get clusters",
            "kind delete cluster --name hook-latency --kubeconfig kubeconfigs/kind.kubeconfig",
            "kind get clusters",
        ]
    );
}

#[test]
fn an_eks_cluster_is_created_and_deleted() {
    let fakes = FakeTools::new();
    let output = fakes.run(EKS_UP, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("it costs about 0.80 USD an hour"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/hook-latency/image@sha256:0123456789abcdef"
    );
    assert_eq!(
        fakes.exists(),
        [
            "image 123456789012.dkr.ecr.us-east-1.amazonaws.com/hook-latency/image:1",
            "kubeconfig eks.kubeconfig",
            "placement hook-latency",
            "repository hook-latency/image",
            "stack eksctl-hook-latency-cluster",
            "stack eksctl-hook-latency-nodegroup-nodes",
        ]
    );
    let remote = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hook-latency/image:1";
    let stacks = "aws cloudformation describe-stacks --region us-east-1 --query \
                  Stacks[?Tags[?Key=='alpha.eksctl.io/cluster-name' && Value=='hook-latency']].StackName --output text";
    let groups = "aws ec2 describe-placement-groups --region us-east-1 --filters Name=group-name,Values=hook-latency \
                  --query PlacementGroups[?State!='deleting' && State!='deleted'].GroupName --output text";
    let repositories = "aws ecr describe-repositories --region us-east-1 --query \
                        repositories[?starts_with(repositoryName, 'hook-latency/')].repositoryName --output text";
    assert_eq!(
        fakes.calls(),
        [
            stacks,
            groups,
            repositories,
            "aws ec2 create-placement-group --region us-east-1 --group-name hook-latency --strategy cluster \
             --tag-specifications ResourceType=placement-group,Tags=[{Key=project,Value=hook-latency}]",
            "aws ecr create-repository --region us-east-1 --repository-name hook-latency/image \
             --tags Key=project,Value=hook-latency",
            "eksctl create cluster --config-file eks/cluster.yaml --kubeconfig kubeconfigs/eks.kubeconfig",
            "aws sts get-caller-identity --region us-east-1 --query Account --output text",
            "docker images --quiet hook-latency:1",
            "docker load --input image.tar",
            &format!("docker tag hook-latency:1 {remote}"),
            &fakes.calls()[10],
            &fakes.calls()[11],
            &format!("docker push {remote}"),
            "aws ecr describe-images --region us-east-1 --repository-name hook-latency/image --image-ids imageTag=1 \
             --query imageDetails[0].imageDigest --output text",
            &format!("docker image rm --force {remote}"),
            "docker image rm --force hook-latency:1",
        ]
    );
    // The two sides of a pipe start together.
    let mut pipe = fakes.calls()[10..12].to_vec();
    pipe.sort();
    assert_eq!(
        pipe,
        [
            "aws ecr get-login-password --region us-east-1",
            "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com",
        ]
    );
    fakes.forget_calls();
    assert_removed(&fakes, "eks", &[], "after up");
    assert_eq!(
        fakes.calls(),
        [
            stacks,
            "eksctl delete cluster --name hook-latency --region us-east-1 --wait --disable-nodegroup-eviction",
            stacks,
            stacks,
            groups,
            "aws ec2 delete-placement-group --region us-east-1 --group-name hook-latency",
            groups,
            repositories,
            "aws ecr delete-repository --region us-east-1 --repository-name hook-latency/image --force",
            repositories,
        ]
    );
}

#[test]
fn no_resource_is_left_whichever_call_fails() {
    for (line, least) in [(KIND_UP, 3), (EKS_UP, 16)] {
        for fault in ["FAKE_FAIL", "FAKE_BREAK"] {
            let mut failures = 0;
            for call in 1..=least {
                let fakes = FakeTools::new();
                let output = fakes.run(line, &[(fault, &call.to_string())]);
                assert!(fakes.calls().len() >= call, "{line:?}: call {call} was never made");
                if output.status.success() {
                    // The call was repeated, or it removed something on this machine: the cluster is up.
                    assert!(stderr(&output).contains("is up"), "{}", stderr(&output));
                    assert!(fakes.run(&["down", line[1]], &[]).status.success());
                } else {
                    failures += 1;
                    assert!(stderr(&output).contains("error: `"), "{}", stderr(&output));
                }
                let left: Vec<_> = fakes
                    .exists()
                    .into_iter()
                    .filter(|what| !what.starts_with("local"))
                    .collect();
                assert!(
                    left.is_empty(),
                    "{line:?}, {fault} at call {call}: {left:?} is left\n{}",
                    stderr(&output)
                );
            }
            assert!(failures >= 2, "{line:?}, {fault}: a fault was seen in {failures} calls");
        }
    }
}

#[test]
fn no_resource_is_left_whenever_a_signal_comes() {
    for (line, calls) in [(KIND_UP, 3), (EKS_UP, 16)] {
        for call in 1..=calls {
            let fakes = FakeTools::new();
            let output = fakes.run(line, &[("FAKE_SIGNAL", &call.to_string())]);
            assert!(!output.status.success());
            assert!(
                stderr(&output).contains("stopped by a signal"),
                "call {call}: {}",
                stderr(&output)
            );
            assert_eq!(fakes.exists(), NOTHING, "{line:?}, call {call}");
        }
    }
}

#[test]
fn down_deletes_the_resources_that_a_kill_left() {
    for (line, calls) in [(KIND_UP, 2), (EKS_UP, 6)] {
        for call in 2..=calls {
            let fakes = FakeTools::new();
            let faults = [("FAKE_SIGNAL", &*call.to_string()), ("FAKE_SIGNAL_NAME", "KILL")];
            let output = fakes.run(line, &faults);
            assert_eq!(output.status.code(), None, "killed");
            assert_removed(&fakes, line[1], &[], &format!("{line:?}, call {call}"));
        }
    }
}

#[test]
fn down_succeeds_despite_a_fault_or_a_signal_at_each_call() {
    for (line, calls) in [(KIND_UP, 3), (EKS_UP, 10)] {
        for call in 1..=calls {
            for fault in ["FAKE_FAIL", "FAKE_BREAK", "FAKE_SIGNAL"] {
                let fakes = FakeTools::new();
                assert!(fakes.run(&line[..line.len() - 4], &[]).status.success());
                fakes.forget_calls();
                let context = format!("{line:?}, {fault} at call {call}");
                assert_removed(&fakes, line[1], &[(fault, &call.to_string())], &context);
            }
        }
    }
}

#[test]
fn stacks_are_deleted_without_eksctl_and_remaining_resources_are_named() {
    let fakes = FakeTools::new();
    assert!(fakes.run(&["up", "eks", "--yes"], &[]).status.success());
    fakes.forget_calls();
    assert_removed(&fakes, "eks", &[("FAKE_FAIL", "2,4")], "eksctl fails");
    let calls = fakes.calls();
    let deleted: Vec<_> = calls.iter().filter(|call| call.contains("delete-stack")).collect();
    let [nodes, again, cluster] = deleted[..] else {
        panic!("{calls:?}")
    };
    assert!(nodes.ends_with("eksctl-hook-latency-nodegroup-nodes") && again == nodes);
    assert!(cluster.ends_with("eksctl-hook-latency-cluster"));

    assert!(fakes.run(&["up", "eks", "--yes"], &[]).status.success());
    fakes.forget_calls();
    // Stacks go; the placement group's deletion is refused three times; the repository goes all the same.
    let output = fakes.run(&["down", "eks"], &[("FAKE_FAIL", "6,7,8")]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("placement group"), "{}", stderr(&output));
    assert_eq!(fakes.exists(), ["placement hook-latency"]);
}

#[test]
fn no_money_is_spent_without_consent() {
    let fakes = FakeTools::new();
    let output = fakes.run(&["up", "eks"], &[]);
    assert!(!output.status.success());
    assert!(fakes.calls().is_empty(), "{:?}", fakes.calls());
    for expected in [
        "2 nodes c6i.2xlarge",
        "0.80 USD an hour",
        "at least 0.47 USD",
        "20 min",
        "--yes",
    ] {
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn a_second_cluster_is_not_created_over_the_first() {
    let fakes = FakeTools::new();
    assert!(fakes.run(&["up", "kind"], &[]).status.success());
    let output = fakes.run(&["up", "kind"], &[]);
    assert!(stderr(&output).contains("exists:"), "{}", stderr(&output));
    assert_eq!(fakes.exists().len(), 2, "and the first is untouched");
    let status = fakes.run(&["status", "kind"], &[]);
    assert_eq!(String::from_utf8_lossy(&status.stdout), "cluster: hook-latency\n");
}

#[test]
fn a_missing_tool_is_named() {
    let fakes = FakeTools::new();
    std::fs::remove_file(fakes.path("bin/kind")).unwrap();
    if ["/usr/bin/kind", "/bin/kind"]
        .iter()
        .any(|path| std::path::Path::new(path).exists())
    {
        println!("SKIPPED: a_missing_tool_is_named: kind is installed in /usr/bin");
        return;
    }
    let output = fakes.run(&["status", "kind"], &[]);
    assert!(
        stderr(&output).contains("`kind get clusters`: not installed"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_real_aws_accepts_every_command_line() {
    if Command::new("aws").arg("--version").output().is_err() {
        println!("SKIPPED: the_real_aws_accepts_every_command_line: aws is not installed");
        return;
    }
    let fakes = FakeTools::new();
    assert!(fakes.run(EKS_UP, &[]).status.success());
    assert!(fakes.run(&["down", "eks"], &[("FAKE_FAIL", "18")]).status.success());
    let log = std::fs::read_to_string(fakes.path("state/calls")).unwrap();
    let mut lines: Vec<_> = log.lines().filter(|line| line.starts_with("aws ")).collect();
    lines.sort_unstable();
    lines.dedup();
    let stacks = lines.iter().any(|line| line.contains("delete-stack"));
    assert!(lines.len() >= 10 && stacks, "{lines:?}");
    // Prints an example of an answer instead of asking, once the line has been understood.
    let refused = |line: &str| {
        let mut command = Command::new("aws");
        command.args(unquoted(line)).args(["--generate-cli-skeleton", "output"]);
        let output = command.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (said.contains("usage:") || said.contains("Unknown options")).then_some(said)
    };
    for line in lines {
        // The two that have no such examples.
        if line.contains("get-login-password") || line.contains(" wait ") {
            continue;
        }
        assert_eq!(refused(line), None, "{line}");
    }
    assert!(
        refused("aws ec2 delete-placement-group --group-names x").is_some(),
        "it does refuse"
    );
}

/// The words of a recorded line after the first; a query is the only word with spaces, and stands before --output.
fn unquoted(line: &str) -> Vec<String> {
    let Some((before, rest)) = line.split_once(" --query ") else {
        return line.split(' ').skip(1).map(str::to_owned).collect();
    };
    let (query, after) = rest.split_once(" --output ").expect("an output");
    let mut words: Vec<_> = before.split(' ').skip(1).map(str::to_owned).collect();
    words.extend(["--query", query, "--output", after].map(str::to_owned));
    words
}
