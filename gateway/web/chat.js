// The chat page: ties the client library to what is on the screen.

import {showConnectBox} from './connect-box.js';
import {HubbubClient} from './hubbub-client.js';
import {MemberList} from './member-list.js';
import {MessageLog} from './message-log.js';
import {showSignInNotice} from './sign-in-notice.js';
import {takeToken} from './token.js';
import {explain, explainKick, nameProblem, textProblem} from './words.js';

const $ = (id) => document.getElementById(id);

// The gate serves this page and the client protocol on one port.
const gate = new URL('./', location.href);
gate.protocol = gate.protocol === 'https:' ? 'wss:' : 'ws:';

const own = takeToken();
const chat = new HubbubClient({gate: gate.href, token: own?.token});
const log = new MessageLog($('log'), $('newest'));
const members = new MemberList({
  list: $('member-list'),
  counts: [$('people-count'), $('people-button-count')],
  filterBox: $('people-filter-box'),
  filter: $('people-filter'),
  more: $('member-more'),
  onChoose: (user) => {
    choose(user);
    showPeople(false);
    $('text').focus();
  },
});

showSignInNotice($('sign-in-notice'), Boolean(own));
showConnectBox({kind: $('connect-kind'), code: $('connect-code'), copy: $('connect-copy')});

let room = '';
let entering = '';  // The room that is shown as soon as it lets us in.
let target = '*';
let unread = 0;
let busy = false;  // Signing in, or changing the room.

// What survives a reload of this tab, and nothing else.
const memory = {
  get(key) {
    try {
      return JSON.parse(sessionStorage.getItem(`hubbub.${key}`));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      sessionStorage.setItem(`hubbub.${key}`, JSON.stringify(value));
    } catch {
      // Storage may be forbidden or full; then a reload asks again.
    }
  },
};

// Where the last visits of this browser's user to rooms ended, for the mark in the log.
const visits = {
  key: (name) => `hubbub.visit.${chat.user}.${name}`,
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(this.key(name)));
    } catch {
      return null;
    }
  },
  end(name) {
    const point = name && chat.resumePoint(name);
    if (!point) return;
    try {
      localStorage.setItem(this.key(name), JSON.stringify({epoch: point.epoch, offset: point.offset}));
    } catch {
      // Then there is no mark.
    }
  },
};
addEventListener('pagehide', () => visits.end(room));

// ---- Signing in and out

async function signIn(user, wanted, point) {
  if (busy) return;
  busy = true;
  $('sign-in-button').disabled = true;
  $('sign-in-button').textContent = 'Entering …';
  $('sign-in-error').textContent = '';
  try {
    await chat.connect(user);
    entering = wanted;
    await chat.enter(wanted, point);
    showChat();
  } catch (error) {
    chat.close();
    showSignIn(explain(error, {user, room: wanted}));
  } finally {
    busy = false;
    entering = '';
    $('sign-in-button').disabled = false;
    $('sign-in-button').textContent = 'Enter the room';
  }
}

$('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const user = $('user-input').value.trim().normalize();
  const wanted = $('room-input').value.trim().normalize();
  const userProblem = nameProblem('name', user);
  const roomProblem = nameProblem('room', wanted);
  markInvalid($('user-input'), userProblem);
  markInvalid($('room-input'), roomProblem);
  $('sign-in-error').textContent = userProblem || roomProblem;
  if (userProblem || roomProblem) {
    $(userProblem ? 'user-input' : 'room-input').focus();
    return;
  }
  memory.set('user', user);
  memory.set('room', wanted);
  signIn(user, wanted);
});

$('sign-out').addEventListener('click', () => {
  visits.end(room);
  chat.close();
  showSignIn('');
});

function showChat() {
  const firstTime = $('chat').hidden;
  $('sign-in').hidden = true;
  $('chat').hidden = false;
  memory.set('signedIn', true);
  remember();
  if (firstTime) {
    $('text').focus();
    log.toEnd();
  }
}

function showSignIn(problem) {
  memory.set('signedIn', false);
  memory.set('point', null);
  $('room-dialog').close();
  $('chat').hidden = true;
  $('sign-in').hidden = false;
  $('sign-in-error').textContent = problem;
  fillIn();
  document.title = 'Hubbub';
  if (!own) $('user-input').select();
}

