"""Who may connect to whom, as NetworkPolicies say it: for pods, and for addresses outside the cluster."""

import ipaddress


def matches(selector, labels):
    for wanted in selector.get("matchExpressions", []):
        if wanted["operator"] != "In":
            raise NotImplementedError(wanted["operator"])
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer, namespace, other):
    """`other` is an address, or a namespace and labels; only an empty namespaceSelector is understood."""
    if "ipBlock" in peer:
        return isinstance(other, str) and ipaddress.ip_address(other) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
    if isinstance(other, str):
        return False
    assert peer.get("namespaceSelector") in (None, {}), peer
    elsewhere = "namespaceSelector" in peer
    return (elsewhere or other[0] == namespace) and matches(peer.get("podSelector", {}), other[1])


def passes(rules, side, namespace, other, port, protocol):
    for rule in rules or []:
        ports = rule.get("ports")
        fits = not ports or any(p["port"] == port and p.get("protocol", "TCP") == protocol for p in ports)
        if fits and (not rule.get(side) or any(is_peer(peer, namespace, other) for peer in rule[side])):
            return True
    return False


def allowed(policies, source, target, port, protocol="TCP"):
    """Whether a connection comes through; both ends must let it."""
    for end, other, direction, side in ((source, target, "Egress", "to"), (target, source, "Ingress", "from")):
        if isinstance(end, str):
            continue
        namespace, labels = end
        held = [
            p["spec"]
            for p in policies
            if p["metadata"]["namespace"] == namespace
            and matches(p["spec"]["podSelector"], labels)
            and direction in p["spec"]["policyTypes"]
        ]
        if held and not any(passes(s.get(direction.lower()), side, namespace, other, port, protocol) for s in held):
            return False
    return True
