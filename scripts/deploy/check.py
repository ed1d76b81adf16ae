"""The rules that docker-compose.yml, the Dockerfile and deploy/ have to keep, see scripts/check-deploy.sh.

What a tool of its own checks better is not here: the files' schemas (`docker compose config`, `kubectl`), whether an alert fires
(promtool), the metrics' names (scripts/check-metrics.sh). Each rule that is broken is told with its file, and the end is 1.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

import yaml

try:
    import tomllib
except ImportError:  # Python before 3.11
    import tomli as tomllib

COMPOSE = "docker-compose.yml"
DOCKERFILE = "Dockerfile"
OPERATIONS = "docs/OPERATIONS.md"
KUBERNETES = Path("deploy/kubernetes")
RULES = "deploy/prometheus/ottla.rules.yml"
CASES = "deploy/prometheus/ottla.rules.test.yml"
DAY = 24 * 60 * 60

held = 0
broken = []


def rule(name, file, holds, what):
    """Counts a fact, or keeps what is to be said of it."""
    global held
    if holds:
        held += 1
    else:
        broken.append(f"{file}: {name}: {what}")


# ── What the code says ───────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def text(file):
    return Path(file).read_text(encoding="utf-8")


def keys():
    """Every key of the configuration with its default: a test holds that page to the program."""
    found = dict(re.findall(r"^\| `([a-z_.]+)` \| `(.*?)` \|", text("docs/CONFIGURATION.md"), re.M))
    assert "server.stop_deadline_seconds" in found, "docs/CONFIGURATION.md has no tables of keys any more"
    return found


def routes():
    """The addresses that are answered, without those of the API."""
    named = dict(re.findall(r"const (\w+): &str = \"(/\w+)\";", text("server/src/http/guard.rs")))
    found = set(re.findall(r"\.route\(\"(/[^\"]*)\"", text("server/src/http.rs")))
    found |= {named[name] for name in re.findall(r"\.route\(guard::(\w+)", text("server/src/http.rs"))}
    assert "/healthz" in found and "/readyz" in found, "server/src/http.rs does not name its routes like this any more"
    return found


def largest_body():
    """The largest body that any route takes, in bytes."""
    product = re.search(r"MOST_ROWS: usize = ([\d *]+);", text("server/src/http/download.rs")).group(1)
    size = 1
    for factor in product.split("*"):
        size *= int(factor)
    return size


KEYS, ROUTES, LARGEST_BODY = keys(), routes(), largest_body()


# ── What several have in common ──────────────────────────────────────────────────────────────────────────────────────────────


def is_pinned(image):
    """Whether an image has a tag, or a digest, that is none of those that move."""
    if "@sha256:" in image:
        return True
    name, _, tag = image.rpartition(":")
    return bool(name) and "/" not in tag and tag not in ("", "latest", "stable", "edge", "main", "master")


def seconds(duration):
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", str(duration))
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def is_a_key(name):
    return name in KEYS or name.replace("feeds.", "feed.", 1) in KEYS


def flat(table, path=""):
    """The keys of a configuration file, with their values."""
    for name, value in table.items():
        key = f"{path}{name}"
        if name in ("properties", "property_files"):
            yield key, value
        elif isinstance(value, dict):
            yield from flat(value, f"{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                yield from flat(entry, f"{key}.")
        else:
            yield key, value


def check_variables(file, where, variables):
    for name in variables:
        if name.startswith("OTTLA_") and name != "OTTLA_CONFIG":
            key = name.removeprefix("OTTLA_").lower().replace("__", ".")
            rule("variable-is-a-key", file, is_a_key(key), f"{where}: {name} is no key of docs/CONFIGURATION.md")


def check_configuration(file):
    """A configuration file; what it sets."""
    found = dict(flat(tomllib.loads(text(file))))
    for key in found:
        rule("key-exists", file, is_a_key(key), f"{key} is no key of docs/CONFIGURATION.md")
    return found


def check_path(file, where, path):
    rule("path-is-a-route", file, path in ROUTES, f"{where}: {path} is no route of server/src/http.rs")


SECRET = re.compile(r"password|passphrase|secret|token|credential|private.?key", re.I)


def check_secrets(file, data, name=""):
    """No value of a name that says that it is one. A reference, a path and an empty value are none."""
    if isinstance(data, dict):
        # Kubernetes' way to write a variable.
        if isinstance(data.get("name"), str) and isinstance(data.get("value"), str):
            check_secrets(file, data["value"], data["name"])
        rule("no-secrets", file, data.get("kind") != "Secret", "a Secret belongs into the cluster, not into a file")
        for key, value in data.items():
            check_secrets(file, value, str(key))
    elif isinstance(data, list):
        for value in data:
            key, is_assignment, rest = str(value).partition("=")
            check_secrets(file, *((rest, key) if is_assignment and isinstance(value, str) else (value, name)))
    elif isinstance(data, str) and SECRET.search(name) and name != "secretName":
        rule("no-secrets", file, data == "" or data[0] in "$/", f"{name} has a value")


# ── docker-compose.yml and what it mounts ────────────────────────────────────────────────────────────────────────────────────


def check_compose():
    compose = yaml.safe_load(text(COMPOSE))
    services = compose["services"]
    check_secrets(COMPOSE, compose)
    common = check_configuration("ottla.example.toml")
    built = [service.get("image") for service in services.values() if "build" in service]
    rule("built-once", COMPOSE, len(built) == len(set(built)), f"several services build one tag: {built}")
    for name, service in services.items():
        is_ours = str(service.get("image", "")).startswith("ottla")
        variables = service.get("environment") or {}
        if isinstance(variables, list):
            variables = dict(variable.partition("=")[::2] for variable in variables)
        rule("image-pinned", COMPOSE, is_pinned(service.get("image", "")), f"{name}: {service.get('image')} is not one version")
        has_check = "test" in service.get("healthcheck", {}) or (is_ours and "\nHEALTHCHECK " in text(DOCKERFILE))
        is_off = service.get("healthcheck", {}).get("disable", False)
        rule("health-check", COMPOSE, has_check and not is_off, f"{name} has none")
        for port in service.get("ports", []):
            is_loopback = isinstance(port, str) and port.startswith("127.0.0.1:")
            rule("loopback-only", COMPOSE, is_loopback, f"{name}: {port} is open to others")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0] if isinstance(volume, str) else volume.get("source", "")
            if source.startswith((".", "/")):
                rule("mounted-file-exists", COMPOSE, Path(source).is_file(), f"{name}: there is no {source}")
            else:
                rule("volume-is-declared", COMPOSE, source in compose.get("volumes", {}), f"{name}: {source}")
        for other, how in (service.get("depends_on") or {}).items():
            is_there = other in services and how.get("condition") == "service_healthy"
            rule("waits-for-a-healthy-one", COMPOSE, is_there, f"{name}: {other}")
        if is_ours:
            rule("image-is-built", COMPOSE, service["image"] in built, f"{name}: no service builds {service['image']}")
            check_variables(COMPOSE, name, variables)
            deadline = variables.get("OTTLA_SERVER__STOP_DEADLINE_SECONDS") or common.get(
                "server.stop_deadline_seconds", KEYS["server.stop_deadline_seconds"]
            )
            grace = seconds(service.get("stop_grace_period", "10s"))
            rule("time-to-stop", COMPOSE, grace > float(deadline), f"{name}: {grace:g} s of grace for a stop of {deadline} s")
        if name == "proxy":
            for path in re.findall(r"https?://[^/\s\"]+(/[^\s\"]*)", " ".join(service["healthcheck"]["test"])):
                check_path(COMPOSE, "proxy's health check", path)

    proxied = re.findall(r"\{\$\w+:(ottla[\w-]*):(\d+)\}", text("deploy/Caddyfile"))
    rule("proxied-service-exists", "deploy/Caddyfile", bool(proxied), "it names no instance")
    for name, _ in proxied:
        rule("proxied-service-exists", "deploy/Caddyfile", name in services, f"{COMPOSE} has no {name}")
    for path in re.findall(r"health_uri (\S+)", text("deploy/Caddyfile")):
        check_path("deploy/Caddyfile", "health_uri", path)
    return services


def check_dockerfile():
    dockerfile = text(DOCKERFILE)
    stages = re.findall(r"^FROM \S+ AS (\S+)", dockerfile, re.M)
    for image in re.findall(r"^FROM (\S+)", dockerfile, re.M):
        rule("image-pinned", DOCKERFILE, image in stages or is_pinned(image), f"{image} is not one version")
    channel = tomllib.loads(text("rust-toolchain.toml"))["toolchain"]["channel"]
    is_same = f"FROM rust:{channel}-" in dockerfile
    rule("same-rust", DOCKERFILE, is_same, f"it is not built by Rust {channel}, as rust-toolchain.toml has it")
    user = re.findall(r"^USER (\S+)", dockerfile, re.M)
    rule("not-root", DOCKERFILE, bool(user) and user[-1].isdigit() and user[-1] != "0", f"it runs as {user}")
    check = re.search(r"^HEALTHCHECK .*?http://[^/]+(/\w+)", dockerfile, re.M | re.S)
    rule("health-check", DOCKERFILE, check is not None, "it has none")
    if check:
        check_path(DOCKERFILE, "HEALTHCHECK", check.group(1))
    check_variables(DOCKERFILE, "ENV", re.findall(r"\b(OTTLA_\w+)=", dockerfile))
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M):
        for source in sources.split():
            rule("copied-file-exists", DOCKERFILE, Path(source).exists(), f"there is no {source}")


# ── deploy/kubernetes/ ───────────────────────────────────────────────────────────────────────────────────────────────────────


def check_kubernetes():
    file = str(KUBERNETES / "kustomization.yaml")
    kustomization = yaml.safe_load(text(file))
    listed = kustomization["resources"]
    there = sorted(path.name for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
    rule("resources-are-files", file, sorted(listed) == there, f"{sorted(listed)} are listed, {there} are there")
    objects = []
    for name in filter(there.__contains__, listed):
        for document in yaml.safe_load_all(text(str(KUBERNETES / name))):
            check_secrets(str(KUBERNETES / name), document)
            objects.append((str(KUBERNETES / name), document))
    of = lambda kind: [(file, document) for file, document in objects if document["kind"] == kind]

    images = {image["name"]: image for image in kustomization.get("images", [])}
    for name, image in images.items():
        tag = str(image.get("newTag", ""))
        rule("image-pinned", file, is_pinned(f"{name}:{tag}"), f"{name} has the tag {tag!r}")
    maps = {}
    for generated in kustomization.get("configMapGenerator", []):
        maps[generated["name"]] = generated["files"]
        for name in generated["files"]:
            rule("configuration-exists", file, (KUBERNETES / name).is_file(), f"there is no {name}")
    configured = check_configuration(str(KUBERNETES / "ottla.toml"))

    [(stateful, pods)] = of("StatefulSet")
    template = pods["spec"]["template"]
    labels, pod = template["metadata"]["labels"], template["spec"]
    fits = lambda selector: bool(selector) and selector.items() <= labels.items()
    rule("selector-fits", stateful, fits(pods["spec"]["selector"].get("matchLabels")), "the StatefulSet's own")
    for spread in pod.get("topologySpreadConstraints", []):
        rule("selector-fits", stateful, fits(spread["labelSelector"].get("matchLabels")), "topologySpreadConstraints")
    for policy, document in of("NetworkPolicy"):
        selector = document["spec"]["podSelector"].get("matchLabels")
        rule("selector-fits", policy, fits(selector), f"{selector} are no labels of the pods ({labels})")
    rule("not-for-everybody", file, bool(of("NetworkPolicy")), "there is no NetworkPolicy, and Ottla asks nobody who they are")
    for budget, document in of("PodDisruptionBudget"):
        selector = document["spec"]["selector"].get("matchLabels")
        rule("selector-fits", budget, fits(selector), f"{selector} are no labels of the pods ({labels})")
    rule("disruption-budget", file, bool(of("PodDisruptionBudget")), "there is none")

    [container] = pod["containers"]
    ports = {port["name"] for port in container["ports"]}
    is_known = container["image"] in images or is_pinned(container["image"])
    rule("image-pinned", stateful, is_known, f"{container['image']} is not one version")
    check_variables(stateful, "env", [variable["name"] for variable in container["env"]])
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container.get(probe, {}).get("httpGet")
        rule("probe", stateful, get is not None, f"there is no {probe}")
        if get is None:
            continue
        check_path(stateful, probe, get["path"])
        rule("port-exists", stateful, get["port"] in ports, f"{probe}: {get['port']}")
        if probe != "startupProbe":
            rule("life-without-kafka", stateful, get["path"] != "/readyz", f"{probe} asks /readyz: nobody is served without Kafka")
        elif get["path"] == "/readyz":
            patience = container[probe].get("periodSeconds", 10) * container[probe].get("failureThreshold", 3)
            rule("life-without-kafka", stateful, patience >= DAY, f"without Kafka a pod is killed every {patience} s")
    deadline = float(configured.get("server.stop_deadline_seconds", KEYS["server.stop_deadline_seconds"]))
    grace = pod.get("terminationGracePeriodSeconds", 30)
    pause = float(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", 0])[1])
    rule("time-to-stop", stateful, grace > pause + deadline, f"{grace} s of grace for {pause:g} s of preStop and a stop of {deadline:g} s")

    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounted = set()
    for mount in container["volumeMounts"]:
        volume = volumes.get(mount["name"])
        rule("volume-is-declared", stateful, volume is not None, mount["name"])
        for name in maps.get((volume or {}).get("configMap", {}).get("name"), []):
            mounted.add(f"{mount['mountPath']}/{name}")
    for volume in volumes.values():
        if "configMap" in volume:
            name = volume["configMap"]["name"]
            rule("configuration-exists", stateful, name in maps, f"kustomization.yaml makes no ConfigMap {name}")
    given = container["args"][container["args"].index("--config") + 1]
    rule("configuration-exists", stateful, given in mounted, f"{given} is not mounted")

    services = {}
    for service, document in of("Service"):
        spec = document["spec"]
        services[document["metadata"]["name"]] = spec
        rule("selector-fits", service, fits(spec["selector"]), f"{spec['selector']} are no labels of the pods ({labels})")
        for port in spec["ports"]:
            rule("port-exists", service, port["targetPort"] in ports, str(port["targetPort"]))
    headless = services.get(pods["spec"]["serviceName"], {})
    rule("service-exists", stateful, headless.get("clusterIP") == "None", f"{pods['spec']['serviceName']} is no headless Service")
    for ingress, document in of("Ingress"):
        annotations = document["metadata"]["annotations"]
        limit = annotations.get("nginx.ingress.kubernetes.io/proxy-body-size", "1m")
        rule("bodies-pass", ingress, megabytes(limit) >= LARGEST_BODY, f"{limit} is less than {LARGEST_BODY} bytes")
        for entry in document["spec"]["rules"]:
            is_known = entry["host"] in configured.get("server.hosts", [])
            rule("host-is-known", ingress, is_known, f"{entry['host']} is not in server.hosts of ottla.toml, and gets 421")
            for path in entry["http"]["paths"]:
                backend = path["backend"]["service"]
                there = [port["name"] for port in services.get(backend["name"], {}).get("ports", [])]
                rule("service-exists", ingress, backend["port"]["name"] in there, f"{backend}")


def megabytes(limit):
    """nginx's sizes."""
    number, unit = re.fullmatch(r"(\d+)([kmg]?)", limit.lower()).groups()
    return int(number) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[unit]


