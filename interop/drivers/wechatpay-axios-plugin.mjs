// WeChat Pay, both interfaces, by wechatpay-axios-plugin: requests as it sends them, answers as it checks them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import plugin from 'wechatpay-axios-plugin';

const { Decorator, Formatter, Hash, Multipart, Rsa, Transformer } = plugin;

export const SDK = "wechatpay-axios-plugin@0.9.6";
export const SCHEMES = ["wechatpay-v3", "wechatpay-v3-response", "wechatpay-v3-upload", "wechatpay-v2-md5", "wechatpay-v2-hmac"];

const pem = (name) => readFileSync(new URL(`../../vectors/keys/${name}.pem`, import.meta.url), 'utf8');
const PRIVATE = pem('rsa');
const PUBLIC = pem('rsa.pub');
const HOST = 'https://api.mch.weixin.qq.com';
const MERCHANT = '1900009191';
const SERIAL = '408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB';
const PLATFORM = 'PUB_KEY_ID_0114232134912410000000000000';
const SECRET = '192006250b4c09247ec02edce69f6a2d';

const field = (line, name) => line.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];

/** What goes out for a call, with the SDK's clock and nonce. */
async function call(config, now, nonce) {
  const before = [Formatter.nonce, Formatter.timestamp];
  Formatter.nonce = () => nonce;
  Formatter.timestamp = () => now;
  let sent;
  const adapter = async (request) => {
    sent = request;
    return { data: '', status: 204, statusText: '', headers: {}, config: request };
  };
  const [v2, settings] = [config.secret !== undefined, { adapter, mchid: MERCHANT, serial: SERIAL, privateKey: PRIVATE, certs: { [PLATFORM]: PUBLIC } }];
  try {
    const client = v2 ? Decorator.xmlBased({ adapter, mchid: MERCHANT, secret: config.secret }) : Decorator.jsonBased(settings);
    delete config.secret;
    // What comes back is not signed; it is the request that is wanted.
    await client.request(config).catch(() => {});
  } finally {
    [Formatter.nonce, Formatter.timestamp] = before;
  }
  const url = new URL(sent.url, HOST);
  const body = sent.data === undefined ? Buffer.alloc(0) : Buffer.from(sent.data);
  const headers = ['Content-Type', 'Authorization'].filter((name) => sent.headers.has(name)).map((name) => [name, String(sent.headers.get(name))]);
  return { method: sent.method.toUpperCase(), url: url.href, headers, body: body.toString(), now };
}

export async function sign(scheme, rng, hostile) {
  const [now, nonce] = [hostile.now(rng), hostile.word(rng, 32)];
  if (scheme === 'wechatpay-v3') {
    const found = hostile.query(rng);
    const url = hostile.path(rng) + (found.length ? `?${hostile.queryString(rng, found)}` : '');
    const method = hostile.method(rng);
    const data = ['POST', 'PUT', 'PATCH'].includes(method) ? JSON.parse(hostile.jsonText(rng)) : undefined;
    return { ...(await call({ url, method, data }, now, nonce)), key_id: SERIAL, public_key: PUBLIC };
  }
  if (scheme === 'wechatpay-v3-upload') {
    const file = hostile.bodyText(rng);
    return { ...(await upload(file, { filename: hostile.value(rng), more: hostile.value(rng) }, now, nonce)) };
  }
  if (scheme === 'wechatpay-v3-response') {
    const { private_key, ...line } = unsigned(scheme, rng, hostile);
    return answered({ ...line, now, public_key: PUBLIC }, nonce);
  }
  return order(scheme, parameters(rng, hostile), hostile.secret(rng, 32, 32), now, nonce);
}

