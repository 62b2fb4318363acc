// Hawk, by its reference implementation: requests, answers and links, both ways.

import { client, crypto, server, uri, utils } from 'hawk';

export const SDK = "hawk@9.0.2";
export const SCHEMES = ["hawk", "hawk-bewit"];
export const QUICK = true;

export async function sign(scheme, rng, hostile) {
  const line = unsigned(scheme, rng, hostile);
  const ext = rng.chance(0.5) ? attribute(rng, hostile) : undefined;
  if (scheme === 'hawk-bewit') return linked(line, ext);
  const parties = rng.chance(0.3) ? { app: attribute(rng, hostile), dlg: rng.chance(0.5) ? attribute(rng, hostile) : undefined } : {};
  const made = requested(line, { nonce: hostile.word(rng), ext, ...parties }, rng.chance(0.7));
  return rng.chance(0.3) ? answered(made, hostile.bodyText(rng), ext, rng.chance(0.7)) : made;
}

export function unsigned(scheme, rng, hostile) {
  const link = scheme === 'hawk-bewit';
  const query = hostile.queryString(rng, hostile.query(rng), { bare: true });
  // Node's old reader of URLs encodes some characters that can be sent as they are.
  const path = hostile.path(rng).replaceAll("'", '%27');
  return {
    method: link ? 'GET' : hostile.method(rng),
    url: `${rng.choice(['https', 'http'])}://${hostile.host(rng)}${path}${query ? `?${query.replaceAll("'", '%27')}` : ''}`,
    headers: [['Content-Type', rng.choice(['text/plain', 'Application/JSON; charset=utf-8'])]],
    body: link ? '' : hostile.bodyText(rng),
    key_id: link ? hostile.word(rng) : attribute(rng, hostile),
    secret: hostile.secret(rng),
    alg: rng.choice(['hmac-sha256', 'hmac-sha1']),
    now: hostile.now(rng),
    ...(link ? { vars: { ttl: 300 } } : {}),
  };
}

/** What Hawk admits in an attribute: printable ASCII without quotes and backslashes. */
const attribute = (rng, hostile) => hostile.headerValue(rng).replaceAll('"', "'").replaceAll('\\', '/');

const credentials = (line) => ({ id: line.key_id, key: line.secret, algorithm: line.alg.replace('hmac-', '') });

const field = (line, wanted) => line.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

function requested(line, options, hashed) {
  const payload = hashed ? { payload: line.body, contentType: field(line, 'content-type') } : {};
  const { header } = client.header(line.url, line.method, {
    credentials: credentials(line),
    timestamp: line.now,
    ...options,
    ...payload,
  });
  return { ...line, headers: [...line.headers, ['Authorization', header]] };
}

/** What a server is handed. */
function arrived(line) {
  const [, protocol, host, target] = /^(https?):\/\/([^/]*)(.*)$/.exec(line.url);
  const headers = Object.fromEntries(line.headers.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: line.method,
    url: target,
    headers: { ...headers, host },
    connection: { encrypted: protocol === 'https' },
  };
}

async function answered(line, body, ext, hashed) {
  utils.setTimeFunction(() => line.now * 1000);
  const { artifacts } = await server.authenticate(arrived(line), () => credentials(line));
  const payload = hashed ? { payload: body, contentType: 'text/plain' } : {};
  const header = server.header(credentials(line), artifacts, { ext, ...payload });
  const { method, url, headers, body: sent, ...kept } = line;
  return {
    ...kept,
    status: 200,
    headers: [['Content-Type', 'text/plain'], ['Server-Authorization', header]],
    body,
    request: { method, url, headers, body: sent },
  };
}

function linked(line, ext) {
  utils.setTimeFunction(() => line.now * 1000);
  const bewit = uri.getBewit(line.url, { credentials: credentials(line), ttlSec: 300, ext });
  return { ...line, url: `${line.url}${line.url.includes('?') ? '&' : '?'}bewit=${bewit}` };
}

export async function verify(scheme, line) {
  utils.setTimeFunction(() => line.now * 1000);
  const request = arrived(line);
  try {
    if (scheme === 'hawk-bewit') {
      await uri.authenticate(request, () => credentials(line));
    } else {
      const hashed = request.headers.authorization.includes('hash="');
      await server.authenticate(request, () => credentials(line), hashed ? { payload: line.body } : {});
    }
    return true;
  } catch (error) {
    if (!error.isBoom) throw error;
    return false;
  }
}

export function base(scheme, line) {
  if (scheme !== 'hawk' || 'status' in line) return null;
  const attributes = utils.parseAuthorizationHeader(field(line, 'authorization'));
  const { host, url, method, port } = utils.parseRequest(arrived(line), {});
  return crypto.generateNormalizedString('header', { ...attributes, method, resource: url, host, port });
}
