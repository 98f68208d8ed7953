// Whether the NetworkPolicies are enforced: who is no pod of the suite reaches the ports of clients, and no other.
import {command, pods} from './kubernetes.mjs';

const PORTS = {gate: {open: [3014], closed: [4014, 9090]}, connector: {open: [3050], closed: [4050, 9090]}, chat: {open: [], closed: [6050, 9090]}};

// From a machine that routes to the pods and is none of theirs.
const reaches = (host, port) => command('nsenter', '--net=/run/netns/store', 'timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${host}/${port}`)
    .then(() => true, () => false);

// What is open and should not be, or the other way round, in sentences.
export async function policyFaults() {
  const faults = [];
  for (const {name, kind, address} of await pods()) {
    for (const port of PORTS[kind].open) if (!await reaches(address, port)) faults.push(`port ${port} of ${name} is closed to clients`);
    for (const port of PORTS[kind].closed) if (await reaches(address, port)) faults.push(`port ${port} of ${name} is open to strangers`);
  }
  return faults;
}
