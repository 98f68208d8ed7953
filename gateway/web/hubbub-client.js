// Client library for Hubbub: one ES module, no dependencies, for browsers and for Node.js.
//
//   import {HubbubClient} from './hubbub-client.js';
//
//   const chat = new HubbubClient({gate: 'ws://localhost:3014'});
//   chat.on('message', ({room, from, text}) => console.log(`[${room}] ${from}: ${text}`));
//   await chat.connect('ada');              // asks the gate, then connects to the connector that it names
//   const {users} = await chat.enter('lobby');
//   await chat.send('lobby', 'Hello');      // to everybody in the room, the sender too
//   await chat.send('lobby', 'Psst', 'bob'); // to one member; the sender gets no copy
//   await chat.send('lobby', 'Sure', '*', {within: 30000});  // repeated until the room has it, and said once
//   await chat.leave('lobby');
//   chat.close();
//
// Options of the constructor
//   gate             the gate's URL, ws: or wss:. Required.
//   WebSocket        the WebSocket class; default globalThis.WebSocket (browsers, Node.js 22 and later).
//   requestTimeout   milliseconds until an unanswered request fails; default 10000.
//   backoff          {min, max} in milliseconds: bounds of the pause before a reconnect; default 250 and 15000.
//   token            the sign-in token (a JWT) where the suite demands one, or a function that returns it or a promise of it.
//                    The function is asked for each connection, and again before a token ends, so that nobody is signed out.
//   connectorUrl     (host, port) => URL, if what the gate says is not what the client should dial.
//
// Methods. All promises reject with a HubbubError.
//   connect(user)             a user is 1 to 64 bytes of UTF-8 in form NFC, without invisible characters; a room's name too.
//   enter(room, point?)       -> {users, total, epoch, offset, recovered}. `point` is a resumePoint() of an earlier life.
//   send(room, text, to?, {id, within}?)
//                             -> {offset, …}: the message has its place in the room's order. At most 32 KiB of UTF-8.
//                             `id` names the send, 1 to 64 bytes: a room says what it has under one id once, for 5 minutes.
//                             `within` milliseconds, the send is repeated until it is answered: see below.
//   leave(room)               the connection stays.
//   history(room, {before, limit}?)
//                             -> {messages, next}: what was said before the offset `before`, the oldest first, to everybody and,
//                             where users sign in with tokens, to or by this one alone, as
//                             the event `message` has it; `next` is the `before` of the page that follows, 0 at the end.
//                             Rejects with the code 404 where no history is kept.
//   users(room)               who is in the room now, in the order in which they came.
//   resumePoint(room)         {resume, epoch, offset, attempt?}: a client that passes it to enter() takes over this place.
//   reconnectNow()            ends the pause before the next attempt, for instance when the network is back.
//   close()                   ends everything; connect() starts again.
//   state, user, rooms        what they say.
//   on(event, listener)       returns a function that takes the listener away again.
//
// Events
//   message   {room, from, to, text, private, time, offset, epoch, recovered}     time in milliseconds since 1970
//   join      {room, user}    leave {room, user, self}; self: somebody took this client out of the room
//   members   {room, users, total}                     the whole list is new: after each enter and re-enter
//   gap       {room, since, until}  messages are missing, those after `since` and up to `until`, each {epoch, offset}: the room was
//                             re-entered and does not know them any more, or this client was too far behind to get them
//   lost      {room, error}   the room could not be re-entered
//   state     {state, reason, attempt, delay, error}   state is idle, connecting, connected, reconnecting or offline
//   kick      {reason}        the server ended the connection
//   push      {route, body}   any other push
//   stale     {room, route, body}  an event was dropped because it, or a later one, had been seen: for tests of servers
//
// A lost connection is made again through the gate, after a jittered pause that doubles, for as long as there are rooms to
// come back to; each room is entered again with its resume token and with the epoch and offset seen last. A kick with the
// reason "reconnect" (the server is shutting down) does this at once. A connector that does not take the client (it cannot be
// reached, is full or shuts down) is no failure yet: the gate is asked again, after such a pause, and names another one in the
// end: three attempts are made before connect() fails. If the client's address has as many clients as one may have, no other
// connector is tried: connect() fails with the code 429, and a client that reconnects waits longer each time. After any other
// kick the client stays offline and the state's `reason` tells why: "replaced", "disconnected" and so on. A request that is
// pending when the connection is lost is rejected with the code "closed": the server may or may not have acted on it.
//
// A send with `within` is not: it waits until its room is there again and is repeated, after a jittered pause, when its
// connection is lost ("closed", "offline"), when no answer comes ("timeout") and when the server says that it will pass (429,
// 503, 504). It has an id, given or made up, so that the room says it once, however often it arrives. Such sends into one
// room go one after the other, so that they keep their order. They fail for good with any other error, with "left" when
// this client is no longer in the room, with "closed" after close(), and with the last error when the time is over.
//
// Protocol: Pomelo over WebSocket, routes by dictionary where the server has one, bodies always JSON. The handshake's
// client type "hubbub-web" tells the server not to use protobuf with this client.

