// HTTP Message Signatures by http-message-sig, and its verifier: requests and responses, all six algorithms through its
// interface for signers.

import { constants, createHmac, sign as signed, timingSafeEqual, verify as holds } from 'node:crypto';
import { createSignature, verifySignature } from 'http-message-sig';
import * as made from '../message-signatures.mjs';

export const SDK = "http-message-sig@0.3.0";
export const SCHEMES = ["rfc9421"];
export const QUICK = true;

// It knows neither `sf`, `bs`, `tr` nor `@query-param` (RFC 9421, sections 2.1.1, 2.1.3, 2.1.4 and 2.2.8), and says so.
const CAN = new Set(['key', 'method-case', 'query-any', 'url-any', 'empty-query', 'unknown', 'no-created']);

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
const HOW = {
  ed25519: [null, {}],
  'ecdsa-p256-sha256': ['sha256', { dsaEncoding: 'ieee-p1363' }],
  'ecdsa-p384-sha384': ['sha384', { dsaEncoding: 'ieee-p1363' }],
  'rsa-pss-sha512': ['sha512', PSS],
  'rsa-v1_5-sha256': ['sha256', {}],
};

function signer(line) {
  const mac = (data) => createHmac('sha256', line.secret).update(data).digest();
  const [hash, options] = HOW[line.alg] ?? [];
  return { algorithm: line.alg, sign: (data) => (line.secret ? mac(data) : signed(hash, data, { key: line.private_key, ...options })) };
}

function verifier(line) {
  const [hash, options] = HOW[line.alg] ?? [];
  const mac = (data) => createHmac('sha256', line.secret).update(data).digest();
  return {
    algorithm: line.alg,
    verify: (data, signature) =>
      line.secret ? signature.length === 32 && timingSafeEqual(mac(data), signature) : holds(hash, data, { key: made.verifyingKey(line), ...options }, signature),
  };
}

function message(line) {
  const fields = line.headers.map(([name, value]) => ({ name, value }));
  if (line.status !== undefined) return { kind: 'response', status: line.status, fields, request: message(line.request) };
  const target = line.url.slice(line.url.indexOf('/', line.url.indexOf('://') + 3));
  return { kind: 'request', method: line.method, targetUri: line.url, requestTarget: target, fields };
}

export async function sign(scheme, rng, hostile) {
  const now = hostile.now(rng);
  const [line, known] = made.message(rng, hostile, CAN);
  Object.assign(line, made.key(rng, hostile));
  const chosen = made.components(rng, known);
  const labels = rng.choice([['sig1'], ['a', 'b'], ['*x.y-1', 'sig1', 'sig2']]);
  const counts = rng.choice(labels);
  const fields = [];
  let expected;
  for (const label of labels) {
    const words = made.words(rng, hostile, now, CAN);
    if (label === counts) expected = made.expected(words);
    const parameters = Object.fromEntries(words);
    if (rng.chance(0.5)) parameters.alg = line.alg;
    fields.push(...(await signature(line, label, chosen, parameters)));
  }
  return { ...line, headers: [...line.headers, ...fields], now, vars: made.insisted(rng, chosen, counts), ...expected };
}

/** The two field lines of a signature. */
async function signature(line, label, chosen, parameters) {
  const found = await createSignature(message(line), { label, components: chosen.map(made.parsed), parameters, signer: signer(line) });
  return [['Signature-Input', found.signatureInput], ['Signature', found.signature]];
}

/** Often beside a signature of its own, under another label. */
export async function unsigned(scheme, rng, hostile) {
  const line = made.unsigned(rng, hostile, CAN);
  if (rng.chance(0.3)) {
    line.vars.label ??= 'sig';
    line.headers.push(...(await signature(line, 'theirs', [], {})));
  }
  return line;
}

export async function verify(scheme, line) {
  const policy = { algorithms: [line.alg], requiredComponents: [], requiredParameters: [], now: line.now };
  try {
    await verifySignature(message(line), { label: line.vars.label, policy, resolveVerifier: () => verifier(line) });
    return true;
  } catch {
    return false;
  }
}

/** What the library would sign for the signature that counts; where it would not, why. */
export async function base(scheme, line) {
  let seen = '';
  const policy = { algorithms: [line.alg], requiredComponents: [], requiredParameters: [], now: line.now };
  const resolveVerifier = () => ({ algorithm: line.alg, verify: (data) => ((seen = Buffer.from(data).toString()), false) });
  try {
    await verifySignature(message(line), { label: line.vars.label, policy, resolveVerifier });
  } catch (why) {
    return seen || `none: ${why.message}`;
  }
  return seen;
}
