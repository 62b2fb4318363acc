// Messages for npm's peers of HTTP Message Signatures (RFC 9421): message_signatures.py, as far as they can follow.

import { readFileSync } from 'node:fs';

const KEYS = new URL('../vectors/keys/', import.meta.url);
const pem = (name) => readFileSync(new URL(`${name}.pem`, KEYS), 'utf8');

/** The registered algorithms (section 6.2.2) and the keys that they are used with here. */
export const ALGORITHMS = {
  'hmac-sha256': null,
  ed25519: 'ed25519',
  'ecdsa-p256-sha256': 'p256',
  'ecdsa-p384-sha384': 'p384',
  'rsa-pss-sha512': 'rsa',
  'rsa-v1_5-sha256': 'rsa',
};

const DICTIONARIES = ['priority', 'cdn-cache-control', 'x-dict'];
const LISTS = ['cache-status', 'proxy-status', 'x-list'];
const STRUCTURED = 'x-dict=dictionary x-list=list';

const sample = (rng, list, count) => {
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(rng.int(0, rest.length - 1), 1)[0]);
};

/** A request, or a response with the request that it answers; and the components of it that can be signed. */
export function message(rng, hostile, can) {
  if (rng.chance(0.35)) {
    const [request, own] = requested(rng, hostile, can);
    const headers = fields(rng, hostile, can);
    const line = { status: rng.choice([200, 201, 204, 299, 404, 503, 599]), request, headers };
    if (rng.chance(0.5)) line.body = hostile.bodyText(rng);
    return [line, ['"@status"', ...ofFields(rng, headers, can), ...own.map((one) => ofRequest(rng, one))]];
  }
  return requested(rng, hostile, can);
}

/** The same component of the request that is answered (section 2.4); the order of parameters is free. */
function ofRequest(rng, identifier) {
  const end = identifier.indexOf('"', 1) + 1;
  const [name, parameters] = [identifier.slice(0, end), identifier.slice(end)];
  return rng.chance(0.5) ? `${name};req${parameters}` : `${name}${parameters};req`;
}

