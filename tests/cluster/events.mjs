// What happens to the cluster, by name. `planned`: an operator does it, and nobody may notice; everything else is an accident, where who
// arrives may have to try again. `pause`: how long a room may be silent, in milliseconds. `waits`: who comes may wait until it is over. `before`: the event begins with the version before
// this one, which `prepare` has brought into the cluster; it happens only where that version has been built.
import {spawn} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';

import {sleep} from '../chaos/person.mjs';
import {until} from '../e2e/wait.mjs';
import {command, KINDS, kubectl, NODES, pods, processOf, programOf, rolledOut} from './kubernetes.mjs';

const PLANNED = {planned: true, pause: 1000};
const ACCIDENT = {planned: false, pause: 6000};
const STAY_MS = 8000;  // Between growing and shrinking.

const scale = (kind, ...counts) => async () => {
  for (const [i, count] of counts.entries()) {
    if (i) await sleep(STAY_MS);
    await kubectl('scale', KINDS[kind], `--replicas=${count}`);
    await rolledOut(kind);
    // What ends by it takes its time.
    for (let left = 600; (await pods(kind)).length !== count && left; --left) await sleep(200);
  }
};
const rollout = (...kinds) => async () => {
  for (const kind of kinds) await kubectl('rollout', 'restart', KINDS[kind]);
  await rolledOut(...kinds);
};
const first = async (kind) => (await pods(kind))[0];

// From `begin` until `end`, which comes in any case.
async function during(ms, begin, end) {
  await begin();
  try {
    await sleep(ms);
  } finally {
    await end();
  }
}
const signal = (name) => (pid) => process.kill(pid, name);
const hang = (kind, seconds) => async () => {
  const pid = processOf(await first(kind));
  await during(seconds * 1000, () => signal('SIGSTOP')(pid), () => signal('SIGCONT')(pid));
};

// The kernel ends a chat server because the memory of its container is used up, by a program beside it that eats all there is.
async function oomKill() {
  const pod = await first('chat');
  const pid = processOf(pod);
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n').map((line) => line.split(':'));
  const [,, path] = groups.find(([, controllers]) => controllers === 'memory') ?? groups.find(([number]) => number === '0');
  const root = existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  // So that the kernel takes this one, and not the eater.
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  const eater = spawn('bash', ['-c', `echo $$ >${root}${path}/cgroup.procs && exec tail /dev/zero`], {stdio: 'ignore'});
  const reason = '{.status.containerStatuses[0].lastState.terminated.reason}';
  try {
    await until(async () => await kubectl('get', 'pod', pod.name, '--output', `jsonpath=${reason}`) === 'OOMKilled', `${pod.name} to be killed`, 60000);
  } finally {
    eater.kill('SIGKILL');
  }
  await rolledOut('chat');
}

// Its machine goes on, and it is started again as it was.
async function killStore() {
  const pid = Number(readFileSync('/run/store/data/postmaster.pid', 'utf8').split('\n')[0]);
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  signal('SIGKILL')(pid);
  await sleep(3000);
  const start = () => spawn('nsenter', ['--net=/run/netns/store', 'setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', ...words],
                            {cwd: '/run/store', stdio: 'ignore', detached: true}).unref();
  const ready = words[0].replace(/postgres$/, 'pg_isready');
  start();
  // What the old one has left may be in the way of the new one for a moment.
  await until(async () => {
    await sleep(500);
    if (await command('nsenter', '--net=/run/netns/store', ready, '--quiet', '--host=10.77.0.20').then(() => true, () => false)) return true;
    if (!existsSync('/run/store/data/postmaster.pid')) start();
    return false;
  }, 'PostgreSQL to answer again', 30000);
}

// The kubelet's questions come from its own end of the pod's link.
async function probesFail() {
  const pod = await first('chat');
  const rule = ['INPUT', '--source', pod.address.replace(/\d+$/, '1'), '--protocol', 'tcp', '--dport', '6050', '--jump', 'DROP'];
  const iptables = (...words) => command('nsenter', '--target', String(processOf(pod)), '--net', 'iptables', ...words);
  await during(25000, () => iptables('--insert', ...rule), () => iptables('--delete', ...rule));
}

async function drain() {
  const {node} = await first('chat');
  await kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s');
  await rolledOut('gate', 'connector', 'chat');
  await kubectl('uncordon', node);
}

async function kubeletStopped() {
  const pid = programOf(`${(await first('chat')).node}-kubelet`);
  await during(50000, () => signal('SIGSTOP')(pid), () => signal('SIGCONT')(pid));
}

// The machines' links lie in this network namespace, by their names.
const cut = (machine, ms) => during(ms, () => command('ip', 'link', 'set', machine, 'down'), () => command('ip', 'link', 'set', machine, 'up'));
const nodeCut = async () => cut((await first('chat')).node, 40000);

