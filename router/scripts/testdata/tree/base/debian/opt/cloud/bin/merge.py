"""The data bags: what the router was told last, one file a type in /etc/cloudstack."""
import gzip
import json
import os

BAGS = "/etc/cloudstack"


def take(path):
    """Moves the item into its bag and the file to processed/."""
    with open(path) as f:
        text = f.read()
    item = json.loads(text)
    bag = {"id": item["type"], "config": item["rules"]}
    if item["type"] == "forwardrules":
        bag["config"] = forwarded(stored("forwardrules"), item["rules"])
    with open(os.path.join(BAGS, item["type"] + ".json"), "w") as f:
        json.dump(bag, f, sort_keys=True)
    processed = os.path.join(os.path.dirname(path), "processed")
    if not os.path.isdir(processed):
        os.makedirs(processed)
    with gzip.open(os.path.join(processed, os.path.basename(path) + ".gz"), "wb") as f:
        f.write(text.encode("utf-8"))
    os.remove(path)
    return bag


def stored(kind):
    """The bag of that type, None before the first item."""
    path = os.path.join(BAGS, kind + ".json")
    if not os.path.isfile(path):
        return None
    with open(path) as f:
        return json.load(f)


def forwarded(before, rules):
    """An item of forwarding rules changes those that it names, and leaves the others."""
    place = lambda rule: (rule["source_ip_address"], rule["protocol"], rule["source_port_range"])
    named = [place(rule) for rule in rules]
    kept = [rule for rule in (before or {"config": []})["config"] if place(rule) not in named]
    return kept + [rule for rule in rules if not rule["revoke"]]
