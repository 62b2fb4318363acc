// Shopify's webhooks, OAuth redirects and app proxy, by Shopify's library for Node, which only verifies.
//
// It sorts names as the server's locale does, and takes some for credentials that others sign: the driver keeps to
// different lower-case letters where that matters. A query goes to it as its own OAuth code reads one.

import { createHmac } from 'node:crypto';
import '@shopify/shopify-api/adapters/web-api';
import { shopifyApi, ApiVersion, LogSeverity } from '@shopify/shopify-api';

export const SDK = "@shopify/shopify-api@13.1.0";
export const SCHEMES = ["shopify-webhook", "shopify-events-webhook", "shopify-oauth-query-form", "shopify-app-proxy"];

const library = (secret) =>
  shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    apiVersion: Object.values(ApiVersion).at(-2),
    hostName: 'app.example.com',
    isEmbeddedApp: true,
    logger: { level: LogSeverity.Error, log: () => {} },
  });

const mac = (line, message, encoding) => createHmac('sha256', line.secret).update(message).digest(encoding);

const WEBHOOKS = { 'shopify-webhook': 'X-Shopify-', 'shopify-events-webhook': 'Shopify-' };

/** What the library asks for besides the signature, and nobody signs. */
const fields = (scheme) =>
  [
    ['Topic', 'orders/create'],
    ['Shop-Domain', 'some-shop.myshopify.com'],
    ['API-Version', '2025-01'],
    ['Webhook-Id', 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043'],
    ['Event-Id', '98880550-7158-44d4-b7cd-2c97c8a091b5'],
  ].map(([name, value]) => [WEBHOOKS[scheme] + name, value]);

export async function sign(scheme, rng, hostile) {
  return signed(scheme, unsigned(scheme, rng, hostile));
}

export function unsigned(scheme, rng, hostile) {
  const line = {
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [],
    secret: hostile.secret(rng),
    now: hostile.now(rng),
  };
  if (scheme in WEBHOOKS) {
    const headers = [['Content-Type', 'application/json'], ...fields(scheme)];
    return { ...line, method: 'POST', headers, body: hostile.bodyText(rng) || '{}' };
  }
  const letters = [...'abcdefgijk'].filter(() => rng.chance(0.5));
  const found = letters.map((name) => [name, hostile.value(rng)]);
  if (scheme === 'shopify-app-proxy') {
    // Several values of one name are joined by commas.
    for (const letter of letters.slice(0, 2)) if (rng.chance(0.3)) found.push([letter, hostile.value(rng)]);
  }
  const query = hostile.queryString(rng, found, { plus: true, bare: true });
  return { ...line, method: 'GET', url: query ? `${line.url}?${query}` : line.url };
}

async function signed(scheme, line) {
  if (scheme in WEBHOOKS) {
    const headers = [...line.headers, [`${WEBHOOKS[scheme]}Hmac-Sha256`, mac(line, line.body, 'base64')]];
    return accepted(scheme, { ...line, headers });
  }
  const [address, before = ''] = line.url.split('?');
  const found = new URLSearchParams(before);
  found.append('timestamp', String(line.now));
  const names = [...new Set(found.keys())].sort();
  const [name, message] =
    scheme === 'shopify-app-proxy'
      ? ['signature', names.map((k) => `${k}=${found.getAll(k).join(',')}`).join('')]
      : ['hmac', new URLSearchParams(names.map((k) => [k, found.get(k)])).toString()];
  const query = [before, `timestamp=${line.now}`, `${name}=${mac(line, message, 'hex')}`].filter(Boolean).join('&');
  return accepted(scheme, { ...line, url: `${address}?${query}` });
}

async function accepted(scheme, line) {
  if (await verify(scheme, line)) return line;
  throw new Error(`the library refuses what Shopify's document says: ${JSON.stringify(line)}`);
}

export async function verify(scheme, line) {
  const shopify = library(line.secret);
  if (scheme in WEBHOOKS) {
    const rawRequest = new Request(line.url, { method: 'POST', headers: line.headers });
    return (await shopify.webhooks.validate({ rawBody: line.body, rawRequest })).valid;
  }
  const found = new URL(line.url).searchParams;
  const query = {};
  for (const name of new Set(found.keys())) query[name] = found.getAll(name).length > 1 ? found.getAll(name) : found.get(name);
  const clock = Date.now;
  Date.now = () => line.now * 1000;
  try {
    return await shopify.utils.validateHmac(query, { signator: scheme === 'shopify-app-proxy' ? 'appProxy' : 'admin' });
  } finally {
    Date.now = clock;
  }
}

export async function fixed(scheme) {
  const line = { expect: 'verified', headers: [], secret: 'hush', now: 1317327555 };
  if (scheme in WEBHOOKS) {
    const bodies = { json: '{"id":1}', unicode: '{"name":"Zoë 😀", "price":"1.0"}' };
    return Promise.all(
      Object.entries(bodies).map(([id, body]) =>
        signed(scheme, {
          ...line,
          id: `shopify-api-${id}`,
          source: `${SDK}, webhooks.validate`,
          covered: ['body', `header.${WEBHOOKS[scheme]}hmac-sha256`.toLowerCase(), 'secret'],
          open: ['method', 'scheme', 'host', 'path', 'query', ...fields(scheme).map(([name]) => `header.${name.toLowerCase()}`)],
          method: 'POST',
          url: 'https://app.example.com/webhooks',
          headers: fields(scheme),
          body,
        }),
      ),
    );
  }
  const queries = {
    'shopify-app-proxy': {
      document: 'extra=1&extra=2&shop=some-shop.myshopify.com&logged_in_customer_id=1&path_prefix=%2Fapps%2Fawesome_reviews',
      odd: 'q=a%26b%3Dc+d&logged_in_customer_id=&shop=some-shop.myshopify.com',
    },
    'shopify-oauth-query-form': {
      install: 'code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&state=0.6784241404160823',
      odd: 'state=a%26b%3Dc%25+d%C3%A9&shop=some-shop.myshopify.com&host=YWRtaW4%3D',
    },
  }[scheme];
  const name = scheme === 'shopify-app-proxy' ? 'signature' : 'hmac';
  return Promise.all(
    Object.entries(queries).map(([id, query]) =>
      signed(scheme, {
        ...line,
        id: `shopify-api-${id}`,
        source: `${SDK}, utils.validateHmac`,
        covered: ['query', 'query.shop', 'query.timestamp', `query.${name}`, 'secret'],
        open: ['method', 'scheme', 'host', 'path', 'body'],
        method: 'GET',
        url: `https://app.example.com/proxy?${query}`,
      }),
    ),
  );
}
