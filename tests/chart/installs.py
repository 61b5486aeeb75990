"""How the chart gets along with what is in the cluster already, and with other releases."""

import re

import helm
import rules
import schemas
from parts import CASES, MINIMAL, TOKEN, outcome, part, rendered, theirs


@part
def what_is_there_already():
    """The token is kept; what Kubernetes would refuse is refused with a sentence."""
    made = [rendered(MINIMAL, objects=objects).result() for objects in ([TOKEN], [], [])]
    tokens = [rendering.one("Secret", "porchlight-keeper-token")["data"]["TOKEN"] for rendering in made]
    if tokens[0] != TOKEN["data"]["TOKEN"] or len(set(tokens)) != 3 or any(len(token) < 40 for token in tokens):
        yield f"a token is not kept, or not made by chance: {tokens}"
    if "keeper-token" in "".join(line for line in made[0].notes.splitlines() if "create secret" in line):
        yield "the notes want a Secret that the chart makes"

    set_there = rendered(MINIMAL).result().one("StatefulSet", "porchlight-keeper")
    set_there = theirs("StatefulSet", "porchlight-keeper", spec=set_there["spec"])
    service = theirs("Service", "statuspage", "old", spec={"ports": [{"port": 80, "nodePort": 30008}]})
    ours = theirs("Service", "porchlight-beacon", spec={"ports": [{"port": 8080, "nodePort": 30008}]})
    cannot = "Kubernetes cannot change it, so set it back"
    for values, objects, expected in (
        ({}, [set_there, ours], ""),
        (
            {},
            [service],
            "service.nodePort 30008 is already that of the Service statuspage in this namespace: choose another "
            "one from 30000 to 32767 for this release, or uninstall the other (the old chart cannot be upgraded, only "
            "uninstalled)",
        ),
        ({"service": {"nodePort": 30009}}, [service], ""),
        (
            {"keeper": {"storage": {"size": "2Gi"}}},
            [set_there],
            f'keeper.storage.size was "1Gi" at the install and is now "2Gi": {cannot}',
        ),
        (
            {"keeper": {"storage": {"storageClassName": "fast"}}},
            [set_there],
            f'keeper.storage.storageClassName was "" at the install and is now "fast": {cannot}',
        ),
        (
            {"keeper": {"storage": {"existingClaim": "mine"}}},
            [set_there],
            f'keeper.storage.existingClaim was "" at the install and is now "mine": {cannot}',
        ),
        ({"keeper": {"enabled": False}, **CASES["without-keeper"]}, [set_there], ""),
    ):
        said = outcome(rendered(helm.merged(MINIMAL, values), objects=objects))
        if said.partition("\n")[2] != expected:
            yield f"beside {[o['metadata']['name'] for o in objects]}, {values} says: {said}"

    key, page = theirs("Secret", "statuspage", data={"TOKEN": "a2V5"}), {"statuspage": {"pageId": "gytm4qzbx9t6"}}
    waits = (
        "statuspage.pageId is set, so the keeper relays to that page, but there is no Secret statuspage with the API key "
        "in TOKEN: make it (kubectl -n porchlight create secret generic statuspage --from-file=TOKEN=statuspage.token), "
        "or set keeper.relay to false"
    )
    for values, objects, expected in (
        (page, [], ""),
        (page, [set_there], waits),
        (page, [set_there, {**key, "data": {"KEY": "a2V5"}}], waits),
        (page, [set_there, key], ""),
        (helm.merged(page, {"statuspage": {"token": "0123456789abcdef"}}), [set_there], ""),
        (helm.merged(page, {"keeper": {"relay": False}}), [set_there], ""),
    ):
        said = outcome(rendered(helm.merged(MINIMAL, values), objects=objects))
        if said.partition("\n")[2] != expected:
            yield f"with the keeper and its Secrets {[o['metadata']['name'] for o in objects]}, {values} says: {said}"

    written = theirs("Secret", "my-channels", data={"URLS": "bnRmeTovL250Znkuc2gvaG9tZQ=="})
    waits = (
        "keeper.notify.secretName is set, but there is no Secret my-channels with the channels in URLS: make it (kubectl -n "
        "porchlight create secret generic my-channels --from-file=URLS=notify.urls), or leave the name out"
    )
    for notify, objects, expected in (
        ({"secretName": "my-channels"}, [], ""),
        ({"secretName": "my-channels"}, [set_there], waits),
        ({"secretName": "my-channels"}, [set_there, {**written, "data": {"TOKEN": "a2V5"}}], waits),
        ({"secretName": "my-channels"}, [set_there, written], ""),
        ({"urls": "ntfy://ntfy.sh/home"}, [set_there], ""),
    ):
        said = outcome(rendered(helm.merged(MINIMAL, {"keeper": {"notify": notify}}), objects=objects))
        if said.partition("\n")[2] != expected:
            yield f"with the keeper and its channels {[o['metadata']['name'] for o in objects]}, {notify} says: {said}"

    key = theirs("Secret", "pinglow-api", data={"API_KEY": "MDEyMzQ1Njc4OWFiY2RlZg=="})
    waits = (
        "keeper.pinglow.secretName is set, but there is no Secret pinglow-api with the key of Pinglow's clients in API_KEY: make it "
        "(kubectl -n porchlight create secret generic pinglow-api --from-file=API_KEY=api.key), or leave the name out"
    )
    for objects, expected in (
        ([], ""),
        ([set_there], waits),
        ([set_there, {**key, "data": {"TOKEN": "a2V5"}}], waits),
        ([set_there, key], ""),
    ):
        said = outcome(rendered(helm.merged(MINIMAL, {"keeper": {"pinglow": {"secretName": "pinglow-api"}}}), objects=objects))
        if said.partition("\n")[2] != expected:
            yield f"with the keeper and the key of Pinglow's clients {[o['metadata']['name'] for o in objects]} it says: {said}"

    direct = CASES["without-keeper"]
    claim = theirs("PersistentVolumeClaim", "porchlight-state", spec={"storageClassName": "local-path"})
    for state, expected in (
        ({}, ""),
        ({"storageClassName": "local-path"}, ""),
        ({"storageClassName": "fast"}, 'state.storageClassName was "local-path" at the install and is now "fast"'),
        ({"storageClassName": "fast", "existingClaim": "mine"}, ""),
    ):
        said = outcome(rendered(helm.merged(direct, {"state": state}), objects=[claim]))
        if bool(said) != bool(expected) or expected not in said:
            yield f"beside the claim of the jobs, {state} says: {said}"

    claimed = rendered(CASES["own-objects"]).result().one("StatefulSet", "porchlight-keeper")
    claimed = theirs("StatefulSet", "porchlight-keeper", spec=claimed["spec"])
    for values, expected in ((CASES["own-objects"], ""), (MINIMAL, 'keeper.storage.existingClaim was "my-data"')):
        said = outcome(rendered(values, objects=[claimed, written]))
        if bool(said) != bool(expected) or expected not in said:
            yield f"beside a claim of the user's own it says: {said}"
    old = outcome(rendered(MINIMAL, version="1.26"))
    if "requires kubeVersion: >=1.27.0-0 which is incompatible with Kubernetes v1.26.0" not in old:
        yield f"an old Kubernetes is told: {old}"
    for values, expected in ((MINIMAL, 2), (CASES["without-keeper"], 1)):
        monitors = [len(rendered(values, monitors=bool(known)).result().all("ServiceMonitor")) for known in (0, 1)]
        if monitors != [0, expected]:
            yield f"there are {monitors} ServiceMonitors without and with their API, and not {[0, expected]}"


@part
def releases():
    """Any name of a release works, and two releases share a namespace."""
    names = ["porchlight", "home", "2nd-home", "home.two", "home-two", "true", "a" * 53, "a" * 52 + "b", "1.0"]
    found = [rendered(CASES["everything"], release=name, namespace="123") for name in names]
    found = [job.result() for job in found]
    for name, rendering in zip(names, found):
        yield from (f"{name}: {problem}" for problem in rules.problems(rendering, name, "123"))
        yield from (
            f"{name}: {problem}" for thing in rendering.objects for problem in schemas.problems(thing, ["1.32"])
        )
        for service in rendering.all("Service"):
            if not re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", service["metadata"]["name"]):
                yield f"{name}: no Service can be called {service['metadata']['name']}"
    yield from rules.apart(found)
