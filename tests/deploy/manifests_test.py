"""Every overlay: what Kubernetes' schemas say, that each flag is one of the program's, and that nothing points nowhere."""

import os
import re
import subprocess
import unittest
import urllib.parse

import schemas
import yaml
from rendered import COMPONENTS, ROOT, Rendered, container_ports, overlays, seconds

BIN = os.environ.get("HUBBUB_BIN", os.path.join(ROOT, "build", "dev"))
with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as cmake:
    VERSION = re.search(r"project\(hubbub VERSION ([\d.]+)", cmake.read())[1]
PROGRAMS = {"hubbub-gate": "gateway", "hubbub-connector": "connector", "hubbub-chat": "chat"}


def flags_of_program(program):
    text = subprocess.run([os.path.join(BIN, PROGRAMS[program], program), "--helpfull"], capture_output=True, text=True).stdout
    return set(re.findall(r"^\s+--(\w+) \(", text, re.M)) | {"flagfile"}


class Manifests:
    """The tests of one overlay."""

    @classmethod
    def setUpClass(cls):
        cls.overlay = Rendered(cls.__name__)

    def setUp(self):
        self.where = ""

    # Every failure says which workload it is about.
    def _formatMessage(self, message, standard):
        return f"{self.where}: {super()._formatMessage(message, standard)}"

    def each_workload(self):
        for workload in self.overlay.workloads():
            self.where = workload["metadata"]["name"]
            yield self.overlay, workload, workload["spec"]["template"]["spec"]
        self.where = ""

    def test_has_all_three_programs(self):
        self.assertEqual(len(self.overlay.workloads()), 3)

    def test_schemas_know_every_field(self):
        for document in self.overlay.documents:
            schemas.check(document)

    def test_every_flag_is_one_of_the_program(self):
        for overlay, workload, pod in self.each_workload():
            known = flags_of_program(pod["containers"][0]["command"][0])
            self.assertIn("directory", known)
            for where, flag, _ in overlay.flags_of(workload):
                self.assertIn(flag, known, f"{where}: the program has no flag --{flag}")

    def test_services_of_the_directory_are_headless_and_have_that_port(self):
        for overlay, workload, _ in self.each_workload():
            for where, flag, value in overlay.flags_of(workload):
                if not flag.endswith("_service"):
                    continue
                name, _, port = value.partition(":")
                # A whole name: without the dot at its end, DNS would be asked for it in each search domain first.
                name, _, rest = name.partition(".")
                self.assertEqual(rest, "$(POD_NAMESPACE).svc.$(CLUSTER_DOMAIN).")
                service = overlay.named("Service", name)
                self.assertIsNotNone(service, f"{where}: --{flag} names {name}, and there is no such Service")
                self.assertIs(service["spec"]["publishNotReadyAddresses"], True)
                self.assertEqual(service["spec"]["clusterIP"], "None")
                for other in overlay.pods_of({"matchLabels": service["spec"]["selector"]}):
                    self.assertEqual(container_ports(other)["grpc"], int(port), f"{where}: --{flag}")

    def test_client_ports_are_where_the_program_listens(self):
        for overlay, workload, _ in self.each_workload():
            said = {flag: value for _, flag, value in overlay.flags_of(workload)}
            ports = container_ports(workload)
            for flag, port in (("client_port", "clients"), ("metrics_port", "metrics")):
                self.assertEqual(str(ports[port]) if port in ports else None, said.get(flag), flag)

    def test_what_waits_for_slow_clients_fits_into_the_memory_of_the_pod(self):
        units = {"Mi": 1 << 20, "Gi": 1 << 30}
        for overlay, workload, pod in self.each_workload():
            said = {flag: value for _, flag, value in overlay.flags_of(workload)}
            if "client_port" not in said:
                continue
            limit = pod["containers"][0]["resources"]["limits"]["memory"]
            # The program's own default is for servers of any size.
            self.assertLessEqual(int(said.get("max_waiting_bytes", 512 << 20)), int(limit[:-2]) * units[limit[-2:]] // 2)

    def test_variables_stand_after_those_that_they_name(self):
        for _, workload, pod in self.each_workload():
            defined = set()
            container = pod["containers"][0]
            for variable in container["env"]:
                for used in re.findall(r"\$\((\w+)\)", variable.get("value", "")):
                    self.assertIn(used, defined, f"{variable['name']} names {used}, which does not stand before it")
                defined.add(variable["name"])
            for argument in container["args"]:
                for used in re.findall(r"\$\((\w+)\)", argument):
                    self.assertIn(used, defined)

    def test_probes_ask_the_grpc_port(self):
        if "+grpc-certificates" in type(self).__name__:
            return  # See GrpcCertificates.
        for _, workload, pod in self.each_workload():
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = pod["containers"][0][probe]["grpc"]["port"]
                self.assertEqual(port, container_ports(workload)["grpc"], probe)

    def test_services_lead_to_ports_of_pods(self):
        overlay = self.overlay
        for service in overlay.all("Service"):
            name = service["metadata"]["name"]
            pods = overlay.pods_of({"matchLabels": service["spec"]["selector"]})
            self.assertEqual(len(pods), 1, f"the Service {name} selects the pods of {len(pods)} workloads")
            for port in service["spec"]["ports"]:
                self.assertIn(port["targetPort"], container_ports(pods[0]), name)
                self.assertEqual(port["port"], container_ports(pods[0])[port["targetPort"]], name)

    def test_selectors_select(self):
        for overlay, workload, pod in self.each_workload():
            self.assertEqual(overlay.pods_of(workload["spec"]["selector"]), [workload])
            for spread in pod["topologySpreadConstraints"]:
                self.assertEqual(overlay.pods_of(spread["labelSelector"]), [workload])
            if workload["kind"] == "StatefulSet":
                self.assertIsNotNone(overlay.named("Service", workload["spec"]["serviceName"]))
            self.assertIsNotNone(overlay.named("ServiceAccount", pod["serviceAccountName"]))
        overlay = self.overlay
        for budget in overlay.all("PodDisruptionBudget"):
            self.assertEqual(len(overlay.pods_of(budget["spec"]["selector"])), 1)
        for scaler in overlay.all("HorizontalPodAutoscaler"):
            target = scaler["spec"]["scaleTargetRef"]
            workload = overlay.named(target["kind"], target["name"])
            self.assertIsNotNone(workload, f"{scaler['metadata']['name']} scales nothing")
        for ingress in overlay.all("Ingress"):
            for rule in ingress["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    backend = path["backend"]["service"]
                    service = overlay.named("Service", backend["name"])
                    self.assertIsNotNone(service, backend)
                    self.assertIn(backend["port"]["name"], [port["name"] for port in service["spec"]["ports"]])
        for monitor in overlay.all("ServiceMonitor"):
            labels = monitor["spec"]["selector"]["matchLabels"].items()
            services = [s for s in overlay.all("Service") if labels <= s["metadata"]["labels"].items()]
            for endpoint in monitor["spec"]["endpoints"]:
                having = [s for s in services if endpoint["port"] in [port["name"] for port in s["spec"]["ports"]]]
                self.assertEqual(len(having), 3, "one Service of each kind has the port that is scraped")
        for monitor in overlay.all("PodMonitor"):
            pods = overlay.pods_of(monitor["spec"]["selector"])
            self.assertEqual(len(pods), 3)
            for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                for pod in pods:
                    self.assertIn(endpoint["port"], container_ports(pod))
        for monitor in overlay.all("ServiceMonitor", "PodMonitor"):
            self.assertEqual(monitor["spec"]["jobLabel"], "app.kubernetes.io/name", "the alerts know jobs by it")

    def test_workloads_have_a_number_or_an_autoscaler_and_never_both(self):
        scaled = [(s["spec"]["scaleTargetRef"]["kind"], s["spec"]["scaleTargetRef"]["name"])
                  for s in self.overlay.all("HorizontalPodAutoscaler", "ScaledObject")]
        self.assertEqual(len(scaled), len(set(scaled)), "nothing is scaled by two")
        for _, workload, _ in self.each_workload():
            by = (workload["kind"], workload["metadata"]["name"]) in scaled
            self.assertNotEqual(by, "replicas" in workload["spec"])

    def test_routes_lead_to_ports_of_services(self):
        gateways = {gateway["metadata"]["name"]: gateway for gateway in self.overlay.all("Gateway")}
        for route in self.overlay.all("HTTPRoute", "TCPRoute"):
            for parent in route["spec"]["parentRefs"]:
                listeners = {listener["name"]: listener["protocol"] for listener in gateways[parent["name"]]["spec"]["listeners"]}
                self.assertEqual(listeners[parent["sectionName"]], {"HTTPRoute": "HTTPS", "TCPRoute": "TCP"}[route["kind"]])
            for rule in route["spec"]["rules"]:
                for backend in rule["backendRefs"]:
                    service = self.overlay.named("Service", backend["name"])
                    self.assertIsNotNone(service, backend)
                    self.assertIn(backend["port"], [port["port"] for port in service["spec"]["ports"]])

    def test_rollouts_leave_time_to_be_noticed(self):
        for _, workload, pod in self.each_workload():
            self.assertGreaterEqual(workload["spec"]["minReadySeconds"], 10)
            container = pod["containers"][0]
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                self.assertGreaterEqual(container[probe]["timeoutSeconds"], 3)
            if "clients" in container_ports(workload):
                self.assertGreaterEqual(container["lifecycle"]["preStop"]["sleep"]["seconds"], 3)
            dead = {t["key"]: t["tolerationSeconds"] for t in pod["tolerations"]}
            self.assertEqual(dead, {"node.kubernetes.io/not-ready": 30, "node.kubernetes.io/unreachable": 30})

    def test_services_have_both_families_where_the_cluster_has(self):
        for service in self.overlay.all("Service"):
            self.assertEqual(service["spec"]["ipFamilyPolicy"], "PreferDualStack", service["metadata"]["name"])

    def test_objects_say_what_they_are_part_of(self):
        for document in self.overlay.documents:
            labels = document["metadata"]["labels"]
            for name, value in (("part-of", "hubbub"), ("instance", "hubbub"), ("version", VERSION), ("managed-by", "kustomize")):
                self.assertEqual(labels.get(f"app.kubernetes.io/{name}"), value, document["metadata"]["name"])
        for _, workload, pod in self.each_workload():
            labels = workload["spec"]["template"]["metadata"]["labels"]
            component = labels["app.kubernetes.io/component"]
            self.assertEqual(labels["app.kubernetes.io/name"], f"hubbub-{component}")
            self.assertEqual(labels["app.kubernetes.io/version"], VERSION)
            self.assertEqual(workload["spec"]["selector"]["matchLabels"].keys(), {"app.kubernetes.io/name", "app.kubernetes.io/instance"})
            self.assertEqual(pod["containers"][0]["image"], f"hubbub:{VERSION}", "a tag that stays: latest would be asked for each time")

    def test_each_program_has_flags_of_its_own(self):
        maps = [volume["configMap"]["name"] for _, _, pod in self.each_workload() for volume in pod["volumes"] if "configMap" in volume]
        self.assertEqual(len(maps), len(set(maps)), "else a change of one program's flags would roll all")
        self.assertEqual(len(maps), 3)

    def test_network_policies_let_the_suite_talk_and_nobody_else(self):
        overlay = self.overlay
        open_to = {}  # (workload, port) -> the workloads that may come; None: all.
        for policy in overlay.all("NetworkPolicy"):
            targets = overlay.pods_of(policy["spec"]["podSelector"])
            self.assertTrue(targets, policy["metadata"]["name"])
            for rule in policy["spec"].get("ingress", []):
                for port in rule["ports"]:
                    for target in targets:
                        self.assertIn(port["port"], container_ports(target).values(), policy["metadata"]["name"])
                        for peer in rule.get("from", [None]):
                            may = open_to.setdefault((target["metadata"]["name"], port["port"]), set())
                            if peer and "hubbub-back-end" in str(peer):
                                # And nothing else: they are no part of the suite.
                                self.assertEqual(peer["podSelector"], {"matchExpressions": [{"key": "hubbub-back-end", "operator": "In", "values": ["true"]}]})
                            elif peer and "podSelector" in peer:
                                pods = overlay.pods_of(peer["podSelector"])
                                self.assertTrue(pods, policy["metadata"]["name"])
                                may.update(w["metadata"]["name"] for w in pods)
                            elif not peer:
                                may.add("anybody")
        for workload in overlay.workloads():
            name, ports = workload["metadata"]["name"], container_ports(workload)
            self.assertEqual(open_to.get((name, ports.get("clients"))), {"anybody"} if "clients" in ports else None)
            self.assertNotIn("anybody", open_to[name, ports["grpc"]])
            for other in overlay.workloads():
                for _, flag, value in overlay.flags_of(other):
                    if flag.endswith("_service") and value.startswith(name + "."):
                        self.assertIn(other["metadata"]["name"], open_to[name, ports["grpc"]], f"{flag} of {other['metadata']['name']}")

    def test_everything_is_in_one_namespace(self):
        for document in self.overlay.documents:
            if document["kind"] not in ("Namespace", "PriorityClass"):
                self.assertEqual(document["metadata"].get("namespace"), "hubbub", document["metadata"]["name"])

    def test_chat_pods_share_a_store_and_nobody_else_has_it(self):
        stores = {}
        for overlay, workload, _ in self.each_workload():
            stores[workload["metadata"]["name"]] = [value for _, flag, value in overlay.flags_of(workload) if flag == "store"]
        self.assertEqual(stores["hubbub-gate"] + stores["hubbub-connector"], [])
        self.assertEqual(len(stores["hubbub-chat"]), 1)
        chat = self.overlay.named("StatefulSet", "hubbub-chat")
        scheme, _, rest = stores["hubbub-chat"][0].partition(":")
        self.assertIn(scheme, ("sqlite", "postgres"))
        if scheme == "sqlite":
            self.check_file_of_the_node(chat, rest)
        else:
            self.check_database(chat, stores["hubbub-chat"][0])

    def check_file_of_the_node(self, chat, path):
        pod = chat["spec"]["template"]["spec"]
        mount, volume = self.overlay.mount_of(pod, path)
        self.assertIsNot(mount.get("readOnly"), True)
        claim = self.overlay.named("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
        # More would let pods of other nodes write the file, which SQLite cannot bear.
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOnce"])
        self.assertEqual(pod["securityContext"]["fsGroup"], pod["securityContext"]["runAsGroup"])
        scaled = [scaler["spec"]["scaleTargetRef"]["name"] for scaler in self.overlay.all("HorizontalPodAutoscaler")]
        self.assertNotIn("hubbub-chat", scaled)

    def check_database(self, chat, url):
        pod = chat["spec"]["template"]["spec"]
        said = {flag: value for _, flag, value in self.overlay.flags_of(chat)}
        parts = urllib.parse.urlsplit(url)
        settings = dict(urllib.parse.parse_qsl(parts.query))
        self.assertEqual(settings["sslmode"], "verify-full")
        secrets = set()
        for path in (settings["sslrootcert"], said["store_password_file"]):
            mount, volume = self.overlay.mount_of(pod, path)
            self.assertIn(path.removeprefix(mount["mountPath"] + "/"), [item["path"] for item in volume["secret"]["items"]])
            self.assertIs(mount["readOnly"], True)
            self.assertEqual(volume["secret"]["defaultMode"], 0o440, "its readers are the pod's group")
            secrets.add(volume["secret"]["secretName"])
        environment = {variable["name"]: variable for variable in pod["containers"][0]["env"]}
        for variable in re.findall(r"\$\((\w+)\)", parts.netloc):
            secrets.add(environment[variable]["valueFrom"]["secretKeyRef"]["name"])
        self.assertEqual(re.sub(r"\$\(\w+\)", "", parts.netloc), "@", "user and host are the Secret's")
        self.assertEqual(len(secrets), 1, "one Secret has all of it")
        to_database = [policy for policy in self.overlay.all("NetworkPolicy")
                       if {"port": 5432} in [port for rule in policy["spec"].get("egress", []) for port in rule["ports"]]]
        self.assertEqual([self.overlay.pods_of(policy["spec"]["podSelector"]) for policy in to_database], [[chat]])

    def test_passwords_are_in_secrets_and_those_are_not_here(self):
        self.assertEqual(self.overlay.all("Secret"), [])
        for overlay, workload, pod in self.each_workload():
            for _, flag, value in overlay.flags_of(workload):
                if flag == "store":
                    self.assertIsNone(urllib.parse.urlsplit(value).password)
                    self.assertNotIn("password", value)
                elif flag != "store_password_file":
                    self.assertNotIn("password", flag + value)
            for variable in pod["containers"][0]["env"]:
                self.assertFalse("PASS" in variable["name"].upper() and "value" in variable, variable["name"])
            if workload["metadata"]["name"] != "hubbub-chat":
                others = [volume for volume in pod["volumes"] if volume["name"] not in ("tls", "grpc-certificates")]
                self.assertNotIn("secret", str(others) + str(pod["containers"][0]["env"]).lower())

    def test_tls_is_for_all_servers_with_clients_by_files_of_one_secret(self):
        for overlay, workload, pod in self.each_workload():
            files = [value for _, flag, value in overlay.flags_of(workload) if flag in ("tls_certificate", "tls_key")]
            wanted = "+tls" in type(self).__name__ and workload["metadata"]["name"] != "hubbub-chat"
            # The names that Kubernetes gives the parts of a Secret of the type kubernetes.io/tls.
            self.assertEqual([os.path.basename(file) for file in files], ["tls.crt", "tls.key"] if wanted else [])
            for file in files:
                mount, volume = overlay.mount_of(pod, file)
                self.assertEqual(volume["secret"]["secretName"], "hubbub-tls")
                self.assertIs(mount["readOnly"], True)
                # A mount of a single file would not follow the Secret's changes.
                self.assertNotIn("subPath", mount)

    def test_an_ingress_shows_no_page_of_the_servers(self):
        led_to = {
            path["backend"]["service"]["name"]
            for ingress in self.overlay.all("Ingress")
            for rule in ingress["spec"]["rules"]
            for path in rule["http"]["paths"]
        }
        for overlay, workload, pod in self.each_workload():
            if pod["containers"][0]["command"][0] != "hubbub-gate":
                continue
            services = [overlay.named("Service", name) for name in led_to]
            public = any(workload in overlay.pods_of({"matchLabels": service["spec"]["selector"]}) for service in services)
            said = {flag: value for _, flag, value in overlay.flags_of(workload)}
            self.assertEqual(said.get("servers_page"), None if public else "true")

    def test_pods_are_restricted_and_have_time_to_drain(self):
        for overlay, workload, pod in self.each_workload():
            container = pod["containers"][0]
            self.assertIs(pod["automountServiceAccountToken"], False)
            self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
            self.assertGreater(pod["securityContext"]["runAsUser"], 0)
            self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)
            self.assertIs(container["securityContext"]["allowPrivilegeEscalation"], False)
            self.assertEqual(container["securityContext"]["capabilities"]["drop"], ["ALL"])
            self.assertIn("memory", container["resources"]["limits"])
            self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]))
            for _, flag, value in overlay.flags_of(workload):
                if flag == "drain_timeout":
                    before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                    self.assertGreater(pod["terminationGracePeriodSeconds"], before + seconds(value) + 5)
                    liveness = container["livenessProbe"]
                    self.assertGreater(liveness["failureThreshold"] * liveness["periodSeconds"], seconds(value) + 5)
        overlay = self.overlay
        labels = overlay.all("Namespace")[0]["metadata"]["labels"]
        self.assertEqual(labels["pod-security.kubernetes.io/enforce"], "restricted")


