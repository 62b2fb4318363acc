// draft-cavage HTTP Signatures by http-message-signatures, and its verifier. The library writes the field `Signature`;
// for schemes in Authorization its text goes there, behind `Signature `.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cavage, createSigner, createVerifier } from 'http-message-signatures';

export const SDK = "http-message-signatures@1.0.6";
export const SCHEMES = ["draft-cavage-12-field", "draft-cavage-12-field-rsa-sha256", "draft-cavage-12-ed25519", "draft-cavage-12-created"];

const key = (name) => readFileSync(new URL(`../../vectors/keys/${name}.pem`, import.meta.url), 'utf8');

/** What each scheme signs with, in the library's words, and what `algorithm` says of it. */
const ALGORITHMS = {
  'draft-cavage-12-field': ['hmac-sha256', 'hmac-sha256'],
  'draft-cavage-12-field-rsa-sha256': ['rsa-v1_5-sha256', 'rsa-sha256', 'rsa'],
  'draft-cavage-12-ed25519': ['ed25519', 'ed25519', 'ed25519'],
  'draft-cavage-12-created': ['hmac-sha256', 'hmac-sha256'],
};

export async function sign(scheme, rng, hostile) {
  const line = unsigned(scheme, rng, hostile);
  const extra = line.headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith('x-') && rng.chance(0.7));
  const created = scheme.endsWith('-created') || rng.chance(0.5);
  const stated = rng.choice(['none', 'hs2019', created ? 'none' : 'own']);
  return signed(scheme, line, { extra: [...new Set(extra)], created, expires: created && rng.chance(0.5), stated, now: hostile.now(rng) });
}

export function unsigned(scheme, rng, hostile) {
  const query = hostile.queryString(rng, hostile.query(rng));
  // The library signs the target as the URL standard writes it, so that is what is sent.
  const url = new URL(`https://${hostile.host(rng)}${hostile.path(rng)}${query ? `?${query}` : ''}`).href;
  const method = hostile.method(rng);
  const headers = hostile.headers(rng);
  // Lines of one name are signed as one.
  if (headers.length && rng.chance(0.3)) headers.push([headers[0][0], hostile.headerValue(rng)]);
  const line = { method, url, headers, key_id: rng.choice(['Test', 'https://example.com/users/alice#main-key']) };
  if (!['GET', 'HEAD'].includes(method) && rng.chance(0.7)) line.body = hostile.bodyText(rng) || 'x';
  const pair = ALGORITHMS[scheme][2];
  return pair ? { ...line, private_key: key(pair) } : { ...line, secret: hostile.secret(rng) };
}

/** Field lines as the library takes them: lines of one name in a list. */
function grouped(lines) {
  const found = {};
  for (const [name, value] of lines) {
    const known = Object.keys(found).find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
    found[known] = found[known] === undefined ? value : [found[known], value].flat();
  }
  return found;
}

async function signed(scheme, line, { extra, created, expires, stated, now }) {
  const url = new URL(line.url);
  const headers = [['Host', url.host], ...line.headers];
  const fields = ['@request-target', 'host', ...extra];
  if (!scheme.endsWith('-created')) {
    headers.push(['Date', new Date(now * 1000).toUTCString()]);
    fields.push('date');
  }
  if (line.body !== undefined) {
    headers.push(['Digest', `SHA-256=${createHash('sha256').update(line.body).digest('base64')}`]);
    fields.push('digest');
  }
  const [algorithm, own] = ALGORITHMS[scheme];
  const params = ['keyid'];
  const paramValues = { keyid: line.key_id };
  if (stated !== 'none') {
    params.push('alg');
    paramValues.alg = stated === 'own' ? own : 'hs2019';
  }
  if (created) {
    params.push('created');
    paramValues.created = new Date(now * 1000);
    fields.push('@created');
  }
  if (expires) {
    params.push('expires');
    paramValues.expires = new Date((now + 60) * 1000);
    fields.push('@expires');
  }
  const signer = createSigner(line.private_key ?? line.secret, algorithm, line.key_id);
  const made = await cavage.signMessage({ key: signer, fields, params, paramValues }, { method: line.method, url: line.url, headers: grouped(headers) });
  const own_place = scheme.includes('-field');
  headers.push(own_place ? ['Signature', made.headers.Signature] : ['Authorization', `Signature ${made.headers.Signature}`]);
  return { ...line, headers, now };
}

export async function verify(scheme, line) {
  const url = new URL(line.url);
  const lines = line.headers.map(([name, value]) => (name === 'Authorization' ? ['Signature', value.replace(/^Signature /, '')] : [name, value]));
  if (!lines.some(([name]) => name.toLowerCase() === 'host')) lines.push(['Host', url.host]);
  const [algorithm, , pair] = ALGORITHMS[scheme];
  const verifier = createVerifier(pair ? key(`${pair}.pub`) : line.secret, algorithm);
  const clock = Date.now;
  Date.now = () => line.now * 1000;
  try {
    const message = { method: line.method, url: line.url, headers: grouped(lines) };
    return (await cavage.verifyMessage({ keyLookup: async () => ({ verify: verifier }) }, message)) === true;
  } finally {
    Date.now = clock;
  }
}

export async function fixed(scheme) {
  const pair = ALGORITHMS[scheme][2];
  const own = pair ? { private_key: key(pair) } : { secret: 'a test secret for signatures' };
  const place = scheme.includes('-field') ? 'header.signature' : 'header.authorization';
  const date = scheme.endsWith('-created') ? [] : ['header.date'];
  const common = ['method', 'host', 'path', 'query', 'body', 'secret', place, ...date];
  const make = (id, line, how, more) =>
    signed(
      scheme,
      { id: `http-message-signatures-${id}`, source: `${SDK}, cavage.signMessage`, expect: 'verified', covered: [...common, ...more], open: ['scheme', 'header.x-other'], ...line, ...own, key_id: 'Test' },
      { now: 1402170695, extra: [], ...how },
    );
  const get = { method: 'GET', url: 'https://example.com/foo?param=value&pet=dog', headers: [['X-Tag', 'one'], ['X-Tag', 'two, three']] };
  const post = { method: 'POST', url: 'https://example.com:8443/f%20oo/?param=v%26lue', headers: [['Content-Type', 'application/json']], body: '{"hello": "world"}' };
  return Promise.all([
    make('created', get, { extra: ['x-tag'], created: true, expires: true, stated: 'hs2019' }, ['header.x-tag']),
    make('post', post, { created: scheme.endsWith('-created'), stated: 'none' }, ['header.digest']),
  ]);
}
