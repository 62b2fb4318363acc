// HTTP Message Signatures by npm's http-message-signatures, and its verifier: requests and responses, all six algorithms.

import { createSigner, createVerifier, httpbis } from 'http-message-signatures';
import * as made from '../message-signatures.mjs';

export const SDK = "http-message-signatures@1.0.6";
export const SCHEMES = ["rfc9421"];
export const QUICK = true;

// Where it deviates from RFC 9421, it is not asked:
// - `@method` in upper case; section 2.2.1: "no transformation to the input method value's case";
// - path and query as the URL standard writes them; sections 2.2.6 and 2.2.7 have them as they are. So there are no URLs
//   that it would write otherwise, and no empty query;
// - parameters of the query that hold one of !'()~ are not encoded as section 2.2.8 demands;
// - a dictionary whose keys all stand alone is taken for a list (sections 2.1.1 and 2.1.2), and a decimal loses its `.0`
//   (RFC 9651, section 4.1.5), and a date with something behind it is none (RFC 9651, section 4.2.9);
// - rsa-pss-sha512 with the longest salt there is; section 3.3.1: "The salt length (sLen) is 64 bytes". It verifies ours, and
//   does not sign.
const CAN = new Set(['query-any', 'query-param', 'bs', 'sf', 'sf-dictionary', 'key', 'unknown', 'sf-zero', 'sf-display']);
const SIGNS = Object.keys(made.ALGORITHMS).filter((name) => name !== 'rsa-pss-sha512');

/** Field lines as the library takes them: lines of one name in a list. */
function grouped(lines) {
  const found = {};
  for (const [name, value] of lines) {
    const known = Object.keys(found).find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
    found[known] = found[known] === undefined ? value : [found[known], value].flat();
  }
  return found;
}

const ungrouped = (headers) => Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));

/** The library's message, and the request that it answers. */
function message(line) {
  if (line.status === undefined) return [{ method: line.method, url: line.url, headers: grouped(line.headers) }, undefined];
  return [{ status: line.status, headers: grouped(line.headers) }, message(line.request)[0]];
}

export async function sign(scheme, rng, hostile) {
  const now = hostile.now(rng);
  const [line, known] = made.message(rng, hostile, CAN);
  Object.assign(line, made.key(rng, hostile, SIGNS));
  const chosen = made.components(rng, known);
  const labels = rng.choice([['sig'], ['a', 'b'], ['*x.y-1', 'sig1', 'sig2']]);
  let [found, request] = message(line);
  for (const name of labels) {
    const words = made.words(rng, hostile, now, CAN);
    if (rng.chance(0.5)) words.splice(rng.int(0, words.length), 0, ['alg', line.alg]);
    const paramValues = Object.fromEntries(words);
    for (const time of ['created', 'expires']) if (paramValues[time]) paramValues[time] = new Date(paramValues[time] * 1000);
    const key = createSigner(line.private_key ?? line.secret, line.alg);
    found = await httpbis.signMessage({ key, name, fields: chosen, params: words.map(([word]) => word), paramValues }, found, request);
  }
  return { ...line, headers: ungrouped(found.headers), now, vars: made.insisted(rng, chosen, rng.choice(labels)) };
}

export const unsigned = (scheme, rng, hostile) => made.unsigned(rng, hostile, CAN);

async function verified(line, verify) {
  const clock = Date.now;
  Date.now = () => line.now * 1000;
  try {
    return (await httpbis.verifyMessage({ keyLookup: async () => ({ verify }), requiredParams: ['created'] }, ...message(line))) === true;
  } finally {
    Date.now = clock;
  }
}

export async function verify(scheme, line) {
  try {
    return await verified(line, createVerifier(made.verifyingKey(line), line.alg));
  } catch {
    return false;
  }
}

/** What the library would sign for the last of the signatures; where it would not, why. */
export async function base(scheme, line) {
  let seen = '';
  try {
    await verified(line, async (data) => ((seen = data.toString()), false));
  } catch (why) {
    return `none: ${why.message}`;
  }
  return seen;
}
