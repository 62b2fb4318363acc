// CloudFront's signed URLs and cookies, by AWS's library. It does not verify; what we signed is compared with what it
// makes of the same, as PKCS#1 v1.5 leaves nothing to the signer.

import { readFileSync } from 'node:fs';
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';

export const SDK = "@aws-sdk/cloudfront-signer@3.1166.0";
export const SCHEMES = ["cloudfront-canned", "cloudfront-canned-sha256", "cloudfront-canned-cookie", "cloudfront-custom", "cloudfront-custom-sha256", "cloudfront-custom-cookie"];
export const QUICK = true;

const key = (name) => readFileSync(new URL(`../../vectors/keys/${name}`, import.meta.url), 'utf8');
const PRIVATE = key('rsa.pem');
const PUBLIC = key('rsa.pub.pem');

const date = (second) => new Date(second * 1000).toISOString();

export function sign(scheme, rng, hostile) {
  const now = hostile.now(rng);
  const origin = `https://${hostile.host(rng)}`;
  const path = hostile.path(rng);
  const query = hostile.queryString(rng, hostile.query(rng), { plus: true });
  const url = `${origin}${path}${query ? `?${query}` : ''}`;
  const line = { method: rng.choice(['GET', 'HEAD']), headers: [], now };
  const end = now + rng.int(1, 99999);
  if (!scheme.includes('custom')) return signed(scheme, line, { url, dateLessThan: date(end) });
  const peer = rng.choice(['192.0.2.7', '203.0.113.200']);
  const how = rng.int(0, 2);
  if (how === 0) return { ...signed(scheme, line, { url, dateLessThan: date(end), dateGreaterThan: date(now - rng.int(1, 9999)) }), peer };
  const ipAddress = rng.choice([peer, '0.0.0.0/0', `${peer.slice(0, peer.lastIndexOf('.'))}.0/24`]);
  if (how === 1) return { ...signed(scheme, line, { url, dateLessThan: date(end), ipAddress }), peer };
  // A policy that the library did not write, with white space, its members in another order, and a pattern.
  const condition = { IpAddress: { 'AWS:SourceIp': ipAddress }, DateLessThan: { 'AWS:EpochTime': end } };
  const resource = rng.choice(['*', `${origin}/*`, `http*://?${origin.slice('https://'.length + 1)}/*`]);
  const policy = JSON.stringify({ Statement: [{ Condition: condition, Resource: resource }] }, null, rng.choice([0, 1, 2]));
  return { ...signed(scheme, line, { url, policy }), peer };
}

function signed(scheme, line, options, key = { public_key: PUBLIC }) {
  const common = { ...options, keyPairId: 'K2JCJMDEHXQW5F', privateKey: PRIVATE, algorithm: scheme.endsWith('sha256') ? 'SHA256' : undefined };
  const made = { ...line, key_id: 'K2JCJMDEHXQW5F', ...key };
  if (!scheme.endsWith('cookie')) return { ...made, url: getSignedUrl(common) };
  const cookies = Object.entries(getSignedCookies(common)).map(([name, value]) => `${name}=${value}`);
  return { ...made, url: options.url, headers: [...line.headers, ['Cookie', cookies.join('; ')]] };
}

export function unsigned(scheme, rng, hostile) {
  const now = hostile.now(rng);
  const origin = `https://${hostile.host(rng)}`;
  const query = hostile.queryString(rng, hostile.query(rng), { plus: true });
  const line = {
    method: rng.choice(['GET', 'HEAD']),
    url: written(`${origin}${hostile.path(rng)}${query ? `?${query}` : ''}`),
    headers: [],
    now,
    key_id: 'K2JCJMDEHXQW5F',
    private_key: PRIVATE,
  };
  if (!scheme.includes('custom')) return { ...line, vars: { ttl: rng.int(1, 99999) } };
  const condition = { DateLessThan: { 'AWS:EpochTime': now + rng.int(1, 99999) } };
  const policy = JSON.stringify({ Statement: [{ Resource: `${origin}/*`, Condition: condition }] }, null, rng.choice([0, 1, 2]));
  return { ...line, vars: { policy: encoded(policy) } };
}

// The library encodes some characters of a URL anew before it signs and sends it.
const written = (url) => parts(signed('cloudfront-canned', { headers: [] }, { url, dateLessThan: date(1) }).url).url;

// A signed URL without what signing added, and that.
function parts(signedUrl) {
  const [bare, ...rest] = signedUrl.split('?');
  const items = rest.length ? rest.join('?').split('&') : [];
  const added = (item) => ADDED.includes(item.split('=', 1)[0]);
  const kept = items.filter((item) => !added(item));
  return { url: kept.length ? `${bare}?${kept.join('&')}` : bare, added: items.filter(added) };
}

const encoded = (text) => Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');
const decoded = (text) => Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64').toString();

const ADDED = ['Expires', 'Policy', 'Key-Pair-Id', 'Signature', 'Hash-Algorithm'];

export function verify(scheme, line) {
  const cookie = scheme.endsWith('cookie');
  const cookies = (headers) => headers.find(([name]) => name.toLowerCase() === 'cookie')[1].split('; ');
  const { url, added } = parts(line.url);
  const given = cookie ? cookies(line.headers) : added;
  const sent = Object.fromEntries(given.map((item) => item.replace('CloudFront-', '').split('=')));
  const options = sent.Policy === undefined ? { url, dateLessThan: date(Number(sent.Expires)) } : { url, policy: decoded(sent.Policy) };
  const made = signed(scheme, { headers: [] }, options);
  const theirs = cookie ? cookies(made.headers) : parts(made.url).added;
  return given.toSorted().join() === theirs.toSorted().join();
}

export function fixed(scheme) {
  const url = 'https://d111111abcdef8.cloudfront.net/images/a%20b.jpg?size=large&x=1';
  const now = 1714566896;
  const end = date(now + 3600);
  const custom = {
    window: [{ url, dateLessThan: end, dateGreaterThan: date(now - 60), ipAddress: '192.0.2.0/24' }, []],
    pattern: [
      { url, policy: `{ "Statement": [ { "Resource": "https://*.cloudfront.net/images/*",\r\n "Condition": { "DateLessThan": { "AWS:EpochTime": ${now + 3600} } } } ] }` },
      // These the pattern grants.
      ['query', 'query.size', 'query.x', 'path:longer', 'path:deeper', 'path:shorter', 'path:flipped', 'host'],
    ],
  };
  const canned = { plain: [{ url, dateLessThan: end }, []], bare: [{ url: 'https://d111111abcdef8.cloudfront.net/', dateLessThan: end }, []] };
  return Object.entries(scheme.includes('custom') ? custom : canned).map(([id, [options, granted]]) => {
    const cookie = scheme.endsWith('cookie');
    const names = [scheme.includes('custom') ? 'Policy' : 'Expires', 'Signature'];
    const covered = ['scheme', ...(id === 'pattern' ? [] : ['host']), 'path', 'query', 'query.size', 'query.x', 'secret', ...names.map((name) => (cookie ? `cookie.CloudFront-${name}` : `query.${name}`))];
    return {
      id: `cloudfront-signer-${id}`,
      source: `${SDK}, ${cookie ? 'getSignedCookies' : 'getSignedUrl'}`,
      expect: 'verified',
      covered: covered.filter((part) => !granted.includes(part)),
      open: ['method', 'body', 'key-id', 'header.user-agent', ...granted],
      peer: '192.0.2.7',
      ...signed(scheme, { method: 'GET', headers: [], now }, options, { private_key: PRIVATE }),
    };
  });
}
