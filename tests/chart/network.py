"""Who may connect to whom, as NetworkPolicies say it: for pods, and for addresses outside the cluster."""

import ipaddress


def matches(selector, labels):
    for wanted in selector.get("matchExpressions", []):
        if wanted["operator"] not in ("In", "Exists"):
            raise NotImplementedError(wanted["operator"])
        if wanted["key"] not in labels or (wanted["operator"] == "In" and labels[wanted["key"]] not in wanted["values"]):
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer, namespace, other):
    """`other` is an address, or a namespace and labels. Of a namespace its name is the only label."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        left_out = any(within(other, cidr) for cidr in block.get("except", []))
        return isinstance(other, str) and within(other, block["cidr"]) and not left_out
    if isinstance(other, str):
        return False
    place = {"kubernetes.io/metadata.name": other[0]}
    here = matches(peer["namespaceSelector"], place) if "namespaceSelector" in peer else other[0] == namespace
    return here and matches(peer.get("podSelector", {}), other[1])


def within(address, cidr):
    return isinstance(address, str) and ipaddress.ip_address(address) in ipaddress.ip_network(cidr)


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
