// Runs what deploy/README.md has an operator type: kubectl's port-forwards, then grpcurl and ghz by way of them.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

import {command, portForward} from './kubernetes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const WITHIN_MS = 60000;

// The lines of the block after the heading that names both tools.
export function operatorLines(readme) {
  const [, block = ''] = readme.match(/\n## [^\n]*grpcurl and ghz[^\n]*\n[^]*?\n```\n([^]*?)```/) ?? [];
  return block.split('\n').filter(Boolean);
}

function bash(line) {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', line], {cwd: root, timeout: WITHIN_MS, stdio: ['ignore', 'pipe', 'pipe']});
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
    child.on('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`${line}\n${said}`))));
  });
}

// What an answer must have in it, by the method that was called.
const EXPECTED = {
  'ChatService/Send': /"offset"/, 'ChatService/GetRoom': /"room": "lobby"/, 'GateService/ListServers': /SERVER_STATE_READY/,
  'HistoryService/ListEvents': /hello from the shell/, 'ghz': /\[OK\]\s+2000 responses/,
};

async function all(forwards, lines) {
  const [next, ...rest] = forwards;
  if (next) {
    const [, target, port] = next.match(/ port-forward (\S+) (\d+)/);
    return portForward(target, port, () => all(rest, lines), port);
  }
  for (const line of lines) {
    const said = await bash(line);
    const key = line.startsWith('ghz') ? 'ghz' : Object.keys(EXPECTED).find((method) => line.endsWith(method));
    if (key && !EXPECTED[key].test(said)) throw new Error(`${line}\nhas not answered ${EXPECTED[key]} but\n${said}`);
    console.log(`ok  ${line}`);
  }
  return lines.length;
}

// Answers how many lines were run.
export async function operate() {
  const lines = operatorLines(readFileSync(`${root}/deploy/README.md`, 'utf8'));
  const isForward = (line) => line.includes(' port-forward ');
  if (!lines.some(isForward)) throw new Error('deploy/README.md has no block of lines about grpcurl and ghz any more.');
  await command('bash', '-c', 'command -v grpcurl ghz');
  return all(lines.filter(isForward), lines.filter((line) => !isForward(line)));
}
