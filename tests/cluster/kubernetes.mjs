// The cluster that world.sh has brought up, as an operator has it: by kubectl, and with a hand on each of its machines.
import {execFile, spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {promisify} from 'node:util';

import {withDeadline} from '../e2e/wait.mjs';

const run = promisify(execFile);
const {KUBECTL = 'kubectl', world} = process.env;

export const KINDS = {gate: 'deployment/hubbub-gate', connector: 'statefulset/hubbub-connector', chat: 'statefulset/hubbub-chat'};
export const NODES = ['node1', 'node2'];
export const addressOf = (node) => `10.77.0.10${NODES.indexOf(node) + 1}`;

export async function command(program, ...words) {
  const {stdout} = await run(program, words, {maxBuffer: 1 << 26});
  return stdout.trim();
}
export const kubectl = (...words) => command(KUBECTL, ...words);

// Pods of a kind, in order; all without a kind.
export async function pods(kind) {
  const label = kind ? `app.kubernetes.io/name=hubbub-${kind}` : 'app.kubernetes.io/part-of=hubbub';
  const {items} = JSON.parse(await kubectl('get', 'pods', '--selector', label, '--output', 'json'));
  return items.map(({metadata, spec, status}) => ({
    name: metadata.name, kind: metadata.labels['app.kubernetes.io/name'].replace('hubbub-', ''), node: spec.nodeName, address: status.podIP,
    image: spec.containers[0].image,
    pinned: spec.volumes.some((volume) => volume.persistentVolumeClaim), container: status.containerStatuses?.[0]?.containerID?.replace('containerd://', ''),
  })).sort((a, b) => a.name.localeCompare(b.name));
}

// The process of a pod's program: the one whose control group has the container's name.
export function processOf({name, container}) {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container)) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`No process of this machine is in the container ${container} of ${name}.`);
}

// A program that world.sh or node.sh has started.
export const programOf = (name) => Number(readFileSync(`${world}/pids/${name}`, 'utf8'));

export async function rolledOut(...kinds) {
  for (const kind of kinds) await kubectl('rollout', 'status', KINDS[kind], '--timeout=300s');
}

// Until every node, every server and the DNS is as it was.
export async function allReady() {
  await kubectl('wait', 'nodes', '--all', '--for=condition=Ready', '--timeout=120s');
  await kubectl('--namespace=kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=120s');
  await rolledOut(...Object.keys(KINDS));
}

// One pod of each kind on each node, as after a fresh start: what was moved off a node stays where it is by itself. Pods that share
// a volume of a node stay there.
export async function spread() {
  for (const kind of Object.keys(KINDS)) {
    const all = await pods(kind);
    const [{node, pinned}] = all;
    if (pinned || all.some((pod) => pod.node !== node)) continue;
    await kubectl('cordon', node);
    await kubectl('delete', 'pod', all.at(-1).name);
    await rolledOut(kind).finally(() => kubectl('uncordon', node));
  }
}

// `use(port)` while kubectl leads a port of this machine to one of a pod, Service or workload.
export async function portForward(target, port, use, local = '') {
  const child = spawn(KUBECTL, ['port-forward', target, `${local}:${port}`], {stdio: ['ignore', 'pipe', 'pipe']});
  let said = '';
  const opened = new Promise((resolve, reject) => {
    child.stderr.on('data', (data) => (said += data));
    child.stdout.on('data', (data) => {
      said += data;
      const found = said.match(/Forwarding from 127\.0\.0\.1:(\d+)/);
      if (found) resolve(Number(found[1]));
    });
    child.on('close', () => reject(new Error(`kubectl port-forward ${target} ${port} has ended: ${said}`)));
  });
  opened.catch(() => {});
  try {
    return await use(await withDeadline(opened, `kubectl port-forward ${target} ${port}`));
  } finally {
    child.kill();
  }
}
