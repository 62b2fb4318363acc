// Names and values that break canonicalisation, as far as HTTP itself admits them in the place: hostile.py for npm's
// SDKs. Everything is drawn from the generator that is handed in, so that a request can be made again from its seed.

import { createHash } from 'node:crypto';

/** A generator of numbers from a text: xoshiro128** seeded with its SHA-256. */
export function generator(text) {
  const seed = createHash('sha256').update(text).digest();
  const s = Uint32Array.from([0, 4, 8, 12].map((at) => seed.readUInt32LE(at)));
  const rotated = (x, by) => ((x << by) | (x >>> (32 - by))) >>> 0;
  const next = () => {
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 11);
    return result;
  };
  const random = () => next() / 2 ** 32;
  return {
    /** Less than 1. */
    random,
    /** From `least` to `most`, both included. */
    int: (least, most) => least + Math.floor(random() * (most - least + 1)),
    choice: (list) => list[Math.floor(random() * list.length)],
    chance: (probability) => random() < probability,
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 255)),
  };
}

export const HARMLESS = ['a', 'b', 'Action', 'limit', 'user', 'x-1', '0', 'list-type', 'prefix', 'Key', 'key', 'z_9'];

// Separators of the signature bases in the wild, characters that encodings disagree about, and what sorts oddly.
export const ODD = [
  ' ', '  ', '+', '%', '%20', '%2F', '%2f', '%25', '%zz', '&', '=', '&=', 'a=b', 'a&b=c', ';', ',', '~', '|', ':', '/',
  '//', '?', '#', '@', '!', '*', "'", '(', ')', '[', ']', '{', '}', '$', '\\', '"', '<', '>', '^', '`', '.', '..', '-', '_',
  'é', 'ß', 'İ', '中文', '日本', '😀', 'e\u0301', '\u00a0', '\ufeff', '\uffee', 'A', 'Z', 'a b', ' a', 'a ', 'a  b', '0x1',
  'null', 'true', '-1', '1.0', '1e3', 'aA', 'Aa', '~a', '%7E', 'a%', '\u2028',
];

// In a body or a query these can stand encoded; in a field's value they cannot stand at all.
export const CONTROL = ['\n', '\r\n', '\t', 'a\nb', '\x7f', '\x1f'];

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const many = (rng, least, most, make) => Array.from({ length: rng.int(least, most) }, () => make());

/** Text of up to `most` pieces; seldom long. */
export function text(rng, control = true, most = 4) {
  if (rng.chance(0.03)) return rng.choice(['a', 'é', '%41', 'a b']).repeat(rng.int(100, 400));
  const pieces = [...HARMLESS, ...ODD, ...ODD, ...(control ? CONTROL : [])];
  return many(rng, 1, most, () => rng.choice(pieces)).join('');
}

/** A parameter's or member's name; not empty. */
export const name = (rng) => (rng.chance(0.5) ? rng.choice(HARMLESS) : text(rng, rng.chance(0.2), 2));

/** A parameter's or member's value; may be empty. */
export function value(rng) {
  const draw = rng.random();
  if (draw < 0.1) return '';
  return draw < 0.4 ? rng.choice(HARMLESS) : text(rng, rng.chance(0.2));
}

/** Parameters in no order; seldom a name or a whole pair comes twice. */
export function pairs(rng, least = 0, most = 5) {
  const found = many(rng, least, most, () => [name(rng), value(rng)]);
  if (found.length && rng.chance(0.2)) {
    const again = rng.choice(found);
    found.splice(rng.int(0, found.length), 0, [again[0], rng.chance(0.3) ? again[1] : value(rng)]);
  }
  return found;
}

/** The pairs, the first of each name. */
export const distinct = (found) => found.filter(([k], at) => found.findIndex(([other]) => other === k) === at);

export const query = (rng, least = 0) => pairs(rng, least);
export const form = (rng, least = 1) => pairs(rng, least, 6);