const CLIENT_TYPE = 'hubbub-web';
const CLIENT_VERSION = '0.1.0';

const PackageType = {HANDSHAKE: 1, HANDSHAKE_ACK: 2, HEARTBEAT: 3, DATA: 4, KICK: 5};
const MessageType = {REQUEST: 0, NOTIFY: 1, RESPONSE: 2, PUSH: 3};

const MAX_REENTER_ATTEMPTS = 6;
// Connectors that are tried, one after the other, before the client gives up, or waits longer if it is reconnecting.
const MAX_CONNECTORS = 3;
// RFC 6455, 7.4: "try again later", of a server that is full or shuts down, or that this client's address has filled its part of.
const TRY_AGAIN_LATER = 1013;
// What clients are told of whose address has as many as one may have. Another server may take them, but they are to wait, and
// not to go round all servers for it.
const TOO_MANY = 'too-many';
// Codes of a server that will do it later: it is asked again for as long as that takes.
const PASSING_CODES = new Set([503, 504]);
// Pushes that are a room's.
const ROOM_PUSHES = new Set(['onChat', 'onAdd', 'onLeave', 'onGap']);
// Errors after which a send may be repeated, if it has an id.
const REPEAT_CODES = new Set([...PASSING_CODES, 429, 'closed', 'timeout', 'offline']);
// A timer that comes so late says that nothing ran here meanwhile.
const LATE_TIMER_MS = 500;
// Pushes that overtake the answer of an enter wait for it; so many in one round trip mean that something is wrong.
const MAX_HELD_PUSHES = 10000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// What every rejected promise of this module carries. `code` is a number from the server (400 and above), or one of
// "closed", "timeout", "offline", "unreachable", "protocol", "entered", "left", "busy" from this side.
export class HubbubError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'HubbubError';
    this.code = code;
  }
}

export function encodePackage(type, body = new Uint8Array(0)) {
  if (body.length > 0xffffff) throw new HubbubError('protocol', `A package of ${body.length} bytes is too large to send.`);
  const bytes = new Uint8Array(4 + body.length);
  bytes.set([type, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff]);
  bytes.set(body, 4);
  return bytes;
}

// A frame holds one or more whole packages.
export function decodePackages(frame) {
  const packages = [];
  for (let at = 0; at < frame.length;) {
    if (frame.length - at < 4) throw new HubbubError('protocol', 'The server sent a package without a whole header.');
    const length = (frame[at + 1] << 16) | (frame[at + 2] << 8) | frame[at + 3];
    if (frame.length - at - 4 < length) throw new HubbubError('protocol', 'The server sent a package that ends too early.');
    packages.push({type: frame[at], body: frame.subarray(at + 4, at + 4 + length)});
    at += 4 + length;
  }
  return packages;
}

function encodeRequest(id, route, body, routeCodes) {
  const head = [MessageType.REQUEST << 1];
  for (let rest = id; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest % 128) | 128);
  }
  const code = routeCodes.get(route);
  if (code !== undefined) {
    head[0] |= 1;
    head.push(code >> 8, code & 0xff);
  } else {
    const name = encoder.encode(route);
    head.push(name.length, ...name);
  }
  const json = encoder.encode(JSON.stringify(body));
  const bytes = new Uint8Array(head.length + json.length);
  bytes.set(head);
  bytes.set(json, head.length);
  return bytes;
}