# ── deploy/prometheus/, deploy/grafana/, docs/OPERATIONS.md ──────────────────────────────────────────────────────────────────


def check_prometheus(services):
    composed = {
        name: json.loads((service.get("environment") or {}).get("OTTLA_SERVER__HOSTS", "[]"))
        for name, service in services.items()
        if isinstance(service.get("environment"), dict)
    }
    in_pods = dict(flat(tomllib.loads(text(str(KUBERNETES / "ottla.toml")))))["server.hosts"]
    check_scrapes("deploy/prometheus/prometheus.yml", lambda name: name in composed.get(name, []), COMPOSE)
    check_scrapes("deploy/prometheus/kubernetes.yml", lambda name: name in in_pods, str(KUBERNETES / "ottla.toml"))

    alerts = {alert["alert"]: alert for group in yaml.safe_load(text(RULES))["groups"] for alert in group["rules"]}
    cases = [case for test in yaml.safe_load(text(CASES))["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    for name, alert in alerts.items():
        rule("alert-is-tried", RULES, name in fired, f"{name} fires in no case of {CASES}")
        severity = alert.get("labels", {}).get("severity")
        rule("alert-has-a-severity", RULES, severity in ("critical", "warning", "info"), f"{name}: {severity}")
        rule("alert-says-what", RULES, bool(alert.get("annotations", {}).get("summary")), f"{name} has no summary")
    for name in fired | silent:
        rule("alert-exists", CASES, name in alerts, f"{RULES} has no {name}")

    for dashboard in sorted(Path("deploy/grafana").glob("*.json")):
        ids = [panel["id"] for panel in json.loads(text(str(dashboard)))["panels"]]
        rule("panels-are-told-apart", str(dashboard), ids and len(ids) == len(set(ids)), "there are none, or two of one id")


def check_scrapes(file, knows, where):
    """What is asked by which names, which the instances have to know."""
    prometheus = yaml.safe_load(text(file))
    for name in prometheus["rule_files"]:
        rule("rules-exist", file, (Path(file).parent / name).is_file(), f"there is no {name}")
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    for job in set(re.findall(r'job="([^"]*)"', text(RULES))):
        rule("job-exists", RULES, job in jobs, f"{file} has no job {job}")
    for job in jobs.values():
        check_path(file, job["job_name"], job.get("metrics_path", "/metrics"))
        for target in (target for group in job["static_configs"] for target in group["targets"]):
            name = target.partition(":")[0]
            rule("host-is-known", file, knows(name), f"{name} does not know that it is called so ({where}), and answers 421")


def check_operations():
    for path in re.findall(r"healthcheck\.path: (\S+)", text(OPERATIONS)):
        check_path(OPERATIONS, "Traefik's health check", path)
    for limit in re.findall(r"client_max_body_size (\w+);", text(OPERATIONS)):
        rule("bodies-pass", OPERATIONS, megabytes(limit) >= LARGEST_BODY, f"{limit} is less than {LARGEST_BODY} bytes")
    for target in re.findall(r"\]\(\.\./((?:deploy|docker-compose|Dockerfile)[^)#]*)\)", text(OPERATIONS)):
        rule("linked-file-exists", OPERATIONS, Path(target).exists(), f"there is no {target}")


def check_other_text():
    """No secrets where no parser looks: in inline tables, comments, and files of other kinds."""
    files = [COMPOSE, DOCKERFILE, "ottla.example.toml", *sorted(str(path) for path in Path("deploy").rglob("*") if path.is_file())]
    for file in files:
        rule("no-secrets", file, "PRIVATE KEY-----" not in text(file), "it has a private key")
        for name, value in re.findall(r"([\w.]+)[\"']?[ \t]*=[ \t]*[\"']?([^\s\"'{\[=][^\s\"']*)", text(file)):
            if SECRET.search(name):
                rule("no-secrets", file, value[0] in "$/", f"{name} has a value")


services = check_compose()
check_dockerfile()
check_kubernetes()
check_prometheus(services)
check_operations()
check_other_text()

if broken:
    sys.exit("\n".join(broken))
print(f"{held} facts of {COMPOSE}, {DOCKERFILE} and deploy/ hold")