/** RFC 3986: all but the unreserved, and what `safe` holds. */
export const quote = (part, safe = '') =>
  [...Buffer.from(part.toWellFormed?.() ?? part)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      const kept = /[A-Za-z0-9._~-]/.test(char) || safe.includes(char);
      return kept && byte < 128 ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

/** The pairs as clients encode them. `plus`: spaces may become `+`. `bare`: an empty value may lose its `=`. */
export function queryString(rng, found, { plus = false, bare = false } = {}) {
  const safe = rng.choice(['', '', "!$'()*,:@/?", '*']);
  const spaces = plus && rng.chance(0.5);
  const encoded = (part) => (spaces ? quote(part, safe).replaceAll('%20', '+') : quote(part, safe));
  return found
    .map(([k, v]) => (bare && v === '' && rng.chance(0.5) ? encoded(k) : `${encoded(k)}=${encoded(v)}`))
    .join('&');
}

/** The segments of a path, decoded. None is empty, `.` or `..`, but for a last empty one. */
export function segments(rng) {
  const found = many(rng, 0, 4, () => name(rng).replaceAll('/', '-')).filter((part) => !['', '.', '..'].includes(part));
  return rng.chance(0.2) ? [...found, ''] : found;
}

/** A path as it goes over the wire. `dots`: with empty and dot segments, which some schemes normalise. */
export function path(rng, { dots = false } = {}) {
  const safe = rng.choice(['', "!$&'()*+,;=:@"]);
  const found = segments(rng).map((part) => quote(part, safe));
  if (dots) {
    for (let left = rng.int(1, 3); left > 0; left -= 1) {
      found.splice(rng.int(0, found.length), 0, rng.choice(['', '.', '..', 'a']));
    }
  }
  return `/${found.join('/')}`;
}

/** An authority; seldom with a port, or with upper case. */
export const host = (rng) =>
  rng.choice(['example.com', 'example.com', 'api.example.com', 'a-b.example.org', 'example.com:8443', 'Example.COM']);

export const method = (rng) => rng.choice(['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']);

/** A field name that means nothing to HTTP. */
export const headerName = (rng) =>
  `X-${rng.choice(['Tag', 'tag-2', 'Meta-A', 'meta_b', 'Zz', 'a', 'Trace-1', `Long-${'n'.repeat(40)}`])}`;

/** What a field's value may hold: ASCII, no control characters, no white space around it. */
export function headerValue(rng) {
  if (rng.chance(0.5)) return rng.choice(HARMLESS);
  const odd = ODD.filter((piece) => /^[\x20-\x7e]*$/.test(piece));
  return many(rng, 1, 4, () => rng.choice([...HARMLESS, ...odd])).join('').trim() || 'v';
}

/** Field lines with different names. */
export const headers = (rng, most = 3) => distinct(many(rng, 0, most, () => [headerName(rng), headerValue(rng)]));

/** An object: text, numbers, flags and, down to `depth`, lists and objects. */
export const json = (rng, depth = 2) =>
  Object.fromEntries(many(rng, 0, 4, () => [name(rng), jsonValue(rng, depth - 1)]));

function jsonValue(rng, depth) {
  const kind = rng.int(0, depth > 0 ? 7 : 5);
  if (kind === 0) return rng.choice([0, 1, -1, 1e15, 1.5, 0.1, 1e21]);
  if (kind === 1) return rng.choice([true, false, null]);
  if (kind === 6) return many(rng, 0, 3, () => jsonValue(rng, depth - 1));
  if (kind === 7) return json(rng, depth);
  return value(rng);
}

/** An object as some serialiser writes it. */
export const jsonText = (rng) => JSON.stringify(json(rng), null, rng.choice([0, 0, 0, 2]));

/** A body of UTF-8 text; may be empty. */
export function bodyText(rng) {
  const kind = rng.int(0, 5);
  if (kind === 0) return '';
  if (kind === 1) return queryString(rng, form(rng), { plus: true });
  if (kind === 2) return many(rng, 1, 5, () => text(rng)).join('');
  return jsonText(rng);
}

/** A body's bytes, seldom no text at all. */
export const body = (rng) => (rng.chance(0.15) ? rng.bytes(rng.int(1, 300)) : Buffer.from(bodyText(rng)));

/** A shared secret of letters, digits and what base64 needs. */
export const secret = (rng, least = 16, most = 40) => many(rng, least, most, () => rng.choice(`${LETTERS}+/`)).join('');

/** Letters and digits: a key id, a nonce. */
export const word = (rng, length = 16) => many(rng, length, length, () => rng.choice(LETTERS)).join('');

/** A time, in Unix seconds, between 2010 and 2037. */
export const now = (rng) => rng.int(1262304000, 2114380800);
