"""The chart deploy/helm/hubbub: what it renders is what kustomize renders, field by field, and its values are checked."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import schemas
import yaml
from rendered import ROOT, Rendered, rendered_by_kustomize

CHART = os.path.join(ROOT, "deploy", "helm", "hubbub")
HELM = shutil.which("helm", path=os.path.join(ROOT, ".cache", "bin")) or shutil.which("helm")
PRODUCTION = os.path.join(CHART, "values-production.yaml")
# Each component with the values that ask for the same.
COMPONENTS = {
    "back-ends": {"networkPolicy": {"backEnds": True}},
    "dashboard": {"metrics": {"dashboard": {"enabled": True}}},
    "gateway-api": {"gatewayApi": {"enabled": True, "className": "example", "tlsSecret": "hubbub-ingress-tls"}},
    "grpc-certificates": {"grpcCertificates": {"enabled": True}},
    "keda": {"connector": {"keda": {"enabled": True}}},
    "load-balancer": {kind: {"service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}} for kind in ("gate", "connector")},
    "pod-monitor": {"metrics": {"podMonitor": {"enabled": True}}},
    "priority-class": {"priorityClass": {"create": True}},
    "prometheus-rule": {"metrics": {"prometheusRule": {"enabled": True}}},
    "service-monitor": {"metrics": {"serviceMonitor": {"enabled": True}}},
    "tls": {"tls": {"enabled": True}},
}


def helm(release, *values, namespace="hubbub"):
    """(documents, error) of `helm template`; each of the values is a file's path or what is in one."""
    with tempfile.TemporaryDirectory() as folder:
        command = [HELM, "template", release, CHART, "--namespace", namespace, "--kube-version", "1.30"]
        for number, value in enumerate(values):
            if isinstance(value, dict):
                path = os.path.join(folder, f"{number}.yaml")
                with open(path, "w", encoding="utf-8") as file:
                    yaml.safe_dump(value, file)
                value = path
            command += ["--values", value]
        done = subprocess.run(command, capture_output=True, text=True)
    # Helm says of each link that it has followed it.
    error = "\n".join(line for line in done.stderr.splitlines() if "found symbolic link" not in line)
    return [document for document in yaml.safe_load_all(done.stdout) if document], error


def comparable(documents):
    """{(kind, name): document} without what each tool adds of its own."""
    objects = {}
    for document in documents:
        if document["kind"] == "Namespace":
            continue  # Helm's namespace is made by whoever installs.
        metadata = document["metadata"]
        for label in ("app.kubernetes.io/managed-by", "helm.sh/chart"):
            metadata["labels"].pop(label, None)
        drop(metadata, "annotations", "helm.sh/resource-policy")
        template = document["spec"].get("template") if document["kind"] in ("Deployment", "StatefulSet") else None
        if template:
            # Either rolls the pods when flags change: Helm by this, kustomize by the map's name.
            drop(template["metadata"], "annotations", "checksum/flags")
            # The order of these means nothing.
            container = template["spec"]["containers"][0]
            container["args"].sort()
            for named in (container["volumeMounts"], template["spec"]["volumes"]):
                named.sort(key=lambda entry: entry["name"])
            for volume in template["spec"]["volumes"]:
                if "configMap" in volume:
                    volume["configMap"]["name"] = without_hash(volume["configMap"]["name"])
        if document["kind"] == "ConfigMap":
            metadata["name"] = without_hash(metadata["name"])
        objects[document["kind"], metadata["name"]] = document
    return objects


def drop(owner, name, key):
    owner.get(name, {}).pop(key, None)
    if not owner.get(name, True):
        del owner[name]


def without_hash(name):
    return re.sub(r"-flags-[0-9a-z]{10}$", "-flags", name)