/** The picture upload of the document: `meta` is signed and holds the file's digest. */
async function upload(file, more, now, nonce) {
  const meta = { ...more, sha256: createHash('sha256').update(file).digest('hex') };
  const form = new Multipart();
  form.append('meta', JSON.stringify(meta), 'meta.json');
  form.append('file', Buffer.from(file), 'a.png');
  const data = form.getBuffer();
  const line = await call({ url: '/v3/merchant/media/upload', method: 'POST', data, meta: form.toJSON(), headers: form.getHeaders() }, now, nonce);
  return { ...line, key_id: SERIAL, public_key: PUBLIC };
}

async function order(scheme, data, secret, now, nonce) {
  const all = { appid: 'wxd930ea5d5a258f4f', mch_id: MERCHANT, ...data };
  if (scheme === 'wechatpay-v2-hmac') all.sign_type = 'HMAC-SHA256';
  const line = await call({ url: '/pay/unifiedorder', method: 'POST', data: all, secret }, now, nonce);
  return { ...line, key_id: MERCHANT, secret };
}

const ELEMENTS = ['attach', 'body', 'detail', 'device_info', 'out_trade_no', 'total_fee', 'x.1-a', '_a', 'größe'];

function parameters(rng, hostile) {
  const found = {};
  for (const name of ELEMENTS.filter(() => rng.chance(0.5))) found[name] = text(rng, hostile);
  return found;
}

/** What XML can hold, and what the SDK writes as it signs it: it drops white space around texts when it reads, and
 * writes a text with markup as a CDATA section, which `]]>` would end. */
function text(rng, hostile) {
  const found = hostile.value(rng).replace(/[\x00-\x08\x0b-\x1f]/g, '').replaceAll(']]>', ']]');
  return found.trim();
}

export function unsigned(scheme, rng, hostile) {
  if (scheme === 'wechatpay-v3-response') {
    const line = { headers: [['Content-Type', 'application/json']], body: hostile.jsonText(rng), key_id: PLATFORM, private_key: PRIVATE, now: hostile.now(rng) };
    return rng.chance(0.5) ? { ...line, status: 200 } : { ...line, method: 'POST', url: 'https://example.com/notify' };
  }
  if (scheme.startsWith('wechatpay-v2')) {
    return {
      method: 'POST',
      url: `${HOST}/pay/unifiedorder`,
      headers: [['Content-Type', 'text/xml']],
      body: Transformer.toXml.call({}, { appid: 'wx1', ...parameters(rng, hostile) }),
      key_id: MERCHANT,
      secret: hostile.secret(rng, 32, 32),
    };
  }
  const line = { method: 'POST', headers: [], key_id: SERIAL, private_key: PRIVATE, vars: { mchid: MERCHANT } };
  if (scheme === 'wechatpay-v3-upload') {
    const [file, form] = [hostile.bodyText(rng), new Multipart()];
    form.append('meta', JSON.stringify({ filename: hostile.value(rng), sha256: createHash('sha256').update(file).digest('hex') }), 'meta.json');
    form.append('file', Buffer.from(file), 'a.png');
    const headers = Object.entries(form.getHeaders());
    return { ...line, url: `${HOST}/v3/merchant/media/upload`, headers, body: form.getBuffer().toString() };
  }
  return { ...line, url: `${HOST}${hostile.path(rng)}`, body: hostile.jsonText(rng) };
}

/** What WeChat Pay would send. */
function answered(line, nonce) {
  const signature = Rsa.sign(Formatter.response(line.now, nonce, line.body), Rsa.from(PRIVATE));
  const fields = [['Wechatpay-Serial', line.key_id], ['Wechatpay-Timestamp', String(line.now)], ['Wechatpay-Nonce', nonce], ['Wechatpay-Signature', signature]];
  return { ...line, headers: [...line.headers, ...fields] };
}

