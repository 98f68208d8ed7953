// A certificate authority for tests, made by the openssl program: the certificates by which servers and back ends know each
// other by gRPC.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readFileSync, renameSync, writeFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export class Authority {
  static async make() {
    const authority = new Authority();
    authority.folder = await mkdtemp(join(tmpdir(), 'hubbub-authority-'));
    authority.renew();
    return authority;
  }

  path(name) {
    return join(this.folder, name);
  }
  read(name) {
    return readFileSync(this.path(name));
  }
  // A reader sees the whole old file or the whole new one.
  write(name, text) {
    writeFileSync(this.path(`.${name}`), text);
    renameSync(this.path(`.${name}`), this.path(name));
  }

  // Takes a new key and a new certificate, signer.pem, for what is issued from now on. Whom servers trust is in ca.pem: the new
  // one, and `also` those before.
  renew({also = ''} = {}) {
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=tests',
                  '-keyout', this.path('signer.key'), '-out', this.path('signer.pem'));
    this.write('ca.pem', this.read('signer.pem') + also);
  }

  // NAME.pem and NAME.key, for these URIs and this machine.
  issue(name, ...uris) {
    const names = ['DNS:localhost', 'IP:127.0.0.1', ...uris.map((uri) => `URI:${uri}`)].join(',');
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', `/CN=${name}`,
                  '-CA', this.path('signer.pem'), '-CAkey', this.path('signer.key'), '-addext', 'basicConstraints=critical,CA:FALSE',
                  '-addext', `subjectAltName=${names}`, '-keyout', this.path(`.new.key`), '-out', this.path(`.new.pem`));
    // gRPC looks once a second, so it hardly ever sees one without the other, and then looks again.
    for (const end of ['key', 'pem']) renameSync(this.path(`.new.${end}`), this.path(`${name}.${end}`));
  }

  // The flags of a server that shows this certificate.
  flags(name) {
    return [`--grpc_certificate=${this.path(`${name}.pem`)}`, `--grpc_key=${this.path(`${name}.key`)}`, `--grpc_ca=${this.path('ca.pem')}`];
  }

  remove() {
    return rm(this.folder, {recursive: true, force: true});
  }

  #openssl(...command) {
    const {status, stderr} = spawnSync('openssl', command, {encoding: 'utf8'});
    assert.equal(status, 0, stderr);
  }
}
