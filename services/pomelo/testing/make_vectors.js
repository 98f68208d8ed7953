// Writes vectors.json: what the stock packages put on the wire, for the codec's tests to agree with.
//   npm install pomelo-protocol@0.1.6 pomelo-protobuf@0.4.0
//   node make_vectors.js
// Byte strings are hexadecimal. Code that runs in a browser is run with a browser's globals here.
'use strict';

const fs = require('fs');
const path = require('path');
const vm = require('vm');

const protocol = require('pomelo-protocol');
const server = require('pomelo-protobuf');
const client = require('pomelo-protobuf/lib/client/protobuf.js');

const hex = (bytes) => Buffer.from(bytes).toString('hex');

function browserProtocol() {
  const file = require.resolve('pomelo-protocol/lib/protocol.js');
  const globals = {window: {}, module: {}};
  vm.runInNewContext(fs.readFileSync(file, 'utf8'), globals);
  return globals.window.Protocol;
}

const packages = [
  [1, '{"sys":{"type":"js-websocket","version":"0.0.1"}}'],
  [2, ''],
  [3, ''],
  [4, 'x'],
  [4, 'y'.repeat(255)],
  [4, 'z'.repeat(256)],
  [5, '{"reason":"bye"}'],
].map(([type, body]) => ({type, body: hex(Buffer.from(body)), bytes: hex(protocol.Package.encode(type, Buffer.from(body)))}));

// The stock encoder makes too small a buffer for ids above these.
const ids = [0, 1, 127, 128, 300, 16383, 16384, 2097151, 268435456, 2147483647];
const routes = ['', 'a.b.c', 'chat.chatHandler.send', 'r'.repeat(255), 'räume.über.日本', 0, 1, 5, 255, 256, 65535];
const messages = [];
function addMessage(id, type, route, body, gzip) {
  const compressed = typeof route === 'number';
  messages.push({
    id, type, route, body: hex(Buffer.from(body)), gzip,
    bytes: hex(protocol.Message.encode(id, type, compressed, route, Buffer.from(body), gzip)),
  });
}
for (const id of ids) {
  addMessage(id, 0, 'a.b.c', '{}', false);
  addMessage(id, 2, '', '{"code":200}', false);
}
for (const route of routes) {
  addMessage(7, 0, route, '{"rid":"1"}', false);
  addMessage(0, 1, route, '', false);
  addMessage(0, 3, route, '{"msg":"hi"}', false);
}
addMessage(1, 0, 'a.b.c', 'deflated', true);
addMessage(0, 3, 9, 'deflated', true);

// As a browser writes text: each UTF-16 unit for itself.
const browser = browserProtocol();
const texts = ['', 'plain', 'grüße', '日本語', '\u{1f602}', 'a\u{1f602}b\u{10ffff}c', '\u{10000}\ud7ff\ue000\uffff'].map(
    (text) => ({text, cesu8: hex(browser.strencode(text))}));

const chat = {
  onChat: {'required string msg': 1, 'required string from': 2, 'required string target': 3},
  onAdd: {'required string user': 1},
};
const types = {
  all: {
    'optional uInt32 u': 1, 'optional sInt32 s': 2, 'optional int32 i': 3, 'optional float f': 4, 'optional double d': 5,
    'optional string t': 15, 'repeated uInt32 us': 16, 'repeated sInt32 ss': 17, 'repeated int32 is': 18,
    'repeated float fs': 19, 'repeated double ds': 20, 'repeated string ts': 2000,
  },
};
const nested = {
  board: {
    'message Cell': {
      'message Mark': {'required string by': 1, 'optional uInt32 at': 2},
      'required sInt32 x': 1, 'required sInt32 y': 2, 'repeated Mark marks': 3,
    },
    'required Cell first': 1, 'repeated Cell cells': 2, 'optional Owner owner': 3,
  },
  'message Owner': {'required string name': 1, 'optional Owner parent': 2},
  owner: {'required Owner owner': 1},
};
const sources = {chat, types, nested, empty: {}};
const schemas = Object.entries(sources).map(
    ([name, source]) => ({name, source, compiled: server.parse(source)}));

const bodies = [];
function addBody(schema, route, message) {
  const protos = server.parse(sources[schema]);
  server.init({encoderProtos: protos, decoderProtos: protos});
  client.init({encoderProtos: protos, decoderProtos: protos});
  const fromServer = server.encode(route, message);
  const fromClient = client.encode(route, message);
  if (fromServer === null || fromClient === null) throw new Error(`${schema} ${route} does not encode`);
  bodies.push({
    schema, route, message, server: hex(fromServer), client: hex(fromClient),
    // Floats lose digits on the way; the rest comes back as it was.
    decoded: server.decode(route, fromServer),
  });
}
addBody('chat', 'onChat', {msg: 'hello', from: 'ann', target: '*'});
addBody('chat', 'onChat', {target: '', from: '', msg: ''});
addBody('chat', 'onChat', {msg: 'grüße \u{1f602} 日本語', from: '\u{10ffff}', target: 'x'.repeat(300)});
addBody('chat', 'onAdd', {user: 'u', route: 'left out', offset: 5});
for (const u of [0, 1, 127, 128, 65535, 2147483648, 4294967295, 1700000000000, 9007199254740991]) addBody('types', 'all', {u});
for (const s of [0, -1, 1, -2, 63, -64, 64, -65, 2147483647, -2147483648, 1700000000000, -1700000000000]) {
  addBody('types', 'all', {s, i: s});
}
for (const d of [0.5, -0.1, 1e300, 5e-324, Math.PI, 1e6]) addBody('types', 'all', {d, f: d > 1e38 ? 3.5 : d});
addBody('types', 'all', {us: [1, 300, 0], ss: [-1, 1], is: [5, -5], fs: [1.5, -2.25], ds: [0.1]});
addBody('types', 'all', {ts: ['a', '', 'b\u{1f602}'], t: 'last', us: []});
addBody('nested', 'board', {first: {x: 1, y: -1}});
addBody('nested', 'board', {
  first: {x: 0, y: 0, marks: [{by: 'ann', at: 9}, {by: 'bob'}]},
  cells: [{x: 1, y: 2}, {x: -3, y: 4, marks: [{by: '\u{1f602}'}]}],
  owner: {name: 'cy', parent: {name: 'di', parent: {name: 'ed'}}},
});
addBody('nested', 'owner', {owner: {name: 'n'.repeat(200)}});

// One vector a line, so that a change of one reads as such.
const lines = (list) => '[\n' + list.map((v) => '  ' + JSON.stringify(v)).join(',\n') + '\n]';
const all = {packages, messages, texts, schemas, bodies};
fs.writeFileSync(path.join(__dirname, 'vectors.json'),
    '{' + Object.entries(all).map(([k, v]) => `"${k}": ${lines(v)}`).join(',\n') + '}\n');
