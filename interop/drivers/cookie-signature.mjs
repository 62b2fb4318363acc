// The cookies of Express, by the package that signs them.

import { sign as mac, unsign } from 'cookie-signature';

export const SDK = "cookie-signature@1.2.2";
export const SCHEMES = ["cookie-signature"];
export const QUICK = true;

export function sign(scheme, rng, hostile) {
  const line = unsigned(scheme, rng, hostile);
  const { value } = line.vars;
  delete line.vars;
  return signed(line, value, rng.chance(0.3) ? ['theme=dark', 'sid=1'] : []);
}

export function unsigned(scheme, rng, hostile) {
  return {
    method: hostile.method(rng),
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [],
    secret: hostile.secret(rng),
    now: hostile.now(rng),
    // A control character cannot be part of what a scheme captures.
    vars: { value: hostile.text(rng, false) },
  };
}

function signed(line, value, others = []) {
  const cookie = [...others, `s=${encodeURIComponent(`s:${mac(value, line.secret)}`)}`].join('; ');
  return { ...line, headers: [...line.headers, ['Cookie', cookie]] };
}

export function verify(scheme, line) {
  const [, cookie] = line.headers.find(([name]) => name.toLowerCase() === 'cookie');
  const value = decodeURIComponent(/(?:^|; )s=([^;]*)/.exec(cookie)[1]);
  return value.startsWith('s:') && unsign(value.slice(2), line.secret) !== false;
}

export function fixed() {
  return Object.entries({ session: 'dX3nYk0w2Z4v', dots: 'a.b.c', json: 'j:{"user":"Zoë","n":1}' }).map(([id, value]) =>
    signed(
      {
        id: `cookie-signature-${id}`,
        source: `${SDK}, sign`,
        expect: 'verified',
        covered: ['cookie.s', 'secret'],
        open: ['method', 'scheme', 'host', 'path', 'query', 'body', 'cookie.theme', 'header.user-agent'],
        method: 'GET',
        url: 'https://example.com/account?a=b',
        headers: [],
        secret: 'keyboard cat',
        now: 1714566896,
      },
      value,
    ),
  );
}
