// An issuer of sign-in tokens for tests: JWTs that are signed by Node's own cryptography.
import {createHmac, generateKeyPairSync, randomBytes, sign} from 'node:crypto';
import {mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const KINDS = {
  RS256: () => generateKeyPairSync('rsa', {modulusLength: 2048}),
  ES256: () => generateKeyPairSync('ec', {namedCurve: 'P-256'}),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

export class Issuer {
  keys = {};  // By algorithm, whose name is the kid too.

  // With a folder that a server reads its keys from: PEM files, a JWK set and a secret.
  static async make() {
    const issuer = new Issuer();
    issuer.folder = await mkdtemp(join(tmpdir(), 'hubbub-keys-'));
    for (const [algorithm, make] of Object.entries(KINDS)) issuer.keys[algorithm] = make();
    issuer.keys.HS256 = randomBytes(32).toString('hex');
    await issuer.write('RS256.pem', issuer.keys.RS256.publicKey.export({type: 'spki', format: 'pem'}));
    const jwk = (algorithm) => ({...issuer.keys[algorithm].publicKey.export({format: 'jwk'}), kid: algorithm});
    await issuer.write('keys.json', JSON.stringify({keys: [jwk('ES256'), jwk('EdDSA')]}));
    await issuer.write('HS256.secret', `${issuer.keys.HS256}\n`);
    return issuer;
  }

  // A server sees the whole old file or the whole new one.
  async write(name, text) {
    await writeFile(join(this.folder, `.${name}`), text);
    await rename(join(this.folder, `.${name}`), join(this.folder, name));
  }

  remove() {
    return rm(this.folder, {recursive: true, force: true});
  }

  // For `user` and an hour, unless `claims` say otherwise.
  token(user, claims = {}, {alg = 'ES256', header = {}, key = this.keys[alg]} = {}) {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const start = `${encode({alg, kid: alg, ...header})}.${encode({sub: user, exp, ...claims})}`;
    if (alg === 'none') return `${start}.`;
    const signature = alg === 'HS256' ?
        createHmac('sha256', key).update(start).digest() :
        sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(start), {key: key.privateKey ?? key, dsaEncoding: 'ieee-p1363'});
    return `${start}.${signature.toString('base64url')}`;
  }
}