// The name is the token's, where there is one.
function fillIn() {
  $('user-input').value = own?.user ?? memory.get('user') ?? '';
  $('user-input').readOnly = Boolean(own);
  $('room-input').value = memory.get('room') ?? 'lobby';
  $(own ? 'room-input' : 'user-input').focus();
}

function remember() {
  memory.set('room', room);
  memory.set('point', {room, ...chat.resumePoint(room)});
}

function markInvalid(input, problem) {
  input.toggleAttribute('aria-invalid', Boolean(problem));
  if (problem) input.setAttribute('aria-invalid', 'true');
}

// ---- The room

// What was said before: the newest page on entering, older ones when the reader scrolls up.
let older = {room: '', before: 0, busy: false};

async function showOlder({entered = false} = {}) {
  const from = older;
  if (from.busy || (!entered && !from.before)) return;
  from.busy = true;
  try {
    const {messages, next} = await chat.history(from.room, {before: from.before});
    if (from !== older) return;
    from.before = next;
    const visit = entered ? from.visit : null;
    const seenAll = !visit || messages.some(({epoch}) => epoch !== visit.epoch);
    log.older(messages.map((message) => ({...message, own: message.from === chat.user})), seenAll ? undefined : visit.offset);
  } catch (error) {
    // Without history there is nothing older; a connection that is away is back some other time.
    if (error.code === 404) from.before = 0;
  } finally {
    from.busy = false;
  }
}
log.whenNearBegin(() => showOlder());

function showRoom(name) {
  if (room !== name) visits.end(room);
  room = name;
  older = {room: name, before: 0, busy: false, visit: visits.get(name)};
  // After what the answer to the enter tells has been shown.
  setTimeout(() => showOlder({entered: true}));
  $('room-name').textContent = name;
  log.clear();
  log.notice('You are in the room. Say hello!');
  choose('*');
  showTitle();
}

function showTitle() {
  document.title = `${unread ? `(${unread}) ` : ''}${room} · Hubbub`;
}

$('room-button').addEventListener('click', () => {
  $('room-error').textContent = '';
  $('new-room-input').value = '';
  markInvalid($('new-room-input'), '');
  $('room-dialog').showModal();
});
$('room-cancel').addEventListener('click', () => $('room-dialog').close());

// First into the new room, then out of the old one: if the new one refuses, nothing has changed.
$('room-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const wanted = $('new-room-input').value.trim().normalize();
  const problem = wanted === room ? 'You are in this room already.' : nameProblem('room', wanted);
  markInvalid($('new-room-input'), problem);
  $('room-error').textContent = problem;
  if (problem || busy) return;
  busy = true;
  $('room-submit').disabled = true;
  const old = room;
  entering = wanted;
  try {
    await chat.enter(wanted);
    remember();
    $('room-dialog').close();
    $('text').focus();
    chat.leave(old).catch(() => {});  // A connection that is lost meanwhile leaves the old room as well.
  } catch (error) {
    $('room-error').textContent = explain(error, {user: chat.user, room: wanted});
  } finally {
    busy = false;
    entering = '';
    $('room-submit').disabled = false;
  }
});

// ---- People

function choose(user) {
  target = user;
  members.choose(user);
  showTarget();
}

function showTarget() {
  const everyone = target === '*';
  const gone = !everyone && !members.has(target);
  $('composer').toggleAttribute('data-private', !everyone);
  $('target-name').textContent = everyone ? 'everyone' : target;
  $('to-label').textContent = everyone ? 'To' : 'Only to';
  $('target-clear').hidden = everyone;
  $('text').placeholder = everyone ? 'Message' : `Message for ${target} alone`;
  setComposerError(gone ? `${target} has left the room.` : '');
}

function showPeople(open) {
  $('people').toggleAttribute('data-open', open);
  $('people-button').setAttribute('aria-expanded', String(open));
  if (open) ($('member-list').querySelector('[aria-pressed="true"]') ?? $('people-close')).focus();
}

$('people-button').addEventListener('click', () => showPeople(!$('people').hasAttribute('data-open')));
$('people-close').addEventListener('click', () => {
  showPeople(false);
  $('people-button').focus();
});
$('target').addEventListener('click', () => showPeople(true));
$('target-clear').addEventListener('click', () => {
  choose('*');
  $('text').focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || $('room-dialog').open || $('chat').hidden) return;
  if ($('people').hasAttribute('data-open')) showPeople(false);
  else if (target !== '*') choose('*');
  $('text').focus();
});

// ---- Writing

function setComposerError(problem) {
  $('composer-error').textContent = problem;
}

