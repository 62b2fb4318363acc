// Alipay, both interfaces, by its library for Node.js: requests as they arrive at a server, answers and notifications as
// it checks them.

import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { AlipayFormData, AlipaySdk } from 'alipay-sdk';

export const SDK = "alipay-sdk@4.14.0";
export const SCHEMES = ["alipay-rsa2", "alipay-rsa2-cert", "alipay-notify", "alipay-v3", "alipay-v3-cert", "alipay-v3-upload"];

// It writes the machine's time, which Alipay takes for China's.
process.env.TZ = 'Asia/Shanghai';

const pem = (name) => readFileSync(new URL(`../../vectors/keys/${name}.pem`, import.meta.url), 'utf8');
const PRIVATE = pem('rsa');
const PUBLIC = pem('rsa.pub');
const APP = '2016073100135823';
const HOST = 'https://openapi.alipay.com';
const METHOD = 'alipay.security.risk.content.analyze';
const ROOT = 'alipay_security_risk_content_analyze_response';

// A server on this machine, because what is signed and what is sent differ where they do.
let arrived;
let answer = {};
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    arrived = { request, body: Buffer.concat(chunks) };
    response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers ?? [])).end(answer.body ?? '{}');
  });
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
server.unref();
const ORIGIN = `http://127.0.0.1:${server.address().port}`;

function client(scheme) {
  const common = { appId: APP, privateKey: PRIVATE, keyType: 'PKCS8', gateway: `${ORIGIN}/gateway.do`, endpoint: ORIGIN };
  if (!scheme.endsWith('-cert')) return new AlipaySdk({ ...common, alipayPublicKey: PUBLIC });
  const certificate = pem('rsa.crt');
  return new AlipaySdk({ ...common, appCertContent: certificate, alipayPublicCertContent: certificate, alipayRootCertContent: certificate });
}

const keyId = (scheme) => (scheme.endsWith('-cert') ? client(scheme).config.appCertSn : APP);

/** What arrives of a call, with the SDK's clock and random numbers. */
async function sent(now, rng, call) {
  const [date, uuid, random] = [globalThis.Date, crypto.randomUUID, Math.random];
  const bytes = rng.bytes(16).toString('hex');
  globalThis.Date = class extends date {
    constructor(...given) { super(...(given.length ? given : [now * 1000])); }
    static now() { return now * 1000 + 123; }
  };
  crypto.randomUUID = () => bytes.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  Math.random = () => rng.random();
  syncBuiltinESMExports();
  arrived = undefined;
  answer = {};
  try {
    // The server's answer is not signed; it is the request that is wanted.
    await call().catch(() => {});
  } finally {
    [globalThis.Date, crypto.randomUUID, Math.random] = [date, uuid, random];
    syncBuiltinESMExports();
  }
  const { request, body } = arrived;
  const wanted = ['content-type', 'authorization', 'alipay-app-auth-token'];
  const headers = wanted.filter((name) => request.headers[name] !== undefined).map((name) => [name, request.headers[name]]);
  return { method: request.method, url: HOST + request.url, headers, body: body.toString(), public_key: PUBLIC, now };
}

export async function sign(scheme, rng, hostile) {
  const now = hostile.now(rng);
  if (scheme === 'alipay-notify') return notification(parameters(rng, hostile), now, rng.chance(0.3));
  if (scheme.startsWith('alipay-rsa2')) {
    return rng.chance(0.4) ? answered(scheme, hostile.jsonText(rng), now) : gateway(scheme, parameters(rng, hostile), now, rng);
  }
  if (scheme === 'alipay-v3-upload') return upload(rng, hostile.jsonText(rng), hostile.bodyText(rng), now);
  if (rng.chance(0.3)) {
    const { private_key, ...line } = unsigned(scheme, rng, hostile, true);
    return responded({ ...line, public_key: PUBLIC }, rng.bytes(16).toString('hex'));
  }
  const method = rng.choice(['GET', 'POST', 'PUT', 'DELETE', 'PATCH']);
  const options = {};
  if (rng.chance(0.6)) options.query = Object.fromEntries(hostile.query(rng));
  if (method !== 'GET' && rng.chance(0.8)) options.body = JSON.parse(hostile.jsonText(rng));
  if (rng.chance(0.3)) options.appAuthToken = hostile.word(rng, 40);
  return v3(scheme, method, hostile.path(rng), options, now, rng);
}

async function v3(scheme, method, path, options, now, rng) {
  const line = await sent(now, rng, () => client(scheme).curl(method, path, options));
  return { ...line, key_id: keyId(scheme) };
}

