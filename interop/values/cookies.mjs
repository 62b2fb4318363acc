// Express: cookie-signature, with the JSON cookies of cookie-parser, and keygrip. Run like the Python drivers;
// `INTEROP_NPM` names where the packages are.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const require = createRequire(`${process.env.INTEROP_NPM}/node_modules/`);
const { sign, unsign } = require('cookie-signature');
const Keygrip = require('keygrip');

const SCRIPTS = ['abcXYZ019', ' \t', 'éèüßñ', 'ЖДЯщ', 'αβγΩ', 'עברית', 'العربية', 'हिन्दी', '日本語漢字', '한국어', '😀🏳️‍🌈𝒳', ':.-_=/+~*',
  '"\\\'`{}[]<>&;,', '\u0000\u0001\u001f\u007f', '\u2028\u2029\ufeff', '\r\n'].map((script) => [...script]);

// mulberry32, which is short and the same everywhere.
function random(seed) {
  let state = [...seed].reduce((sum, character) => Math.imul(sum, 31) + character.codePointAt(0), 7);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, int: (below) => Math.floor(next() * below), choice: (list) => list[Math.floor(next() * list.length)] };
}

function text(rng, longest = 40) {
  const kind = rng.next();
  if (kind < 0.08) return '';
  const length = kind > 0.99 ? 2_000 + rng.int(18_000) : 1 + rng.int(longest);
  const scripts = kind < 0.4 ? SCRIPTS : [rng.choice(SCRIPTS)];
  return Array.from({ length }, () => rng.choice(rng.choice(scripts))).join('');
}

const key = (rng) => text(rng, rng.choice([20, 60, 300])) || 'k';

function tree(rng, depth = 4) {
  switch (rng.int(depth ? 9 : 6)) {
    case 0: return null;
    case 1: return rng.next() < 0.5;
    case 2: return rng.choice([0, -1, 2 ** 53, 0.5, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, rng.next()]);
    case 3: case 4: case 5: return text(rng);
    case 6: case 7: return Array.from({ length: rng.int(5) }, () => tree(rng, depth - 1));
    default: return Object.fromEntries(Array.from({ length: rng.int(6) }, () => [text(rng, 12), tree(rng, depth - 1)]));
  }
}

function make(rng) {
  const keys = Array.from({ length: rng.choice([1, 1, 2, 3]) }, () => key(rng));
  if (rng.next() < 0.3) {
    return { format: 'keygrip', keys, op: 'sign', algorithm: rng.choice(['sha1', 'sha1', 'sha256', 'sha512', 'md5']), value: text(rng) };
  }
  const op = rng.choice(['sign', 'dumps']);
  return { format: 'express', keys, op, value: op === 'dumps' ? tree(rng) : text(rng) };
}

// As cookie-parser reads with several secrets: the first that holds.
function opened(signed, keys) {
  for (const secret of keys) {
    const value = unsign(signed, secret);
    if (value !== false) return value;
  }
  throw new Error('signature');
}

function answer(line) {
  const { op, keys, value } = line;
  if (line.format === 'keygrip') {
    const grip = new Keygrip(keys, line.algorithm);
    if (op === 'sign') return grip.sign(value);
    if (!grip.verify(value, line.signature)) throw new Error('signature');
    return value;
  }
  if (op === 'sign') return sign(value, keys[0]);
  if (op === 'dumps') return sign(`j:${JSON.stringify(value)}`, keys[0]);
  const text = opened(value, keys);
  if (op === 'unsign') return text;
  if (!text.startsWith('j:')) throw new Error('no JSON cookie');
  return JSON.parse(text.slice(2));
}

const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string', default: '1' }, answer: { type: 'boolean' } } });
if (values.answer) {
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const line = JSON.parse(text);
    let done;
    try {
      done = { value: answer(line) };
    } catch (error) {
      done = { rejected: error.message };
    }
    console.log(JSON.stringify({ id: line.id, ...done }));
  }
} else {
  for (let id = 0; id < Number(values.count); id += 1) {
    console.log(JSON.stringify({ id, now: 1714566896, ...make(random(`${values.seed}/${id}`)) }));
  }
}