class Chart(unittest.TestCase):
    maxDiff = 5000

    def check(self, overlay, *values):
        documents, error = helm("hubbub", *values)
        self.assertTrue(documents, error)
        # Valid then too: manifests_test checks what kustomize renders.
        ours, theirs = comparable(documents), comparable(rendered_by_kustomize(overlay))
        self.assertEqual(ours.keys(), theirs.keys())
        for key, document in theirs.items():
            self.assertEqual(ours[key], document, key)

    def test_the_defaults_are_the_overlay_one_node(self):
        self.check("one-node")

    def test_the_values_for_production_are_the_overlay_production(self):
        self.check("production", PRODUCTION)

    def test_each_component_has_values(self):
        self.assertEqual(set(COMPONENTS) | {"autoscaling"}, set(os.listdir(os.path.join(ROOT, "deploy", "kubernetes", "components"))))
        for component, values in COMPONENTS.items():
            with self.subTest(component):
                self.check(f"production+{component}", PRODUCTION, values)

    def test_two_releases_in_one_namespace_share_nothing(self):
        one, error = helm("first", {"networkPolicy": {"backEnds": True}, "priorityClass": {"create": True}})
        self.assertTrue(one, error)
        two, error = helm("second", {"gate": {"service": {"nodePort": 30015}}, "connector": {"service": {"nodePort": 30051}},
                                     "networkPolicy": {"backEnds": True}, "priorityClass": {"create": True}})
        self.assertTrue(two, error)
        names = [{(document["kind"], document["metadata"]["name"]) for document in documents} for documents in (one, two)]
        self.assertEqual(names[0] & names[1], set())
        first, second = Rendered(documents=one), Rendered(documents=two)
        for document in one:
            for selector in selectors(document):
                self.assertTrue(first.pods_of(selector), document["metadata"]["name"])
                self.assertEqual(second.pods_of(selector), [], document["metadata"]["name"])
        for workload in first.workloads():
            self.assertNotIn("second-", str(workload))
            for _, flag, value in first.flags_of(workload):
                if flag.endswith("_service"):
                    self.assertIsNotNone(first.named("Service", value.partition(".")[0]))
        ports = [{port.get("nodePort") for service in rendered.all("Service") for port in service["spec"]["ports"]} - {None}
                 for rendered in (first, second)]
        self.assertEqual(ports[0] & ports[1], set())

    def test_every_value_reaches_the_objects(self):
        node = {"disk": "ssd"}
        documents, error = helm("chat", PRODUCTION, {
            "image": {"repository": "registry.example.com/hubbub", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always",
                      "pullSecrets": [{"name": "registry"}]},
            "fullnameOverride": "talk", "clusterDomain": "example.internal",
            "podAnnotations": {"all": "yes"}, "extraEnv": [{"name": "TZ", "value": "UTC"}], "extraFlags": ["--log_level=debug"],
            "tolerations": [{"key": "chat", "operator": "Exists"}], "priorityClassName": "high", "nodeSelector": node,
            "serviceAccount": {"annotations": {"role": "chat"}},
            "gate": {"podAnnotations": {"own": "gate"}, "resources": {"requests": {"cpu": 1}}, "service": {"annotations": {"balancer": "inner"}},
                     "autoscaling": {"maxReplicas": 9, "cpu": 50}},
            "connector": {"advertise": "$(POD_NAME).example.com:443", "extraFlags": ["--max_connections=5000"],
                          "extraEnv": [{"name": "OWN", "value": "1"}], "affinity": {"podAntiAffinity": {}}},
            "chat": {"autoscaling": {"enabled": False}, "replicas": 5, "nodeSelector": {"zone": "a"}},
            "store": {"postgres": {"existingSecret": "database", "database": "talk", "port": 6432, "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}},
            "signIn": {"keysSecret": "keys", "audience": "chat", "issuer": "https://id.example.com"},
            "production": True, "grpcPlaintext": True, "trustedProxies": ["10.0.0.0/8", "fd00::/8"],
            "tls": {"enabled": True, "existingSecret": "own-tls", "allowPlain": True},
            "ingress": {"className": "traefik", "annotations": {"more": "yes"}},
            "networkPolicy": {"monitoringNamespace": "watch"},
            "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "30s"}},
        })
        self.assertTrue(documents, error)
        for document in documents:
            schemas.check(document)
        suite = Rendered(documents=documents)
        gate, connector, chat = (suite.named(kind, f"talk-{name}") for kind, name in
                                 (("Deployment", "gate"), ("StatefulSet", "connector"), ("StatefulSet", "chat")))
        for workload in (gate, connector, chat):
            template = workload["spec"]["template"]
            pod, container = template["spec"], template["spec"]["containers"][0]
            self.assertEqual(container["image"], "registry.example.com/hubbub@sha256:" + "0" * 64)
            self.assertEqual(container["imagePullPolicy"], "Always")
            self.assertEqual(pod["imagePullSecrets"], [{"name": "registry"}])
            self.assertEqual(template["metadata"]["annotations"]["all"], "yes")
            self.assertIn({"name": "TZ", "value": "UTC"}, container["env"])
            self.assertIn({"name": "CLUSTER_DOMAIN", "value": "example.internal"}, container["env"])
            self.assertIn({"key": "chat", "operator": "Exists"}, pod["tolerations"])
            self.assertEqual(pod["priorityClassName"], "high")
            self.assertEqual(pod["nodeSelector"]["disk"], "ssd")
            said = {flag: value for _, flag, value in suite.flags_of(workload)}
            self.assertEqual(said["log_level"], "debug")
            self.assertEqual((said["production"], said["grpc_plaintext"]), ("true", "true"))
            if workload is chat:
                self.assertNotIn("signin_keys", said)
                continue
            self.assertEqual((said["signin_audience"], said["signin_issuer"]), ("chat", "https://id.example.com"))
            self.assertEqual(suite.mount_of(pod, said["signin_keys"] + "/key.pem")[1]["secret"]["secretName"], "keys")
            self.assertEqual(suite.mount_of(pod, said["tls_key"])[1]["secret"]["secretName"], "own-tls")
            self.assertEqual(said["allow_plain"], "true")
            self.assertEqual(said["trusted_proxies"], "10.0.0.0/8,fd00::/8")
        self.assertEqual(gate["spec"]["template"]["metadata"]["annotations"]["own"], "gate")
        self.assertEqual(gate["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], 1)
        self.assertEqual(suite.named("Service", "talk-gate-clients")["metadata"]["annotations"], {"balancer": "inner"})
        scaler = suite.named("HorizontalPodAutoscaler", "talk-gate")["spec"]
        self.assertEqual((scaler["maxReplicas"], scaler["metrics"][0]["resource"]["target"]["averageUtilization"]), (9, 50))
        said = {flag: value for _, flag, value in suite.flags_of(connector)}
        self.assertEqual(said["max_connections"], "5000")
        container = connector["spec"]["template"]["spec"]["containers"][0]
        self.assertIn({"name": "ADVERTISE", "value": "$(POD_NAME).example.com:443"}, container["env"])
        self.assertIn({"name": "OWN", "value": "1"}, container["env"])
        self.assertEqual(connector["spec"]["template"]["spec"]["affinity"], {"podAntiAffinity": {}})
        self.assertEqual(chat["spec"]["replicas"], 5)
        self.assertEqual(chat["spec"]["template"]["spec"]["nodeSelector"], {"disk": "ssd", "zone": "a"})
        # The port that is dialled is the one in the Secret's host.
        self.assertIn("@$(STORE_HOST)/talk?", dict((f, v) for _, f, v in suite.flags_of(chat))["store"])
        self.assertIn("'secretName': 'database'", str(chat))
        self.assertEqual(suite.named("NetworkPolicy", "talk-store")["spec"]["egress"],
                         [{"ports": [{"port": 6432}], "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}])
        self.assertEqual(suite.all("Ingress")[0]["spec"]["ingressClassName"], "traefik")
        self.assertEqual(suite.all("ServiceMonitor")[0]["metadata"]["labels"]["release"], "prometheus")
        self.assertEqual(suite.named("ServiceAccount", "talk")["metadata"]["annotations"], {"role": "chat"})
        self.assertIn("watch", str(suite.named("NetworkPolicy", "talk-metrics")))

    def test_other_shapes(self):
        documents, _ = helm("hubbub", {"store": {"sqlite": {"existingClaim": "mine"}}, "networkPolicy": {"enabled": False}})
        suite = Rendered(documents=documents)
        self.assertEqual(suite.all("PersistentVolumeClaim") + suite.all("NetworkPolicy"), [])
        self.assertIn("'claimName': 'mine'", str(suite.named("StatefulSet", "hubbub-chat")))
        documents, _ = helm("hubbub", {"store": {"sqlite": {"storageClassName": "fast", "size": "5Gi"}}, "signIn": {"keysConfigMap": "keys"}})
        suite = Rendered(documents=documents)
        self.assertEqual(suite.all("PersistentVolumeClaim")[0]["spec"]["storageClassName"], "fast")
        self.assertIn({"name": "keys", "configMap": {"name": "keys"}}, suite.named("Deployment", "hubbub-gate")["spec"]["template"]["spec"]["volumes"])
        documents, _ = helm("hubbub", {"gatewayApi": {"enabled": True, "parentRefs": [{"name": "shared", "namespace": "gateways"}]},
                                       "hosts": {"gate": "a.example.com", "connector": "b.example.com"}})
        suite = Rendered(documents=documents)
        self.assertEqual(suite.all("Gateway") + suite.all("TCPRoute"), [])
        self.assertEqual(suite.all("HTTPRoute")[0]["spec"]["parentRefs"], [{"name": "shared", "namespace": "gateways"}])
        for document in documents:
            schemas.check(document)

    def test_a_wrong_value_is_a_sentence(self):
        wrong = [
            ({"store": {"type": "mysql"}}, "at '/store/type': value must be one of 'sqlite', 'postgres'"),
            ({"gate": {"replica": 3}}, "at '/gate': additional properties 'replica' not allowed"),
            ({"conector": {}}, "additional properties 'conector' not allowed"),
            ({"gate": {"replicas": "three"}}, "at '/gate/replicas': got string, want integer"),
            ({"connector": {"service": {"nodePort": 80000}}}, "at '/connector/service/nodePort': maximum"),
            ({"extraFlags": ["log_level=debug"]}, "at '/extraFlags/0': 'log_level=debug' does not match"),
            ({"image": {"digest": "0.1.0"}}, "at '/image/digest': '0.1.0' does not match"),
            ({"chat": {"autoscaling": {"enabled": True}}}, "chat.autoscaling.enabled goes with store.type postgres"),
            ({"ingress": {"enabled": True}}, "hosts.connector is empty: name the host"),
            ({"gatewayApi": {"enabled": True}, "hosts": {"gate": "a", "connector": "b"}}, "neither className nor parentRefs"),
            ({"gatewayApi": {"enabled": True, "className": "x"}, "hosts": {"gate": "a", "connector": "b"}}, "gatewayApi.tlsSecret is empty"),
            ({"connector": {"service": {"type": "ClusterIP"}}}, "connector.advertise is empty: say what clients are told"),
        ]
        for values, said in wrong:
            with self.subTest(values):
                documents, error = helm("hubbub", values)
                self.assertEqual(documents, [])
                self.assertIn(said, error)

    def test_the_commands_of_the_readme_render(self):
        with open(os.path.join(ROOT, "deploy", "README.md"), encoding="utf-8") as file:
            commands = re.findall(r"^helm (?:install|upgrade) (.*)$", file.read(), re.M)
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            commands += re.findall(r"^helm install ([^#\n]*)", file.read(), re.M)
        self.assertEqual(len(commands), 5)
        for command in commands:
            words = [word for word in shlex.split(command) if word not in ("--create-namespace", "--reuse-values")]
            done = subprocess.run([HELM, "template", *words, "--kube-version", "1.30"], cwd=ROOT, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_readme_names_every_value(self):
        with open(os.path.join(ROOT, "deploy", "README.md"), encoding="utf-8") as file:
            section = file.read().partition("\n## Helm\n")[2].partition("\n## ")[0]
        with open(os.path.join(CHART, "values.yaml"), encoding="utf-8") as file:
            values = yaml.safe_load(file)
        unsaid = {"clusterDomain", "fullnameOverride", "nameOverride", "serviceAccount"}  # As in every chart.
        self.assertEqual({value for value in values if not re.search(rf"\b{value}\b", section)}, unsaid)

    def test_its_versions_are_the_projects(self):
        with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
            version = re.search(r"project\(hubbub VERSION ([\d.]+)", file.read())[1]
        with open(os.path.join(CHART, "Chart.yaml"), encoding="utf-8") as file:
            chart = yaml.safe_load(file)
        self.assertEqual((chart["version"], chart["appVersion"]), (version, version))

    def test_it_can_be_packed(self):
        lint = subprocess.run([HELM, "lint", "--strict", CHART], capture_output=True, text=True)
        self.assertEqual(lint.returncode, 0, lint.stdout + lint.stderr)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([HELM, "package", CHART, "--destination", folder], check=True, capture_output=True)
            [package] = os.listdir(folder)
            packed = subprocess.run([HELM, "template", "hubbub", os.path.join(folder, package), "--namespace", "hubbub", "--kube-version", "1.30"],
                                    check=True, capture_output=True, text=True).stdout
        documents, _ = helm("hubbub")
        # The links of its folder files/ have become files.
        self.assertEqual([document for document in yaml.safe_load_all(packed) if document], documents)


def selectors(document):
    """Everything in an object by which it chooses pods of its own release."""
    if isinstance(document, list):
        for inner in document:
            yield from selectors(inner)
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        if name in ("selector", "podSelector", "labelSelector") and "hubbub-back-end" not in str(value):
            yield value if "matchLabels" in value else {"matchLabels": value}
        elif name != "namespaceSelector":
            yield from selectors(value)


if __name__ == "__main__":
    unittest.main()