async function upload(rng, fields, file, now) {
  const form = new AlipayFormData();
  form.addField('fields', fields);
  form.addFile('file_content', 'a.txt', Buffer.from(file));
  const line = await sent(now, rng, () => client('alipay-v3').curl('POST', '/v3/alipay/open/file/upload', { form }));
  return { ...line, key_id: APP };
}

// It turns names into snake case.
const NAMES = ['notify_url', 'return_url', 'app_auth_token', 'buyer', 'b_two', 'zz', 'a'];

function parameters(rng, hostile) {
  return Object.fromEntries(NAMES.filter(() => rng.chance(0.4)).map((name) => [name, hostile.value(rng)]));
}

async function gateway(scheme, found, now, rng) {
  const line = await sent(now, rng, () => client(scheme).exec(METHOD, { ...found, bizContent: { text: found.a ?? '' } }));
  return { ...line, key_id: keyId(scheme) };
}

const asked = () => ({ method: 'POST', url: `${HOST}/gateway.do?method=${METHOD}&app_id=${APP}`, headers: [], body: '' });

/** What Alipay would answer; the SDK accepts it. */
function answered(scheme, content, now, root = ROOT) {
  const signature = crypto.createSign('RSA-SHA256').update(content).sign(PRIVATE, 'base64');
  const number = scheme.endsWith('-cert') ? `,"alipay_cert_sn":"${keyId(scheme)}"` : '';
  const body = `{"${root}":${content}${number},"sign":"${signature}"}`;
  const line = { status: 200, headers: [], body, request: asked(), public_key: PUBLIC, now };
  if (scheme.endsWith('-cert')) line.key_id = keyId(scheme);
  return line;
}

const china = (now) => new Date(now * 1000 + 8 * 3600 * 1000).toISOString().slice(0, 19).replace('T', ' ');