function requested(rng, hostile, can) {
  let method = hostile.method(rng);
  if (can.has('method-case') && rng.chance(0.15)) method = rng.choice(['get', 'Post', 'qUERY', 'M-SEARCH']);
  const scheme = rng.choice(['https', 'https', 'http']);
  let authority = rng.choice(['example.com', 'api.example.com', 'a-b.example.org:8443', '[2001:db8::1]:8080']);
  if (rng.chance(0.2)) authority = rng.choice(['Example.COM', 'API.example.com:8080']);
  if (rng.chance(0.2)) authority = { https: 'example.com:443', http: 'example.com:80' }[scheme];
  const pairs = hostile.query(rng).filter(([name, value]) => can.has('query-any') || (plain(name) && plain(value)));
  const query = can.has('query-any') ? hostile.queryString(rng, pairs, { plus: true, bare: true }) : pairs.map((pair) => pair.join('=')).join('&');
  const path = hostile.path(rng);
  let url = `${scheme}://${authority}${path}`;
  if (query || (can.has('empty-query') && rng.chance(0.1))) url += `?${query}`;
  if (!can.has('url-any')) {
    // What the URL standard writes otherwise is not sent, but for the authority.
    const written = new URL(url);
    url = `${scheme}://${authority}${written.pathname}${written.search}`;
  }
  const headers = [['Host', authority], ...fields(rng, hostile, can)];
  const line = { method, url, headers };
  if (rng.chance(0.5)) line.body = hostile.bodyText(rng);
  const known = ['"@method"', '"@target-uri"', '"@authority"', '"@scheme"', '"@path"', '"@query"', '"@request-target"'];
  if (can.has('query-param')) {
    for (const [name] of pairs) {
      // Section 2.2.8: a name that comes twice is not to be signed alone.
      const value = pairs.find(([other]) => other === name)[1];
      if (!can.has('query-param-any') && /[!'()~]/.test(value)) continue;
      if (pairs.filter(([other]) => other === name).length === 1) known.push(`"@query-param";name="${encoded(name)}"`);
    }
  }
  return [line, [...known, '"host"', ...ofFields(rng, headers.slice(1), can)]];
}

const plain = (text) => /^[A-Za-z0-9._-]+$/.test(text);

/** Section 2.2.8: the percent-encode set of forms (WHATWG URL), and a space is `%20`. */
const encoded = (text) => encodeURIComponent(text).replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Field lines: hostile ones, empty ones, several of one name, and structured ones. */
function fields(rng, hostile, can) {
  const lines = hostile.headers(rng);
  if (lines.length && rng.chance(0.4)) {
    const again = rng.choice(lines)[0];
    lines.push([rng.choice([again, again.toLowerCase(), again.toUpperCase()]), hostile.headerValue(rng)]);
  }
  if (rng.chance(0.3)) lines.push(['X-Empty', '']);
  if (rng.chance(0.1)) lines.push(['X-Tab', 'a\tb']);
  for (const [names, make] of [[DICTIONARIES, dictionary], [LISTS, items]]) {
    for (const name of names) {
      if (!rng.chance(0.3)) continue;
      lines.push([name, make(rng, can)]);
      if (rng.chance(0.3)) lines.push([name.toUpperCase(), make(rng, can)]);
    }
  }
  return sample(rng, lines, lines.length);
}

/** Components of field lines, some with parameters that fit them. */
function ofFields(rng, lines, can) {
  const found = [];
  for (const name of new Set(lines.map(([name]) => name.toLowerCase()))) {
    const values = lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
    found.push(`"${name}"`);
    if (can.has('bs')) found.push(`"${name}";bs`);
    if (can.has('sf') && LISTS.includes(name)) found.push(`"${name}";sf`);
    if (!DICTIONARIES.includes(name)) continue;
    const keys = keysOf(values);
    // A key that comes twice is refused by us where it matters: `rfc9421.toml` says why.
    if (new Set(keys).size < keys.length) continue;
    if (can.has('sf-dictionary')) found.push(`"${name}";sf`);
    if (can.has('key')) for (const key of keys) found.push(`"${name}";key="${key}"${can.has('sf') && rng.chance(0.2) ? ';sf' : ''}`);
  }
  return found;
}

/** The keys of lines of `dictionary`: nothing else in them has a comma before a `k`. */
const keysOf = (values) =>
  values
    .join(',')
    .replace(/[ \t]/g, '')
    .split(',')
    .filter((part) => part.startsWith('k'))
    .map((part) => part.split(/[=;]/)[0]);

const spaces = (rng) => rng.choice(['', '', ' ', '  ']);
const joined = (rng, list) => list.reduce((text, one) => `${text}${spaces(rng)},${rng.choice([' ', '', '  '])}${one}`);
const many = (rng, least, most, make) => Array.from({ length: rng.int(least, most) }, make);

/** A dictionary whose serialization is seldom what is written. */
function dictionary(rng, can) {
  const keys = sample(rng, ['ka', 'k-b', 'k*c', 'k_d', 'k.e', 'k1'], rng.int(1, 4));
  const alone = (at) => (at > 0 || can.has('keys-alone')) && rng.chance(0.15);
  return joined(rng, keys.map((key, at) => (alone(at) ? key + parameters(rng, can) : `${key}=${member(rng, can)}`)));
}

const items = (rng, can) => joined(rng, many(rng, 1, 4, () => member(rng, can)));

function member(rng, can) {
  if (!rng.chance(0.25)) return bare(rng, can) + parameters(rng, can);
  const inner = many(rng, 0, 3, () => bare(rng, can) + parameters(rng, can));
  return `(${spaces(rng)}${inner.join(rng.choice([' ', '  ']))}${spaces(rng)})${parameters(rng, can)}`;
}

const parameters = (rng, can) =>
  sample(rng, ['pa', 'p-b', 'p*', 'q'], rng.int(0, 2))
    .map((name) => `;${spaces(rng)}${name}${rng.chance(0.3) ? '' : `=${bare(rng, can)}`}`)
    .join('');

function bare(rng, can) {
  const known = ['1', '-15', '0', '007', '1.50', '0.125', 'token', '*a/b:c', '?1', '?0', ':aGVsbG8=:', '"text"', '""', '"a \\"b\\" \\\\ c"'];
  // A decimal keeps its point (RFC 9651, section 4.1.5), and there is one zero (section 4.1.4).
  if (can.has('sf-decimal')) known.push('2.0');
  if (can.has('sf-zero')) known.push('-0');
  if (can.has('sf-display')) known.push('%"f%c3%bc"');
  return rng.choice(known);
}

/** Some components, in any order; seldom none. */
export const components = (rng, known) => (rng.chance(0.03) ? [] : sample(rng, known, rng.int(1, 9)));

/** A key, and the algorithm that it is used with, as a line has them. */
export function key(rng, hostile, algorithms = Object.keys(ALGORITHMS)) {
  const alg = rng.choice(algorithms);
  return ALGORITHMS[alg] === null ? { alg, secret: hostile.secret(rng) } : { alg, private_key: pem(ALGORITHMS[alg]) };
}

/** What a verifier of a line has. */
export const verifyingKey = (line) => line.secret ?? pem(`${ALGORITHMS[line.alg]}.pub`);

/** What the string of a parameter may hold (RFC 9651, section 3.3.3). */
const text = (rng, hostile) => rng.choice(['', '', 'a "b" \\ c', '~', 'a;b=c', 'a, b', '(x)', '=:?@', ' a ']) + hostile.word(rng, 12);

/** Signature parameters in any order: `created` (seldom not), some of the others, and some that are not registered. */
export function words(rng, hostile, now, can) {
  const found = can.has('no-created') && rng.chance(0.1) ? [] : [['created', now - rng.int(0, 60)]];
  if (rng.chance(0.8)) found.push(['keyid', rng.choice(['Test', 'test-key', 'https://example.com/users/alice#main-key'])]);
  if (rng.chance(0.4)) found.push(['expires', now + rng.int(1, 300)]);
  if (rng.chance(0.5)) found.push(['nonce', text(rng, hostile)]);
  if (rng.chance(0.5)) found.push(['tag', text(rng, hostile)]);
  if (can.has('unknown') && rng.chance(0.4)) found.push([rng.choice(['x-one', 'a*b', '*z']), rng.choice([1, 1.5, true, text(rng, hostile)])]);
  return sample(rng, found, found.length);
}

/** What a line with these parameters is to be told: RFC 9421 leaves `created` out where it likes, and `rfc9421` does not. */
export const expected = (found) => (found.some(([name]) => name === 'created') ? {} : { expect: 'field-missing' });

/** Components with parameters as they stand behind a label (section 2.3; RFC 9651, section 4.1). */
const written = (list, found) => {
  const value = (one) => (typeof one === 'string' ? `"${one.replace(/["\\]/g, '\\$&')}"` : one);
  return `(${list.join(' ')})${found.map(([name, one]) => `;${name}${one === true ? '' : `=${value(one)}`}`).join('')}`;
};

/** What we are to sign with parameters that are given whole: in any order, unknown ones among them, and `created` or not. */
export function unsignedWhole(rng, hostile, can, algorithms) {
  const now = hostile.now(rng);
  const [line, known] = message(rng, hostile, can);
  const chosen = components(rng, known);
  const signer = key(rng, hostile, algorithms);
  const found = words(rng, hostile, now, can);
  if (rng.chance(0.5)) found.splice(rng.int(0, found.length), 0, ['alg', signer.alg]);
  const vars = { components: chosen.join(' '), parameters: written(chosen, found), require: '', structured: STRUCTURED };
  if (rng.chance(0.6)) vars.label = rng.choice(['sig', 'a', 'proxy_sig', '*x.y-1']);
  return { ...line, ...signer, now, vars };
}

/** What we are to sign, for a peer that can do this. */
export function unsigned(rng, hostile, can, algorithms) {
  if (rng.chance(0.3)) return unsignedWhole(rng, hostile, can, algorithms);
  const [line, known] = message(rng, hostile, can);
  const found = Object.fromEntries(words(rng, hostile, 0, new Set()));
  const vars = { components: components(rng, known).join(' '), require: '', structured: STRUCTURED };
  const signer = key(rng, hostile, algorithms);
  if (rng.chance(0.6)) vars.label = rng.choice(['sig', 'a', 'proxy_sig', '*x.y-1']);
  if (found.expires) vars.ttl = String(found.expires);
  if (found.tag) vars.tag = found.tag;
  if (rng.chance(0.5)) vars.alg = signer.alg;
  return { ...line, ...signer, ...(found.keyid && { key_id: found.keyid }), ...(found.nonce && { nonce: found.nonce }), vars };
}

/** The variables of a verifier: it insists on some of what was signed. */
export const insisted = (rng, chosen, label) => ({
  require: sample(rng, chosen, rng.int(0, chosen.length)).join(' '),
  structured: STRUCTURED,
  ...(label && { label }),
});

/** An identifier as name and parameters. */
export function parsed(identifier) {
  const end = identifier.indexOf('"', 1);
  const found = {};
  for (const part of identifier.slice(end + 2).split(';').filter(Boolean)) {
    const [name, value] = part.split('=');
    found[name] = value === undefined ? true : value.slice(1, -1);
  }
  return { name: identifier.slice(1, end), parameters: found };
}