function decodeMessage(bytes, routeNames) {
  let at = 0;
  const next = () => {
    if (at >= bytes.length) throw new HubbubError('protocol', 'The server sent a message that ends too early.');
    return bytes[at++];
  };
  const flags = next();
  const type = (flags >> 1) & 7;
  const message = {type, id: 0, route: ''};
  if (type === MessageType.RESPONSE) {
    for (let factor = 1; ; factor *= 128) {
      const byte = next();
      message.id += (byte & 127) * factor;
      if (byte < 128) break;
    }
  } else if (type === MessageType.PUSH) {
    if (flags & 1) {
      const code = (next() << 8) | next();
      message.route = routeNames.get(code) ?? '';
    } else {
      const length = next();
      message.route = decoder.decode(bytes.subarray(at, at + length));
      at += length;
    }
  } else {
    throw new HubbubError('protocol', `The server sent a message of type ${type}, which is not for clients.`);
  }
  message.body = JSON.parse(decoder.decode(bytes.subarray(at)));
  return message;
}

// One Pomelo connection, to a gate or to a connector: handshake, heartbeats, requests. It ends once and for good; `onEnd`
// then gets {kick} or {error}.
class Link {
  #socket;
  #timeout;
  #onPush;
  #onEnd;
  #pending = new Map();
  #lastId = 0;
  #routeCodes = new Map();
  #routeNames = new Map();
  #heartbeat = 0;
  #heartbeatTimer = null;
  #expiryTimer = null;
  #openTimer = null;
  #lastSeen = 0;
  #ended = false;
  #error = null;
  #opened = withResolvers();

