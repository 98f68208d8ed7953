"""What an object must be like: Kubernetes' own schemas, and those of the resources that others define. Strict: no field that they do not know."""

import copy
import functools
import os

import jsonschema
import kubernetes_validate
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CRDS = os.path.join(ROOT, ".cache", "crds")
# The oldest version that has all that is used (preStop: sleep), and the newest that the package knows.
VERSIONS = ("1.30", "1.37")


def check(document):
    """Raises an error that says what is wrong with the document."""
    group, _, version = document["apiVersion"].rpartition("/")
    if not group or "." not in group or group.endswith(".k8s.io") and not group.startswith("gateway."):
        for kubernetes in VERSIONS:
            kubernetes_validate.validate(document, kubernetes, strict=True)
        return
    jsonschema.validate(document, schema_of(group, version, document["kind"]))


@functools.cache
def schema_of(group, version, kind):
    path = os.path.join(CRDS, f"{group}_{kind.lower()}s.yaml")
    if not os.path.exists(path):
        raise LookupError(f"there is no schema of {group}'s {kind} at {path}: ./dev test fetches those that its list has")
    with open(path, encoding="utf-8") as file:
        definition = yaml.safe_load(file)
    for known in definition["spec"]["versions"]:
        if known["name"] == version and known["served"]:
            schema = strict(known["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            return schema
    raise LookupError(f"{group}'s {kind} has no version {version}")


def strict(schema):
    """A CRD's schema as the API server takes it, where an unknown field is an error."""
    schema = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, list):
            for inner in node:
                close(inner)
        if not isinstance(node, dict):
            return
        if "properties" in node and "additionalProperties" not in node and not node.get("x-kubernetes-preserve-unknown-fields"):
            node["additionalProperties"] = False
        if node.get("x-kubernetes-int-or-string"):
            node.pop("type", None)
            node["anyOf"] = [{"type": "integer"}, {"type": "string"}]
        if isinstance(node.get("pattern"), str) and node["pattern"].startswith("^(?i)"):
            node["pattern"] = "(?i)^" + node["pattern"].removeprefix("^(?i)")  # Python wants its flags first.
        for name, inner in node.items():
            # Alternatives name some of the properties only.
            if name not in ("anyOf", "oneOf", "allOf", "not"):
                close(inner)

    close(schema)
    return schema
