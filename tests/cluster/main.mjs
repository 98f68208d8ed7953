// Lets things happen to the cluster while people chat, and says what came of it: main.mjs EVENT…. The results lie in result.json in the
// folder that the environment calls `world`. `--names` prints what there is, `--list EVENT…` which events that would be.
import {writeFileSync} from 'node:fs';

import {until} from '../e2e/wait.mjs';
import {chosen, knownWords} from './choice.mjs';
import {EVENTS} from './events.mjs';
import {addressOf, allReady, NODES, spread} from './kubernetes.mjs';
import {Load} from './load.mjs';
import {LoadBalancer} from './load_balancer.mjs';
import {operate} from './operator.mjs';
import {policyFaults} from './policies.mjs';
import {saysNothing, tableOf, wrongsOf} from './table.mjs';

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--names') {
  console.log(knownWords(EVENTS));
  process.exit(0);
}
let names;
try {
  // world.sh calls the folder of the version before `before_folder`, if there is one.
  names = chosen(mode === '--list' ? rest : process.argv.slice(2), EVENTS, process.env.before_folder);
} catch ({message}) {
  console.error(`cluster: ${message}`);
  process.exit(1);
}
if (mode === '--list') {
  console.log(names.join('\n'));
  process.exit(0);
}

const results = [];
const save = () => writeFileSync(`${process.env.world}/result.json`, `${JSON.stringify(results, null, 1)}\n`);

async function once(name, label, gatePort) {
  const {prepare, does, planned, waits, pause} = EVENTS[name];
  const facts = {name, planned, waits, longestPause: pause};
  try {
    await prepare?.();
    await spread();
    await allReady();
    return {...facts, ...await new Load(label, gatePort).during(does)};
  } catch (error) {
    return {...facts, error: error.message};
  }
}

async function run(name, number, gatePort) {
  console.log(`== ${name}`);
  let result = await once(name, `${name}-${number}`, gatePort);
  if (saysNothing(result)) {
    console.log(`  this test itself did not run for ${(result.ownPause / 1000).toFixed(1)} s; once more`);
    result = await once(name, `${name}-${number}-again`, gatePort);
  }
  results.push(result);
  save();
  console.log(JSON.stringify({...result, examples: undefined}));
  for (const text of result.examples ?? []) console.log(`  ${text}`);
}

const balancer = new LoadBalancer(NODES.map(addressOf), 30014);
const gatePort = await balancer.listen();
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
if (names.length) {
  // The firewall may just be learning of the pods.
  let faults;
  console.log('== NetworkPolicies');
  await until(async () => (faults = await policyFaults()).length === 0, 'the NetworkPolicies to be enforced', 60000)
      .then(() => console.log('ok  strangers reach the ports of clients, and no other'))
      .catch(() => results.push({name: 'NetworkPolicies', error: faults.join('; ')}));
  console.log('== grpcurl and ghz, as deploy/README.md says');
  await operate().catch(({message}) => results.push({name: 'grpcurl and ghz', error: message}));
}
for (const [number, name] of names.entries()) await run(name, number, gatePort);
balancer.close();
const failed = results.filter((result) => wrongsOf(result).length);
console.log(`\n${tableOf(results).join('\n')}\n`);
for (const result of failed) console.log(`${result.name}: ${wrongsOf(result).join(', ')}`);
process.exit(failed.length ? 1 : 0);