  constructor(WebSocket, url, {timeout, token, onPush = () => {}, onEnd = () => {}}) {
    this.#timeout = timeout;
    this.#onPush = onPush;
    this.#onEnd = onEnd;
    this.#opened.promise.catch(() => {});
    this.#openTimer = setTimeout(() => {
      this.#end({error: new HubbubError('unreachable', `No answer from ${url} within ${timeout / 1000} seconds.`)});
    }, timeout);
    let socket;
    try {
      socket = new WebSocket(url);
    } catch (error) {
      this.#end({error: new HubbubError('unreachable', `Cannot connect to ${url}: ${error.message}`)});
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let connected = false;
    socket.onopen = () => {
      connected = true;
      this.#sendJson(PackageType.HANDSHAKE, {sys: {type: CLIENT_TYPE, version: CLIENT_VERSION}, user: token ? {token} : {}});
    };
    socket.onmessage = ({data}) => this.#onFrame(data);
    socket.onerror = () => {};  // A close follows and says as much.
    socket.onclose = ({code, reason}) => {
      // What a kick says can stand in the close frame as well.
      if (connected && (reason === 'reconnect' || code === TRY_AGAIN_LATER)) {
        this.#end({kick: reason || 'reconnect', error: refusalOf(reason) ?? new HubbubError('closed', `The server takes no clients (${reason}).`)});
        return;
      }
      const error = connected ? new HubbubError('closed', 'The connection to the server was lost.') :
                                new HubbubError('unreachable', `Cannot connect to ${url}.`);
      this.#end({error});
    };
  }

  // Resolves when requests can be sent.
  get opened() {
    return this.#opened.promise;
  }

  // Why the link has ended; null while it lives.
  get error() {
    return this.#error;
  }

  // `refusal` is what an error says for which the server has no words; `patience` shortens the time to wait for the answer.
  request(route, body, refusal = 'The server could not do it.', patience = Infinity) {
    if (this.#ended) return Promise.reject(new HubbubError('closed', 'The connection to the server was lost.'));
    const id = ++this.#lastId;
    const timeout = Math.min(this.#timeout, Math.max(1, patience));
    return new Promise((resolve, reject) => {
      const bytes = encodePackage(PackageType.DATA, encodeRequest(id, route, body, this.#routeCodes));
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new HubbubError('timeout', `The server did not answer within ${timeout / 1000} seconds.`));
      }, timeout);
      this.#pending.set(id, {refusal, resolve, reject, timer});
      this.#socket.send(bytes);
    });
  }

  close(error = new HubbubError('closed', 'The connection was closed.')) {
    this.#end({error});
  }

  #sendJson(type, value) {
    this.#socket.send(encodePackage(type, encoder.encode(JSON.stringify(value))));
  }

  #onFrame(data) {
    if (this.#ended) return;
    this.#lastSeen = Date.now();
    try {
      for (const {type, body} of decodePackages(new Uint8Array(data))) {
        if (type === PackageType.HANDSHAKE) this.#onHandshake(JSON.parse(decoder.decode(body)));
        else if (type === PackageType.HEARTBEAT) this.#onHeartbeat();
        else if (type === PackageType.DATA) this.#onMessage(decodeMessage(body, this.#routeNames));
        else if (type === PackageType.KICK) this.#onKick(body);
        if (this.#ended) return;
      }
    } catch (error) {
      const known = error instanceof HubbubError;
      this.#end({error: known ? error : new HubbubError('protocol', `The server sent what cannot be read: ${error.message}`)});
    }
  }

  #onHandshake({code, sys = {}}) {
    if (code !== 200) {
      const message = code === 501 ? 'The server does not take this version of the client.' :
                                     `The server refused the connection (code ${code}).`;
      this.#end({error: new HubbubError(code, message)});
      return;
    }
    this.#heartbeat = (sys.heartbeat ?? 0) * 1000;
    for (const [route, routeCode] of Object.entries(sys.routeToCode ?? sys.dict ?? {})) {
      this.#routeCodes.set(route, routeCode);
      this.#routeNames.set(routeCode, route);
    }
    this.#socket.send(encodePackage(PackageType.HANDSHAKE_ACK));
    clearTimeout(this.#openTimer);
    this.#opened.resolve();
  }

  // Each heartbeat of the server starts the wait for ours, so that the timer begins in a message handler: browsers slow
  // down timers of hidden pages that begin in other timers to one a minute, which would cost the connection.
  #onHeartbeat() {
    if (!this.#heartbeat || this.#heartbeatTimer) return;
    clearTimeout(this.#expiryTimer);
    this.#heartbeatTimer = setTimeout(() => {
      this.#heartbeatTimer = null;
      this.#socket.send(encodePackage(PackageType.HEARTBEAT));
      this.#expire(this.#heartbeat);
    }, this.#heartbeat);
  }

  // The server answers a heartbeat at once. One that hangs is left after two heartbeats in all, so that a room is silent for six
  // seconds at most with the heartbeat that connectors have by themselves; Pomelo's own client takes three.
  #expire(delay) {
    const sent = Date.now();
    this.#expiryTimer = setTimeout(() => {
      const now = Date.now();
      // Anything that came since is a sign of life.
      const rest = Math.max(this.#lastSeen, sent) + this.#heartbeat - now;
      if (this.#lastSeen > sent && rest > 0) this.#expire(rest);
      // This page or machine has slept: what came meanwhile may still be waiting behind this timer.
      else if (now - sent - delay > LATE_TIMER_MS) this.#expire(LATE_TIMER_MS);
      else this.#end({error: new HubbubError('closed', 'The server has been silent for too long.')});
    }, delay);
  }

  #onMessage({type, id, route, body}) {
    if (type === MessageType.PUSH) {
      this.#onPush(route, body ?? {});
      return;
    }
    const request = this.#pending.get(id);
    if (!request) return;  // It has timed out.
    this.#pending.delete(id);
    clearTimeout(request.timer);
    const code = body?.code ?? 200;
    if (code >= 400 || body?.error) {
      request.reject(new HubbubError(code, body.message || request.refusal));
    } else {
      request.resolve(body ?? {});
    }
  }

  #onKick(body) {
    let reason = 'disconnected';
    try {
      reason = JSON.parse(decoder.decode(body)).reason || reason;
    } catch {
      // A kick without a reason is still a kick.
    }
    this.#end({kick: reason, error: refusalOf(reason) ?? new HubbubError('closed', `The server ended the connection (${reason}).`)});
  }

  #end(end) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = end.error;
    for (const timer of [this.#openTimer, this.#heartbeatTimer, this.#expiryTimer]) clearTimeout(timer);
    if (this.#socket) {
      this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close();
    }
    this.#opened.reject(end.error);
    for (const {reject, timer} of this.#pending.values()) {
      clearTimeout(timer);
      reject(end.error.code === 'closed' ?
                 new HubbubError('closed', 'The connection was lost before the server answered.') :
                 end.error);
    }
    this.#pending.clear();
    this.#onEnd(end);
  }
}

