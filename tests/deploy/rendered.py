"""One overlay of deploy/kubernetes as Kubernetes would get it, and what tests ask of it."""

import os
import shutil
import subprocess
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OVERLAYS = os.path.join(ROOT, "deploy", "kubernetes", "overlays")
COMPONENTS = os.path.join(ROOT, "deploy", "kubernetes", "components")


def overlays():
    """Each overlay, and each with each of the components that it may take: NAME+COMPONENT."""
    names = sorted(os.listdir(OVERLAYS))
    # Where people say how many servers there are, no autoscaler does, and an overlay has each component once.
    not_both = {"one-node": {"autoscaling", "keda"}, "production": {"autoscaling"}}
    return names + [f"{name}+{component}" for name in names for component in sorted(os.listdir(COMPONENTS))
                    if component not in not_both[name]]


def rendered_by_kustomize(overlay):
    name, _, component = overlay.partition("+")
    if not component:
        return build(os.path.join(OVERLAYS, name))
    # As a copy of the overlay would have it: before the component that labels all.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(ROOT, "deploy"), os.path.join(folder, "deploy"), ignore=shutil.ignore_patterns("secrets"))
        own = os.path.join(folder, "deploy", "kubernetes", "overlays", name)
        path = os.path.join(own, "kustomization.yaml")
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
        content["components"].insert(-1, f"../../components/{component}")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file)
        return build(own)


def build(folder):
    kustomize = shutil.which("kustomize", path=os.path.join(ROOT, ".cache", "bin")) or shutil.which("kustomize")
    command = [kustomize, "build", folder] if kustomize else ["kubectl", "kustomize", folder]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


class Rendered:
    """An overlay, or what another tool has rendered."""

    def __init__(self, overlay=None, documents=None):
        self.documents = rendered_by_kustomize(overlay) if documents is None else documents

    def all(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def named(self, kind, name):
        found = [d for d in self.all(kind) if d["metadata"]["name"] == name]
        return found[0] if found else None

    def workloads(self):
        return self.all("Deployment", "StatefulSet")

    def pods_of(self, selector):
        """The workloads whose pods a selector takes; an empty one takes all."""
        labels = (selector or {}).get("matchLabels", {}) or {}
        return [w for w in self.workloads() if labels.items() <= w["spec"]["template"]["metadata"]["labels"].items()]

    def flags_of(self, workload):
        """[(where, flag, value)…]: of its arguments, and of the files that these name."""
        pod = workload["spec"]["template"]["spec"]
        container = pod["containers"][0]
        found = []
        for argument in container["args"]:
            name, _, value = argument.removeprefix("--").partition("=")
            found.append((workload["metadata"]["name"], name, value))
            if name == "flagfile":
                for line in self.mounted(pod, value).splitlines():
                    if line.strip() and not line.startswith("#"):
                        name, _, inner = line.strip().removeprefix("--").partition("=")
                        found.append((value, name, inner))
        return found

    def mounted(self, pod, path):
        """What a file of a ConfigMap holds, found as the kubelet finds it."""
        mount, volume = self.mount_of(pod, path)
        config = self.named("ConfigMap", volume["configMap"]["name"])
        return config["data"][path.removeprefix(mount["mountPath"] + "/")]

    def mount_of(self, pod, path):
        """Where the first container finds a file: (its mount, that one's volume)."""
        for mount in pod["containers"][0]["volumeMounts"]:
            if path.startswith(mount["mountPath"] + "/"):
                return mount, next(v for v in pod["volumes"] if v["name"] == mount["name"])
        raise KeyError(f"nothing is mounted at {path}")


def container_ports(workload):
    """{name: number}"""
    return {p["name"]: p["containerPort"] for p in workload["spec"]["template"]["spec"]["containers"][0]["ports"]}


def seconds(duration):
    return float(duration.removesuffix("s"))
