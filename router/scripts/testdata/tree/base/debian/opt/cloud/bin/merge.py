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
    with open(os.path.join(BAGS, item["type"] + ".json"), "w") as f:
        json.dump(bag, f, sort_keys=True)
    processed = os.path.join(os.path.dirname(path), "processed")
    if not os.path.isdir(processed):
        os.makedirs(processed)
    with gzip.open(os.path.join(processed, os.path.basename(path) + ".gz"), "wb") as f:
        f.write(text.encode("utf-8"))
    os.remove(path)
    return bag
