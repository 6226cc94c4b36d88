//! Reads from the state of a pod whether the pod runs, or the reason why it will not run.

use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::running;
use crate::container::ContainerState;

/// Longest time until a pod runs.
const START_TIMEOUT: Duration = Duration::from_secs(180);
/// Longest time until the cluster assigns a pod to a node. Pods of the preceding launch may still occupy the nodes.
const SCHEDULE_TIMEOUT: Duration = Duration::from_secs(45);

/// Returns the pod's address when all its containers run.
pub(super) fn running_address(pod: &Pod) -> Option<IpAddr> {
    let status = pod.status.as_ref()?;
    let statuses = status.container_statuses.as_ref()?;
    let wanted = pod.spec.as_ref()?.containers.len();
    let all = statuses.len() == wanted
        && statuses
            .iter()
            .all(|status| running::state(status) == Some(ContainerState::Running));
    if !all {
        return None;
    }
    status.pod_ip.as_ref()?.parse().ok()
}

/// Returns the reason why a pod will not run, when that is certain or a timeout is over.
pub(super) fn start_failure(pod: &Pod, waited: Duration) -> Option<String> {
    let status = pod.status.as_ref()?;
    for container in status.container_statuses.iter().flatten() {
        let name = &container.name;
        if let Some(ContainerState::Ended { code, out_of_memory }) = running::state(container) {
            let why = if out_of_memory { " because memory ran out" } else { "" };
            return Some(format!("{name} ended at once with {code}{why}"));
        }
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        let reason = waiting
            .and_then(|waiting| waiting.reason.as_deref())
            .unwrap_or_default();
        let message = waiting
            .and_then(|waiting| waiting.message.as_deref())
            .unwrap_or_default();
        let advice = match reason {
            "ErrImageNeverPull" => "load the image into every node: `--load-with COMMAND`, or name one by `--image`",
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" => "can the nodes reach the registry?",
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                "the logs of the node's container engine have the reason"
            }
            _ => continue,
        };
        return Some(format!("{name}: {reason}: {message}; {advice}"));
    }
    let conditions = status.conditions.iter().flatten();
    let mut unscheduled =
        conditions.filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled.next()
        && waited > SCHEDULE_TIMEOUT
    {
        let message = condition.message.as_deref().unwrap_or("no node takes it");
        return Some(format!("no node takes it: {message}"));
    }
    if status.phase.as_deref() == Some("Failed") {
        let reason = status.reason.as_deref().unwrap_or("it failed");
        return Some(format!("{reason}: {}", status.message.as_deref().unwrap_or_default()));
    }
    (waited > START_TIMEOUT).then(|| format!("it does not run after {} s", START_TIMEOUT.as_secs()))
}