function fitText() {
  const text = $('text');
  text.style.height = 'auto';
  text.style.height = `${text.scrollHeight + 2}px`;
}

$('text').addEventListener('input', () => {
  fitText();
  showTarget();
});
$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $('composer').requestSubmit();
  }
});

$('composer').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('text').value.trimEnd();
  if (!text.trim()) return;
  const problem = textProblem(text);
  setComposerError(problem);
  if (problem) return;
  if (target !== '*' && !members.has(target)) {
    showTarget();
    return;
  }
  const to = target;
  const from = room;
  $('text').value = '';
  fitText();
  try {
    const {offset, time} = await chat.send(from, text, to);
    // A message for one person does not come back to its sender.
    if (to !== '*' && from === room) log.message({from: chat.user, to, text, time: time ?? Date.now(), own: true, private: true, offset});
  } catch (error) {
    if (from !== room) return;
    if (!$('text').value) $('text').value = text;  // Nothing that was typed is lost.
    fitText();
    setComposerError(error.code === 'offline' ? 'Not connected. Your message is kept here.' : explain(error));
  }
});

// ---- What the server tells

chat.on('members', (event) => {
  if (event.room === entering) {
    entering = '';
    if (event.room !== room || $('chat').hidden) showRoom(event.room);
  }
  if (event.room !== room) return;
  members.set(event.users, {self: chat.user, total: event.total});
  remember();
  showTarget();
});
chat.on('join', ({room: where, user, time, recovered}) => {
  if (where !== room) return;
  if (!recovered) members.add(user);
  log.coming('join', user, time);
  showTarget();
});
chat.on('leave', ({room: where, user, time, self, recovered}) => {
  if (where !== room) return;
  if (self) {
    chat.close();
    showSignIn('You were taken out of the room.');
    return;
  }
  if (!recovered) members.remove(user);
  log.coming('leave', user, time);
  showTarget();
});
chat.on('message', (event) => {
  if (event.room !== room) return;
  log.message({...event, own: event.from === chat.user});
  if (document.hidden) {
    unread += 1;
    showTitle();
  }
});
chat.on('gap', async ({room: where, since, until}) => {
  if (where !== room) return;
  try {
    const {messages, next} = await chat.history(where, {before: until.offset + 1, limit: 100});
    if (where !== room) return;
    const missed = messages.filter(({epoch, offset}) => epoch === since.epoch && offset > since.offset);
    if (next > since.offset + 1 || since.epoch !== until.epoch) throw new Error('There is more than a page.');
    for (const message of missed) log.message({...message, own: message.from === chat.user});
  } catch {
    if (where === room) log.notice('You were away for a moment. Messages of that time may be missing.');
  }
});
chat.on('lost', (event) => {
  if (event.room !== room) return;
  chat.close();
  showSignIn(explain(event.error, {user: chat.user, room}));
});
chat.on('push', ({route, body}) => {
  const text = body.msg ?? body.text ?? body.message;
  if (route === 'onNotice' && typeof text === 'string') log.notice(text);
});

const STATES = {
  idle: 'Offline',
  connecting: 'Connecting …',
  connected: 'Connected',
  reconnecting: 'Reconnecting …',
  offline: 'Offline',
};

chat.on('state', ({state, reason}) => {
  $('connection').dataset.state = state;
  $('connection-text').textContent = STATES[state];
  if (state === 'reconnecting') {
    showBanner('Connection lost. Reconnecting …', 'Try now');
  } else if (state === 'offline') {
    showBanner(explainKick(reason), 'Connect again');
  } else if (state === 'connected') {
    $('banner').hidden = true;
    if (!$('chat').hidden) setComposerError('');
  }
});

function showBanner(text, button) {
  $('banner').hidden = false;
  $('banner-text').textContent = text;
  $('banner-button').textContent = button;
}

$('banner-button').addEventListener('click', () => {
  if (chat.state === 'offline') signIn(chat.user, room, memory.get('point') ?? undefined);
  else chat.reconnectNow();
});
addEventListener('online', () => chat.reconnectNow());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  if (!$('chat').hidden) showTitle();
  chat.reconnectNow();
});

// ---- Start

fillIn();
if (memory.get('signedIn') && memory.get('user') && (!own || own.user === memory.get('user'))) {
  const point = memory.get('point');
  signIn(memory.get('user'), memory.get('room'), point?.room === memory.get('room') ? point : undefined);
}
