// The containers of deploy/compose.yaml that run, as podman knows them. Every name and number here is read from them.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const run = promisify(execFile);

export async function podman(...words) {
  const {stdout} = await run('podman', words);
  return stdout.trim();
}

// Ends a suite as `compose down` would, each server within its grace period, and leaves the containers to be looked at.
export const composeStop = () => run(process.env.PODMAN_COMPOSE, ['--file', 'deploy/compose.yaml', 'stop']);

export class Container {
  // All of the suite, sorted by service.
  static async all() {
    const ids = (await podman('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    const found = await Promise.all(ids.map(async (id) => Object.assign(new Container(), {id}).look()));
    return found.sort((a, b) => a.service.localeCompare(b.service));
  }

  // What podman says now; a container that starts again has another process, and may have another address.
  async look() {
    const [{Config, HostConfig, NetworkSettings, State}] = JSON.parse(await podman('inspect', this.id));
    const [network] = Object.values(NetworkSettings.Networks);
    return Object.assign(this, {
      service: Config.Labels['com.docker.compose.service'], program: Config.Cmd?.[0], host: network.IPAddress, pid: State.Pid,
      state: State.Status, exitCode: State.ExitCode, published: HostConfig.PortBindings,
    });
  }

  // The port of this machine that leads to one of the container's.
  portFor(inside) {
    return Number(this.published[`${inside}/tcp`][0].HostPort);
  }

  // What it has logged since it was made.
  async log() {
    const {stderr} = await run('podman', ['logs', this.id], {maxBuffer: 1 << 26});
    return stderr;
  }

  kill = () => podman('kill', this.id);
  start = () => podman('start', this.id);
  pause = () => podman('pause', this.id);
  unpause = () => podman('unpause', this.id);
}