// A bridge lets its isolated ports reach all others, but not each other.
const isolated = (state) => Promise.all(NODES.map((node) => command('bridge', 'link', 'set', 'dev', node, 'isolated', state)));
const linkCut = () => during(40000, () => isolated('on'), () => isolated('off'));
// What deploy/README.md, "A link that is cut", has an operator do.
async function linkCutAndDrain() {
  await isolated('on');
  try {
    await sleep(10000);
    await drain();
    await sleep(10000);
  } finally {
    await isolated('off');
  }
}

async function dnsAway() {
  const coredns = (replicas) => kubectl('--namespace=kube-system', 'scale', 'deployment/coredns', `--replicas=${replicas}`);
  await during(20000, () => coredns(0), () => coredns(2));
}

// The version before, as its own manifests have it, with a database that it makes itself: what a newer program has made it may not use.
async function versionBefore() {
  await kubectl('scale', KINDS.chat, '--replicas=0');
  await until(async () => (await pods('chat')).length === 0, 'the chat servers to end', 60000);
  const inStore = ['--net=/run/netns/store', 'setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'];
  await command('nsenter', ...inStore, 'psql', '--quiet', '--host=/run/store', '--username=hubbub', '--dbname=postgres',
                '--command=DROP DATABASE hubbub WITH (FORCE)', '--command=CREATE DATABASE hubbub');
  await kubectl('apply', '--filename', `${process.env.world}/before.yaml`);
  await rolledOut('gate', 'connector', 'chat');
  const strangers = (await pods()).filter(({image}) => !image.endsWith(':before'));
  if (strangers.length) throw new Error(`${strangers[0].name} is not of the version before, but of ${strangers[0].image}.`);
}
async function upgrade() {
  await kubectl('apply', '--kustomize', process.env.overlay);
  await rolledOut('gate', 'connector', 'chat');
}

export const EVENTS = {
  'scale-gate': {...PLANNED, does: scale('gate', 3, 2)},
  'scale-connector': {...PLANNED, does: scale('connector', 3, 2)},
  'scale-chat': {...PLANNED, does: scale('chat', 4, 2)},
  'rollout-gate': {...PLANNED, does: rollout('gate')},
  'rollout-connector': {...PLANNED, does: rollout('connector')},
  'rollout-chat': {...PLANNED, short: true, does: rollout('chat')},
  'rollout-all': {...PLANNED, does: rollout('gate', 'connector', 'chat')},
  'upgrade': {...PLANNED, before: true, prepare: versionBefore, does: upgrade},
  'drain': {...PLANNED, does: drain},
  'force-delete-chat': {...ACCIDENT, does: async () => {
    await kubectl('delete', 'pod', (await first('chat')).name, '--grace-period=0', '--force');
    await rolledOut('chat');
  }},
  'delete-all-chats': {...ACCIDENT, does: async () => {
    await kubectl('delete', 'pods', '--selector=app.kubernetes.io/name=hubbub-chat');
    await rolledOut('chat');
  }},
  'kill-chat': {...ACCIDENT, does: async () => {
    signal('SIGKILL')(processOf(await first('chat')));
    await sleep(2000);
    await rolledOut('chat');
  }},
  'kill-connector': {...ACCIDENT, does: async () => {
    signal('SIGKILL')(processOf(await first('connector')));
    await sleep(2000);
    await rolledOut('connector');
  }},
  'oom-kill-chat': {...ACCIDENT, does: oomKill},
  'hang-chat-3s': {...ACCIDENT, does: hang('chat', 3)},
  'hang-chat-10s': {...ACCIDENT, short: true, does: hang('chat', 10)},
  'hang-chat-25s': {...ACCIDENT, does: hang('chat', 25)},
  'hang-connector-3s': {...ACCIDENT, does: hang('connector', 3)},
  'hang-connector-10s': {...ACCIDENT, does: hang('connector', 10)},
  'hang-connector-25s': {...ACCIDENT, does: hang('connector', 25)},
  'hang-gate-3s': {...ACCIDENT, does: hang('gate', 3)},
  'hang-gate-10s': {...ACCIDENT, does: hang('gate', 10)},
  'hang-gate-25s': {...ACCIDENT, does: hang('gate', 25)},
  'probes-fail': {...ACCIDENT, does: probesFail},
  'kubelet-stopped': {...ACCIDENT, does: kubeletStopped},
  'node-cut': {...ACCIDENT, does: nodeCut},
  // Each side keeps its rooms: see deploy/README.md, "A link that is cut".
  'link-cut': {...ACCIDENT, waits: true, pause: 46000, does: linkCut},
  'link-cut-drain': {...ACCIDENT, waits: true, pause: 46000, does: linkCutAndDrain},
  // Nothing is said while nobody keeps it: see deploy/README.md, "When it is away".
  'store-killed': {...ACCIDENT, pause: 15000, does: killStore},
  'store-cut': {...ACCIDENT, pause: 15000, does: () => cut('store', 10000)},
  'dns-away': {...ACCIDENT, does: dnsAway},
};