export function verify(scheme, line) {
  if (scheme === 'wechatpay-v3-response') {
    const before = Formatter.timestamp;
    Formatter.timestamp = () => line.now;
    try {
      const judge = Decorator.responseVerifier({ [PLATFORM]: Rsa.from(PUBLIC, Rsa.KEY_TYPE_PUBLIC) });
      return judge.call({ url: '/', validateStatus: () => true }, line.body, Object.fromEntries(line.headers), 200) === line.body;
    } finally {
      Formatter.timestamp = before;
    }
  }
  if (scheme.startsWith('wechatpay-v2')) {
    const found = Transformer.toObject.call({}, line.body);
    const type = scheme === 'wechatpay-v2-md5' ? Hash.ALGO_MD5 : Hash.ALGO_HMAC_SHA256;
    return Hash.equals(Hash.sign(type, found, line.secret), found.sign);
  }
  // The SDK is a client: what it verifies is what it would sign.
  const claimed = Object.fromEntries([...field(line, 'Authorization').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const payload = scheme === 'wechatpay-v3-upload' ? /name="meta".*?\r\n\r\n(.*?)\r\n--/s.exec(line.body)[1] : line.body;
  const message = Formatter.request(line.method, line.url.slice(HOST.length), claimed.timestamp, claimed.nonce_str, payload);
  return Rsa.verify(message, claimed.signature, Rsa.from(PUBLIC, Rsa.KEY_TYPE_PUBLIC));
}

export async function fixed(scheme) {
  const now = 1714566896;
  const nonce = '593BEC0C930BF1AFEB40B4A08C8FB242';
  const unbound = ['scheme', 'host', 'header.content-type'];
  const lines = {};
  const line = (id, call, made, covered, open) => {
    lines[id] = { id: `wechatpay-axios-plugin-${id}`, source: `${SDK}, ${call}`, expect: 'verified', covered, open, ...made };
  };
  if (scheme === 'wechatpay-v3') {
    const covered = ['method', 'path', 'query', 'body', 'header.authorization', 'secret'];
    const calls = { get: ['GET', '/v3/pay/transactions/id/1?mchid=1900009191&x=a%26b'], post: ['POST', '/v3/pay/transactions/jsapi?x=1', { mchid: MERCHANT, out_trade_no: '中文' }] };
    for (const [id, [method, url, data]] of Object.entries(calls)) {
      const made = await call({ url, method, data }, now, nonce);
      line(id, 'Decorator.jsonBased', { ...made, key_id: SERIAL, public_key: PUBLIC }, covered, [...unbound, 'key-id']);
    }
  } else if (scheme === 'wechatpay-v3-upload') {
    const made = await upload('a file\r\n--', { filename: '中文.png' }, now, nonce);
    line('upload', 'Decorator.jsonBased with Multipart', made, ['method', 'path', 'query', 'body', 'header.authorization', 'secret'], ['scheme', 'host', 'key-id']);
  } else if (scheme === 'wechatpay-v3-response') {
    for (const [id, message] of [['answer', { status: 200, body: '{"prepay_id":"wx1"}' }], ['empty', { status: 204, body: '' }]]) {
      const made = answered({ ...message, headers: [['Content-Type', 'application/json']], key_id: PLATFORM, public_key: PUBLIC, now }, nonce);
      const covered = ['body', 'header.wechatpay-timestamp', 'header.wechatpay-nonce', 'header.wechatpay-signature', 'secret'];
      line(id, 'Formatter.response and Rsa.sign', made, covered, ['status', 'key-id', 'header.content-type']);
    }
  } else {
    const covered = ['xml.appid', 'xml.body', 'xml.nonce_str', 'xml.mch_id', 'xml.sign', 'xml', 'key-id', 'secret'];
    for (const [id, data] of [['order', { body: 'test', device_info: '1000' }], ['awkward', { body: 'a&b=c<d>', attach: '中文 "é"', detail: '' }]]) {
      line(id, 'Decorator.xmlBased', await order(scheme, data, SECRET, now, 'ibuaiVcKdpRxkhJA'), covered, ['method', 'path', 'query', ...unbound]);
    }
  }
  return Object.values(lines);
}