class GrpcCertificates(unittest.TestCase):
    """The component grpc-certificates, taken by each overlay."""

    def test_every_server_has_a_certificate_of_its_kind_and_probes_that_need_none(self):
        for name in overlays():
            if not name.endswith("+grpc-certificates"):
                continue
            overlay = Rendered(name)
            for document in overlay.workloads():
                schemas.check(document)
                kind = document["metadata"]["name"].removeprefix("hubbub-")
                pod = document["spec"]["template"]["spec"]
                container = pod["containers"][0]
                known = flags_of_program(container["command"][0])
                said = {flag: value for _, flag, value in overlay.flags_of(document)}
                for flag, file in (("grpc_certificate", "tls.crt"), ("grpc_key", "tls.key"), ("grpc_ca", "ca.crt")):
                    self.assertIn(flag, known)
                    mount, volume = overlay.mount_of(pod, said[flag])
                    self.assertEqual(said[flag], f"{mount['mountPath']}/{file}")
                    self.assertIs(mount["readOnly"], True)
                    self.assertEqual(volume["secret"]["secretName"], f"hubbub-grpc-{kind}")
                    self.assertEqual(volume["secret"]["defaultMode"], 0o440)
                self.assertEqual(pod["securityContext"]["fsGroup"], pod["securityContext"]["runAsGroup"])
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    self.assertNotIn("grpc", container[probe], f"{kind}: the kubelet has no certificate")
                    handler = container[probe].get("httpGet") or container[probe]["tcpSocket"]
                    self.assertIn(handler["port"], container_ports(document))
                self.assertNotIn("httpGet", container["livenessProbe"], "a server that drains answers 503 and lives")


