//! The beacon's pod and service.

use std::net::SocketAddr;

use serde_json::Value;

use super::super::{finding::Finding, link::Link, reply::Reply};

/// The beacon's pod and service, as `kubectl get deployments,pods,services -o json` lists them.
pub fn cluster(reply: &Reply, wanted_port: Option<u16>) -> Finding {
    let link = Link::Cluster;
    let list = match reply {
        Reply::NotAsked(why) => return Finding::unused(link, why.clone()),
        Reply::Is(list) => list,
        other => {
            return Finding::unknown(
                link,
                format!("kubectl: {}", other.why()),
                "run kubectl get pods with the same user, and mend that first",
            );
        }
    };
    let items = || list["items"].as_array().into_iter().flatten();
    let of = |kind: &'static str| items().filter(move |item| item["kind"] == kind && is_beacons(item));
    let Some(service) = of("Service").next() else {
        return match items().count() {
            0 => Finding::unused(link, "the chart is not in this namespace"),
            _ => Finding::unknown(
                link,
                "there is no service of the beacon in this namespace",
                "name the namespace that has it with --namespace",
            ),
        };
    };
    let pods: Vec<&Value> = of("Pod").filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect();
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    if pods.is_empty() {
        return Finding::failed(
            link,
            "the beacon has no pod",
            "see why: kubectl describe deployment with the label app.kubernetes.io/component=beacon",
        );
    }
    if ready == 0 {
        let why = pods.iter().find_map(|pod| waits_for(pod)).unwrap_or_else(|| "it is not ready".into());
        return Finding::failed(link, format!("the beacon's pod does not run: {why}"), next_of(&why));
    }
    let port = node_port(service);
    match (port, wanted_port) {
        (Some(port), Some(wanted)) if port != wanted => Finding::ok(
            link,
            format!(
                "{ready} pod ready, node port {port}; the world asks for port {wanted}, which the router is to lead there"
            ),
        ),
        (Some(port), _) => Finding::ok(link, format!("{ready} pod ready, node port {port}")),
        (None, _) => Finding::failed(
            link,
            "the beacon's service has no node port",
            "set beacon.service to a NodePort in the chart's values",
        ),
    }
}

/// The node that the beacon's pod runs on, with its port.
pub fn node(cluster: &Reply) -> Option<SocketAddr> {
    let items = || cluster.value()["items"].as_array().into_iter().flatten().filter(|it| is_beacons(it));
    let port = items().filter(|it| it["kind"] == "Service").find_map(node_port)?;
    let ip = items().find_map(|it| it["status"]["hostIP"].as_str()?.parse().ok())?;
    Some(SocketAddr::new(ip, port))
}

/// The port that each node has for the beacon.
pub fn node_port(service: &Value) -> Option<u16> {
    service["spec"]["ports"].as_array()?.iter().find_map(|port| u16::try_from(port["nodePort"].as_u64()?).ok())
}

/// Whether an object is the beacon's.
pub fn is_beacons(item: &Value) -> bool {
    item["metadata"]["labels"]["app.kubernetes.io/component"] == "beacon"
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// What a pod's container waits for, or how it ended.
fn waits_for(pod: &Value) -> Option<String> {
    let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let reason = |state: &Value| {
        let at = |kind: &str| state[kind]["reason"].as_str().map(str::to_owned);
        at("waiting").or_else(|| at("terminated"))
    };
    let scheduled =
        pod["status"]["conditions"].as_array().into_iter().flatten().find(|it| it["reason"] == "Unschedulable");
    containers
        .into_iter()
        .find_map(|container| reason(&container["state"]))
        .or_else(|| scheduled.map(|it| format!("Unschedulable ({})", it["message"].as_str().unwrap_or_default())))
}

fn next_of(why: &str) -> &'static str {
    match why {
        _ if why.contains("Image") => {
            "see image and tag in the chart's values, and whether this node reaches the registry"
        }
        _ if why.contains("CreateContainerConfigError") => {
            "make the Secret that the values name: helm get notes says how"
        }
        _ if why.contains("CrashLoopBackOff") || why.contains("Error") => {
            "see why it ends: kubectl logs with --previous"
        }
        _ => "see why: kubectl describe pod with the label app.kubernetes.io/component=beacon",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::super::finding::Outcome, *};

    fn chart(pod: &Value) -> Reply {
        let labels = json!({"labels": {"app.kubernetes.io/component": "beacon"}});
        let service =
            json!({"kind": "Service", "metadata": labels, "spec": {"ports": [{"port": 8080, "nodePort": 30008}]}});
        let mut items = vec![service];
        if !pod.is_null() {
            items.push(json!({"kind": "Pod", "metadata": labels, "status": pod}));
        }
        Reply::Is(json!({ "items": items }))
    }

    #[test]
    fn a_pod_is_ready_waits_or_is_missing() {
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let found = cluster(&chart(&ready), Some(30008));
        assert_eq!((found.outcome, found.saw.as_str()), (Outcome::Ok, "1 pod ready, node port 30008"));
        assert!(cluster(&chart(&ready), Some(443)).saw.contains("the world asks for port 443"));
        for (reason, next) in [
            ("ErrImagePull", "see image and tag"),
            ("CreateContainerConfigError", "make the Secret"),
            ("CrashLoopBackOff", "see why it ends"),
            ("ContainerCreating", "kubectl describe pod"),
        ] {
            let pod = json!({"conditions": [], "containerStatuses": [{"state": {"waiting": {"reason": reason}}}]});
            let found = cluster(&chart(&pod), None);
            assert_eq!(found.outcome, Outcome::Failed);
            assert!(found.saw.contains(reason) && found.next.unwrap().contains(next), "{reason}");
        }
        assert!(cluster(&chart(&Value::Null), None).saw.contains("has no pod"));
        let pending =
            json!({"conditions": [{"type": "PodScheduled", "reason": "Unschedulable", "message": "no node"}]});
        assert!(cluster(&chart(&pending), None).saw.contains("Unschedulable (no node)"));
    }

    #[test]
    fn a_namespace_without_the_chart_is_not_a_failure_and_one_that_cannot_be_asked_is_not_known() {
        assert_eq!(cluster(&Reply::Is(json!({"items": []})), None).outcome, Outcome::NotUsed);
        assert_eq!(cluster(&Reply::NotAsked("no kubectl".into()), None).outcome, Outcome::NotUsed);
        assert_eq!(cluster(&Reply::Silent("refused".into()), None).outcome, Outcome::NotConclusive);
        let other =
            json!({"items": [{"kind": "Service", "metadata": {"labels": {"app.kubernetes.io/component": "keeper"}}}]});
        assert_eq!(cluster(&Reply::Is(other), None).outcome, Outcome::NotConclusive);
        let labels = json!({"labels": {"app.kubernetes.io/component": "beacon"}});
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let without = json!({"items": [{"kind": "Service", "metadata": labels, "spec": {"ports": [{"port": 1}]}},
            {"kind": "Pod", "metadata": labels, "status": ready}]});
        assert!(cluster(&Reply::Is(without), None).saw.contains("has no node port"));
    }
}
