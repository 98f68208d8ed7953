// A running suite under a real Prometheus: it scrapes every server, and every query of the alerts and of the dashboard
// returns data. Needs `prometheus` and `promtool` (Debian's package prometheus).
import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {StockClient} from './stock_client.mjs';
import {freePorts, Suite} from './suite.mjs';
import {until} from './wait.mjs';

const monitoring = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));
let suite;
let prometheus;
let folder;
let port;
let client;

async function ask(path, parameters = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const {status, data, error} = await answer.json();
  assert.equal(status, 'success', `${path} ${JSON.stringify(parameters)}: ${error}`);
  return data;
}

const query = async (expression) => (await ask('query', {query: expression})).result;

before(async () => {
  const ports = await freePorts(4);
  const of = {gate: ports[0], connector: ports[1], chat: ports[2]};
  port = ports[3];
  folder = await mkdtemp(join(tmpdir(), 'hubbub-prometheus-'));
  // Some metrics are there with TLS alone.
  execFileSync(fileURLToPath(new URL('../../dev', import.meta.url)), ['certs', '--out', folder]);
  const tls = [`--tls_certificate=${folder}/server.crt`, `--tls_key=${folder}/server.key`, '--allow_plain'];
  suite = await Suite.start({flags: Object.fromEntries(Object.entries(of).map(([kind, own]) =>
    [kind, [`--metrics_port=${own}`, ...kind === 'chat' ? [] : tls]]))});
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify({
    global: {scrape_interval: '1s', evaluation_interval: '1s'},
    rule_files: [join(monitoring, 'alerts.yaml')],
    scrape_configs: Object.entries(of).map(([kind, own]) => ({job_name: `hubbub-${kind}`, static_configs: [{targets: [`127.0.0.1:${own}`]}]})),
  }));
  prometheus = spawn('prometheus', [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`,
                                    `--web.listen-address=127.0.0.1:${port}`], {stdio: ['ignore', 'ignore', 'pipe']});
  prometheus.log = '';
  prometheus.stderr.on('data', (text) => (prometheus.log += text));
  prometheus.ended = new Promise((resolve) => {
    prometheus.on('error', (error) => resolve((prometheus.log += error.message)));
    prometheus.on('close', resolve);
  });
  await until(async () => {
    try {
      return (await query('up == 1')).length === 3;
    } catch (error) {
      assert.equal(prometheus.exitCode, null, prometheus.log);
      return false;
    }
  }, () => `Prometheus to scrape three servers\n${prometheus.log}`, 30000);
});
after(async () => {
  client?.close();
  prometheus?.kill();
  await prometheus?.ended;
  await suite?.stop();
  if (folder) await rm(folder, {recursive: true, force: true});
});

test('counts what happens', async () => {
  client = await new StockClient().connect(suite.gatePort, 'alice');
  await client.enter('alice', 'lobby');
  await client.send('lobby', 'hello');
  const becomes = (expression, value) => until(async () => (await query(expression))[0]?.value[1] === value, `${expression} to be ${value}`);
  await becomes('hubbub_sessions{job="hubbub-connector"}', '1');
  // Rooms that the start of the suite tried stay for a while.
  await becomes('hubbub_rooms >= bool 1', '1');
  await becomes('hubbub_ready', '1');
  await becomes('hubbub_reachable_connectors', '1');
  await becomes('hubbub_rpc_total{job="hubbub-chat", method="ChatService.Add", result="ok"} >= bool 1', '1');
  await becomes('hubbub_places{job="hubbub-connector"}', '1');
  await becomes('hubbub_places{job="hubbub-chat"}', '1');
  await becomes('hubbub_events_total{kind="message"}', '1');
  // Her own coming is not shown to her.
  await becomes('hubbub_deliveries_total', '1');
  await becomes('hubbub_client_requests_total{job="hubbub-gate", code="200", protocol="pomelo"} >= bool 1', '1');
  await becomes('hubbub_client_requests_total{job="hubbub-connector", code="403", protocol="pomelo"}', '0');
  await client.send('attic', 'am I there?').catch(() => {});
  await becomes('hubbub_client_requests_total{job="hubbub-connector", code="403", protocol="pomelo"}', '1');
  await becomes('hubbub_client_received_bytes_total{job="hubbub-connector"} > bool 0', '1');
  await becomes('hubbub_leases', '1');
  await becomes('hubbub_chat_streams_total{lease="new"} >= bool 1', '1');
  // All that waited has gone out.
  await becomes('hubbub_connector_queued_bytes + on () hubbub_client_queued_bytes{job="hubbub-connector"}', '0');
  await becomes('hubbub_directory_servers{job="hubbub-gate", kind="chat"}', '1');
});

test('the runbook names every metric and every alert, and none that does not exist', async () => {
  const runbook = await readFile(join(monitoring, '../README.md'), 'utf8');
  const exported = new Set((await ask('label/__name__/values')).filter((name) => name.startsWith('hubbub_'))
    .map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  const named = new Set(runbook.match(/hubbub_[a-z_]+/g));
  assert.deepEqual([...named].sort(), [...exported].sort());
  const alerts = (await ask('rules')).groups.flatMap((group) => group.rules.map(({name}) => name));
  assert.deepEqual([...new Set(runbook.match(/\bHubbub[A-Z]\w+/g))].sort(), alerts.sort());
});

test('every query of the dashboard returns data', async () => {
  const dashboard = JSON.parse(await readFile(join(monitoring, 'dashboard.json'), 'utf8'));
  const expressions = dashboard.panels.flatMap(({targets}) => targets.map(({expr}) => expr));
  assert.ok(expressions.length > 10);
  for (const expression of expressions) await until(async () => (await query(expression)).length > 0, `data for ${expression}`);
});

test('every alert has data to judge by, and none fires in a suite that is well', async () => {
  const rules = (await ask('rules')).groups.flatMap((group) => group.rules);
  assert.ok(rules.length >= 15);
  for (const {name, query: expression} of rules) {
    const [, judged] = /^(.*) (?:==|>|<) [0-9.]+$/s.exec(expression) ?? assert.fail(`${name} compares with no number: ${expression}`);
    await until(async () => (await query(judged)).length > 0, `data for ${name}: ${judged}`);
  }
  assert.deepEqual((await ask('alerts')).alerts.filter(({state}) => state === 'firing').map(({labels}) => labels.alertname), []);
});

test('the rules are in order, and each alert fires for what it is about', () => {
  execFileSync('promtool', ['check', 'rules', 'alerts.yaml'], {cwd: monitoring});
  const {status, stdout, stderr} = spawnSync('promtool', ['test', 'rules', 'alerts_test.yaml'], {cwd: monitoring});
  assert.equal(status, 0, `${stdout}${stderr}`);
});