/** What Alipay would send. */
function notification(found, now, withType) {
  const all = { app_id: APP, notify_time: china(now), notify_type: 'trade_status_sync', charset: 'utf-8', ...found };
  const signed = withType ? { ...all, sign_type: 'RSA2' } : all;
  const content = Object.keys(signed).sort().map((name) => `${name}=${signed[name]}`).join('&');
  const sign = crypto.createSign('RSA-SHA256').update(content).sign(PRIVATE, 'base64');
  const body = new URLSearchParams({ ...all, sign_type: 'RSA2', sign }).toString();
  const headers = [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']];
  return { method: 'POST', url: 'https://example.com/notify', headers, body, key_id: APP, public_key: PUBLIC, now };
}

/** What Alipay would answer under v3. */
function responded(line, nonce) {
  const time = String(line.now * 1000);
  const signature = crypto.createSign('RSA-SHA256').update(`${time}\n${nonce}\n${line.body}\n`).sign(PRIVATE, 'base64');
  const fields = [['alipay-timestamp', time], ['alipay-nonce', nonce], ['alipay-signature', signature]];
  if (line.key_id) fields.push(['alipay-sn', line.key_id]);
  return { ...line, headers: [...line.headers, ...fields] };
}

export function unsigned(scheme, rng, hostile, response = rng.chance(0.4)) {
  const line = { headers: [], body: '', key_id: keyId(scheme), private_key: PRIVATE, now: hostile.now(rng) };
  if (scheme.endsWith('-cert')) line.vars = { application: APP };
  const found = new URLSearchParams(parameters(rng, hostile)).toString();
  if (scheme === 'alipay-notify') return { ...line, method: 'POST', url: 'https://example.com/notify', body: found };
  if (scheme.startsWith('alipay-rsa2')) {
    if (response) return { ...line, status: 200, body: `{"${ROOT}":${hostile.jsonText(rng)}}`, request: asked() };
    return { ...line, method: 'POST', url: `${HOST}/gateway.do?method=${METHOD}&charset=utf-8`, body: found };
  }
  if (scheme === 'alipay-v3-upload') {
    const part = (name, content) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
    const body = `${part('data', hostile.jsonText(rng))}${part('file', hostile.bodyText(rng))}--b--\r\n`;
    return { ...line, method: 'POST', url: `${HOST}/v3/upload`, headers: [['Content-Type', 'multipart/form-data; boundary=b']], body };
  }
  if (response) return { ...line, status: 200, headers: [['Content-Type', 'application/json']], body: hostile.jsonText(rng) };
  return { ...line, method: 'POST', url: `${HOST}${hostile.path(rng)}`, body: hostile.jsonText(rng) };
}

export async function verify(scheme, line) {
  const sdk = client(scheme);
  if (scheme.startsWith('alipay-v3')) return line.status ? reads(sdk, line) : authorized(sdk, scheme, line);
  if (line.status) {
    try {
      sdk.checkResponseSign(line.body, ROOT, JSON.parse(line.body).sign);
      return true;
    } catch {
      return false;
    }
  }
  const query = scheme === 'alipay-notify' ? '' : new URL(line.url).search.slice(1);
  return sdk.checkNotifySignV2(Object.fromEntries([...new URLSearchParams(query), ...new URLSearchParams(line.body)]));
}

/** Whether the SDK accepts an answer that a server gives. */
async function reads(sdk, line) {
  answer = line;
  try {
    await sdk.curl('GET', '/');
    return true;
  } catch (error) {
    if (error.code === 'response-signature-verify-error') return false;
    throw error;
  }
}

/** The SDK is a client: what it is asked here is whether a text has a signature. */
function authorized(sdk, scheme, line) {
  const [, auth, signature] = /^ALIPAY-SHA256withRSA (.*),sign=(.*)$/.exec(line.headers.find(([name]) => name.toLowerCase() === 'authorization')[1]);
  const payload = scheme === 'alipay-v3-upload' ? /name="data"\r\n\r\n(.*?)\r\n--b/s.exec(line.body)[1] : line.body;
  return sdk.rsaCheck(`${auth}\n${line.method}\n${line.url.slice(HOST.length)}\n${payload}\n`, signature);
}

export async function fixed(scheme) {
  const now = 1714566896;
  const rng = { bytes: () => Buffer.from('593bec0c930bf1afeb40b4a08c8fb242', 'hex'), random: () => 0.5 };
  const lines = [];
  const line = (id, call, covered, open, made) => lines.push({ id: `alipay-sdk-${id}`, source: `${SDK}, ${call}`, expect: 'verified', covered, open, ...made });
  if (scheme === 'alipay-notify') {
    const names = ['form.app_id', 'form.notify_time', 'form.total_amount', 'form.sign', 'form', 'key-id', 'secret'];
    const open = ['method', 'scheme', 'host', 'path', 'query', 'header.content-type'];
    for (const withType of [false, true]) {
      const made = notification({ total_amount: '0.01', subject: '中文 a+b&c' }, now, withType);
      line(withType ? 'with-sign-type' : 'plain', 'checkNotifySignV2 accepts it', names, open, made);
    }
  } else if (scheme.startsWith('alipay-rsa2')) {
    const made = await gateway(scheme, { a: '中文 a&b=c', notify_url: '', buyer: '1' }, now, rng);
    const covered = ['query.app_id', 'query.method', 'query.timestamp', 'query.notify_url', 'query.sign', 'query', 'form.biz_content', 'form.buyer', 'form', 'key-id', 'secret'];
    line('exec', 'AlipaySdk.exec', covered, ['method', 'scheme', 'host', 'path', 'header.content-type'], made);
    const content = '{"code":"10000", "msg":"Success","buyer":{"a":"}\\"{","n":1.0}}';
    const numbered = scheme.endsWith('-cert') ? ['key-id'] : [];
    line('answer', 'checkResponseSign accepts it', [`json.${ROOT}`, 'json.sign', 'request.query.method', 'secret'], ['status', 'json', ...numbered], answered(scheme, content, now));
  } else if (scheme === 'alipay-v3-upload') {
    const made = await upload(rng, '{"a":"中文"}', 'a file', now);
    line('upload', 'AlipaySdk.curl with AlipayFormData', ['method', 'path', 'query', 'header.authorization', 'key-id', 'secret'], ['scheme', 'host'], made);
  } else {
    const covered = ['method', 'path', 'query', 'body', 'header.authorization', 'key-id', 'secret'];
    const calls = {
      get: ['GET', '/v3/alipay/user/deloauth/detail/query', { query: { date: '2024 05', x: 'a&b=é' } }],
      post: ['POST', '/v3/alipay/marketing/activity/create', { body: { name: '中文', n: 1.5 }, appAuthToken: '202405BBtoken' }],
    };
    for (const [id, [method, path, options]] of Object.entries(calls)) {
      const token = options.appAuthToken ? ['header.alipay-app-auth-token'] : [];
      line(id, 'AlipaySdk.curl', [...covered, ...token], ['scheme', 'host'], await v3(scheme, method, path, options, now, rng));
    }
    const made = responded({ status: 200, headers: [], body: '{"code":"10000", "n":1.0}', key_id: scheme.endsWith('-cert') ? keyId(scheme) : undefined, public_key: PUBLIC, now }, '593bec0c930bf1af');
    const fields = ['header.alipay-timestamp', 'header.alipay-nonce', 'header.alipay-signature', 'body', 'secret'];
    line('answer', 'AlipaySdk.curl accepts it', fields, ['status', ...(made.key_id ? ['key-id'] : [])], made);
  }
  return lines;
}