class Readme(unittest.TestCase):
    """What deploy/README.md says of the manifests."""

    def test_its_table_has_every_component(self):
        with open(os.path.join(ROOT, "deploy", "README.md"), encoding="utf-8") as file:
            text = file.read()
        table = text.partition("\n### Components\n")[2].partition("\n## ")[0]
        named = re.findall(r"`([a-z-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `")))
        self.assertEqual(set(named), set(os.listdir(COMPONENTS)))
        for component in re.findall(r"components/([a-z-]+)", text):
            self.assertIn(component, named)


class Monitoring(unittest.TestCase):
    """The alerts and the dashboard, as Prometheus' operator and Grafana's sidecar take them."""

    def test_the_rule_has_the_alerts(self):
        [rule] = Rendered("production+prometheus-rule").all("PrometheusRule")
        with open(os.path.join(ROOT, "deploy", "monitoring", "alerts.yaml"), encoding="utf-8") as file:
            self.assertEqual(rule["spec"], yaml.safe_load(file))

    def test_the_map_has_the_dashboard(self):
        maps = Rendered("production+dashboard").all("ConfigMap")
        [dashboard] = [m for m in maps if m["metadata"]["labels"].get("grafana_dashboard") == "1"]
        with open(os.path.join(ROOT, "deploy", "monitoring", "dashboard.json"), encoding="utf-8") as file:
            self.assertEqual(dashboard["data"], {"hubbub.json": file.read()})


for name in overlays():
    globals()[name] = type(name, (Manifests, unittest.TestCase), {})


if __name__ == "__main__":
    unittest.main()