// The error of a client that a server has no place for, by the reason of its kick; null for other reasons.
function refusalOf(reason) {
  if (reason === 'full') return new HubbubError('closed', 'The server is full: try again soon.');
  // With the number that HTTP has for it.
  if (reason === TOO_MANY) return new HubbubError(429, 'There are too many clients at your address: close some, or try again later.');
  return null;
}

// When a JWT ends, in milliseconds since 1970; null if there is none or it does not say. The server alone judges tokens.
function endOf(token) {
  try {
    const claims = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const {exp} = JSON.parse(atob(claims));
    return typeof exp === 'number' ? exp * 1000 : null;
  } catch {
    return null;
  }
}

// Unlike any other of this user within the minutes for which a room keeps it. Nobody gains by guessing it.
function randomId() {
  return [Date.now(), ...[0, 0].map(() => Math.floor(Math.random() * 2 ** 48))].map((part) => part.toString(36)).join('-');
}

function withResolvers() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, {resolve, reject}));
  return result;
}

// One room as this client knows it.
class Room {
  constructor(name, point = {}) {
    this.name = name;
    this.resume = point.resume;
    this.epoch = point.epoch;
    this.offset = point.offset;
    this.attempt = point.attempt;
    this.users = new Set();
    this.total = 0;
    this.entered = false;  // False until the first enter has been answered.
    this.held = null;      // Pushes that came while an enter was under way.
    this.link = null;      // Where it was entered last.
    this.sends = Promise.resolve();  // Ends when the last send that is to be repeated has ended.
  }

  get point() {
    const point = {};
    for (const key of ['resume', 'epoch', 'offset', 'attempt']) {
      if (this[key] !== undefined) point[key] = this[key];
    }
    return point;
  }
}

// See the head of this file.
export class HubbubClient {
  #gate;
  #WebSocket;
  #timeout;
  #backoff;
  #connectorUrl;
  #token;
  #tokenTimer = null;
  #listeners = new Map();
  #rooms = new Map();
  #user = null;
  #state = 'idle';
  #link = null;
  #life = 0;  // One more for each connect() and close(): work that belongs to an earlier one stops.
  #reconnecting = 0;  // The life that has a reconnect under way.
  #pauses = new Set();
  #waiting = new Set();  // Sends that wait for their room to be there again.

  constructor({gate, WebSocket = globalThis.WebSocket, requestTimeout = 10000, backoff = {}, token, connectorUrl} = {}) {
    if (!gate) throw new TypeError('HubbubClient needs the URL of a gate: new HubbubClient({gate: "ws://host:3014"})');
    if (!WebSocket) throw new TypeError('There is no WebSocket here: give a WebSocket class as the option WebSocket');
    this.#gate = new URL(gate);
    this.#WebSocket = WebSocket;
    this.#timeout = requestTimeout;
    this.#backoff = {min: 250, max: 15000, ...backoff};
    this.#token = typeof token === 'function' ? token : () => token;
    this.#connectorUrl = connectorUrl ?? ((host, port) => this.#defaultConnectorUrl(host, port));
  }

  get state() {
    return this.#state;
  }

  get user() {
    return this.#user;
  }

