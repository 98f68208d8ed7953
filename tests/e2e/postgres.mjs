// A PostgreSQL server of a test's own, by Debian's package `postgresql`, as chat/store/testing/postgres_server is for C++: in a
// temporary folder, on a free port, let in as `hubbub` without a password. PostgreSQL does not run as root: then it runs as
// the user `postgres`, which the package makes.
import {execFile, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {accessSync, chownSync, constants, mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

import {until} from './wait.mjs';

const VERSIONS = '/usr/lib/postgresql';
const START_MS = 60000;
const SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'shared_buffers=32MB', 'max_connections=60', 'logging_collector=off'];

// The folder of the newest version's programs; undefined if this machine has none.
function findPrograms() {
  let versions = [];
  try {
    versions = readdirSync(VERSIONS);
  } catch {
    return undefined;
  }
  return versions.map((version) => join(VERSIONS, version, 'bin')).sort().reverse().find((folder) => {
    try {
      for (const program of ['initdb', 'postgres']) accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export class Postgres {
  // `port`: one that is free.
  static async start(port, {fsync = false} = {}) {
    const programs = findPrograms();
    if (!programs) throw new Error(`There is no PostgreSQL in ${VERSIONS}: install Debian's package postgresql.`);
    const server = new Postgres(programs, port, fsync);
    try {
      server.#make();
      await server.restart();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  constructor(programs, port, fsync) {
    Object.assign(this, {programs, port, fsync, process: null, folder: mkdtempSync(join(tmpdir(), 'hubbub-postgres-'))});
  }

  url(host = '127.0.0.1', port = this.port) {
    return `postgres://hubbub@${host}:${port}/postgres?sslmode=disable`;
  }

  // Rows of text.
  async query(sql) {
    const {stdout} = await promisify(execFile)(join(this.programs, 'psql'), ['-X', '-A', '-t', '-F', '\t', '-c', sql, this.url()],
                                               {maxBuffer: 1 << 28});
    return stdout.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  // Each of its processes, at once, by SIGKILL.
  async kill() {
    if (!this.process) return;
    const {process: first} = this;
    const exited = first.exitCode === null && first.signalCode === null ? once(first, 'exit') : null;
    first.kill('SIGSTOP');  // So that it starts no more of them meanwhile.
    this.#signal('SIGKILL');
    await exited;
    this.process = null;
  }

  // Halts each of its processes, until goOn().
  halt() {
    this.#signal('SIGSTOP');
  }
  goOn() {
    this.#signal('SIGCONT');
  }

  // After kill(); resolves when it answers.
  async restart() {
    if (this.process) return;
    const settings = [...SETTINGS, `port=${this.port}`, `fsync=${this.fsync ? 'on' : 'off'}`];
    const log = openSync(join(this.folder, 'log'), 'a');
    this.process = spawn(...this.#command('postgres', ['-D', join(this.folder, 'data'), ...settings.flatMap((one) => ['-c', one])]),
                         {stdio: ['ignore', log, log], cwd: this.folder});
    closeSync(log);
    const child = this.process;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL has ended:\n${readFileSync(join(this.folder, 'log'), 'utf8')}`);
      return this.query('SELECT 1').then(() => true, () => false);
    }, 'PostgreSQL to answer', START_MS);
  }

  async remove() {
    await this.kill();
    rmSync(this.folder, {recursive: true, force: true});
  }

  #signal(signal) {
    for (const pid of [this.process.pid, ...childrenOf(this.process.pid)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended by itself.
      }
    }
  }

  // SIGQUIT ends a server at once; it comes when this process ends, however that ends.
  #command(program, words) {
    const user = process.getuid() === 0 ? ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] : [];
    return ['setpriv', ['--pdeathsig', 'QUIT', ...user, join(this.programs, program), ...words]];
  }

  #make() {
    if (process.getuid() === 0) {
      const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], {encoding: 'utf8'}));
      chownSync(this.folder, id('-u'), id('-g'));
    }
    execFileSync(...this.#command('initdb', ['-D', join(this.folder, 'data'), '-U', 'hubbub', '-E', 'UTF8', '--locale=C.UTF-8',
                                             '-A', 'trust', '--no-sync', '--no-instructions']), {stdio: 'pipe', cwd: this.folder});
  }
}
