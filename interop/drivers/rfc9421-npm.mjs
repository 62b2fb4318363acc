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
//   does not sign;
// - `tr` it does not know (section 2.1.4).
const CAN = new Set(['query-any', 'query-param', 'bs', 'sf', 'sf-dictionary', 'key', 'unknown', 'no-created', 'sf-zero', 'sf-display']);
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
  const counts = rng.choice(labels);
  let expected;
  for (const name of labels) {
    const words = made.words(rng, hostile, now, CAN);
    if (rng.chance(0.5)) words.splice(rng.int(0, words.length), 0, ['alg', line.alg]);
    if (name === counts) expected = made.expected(words);
    line.headers = await signed(line, name, chosen, words);
  }
  return { ...line, now, vars: made.insisted(rng, chosen, counts), ...expected };
}

/** The field lines of a message with a signature more. */
async function signed(line, name, fields, words) {
  const paramValues = Object.fromEntries(words);
  for (const time of ['created', 'expires']) paramValues[time] = paramValues[time] ? new Date(paramValues[time] * 1000) : null;
  const key = createSigner(line.private_key ?? line.secret, line.alg);
  const config = { key, name, fields, params: words.map(([word]) => word), paramValues };
  return ungrouped((await httpbis.signMessage(config, ...message(line))).headers);
}

/** Often beside a signature of its own, under another label. */
export async function unsigned(scheme, rng, hostile) {
  const line = made.unsigned(rng, hostile, CAN);
  if (SIGNS.includes(line.alg) && rng.chance(0.3)) line.headers = await signed(line, 'theirs', ['"@authority"'].slice(line.status === undefined ? 0 : 1), []);
  return line;
}

async function verified(line, verify) {
  const clock = Date.now;
  Date.now = () => line.now * 1000;
  try {
    return (await httpbis.verifyMessage({ keyLookup: async () => ({ verify }), requiredParams: [] }, ...message(line))) === true;
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