  get rooms() {
    return [...this.#rooms.values()].filter((room) => room.entered).map((room) => room.name);
  }

  users(room) {
    return [...(this.#rooms.get(room)?.users ?? [])];
  }

  resumePoint(room) {
    return this.#rooms.get(room)?.point ?? null;
  }

  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

  async connect(user) {
    if (this.#state !== 'idle' && this.#state !== 'offline') {
      throw new HubbubError('busy', `Cannot connect: the client is ${this.#state}. Close it first.`);
    }
    const life = ++this.#life;
    this.#user = user;
    this.#rooms.clear();
    this.#setState('connecting');
    try {
      await this.#open(life);
    } catch (error) {
      if (life === this.#life) this.#setState('offline', {reason: 'unreachable', error});
      throw error;
    }
    this.#setState('connected');
  }

  async enter(name, point) {
    const link = this.#require();
    if (this.#rooms.has(name)) throw new HubbubError('entered', `You are in the room "${name}" already.`);
    const room = new Room(name, point);
    this.#rooms.set(name, room);
    try {
      return await this.#enter(link, room);
    } catch (error) {
      if (this.#rooms.get(name) === room) this.#rooms.delete(name);
      throw error;
    }
  }

  async send(name, text, to = '*', {id, within} = {}) {
    const body = {rid: name, content: text, target: to, from: this.#user};
    if (id !== undefined) body.id = id;
    if (within === undefined) return this.#require().request('chat.chatHandler.send', body);
    const room = this.#rooms.get(name);
    if (!room?.entered) throw new HubbubError('left', `You are not in the room "${name}".`);
    body.id ??= randomId();
    const end = Date.now() + within;
    const turn = room.sends;
    const life = this.#life;
    const answer = turn.then(() => this.#sendUntil(life, end, room, body));
    room.sends = answer.catch(() => {});
    return answer;
  }

  async leave(room) {
    const link = this.#require();
    this.#rooms.delete(room);  // From here on its events are of no interest, and it is not re-entered.
    this.#look();
    await link.request('connector.entryHandler.leave', {rid: room});
  }

  async history(name, {before = 0, limit = 50} = {}) {
    const {events, next} = await this.#require().request('chat.chatHandler.history', {rid: name, before, limit});
    const messages = events.map(({from, target, msg, time, offset, epoch}) =>
      ({room: name, from, to: target, text: msg, private: target !== '*', time, offset, epoch}));
    return {messages, next};
  }

  reconnectNow() {
    for (const end of [...this.#pauses]) end();
  }

  close() {
    if (this.#state === 'idle' || this.#state === 'offline') return;
    this.#goOffline({reason: 'closed'});
  }

  // Sends `body` until it is answered, or until the time `end`.
  async #sendUntil(life, end, room, body) {
    let error = new HubbubError('timeout', `The room "${room.name}" could not be reached in time.`);
    for (let attempt = 0; ; ++attempt) {
      await this.#ready(life, room, end);
      if (life !== this.#life) throw new HubbubError('closed', 'The client was closed before the server answered.');
      if (this.#rooms.get(room.name) !== room) throw new HubbubError('left', `You are no longer in the room "${room.name}".`);
      if (Date.now() >= end) throw error;
      try {
        return await this.#require().request('chat.chatHandler.send', body, undefined, end - Date.now());
      } catch (failure) {
        error = failure;
        if (!REPEAT_CODES.has(error.code)) throw error;
      }
      await this.#pause(Math.min(this.#delay(attempt), Math.max(0, end - Date.now())));
    }
  }

  // Until the room is entered on the present connection, or it, this life of the client or the time is over.
  #ready(life, room, end) {
    const isReady = () => life !== this.#life || this.#rooms.get(room.name) !== room ||
                          (this.#link && room.link === this.#link && !room.held);
    if (isReady()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!isReady() && Date.now() < end) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(look, Math.max(0, end - Date.now()) + 1);
      this.#waiting.add(look);
    });
  }

  #look() {
    for (const look of [...this.#waiting]) look();
  }

  #require() {
    if (!this.#link) throw new HubbubError('offline', 'There is no connection to the server right now.');
    return this.#link;
  }

  // Asks the gate, then connects to the connector that it names; to another one if that does not take the client.
  async #open(life) {
    for (let attempt = 0;; ++attempt) {
      const entry = await this.#askGate(life);
      try {
        return await this.#dial(life, entry);
      } catch (error) {
        // With a number, the server has understood the client, and refused it: another one would do so too, or must not be tried.
        if (life !== this.#life || typeof error.code === 'number' || attempt + 1 >= MAX_CONNECTORS) throw error;
      }
      await this.#pause(this.#delay(attempt));
      this.#stopIfStale(life);
    }
  }

  async #askGate(life) {
    const token = await this.#token();
    this.#stopIfStale(life);
    const gate = new Link(this.#WebSocket, this.#gate.href, {timeout: this.#timeout, token});
    try {
      await gate.opened;
      const entry = await gate.request('gate.gateHandler.queryEntry', {uid: this.#user},
                                       'No chat server can be reached right now.');
      this.#stopIfStale(life);
      return entry;
    } finally {
      gate.close();
    }
  }

  async #dial(life, entry) {
    const token = await this.#token();
    this.#stopIfStale(life);
    const link = new Link(this.#WebSocket, this.#connectorUrl(entry.host, entry.port), {
      timeout: this.#timeout,
      token,
      onPush: (route, body) => this.#onPush(link, route, body),
      onEnd: (end) => this.#onEnd(link, end),
    });
    try {
      await link.opened;
      this.#stopIfStale(life);
      if (link.error) throw link.error;  // A kick can lie in the same frame as the handshake.
    } catch (error) {
      link.close();
      throw error;
    }
    this.#link = link;
    this.#refreshInTime(link, token);
    return link;
  }

  // Shows a new token when four fifths of the old one's time are over. If that fails, the server ends the connection with the
  // old one, and says so.
  #refreshInTime(link, token) {
    clearTimeout(this.#tokenTimer);
    const end = endOf(token);
    if (end === null) return;
    const delay = Math.min(Math.max(1000, 0.8 * (end - Date.now())), 2 ** 31 - 1);
    this.#tokenTimer = setTimeout(async () => {
      if (link !== this.#link) return;
      let next = token;
      try {
        const newer = await this.#token();
        if (newer && newer !== token && link === this.#link) {
          await link.request('connector.entryHandler.refresh', {token: newer});
          next = newer;
        }
      } catch {
        // Tried again below, for as long as the old one lasts.
      }
      if (link === this.#link && Date.now() < end) this.#refreshInTime(link, next);
    }, delay);
  }

  #stopIfStale(life) {
    if (life !== this.#life) throw new HubbubError('closed', 'The client was closed.');
  }

  #defaultConnectorUrl(host, port) {
    const loopback = (name) => name === 'localhost' || name === '[::1]' || name.startsWith('127.');
    const url = new URL(this.#gate.protocol + '//' + (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host));
    // A suite on one machine knows itself as 127.0.0.1, which says nothing to a client that reached its gate elsewhere.
    if (loopback(url.hostname) && !loopback(this.#gate.hostname)) url.hostname = this.#gate.hostname;
    url.port = port;
    return url.href;
  }

  async #enter(link, room) {
    // An enter that was stuck on its way must not take the place from a later one.
    if (room.resume !== undefined) room.attempt = Math.max(Date.now(), (room.attempt ?? 0) + 1);
    const again = room.point;
    room.held = [];
    let answer;
    try {
      answer = await link.request('connector.entryHandler.enter', {username: this.#user, rid: room.name, ...again});
    } catch (error) {
      room.held = null;
      throw error;
    }
    const held = room.held;
    const returned = room.entered;
    const since = {epoch: room.epoch, offset: room.offset};
    room.held = null;
    room.link = link;
    room.entered = true;
    room.users = new Set(answer.users ?? []);
    room.total = answer.total ?? room.users.size;
    if (answer.resume !== undefined) room.resume = answer.resume;
    const sameLife = again.offset !== undefined && again.epoch === answer.epoch;
    const recovered = answer.recovered ?? (sameLife && again.offset === answer.offset ? true : undefined);
    this.#emit('members', {room: room.name, users: [...room.users], total: room.total});
    if (recovered && answer.events) {
      for (const {route, ...body} of answer.events) this.#apply(room, route, body, {recovered: true});
    } else if (returned && !recovered) {
      this.#emit('gap', {room: room.name, since, until: {epoch: answer.epoch, offset: answer.offset}});
    }
    room.epoch = answer.epoch;
    room.offset = answer.offset;
    for (const {route, body} of held) this.#apply(room, route, body);
    this.#look();
    return {users: [...room.users], total: room.total, epoch: room.epoch, offset: room.offset, recovered};
  }

  #onPush(link, route, body) {
    if (link !== this.#link) return;
    if (!ROOM_PUSHES.has(route)) {
      this.#emit('push', {route, body});
      return;
    }
    // A server that does not name the room in its pushes knows one room per connection.
    const room = body.rid === undefined ? [...this.#rooms.values()].at(-1) : this.#rooms.get(body.rid);
    if (!room) return;
    if (!room.held) {
      this.#apply(room, route, body);
    } else if (room.held.length < MAX_HELD_PUSHES) {
      room.held.push({route, body});
    } else {
      link.close(new HubbubError('protocol', `The server sent ${MAX_HELD_PUSHES} events before it answered an enter.`));
    }
  }

  // Takes one event of a room in, unless it has been seen: offsets only grow within an epoch.
  #apply(room, route, body, {recovered = false} = {}) {
    if (route === 'onGap') {
      if (body.until.epoch === room.epoch) room.offset = Math.max(room.offset, body.until.offset);
      this.#emit('gap', {room: room.name, since: body.since, until: body.until});
      return;
    }
    if (body.offset !== undefined) {
      if (body.epoch === room.epoch && body.offset <= room.offset) {
        this.#emit('stale', {room: room.name, route, body});
        return;
      }
      room.epoch = body.epoch;
      room.offset = body.offset;
    }
    const {offset, epoch, time = Date.now()} = body;
    const event = {room: room.name, offset, epoch, time, recovered};
    if (route === 'onChat') {
      const isPrivate = body.target !== undefined && body.target !== '*' && body.target !== '';
      this.#emit('message', {...event, from: body.from, to: body.target ?? '*', text: body.msg, private: isPrivate});
    } else if (route === 'onAdd') {
      if (!recovered) {  // The list that came with recovered events is newer than they are.
        if (!room.users.has(body.user)) room.total += 1;
        room.users.add(body.user);
      }
      this.#emit('join', {...event, user: body.user});
    } else if (route === 'onLeave') {
      if (!recovered) {
        room.users.delete(body.user);
        room.total = Math.max(room.total - 1, room.users.size);
      }
      const self = body.user === this.#user && !recovered;
      if (self) {
        this.#rooms.delete(room.name);
        this.#look();
      }
      this.#emit('leave', {...event, user: body.user, self});
    }
  }

  #onEnd(link, {kick, error}) {
    if (link !== this.#link) return;
    this.#link = null;
    clearTimeout(this.#tokenTimer);
    if (kick !== undefined) this.#emit('kick', {reason: kick});
    if (kick !== undefined && kick !== 'reconnect') {
      this.#goOffline({reason: kick, error});
    } else if (kick === undefined && !this.rooms.length) {
      this.#goOffline({reason: 'closed', error});
    } else if (this.#reconnecting !== this.#life) {
      this.#reconnect(this.#life, {atOnce: kick === 'reconnect', error});
    }
  }

  #goOffline(detail) {
    this.#life += 1;
    this.reconnectNow();
    const link = this.#link;
    this.#link = null;
    clearTimeout(this.#tokenTimer);
    this.#look();
    link?.close();
    this.#setState('offline', detail);
  }

  async #reconnect(life, {atOnce, error}) {
    this.#reconnecting = life;
    try {
      for (let attempt = 0; life === this.#life; ++attempt) {
        const delay = atOnce && attempt === 0 ? 0 : this.#delay(attempt);
        this.#setState('reconnecting', {attempt: attempt + 1, delay, error});
        await this.#pause(delay);
        if (life !== this.#life) return;
        try {
          const link = await this.#open(life);
          await Promise.all([...this.#rooms.values()].map((room) => this.#reenter(life, link, room)));
          if (life !== this.#life) return;
          if (this.#link === link) {
            this.#setState('connected');
            return;
          }
        } catch (failure) {
          error = failure;
        }
      }
    } finally {
      if (this.#reconnecting === life) this.#reconnecting = 0;
    }
  }

  // Puts this client back into a room. What may pass is tried again; what will not is reported as `lost`.
  async #reenter(life, link, room) {
    for (let attempt = 0; this.#link === link; ++attempt) {
      try {
        await this.#enter(link, room);
        return;
      } catch (error) {
        if (life !== this.#life || this.#link !== link) throw error;
        if (error.code === 'timeout') {
          // A connector that hangs may do so for long. The gate names another one, where this enter is a later attempt.
          link.close(error);
          throw error;
        }
        const mayPass = typeof error.code !== 'number' || error.code >= 500;
        if (!mayPass || (attempt + 1 >= MAX_REENTER_ATTEMPTS && !PASSING_CODES.has(error.code))) {
          this.#rooms.delete(room.name);
          this.#look();
          this.#emit('lost', {room: room.name, error});
          return;
        }
        await this.#pause(this.#delay(attempt));
      }
    }
  }

  // Between a half and the whole of a bound that doubles: clients that lost the same server do not come back in step.
  #delay(attempt) {
    const bound = Math.min(this.#backoff.max, this.#backoff.min * 2 ** Math.min(attempt, 20));
    return Math.round(bound * (0.5 + Math.random() / 2));
  }

  #pause(delay) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, delay);
      this.#pauses.add(end);
    });
  }

  #setState(state, detail = {}) {
    this.#state = state;
    this.#emit('state', {state, ...detail});
  }

  #emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        // A listener's mistake is the page's to see, but must not stop the protocol.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
